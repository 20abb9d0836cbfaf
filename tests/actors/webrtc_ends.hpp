#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "actors/media/webrtc_services.hpp"
#include "tests/actors/sim_world.hpp"
#include "tests/actors/stream_ends.hpp"

namespace jackfield {

using namespace std::chrono_literals;

inline std::shared_ptr<webrtc_services> simulated_services(bool lite) {
  webrtc_settings settings;
  settings.lite = lite;
  return webrtc_services::make_simulated(settings).value();
}

/// Two streams, A that offers and B that answers, each of a site of its own.
class webrtc_streams : public testing::Test {
protected:
  explicit webrtc_streams(bool a_is_lite = false, bool b_is_lite = false)
      : world_(1), site_a_(world_.add_site("10.0.0.1", transport::protocol::udp, {},
                                           simulated_services(a_is_lite))),
        site_b_(
          world_.add_site("10.0.0.2", transport::protocol::udp, {}, simulated_services(b_is_lite))),
        a_(world_.lane(), site_a_.context.media, path_at(site_a_, true)),
        b_(world_.lane(), site_b_.context.media, path_at(site_b_, false)) {
    world_.pass(10ms);
  }
  static std::unique_ptr<media_path> path_at(sim_site& site, bool controlling) {
    return make_path(site.context.media, sdp::protection::dtls, controlling);
  }
  /// What one end is told of the other.
  static sdp::negotiated_audio agreed_with(const stream_end& other, sdp::setup role) {
    auto audio = agreed(other.address());
    audio.protected_by = sdp::protection::dtls;
    audio.role = role;
    audio.remote = other.heard().opened->transport;
    return audio;
  }
  template <class Change>
  static sdp::negotiated_audio changed(sdp::negotiated_audio audio, Change change) {
    auto theirs = *audio.remote;
    change(theirs);
    audio.remote = std::make_shared<const sdp::stream_transport>(std::move(theirs));
    return audio;
  }
  void connect(sdp::setup role_of_b = sdp::setup::active) {
    const bool active = role_of_b == sdp::setup::active;
    a_.tell(media_connect{agreed_with(b_, active ? sdp::setup::passive : sdp::setup::active)});
    b_.tell(media_connect{agreed_with(a_, role_of_b)});
  }
  void cut(bool down) {
    world_.lane().set_partition(site_a_.context.media.address(), site_b_.context.media.address(),
                                down);
  }
  void set_loss(double loss) {
    lane::sim_link link;
    link.delay = 10ms;
    link.loss = loss;
    world_.lane().set_link(link);
  }
  /// Of two that are connected: ten seconds without a network are outlived, forty are not.
  void expect_outlives_a_short_cut_alone() {
    world_.pass(5s);
    cut(true);
    world_.pass(10s);
    cut(false);
    world_.pass(60s);
    EXPECT_EQ(failed_at(a_), "has not failed");
    EXPECT_EQ(failed_at(b_), "has not failed");
    cut(true);
    world_.pass(40s);
    EXPECT_EQ(failed_at(a_), "ice consent");
    EXPECT_EQ(failed_at(b_), "ice consent");
  }
  media_outcome closed(stream_end& end) {
    end.tell(media_close{});
    world_.pass(100ms);
    EXPECT_EQ(end.heard().closed.size(), 1U);
    EXPECT_FALSE(end.heard().closed[0].failure) << end.heard().closed[0].failure->to_string();
    return end.heard().closed[0].outcome;
  }
  /// The place of what ended the stream.
  static std::string failed_at(const stream_end& end) {
    const auto& told = end.heard().closed;
    return told.size() == 1 && told[0].failure ? told[0].failure->place : "has not failed";
  }

  sim_world world_;
  sim_site& site_a_;
  sim_site& site_b_;
  stream_end a_;
  stream_end b_;
};

/// Calls with Opus between a load script and an answering service.
class webrtc_calls : public testing::Test {
protected:
  explicit webrtc_calls(bool caller_is_lite = false, bool callee_is_lite = false)
      : world_(3), caller_(world_.add_site("10.0.0.1", transport::protocol::udp, {},
                                           simulated_services(caller_is_lite))),
        callee_(world_.add_site("10.0.0.2", transport::protocol::udp, {},
                                simulated_services(callee_is_lite))) {
    auto answers = answer_manner_of(callee_);
    add_audio(answers);
    auto can = answers.media->capabilities();
    describe_codecs(can, codecs);
    accept_any_protection(can);
    answers.media =
      std::make_shared<const sdp::offer_template>(callee_.context.media.address().address(), can);
    world_.answer(callee_, answers);
    manner_ = manner_between(caller_, callee_.target());
    add_audio(manner_, caller_);
    describe_codecs(manner_.capabilities, codecs);
    require_protection(manner_.capabilities, sdp::protection::dtls);
    manner_.offer = std::make_shared<const sdp::offer_template>(
      caller_.context.media.address().address(), manner_.capabilities);
  }
  /// Places some and lets them end.
  const std::vector<call_finished>& run(size_t count, lane::duration length) {
    const auto target = target_of(callee_.address);
    target->digits = {digits_};
    for (size_t i = 0; i < count; ++i)
      world_.call(caller_, std::make_shared<const call_manner>(manner_), target, length);
    world_.pass(length + 3s);
    EXPECT_EQ(world_.heard().calls.size(), count);
    for (const auto& call : world_.heard().calls)
      EXPECT_FALSE(call.failure.failed()) << call.failure.text();
    world_.expect_nothing_left();
    return world_.heard().calls;
  }

  static constexpr std::array codecs{audio::codec::opus, audio::codec::pcmu};
  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
  call_manner manner_;
  std::string digits_;
};

} // namespace jackfield
