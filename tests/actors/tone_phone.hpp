#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/call/call_leg.hpp"
#include "actors/call/own_stream.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {

/// A phone at a site that answers each call at once, says a tone, and tells what it heard; it may
/// hold the call and resume it. The site's service, in place of any other.
class tone_phone final : public uas_service {
public:
  /// Something that it does so long after it answered.
  struct step {
    lane::duration after{};
    std::function<void(call_leg&)> what;
  };

  tone_phone(sim_site& site, uint16_t hz, std::shared_ptr<const sdp::offer_template> media)
      : site_(site), media_(std::move(media)) {
    auto audio = std::make_shared<audio_settings>();
    audio->source = audio::source_spec::tone(hz);
    audio->listens = true;
    audio_ = std::move(audio);
    site_.context.router.set_service(this);
  }
  ~tone_phone() { site_.context.router.set_service(nullptr); }
  tone_phone(const tone_phone&) = delete;
  tone_phone& operator=(const tone_phone&) = delete;

  void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) override {
    site_.context.home.spawn<call_leg>(site_.context.router, std::make_unique<user>(*this), invite,
                                       transaction, site_.connections);
  }
  void on_request(const sip_arrival_ptr& request) override {
    site_.context.router.answer(*request, 200);
  }

  static step holds(lane::duration after) {
    return {after, [](call_leg& leg) { EXPECT_TRUE(leg.offer(sdp::direction::sendonly)); }};
  }
  static step resumes(lane::duration after) {
    return {after, [](call_leg& leg) { EXPECT_TRUE(leg.offer(sdp::direction::sendrecv)); }};
  }

  std::vector<step> steps; ///< by their times
  std::vector<media_outcome> outcomes;
  int offers = 0; ///< that it was made within calls

private:
  class user final : public leg_user {
  public:
    explicit user(tone_phone& phone) : phone_(phone) {}

    void on_start(call_leg& leg) override { leg.describe(phone_.media_, 20'000); }
    void on_incoming(call_leg& leg, const leg_incoming& call) override {
      ASSERT_EQ(call.unacceptable, nullptr);
      stream_.open(leg, phone_.site_.context.media, phone_.audio_, leg.offered_protection(),
                   leg.controls_ice());
    }
    void on_media_opened(call_leg& leg, const media_opened& opened) override {
      ASSERT_TRUE(opened.local);
      leg.use_stream(stream_.handle(), opened.local->port(), opened.transport);
      ASSERT_TRUE(leg.accept());
      answered_ = leg.home().now();
      rest(leg);
    }
    void on_wake(call_leg& leg) override {
      phone_.steps[next_++].what(leg);
      rest(leg);
    }
    void on_offer(call_leg& leg, const leg_offer& offer) override {
      ++phone_.offers;
      leg_user::on_offer(leg, offer);
    }
    void on_hang_up(call_leg& leg) override { leg.hang_up(); }
    void on_lost(call_leg& /*leg*/) override { ADD_FAILURE() << "an error within the phone"; }
    void on_ended(call_leg& leg, const leg_end& /*end*/) override {
      leg.do_not_wake();
      if (!stream_.close(leg))
        leg.finish();
    }
    void on_media_closed(call_leg& leg, const media_closed& closed) override {
      phone_.outcomes.push_back(closed.outcome);
      stream_.on_closed(closed);
      leg.finish();
    }

  private:
    void rest(call_leg& leg) {
      if (next_ < phone_.steps.size())
        leg.wake_at(answered_ + phone_.steps[next_].after);
    }

    tone_phone& phone_;
    own_stream stream_;
    lane::time_point answered_{};
    size_t next_ = 0;
  };

  sim_site& site_;
  std::shared_ptr<const sdp::offer_template> media_;
  std::shared_ptr<const audio_settings> audio_;
};

/// The tones of what was heard, in order: "440", or "440+1000" of two at once. Each is named once
/// in a row, and what is between two tones that are the same is left out.
inline std::vector<std::string> tones_of(const media_outcome& outcome) {
  std::vector<std::string> out;
  if (!outcome.heard)
    return out;
  const auto text = [](uint16_t hz) { return std::to_string((hz + 5) / 10 * 10); }; // to 1 %
  for (const auto& each : outcome.heard->pieces) {
    if (each.what != audio::found_sound::kind::tone)
      continue;
    auto found = text(each.hz[0]) + (each.hz[1] == 0 ? "" : "+" + text(each.hz[1]));
    if (out.empty() || out.back() != found)
      out.push_back(std::move(found));
  }
  return out;
}

} // namespace jackfield
