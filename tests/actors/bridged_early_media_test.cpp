#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "actors/centre/bridged_call.hpp"
#include "actors/media/media_protection.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// Bob calls Carol, who is registered here; both say what the test writes.
class bridged_early_media_test : public testing::Test {
protected:
  bridged_early_media_test()
      : world_(7), service_(world_.add_site("10.0.0.2")), bob_(world_.lane(), "10.0.0.8"),
        carol_(world_.lane(), "10.0.0.9"), bobs_(world_.lane(), "10.1.0.8"),
        carols_(world_.lane(), "10.1.0.9") {
    carol_.on_message = [this](const std::string& m) {
      if (m.starts_with("BYE ") || m.starts_with("CANCEL "))
        carol_.answer(m, 200);
    };
  }

  /// Carol's phone has been called.
  void begin(bool callers_are_known) {
    auto manner = answer_manner_of(service_);
    add_audio(manner);
    auto can = manner.media->capabilities();
    accept_any_protection(can);
    manner.media = std::make_shared<sdp::offer_template>(manner.media->host(), can);
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto bridge = std::make_shared<bridge_manner>();
    bridge->media = manner.media;
    bridge->audio = std::move(listens);
    bridge->early_media = callers_are_known;
    manner.connect = std::move(bridge);
    world_.answer(service_, manner);
    auto text =
      carol_.request("REGISTER", service_.address, "r", {}, 1, "Expires: 600\r\n", "register");
    text.replace(text.find("To: <sip:service@"), 17, "To: <sip:carol@");
    carol_.send(service_.address, text);
    world_.pass(1s);
    say("INVITE", 1, bobs_.description());
    world_.pass(1s);
    invite_ = carol_.last("INVITE ");
    ASSERT_FALSE(invite_.empty());
  }
  void say(std::string_view method, int cseq, const std::string& body = {}) {
    auto text = bob_.request(method, service_.address, std::string{method} + std::to_string(cseq),
                             tag_in(bob_.last("SIP/2.0 200"), "To"), cseq, {}, "raw", body);
    for (auto at = text.find("sip:service@"); at != std::string::npos;
         at = text.find("sip:service@"))
      text.replace(at, 12, "sip:carol@");
    bob_.send(service_.address, text);
  }
  /// Both speak for a second.
  void speak(const lane::endpoint& to_bobs, const lane::endpoint& to_carols) {
    for (int i = 0; i < 50; ++i) {
      carols_.send_packet(to_bobs);
      if (to_carols.valid())
        bobs_.send_packet(to_carols);
      world_.pass(20ms);
    }
  }
  /// Early answers that Bob was sent.
  [[nodiscard]] size_t described() const {
    return static_cast<size_t>(std::ranges::count_if(bob_.messages, [](const std::string& m) {
      return m.starts_with("SIP/2.0 183") && m.find("m=audio ") != std::string::npos;
    }));
  }
  void answer_and_hang_up() {
    carol_.answer(invite_, 200, {}, carols_.description());
    world_.pass(1s);
    const auto answer = bob_.last("SIP/2.0 200");
    ASSERT_NE(answer.find("m=audio "), std::string::npos) << answer;
    const auto to = media_address_in(answer);
    answered_at_ = to;
    say("ACK", 1);
    const auto bob_heard = bobs_.heard;
    const auto carol_heard = carols_.heard;
    speak(media_address_in(invite_), to);
    EXPECT_NEAR(bobs_.heard - bob_heard, 50, 2);
    EXPECT_NEAR(carols_.heard - carol_heard, 50, 2);
    say("BYE", 2);
    world_.pass(2s);
    EXPECT_EQ(carol_.count("BYE "), 1U);
    world_.expect_nothing_left();
  }

  sim_world world_;
  sim_site& service_;
  raw_peer bob_;
  raw_peer carol_;
  raw_media bobs_;
  raw_media carols_;
  std::string invite_;
  lane::endpoint answered_at_; // where the 200 had Bob speak
};

TEST_F(bridged_early_media_test,
       is_heard_by_a_caller_who_is_known_and_goes_on_when_it_is_answered) {
  begin(true);
  carol_.answer(invite_, 183, {}, carols_.description());
  world_.pass(1s);
  const auto early = bob_.last("SIP/2.0 183");
  ASSERT_NE(early.find("m=audio "), std::string::npos) << early;
  speak(media_address_in(invite_), media_address_in(early));
  EXPECT_NEAR(bobs_.heard, 50, 2);
  EXPECT_NEAR(carols_.heard, 50, 2) << "a voice menu before the answer hears its caller's keys";
  answer_and_hang_up();
  EXPECT_EQ(answered_at_, media_address_in(early)) << "RFC 6337 §3.1.1: one answer";
}

TEST_F(bridged_early_media_test, is_a_ringing_tone_to_a_caller_whose_address_nobody_vouches_for) {
  begin(false);
  carol_.answer(invite_, 183, {}, carols_.description());
  world_.pass(1s);
  EXPECT_EQ(described(), 0U);
  EXPECT_EQ(bob_.count("SIP/2.0 180"), 1U);
  speak(media_address_in(invite_), {});
  EXPECT_EQ(bobs_.heard, 0U);
  answer_and_hang_up();
}

TEST_F(bridged_early_media_test, ends_with_the_refusal_that_it_announced) {
  begin(true);
  carol_.answer(invite_, 183, {}, carols_.description());
  world_.pass(1s);
  speak(media_address_in(invite_), {});
  EXPECT_NEAR(bobs_.heard, 50, 2) << "the number you have called ...";
  carol_.answer(invite_, 404);
  world_.pass(1s);
  EXPECT_GE(bob_.count("SIP/2.0 404"), 1U);
  say("ACK", 1);
  world_.pass(40s);
  world_.expect_nothing_left();
}

TEST_F(bridged_early_media_test, is_not_passed_on_twice) {
  begin(true);
  for (int i = 0; i < 3; ++i) {
    carol_.answer(invite_, 183, {}, carols_.description());
    world_.pass(1s);
  }
  EXPECT_EQ(described(), 1U);
  answer_and_hang_up();
}

} // namespace
} // namespace jackfield
