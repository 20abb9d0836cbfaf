#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ice/candidate.hpp"
#include "tests/actors/webrtc_ends.hpp"

namespace jackfield {
namespace {

/// B, which answers, is lite.
class webrtc_path_to_lite : public webrtc_streams {
protected:
  webrtc_path_to_lite() : webrtc_streams(false, true) {}
};

TEST_F(webrtc_path_to_lite, says_so_and_tells_its_own_address_alone) {
  const auto& own = *b_.heard().opened->transport;
  ASSERT_TRUE(own.ice);
  EXPECT_TRUE(own.ice->lite);
  EXPECT_THAT(own.ice->candidates,
              testing::ElementsAre(testing::HasSubstr(
                b_.address().address() + ' ' + std::to_string(b_.address().port()) + " typ host")));
  EXPECT_FALSE(a_.heard().opened->transport->ice->lite);
}

TEST_F(webrtc_path_to_lite, carries_audio_both_ways_whoever_is_told_first_and_shakes_hands_first) {
  for (const auto role : {sdp::setup::active, sdp::setup::passive}) {
    for (const auto late : {0ms, 300ms}) {
      SCOPED_TRACE(std::string{sdp::to_string(role)} + ' ' + std::to_string(late.count()));
      stream_end a(world_.lane(), site_a_.context.media, path_at(site_a_, true));
      stream_end b(world_.lane(), site_b_.context.media, path_at(site_b_, false));
      world_.pass(10ms);
      const bool active = role == sdp::setup::active;
      a.tell(media_connect{agreed_with(b, active ? sdp::setup::passive : sdp::setup::active)});
      world_.pass(late); // its checks are there before its description
      b.tell(media_connect{agreed_with(a, role)});
      world_.pass(20s);
      for (auto* end : {&a, &b}) {
        const auto outcome = closed(*end);
        EXPECT_NEAR(static_cast<double>(outcome.received.packets), 1'000, 30);
        EXPECT_EQ(outcome.received.lost, 0U);
        EXPECT_EQ(outcome.refused, path_counters{});
      }
    }
  }
}

TEST_F(webrtc_path_to_lite, sends_nothing_before_the_peer_has_chosen_and_gives_up_at_last) {
  rtp_peer silent(world_.lane(), "10.1.0.9", 1);
  b_.tell(media_connect{changed(agreed_with(a_, sdp::setup::active), [&](auto& theirs) {
    theirs.ice->candidates = {ice::host_candidate(silent.address()).to_string()};
  })});
  world_.pass(39s);
  EXPECT_EQ(failed_at(b_), "has not failed");
  world_.pass(1s);
  EXPECT_EQ(failed_at(b_), "ice checks");
  EXPECT_TRUE(silent.heard.empty());
}

TEST_F(webrtc_path_to_lite, a_network_cut_for_ten_seconds_is_outlived_and_for_forty_is_not) {
  connect();
  expect_outlives_a_short_cut_alone();
}

TEST_F(webrtc_path_to_lite, an_ice_restart_loses_nothing) {
  connect();
  world_.pass(2s);
  a_.tell(media_restart{true});
  b_.tell(media_restart{false});
  world_.pass(10ms);
  const auto anew = [&](const stream_end& other, sdp::setup role) {
    auto audio = agreed_with(other, role);
    audio.remote = other.heard().restarted.back().transport;
    return audio;
  };
  b_.tell(media_connect{anew(a_, sdp::setup::active)});
  world_.pass(50ms);
  a_.tell(media_connect{anew(b_, sdp::setup::passive)});
  world_.pass(2s);
  for (auto* end : {&a_, &b_}) {
    const auto outcome = closed(*end);
    EXPECT_EQ(outcome.took.restarts, 1U);
    EXPECT_EQ(outcome.received.lost, 0U);
    EXPECT_NEAR(static_cast<double>(outcome.received.packets), 200, 12);
    EXPECT_EQ(outcome.refused, path_counters{});
  }
}

class webrtc_path_between_lite : public webrtc_streams {
protected:
  webrtc_path_between_lite() : webrtc_streams(true, true) {}
};

TEST_F(webrtc_path_between_lite, takes_the_addresses_of_the_descriptions_without_checks) {
  connect();
  world_.pass(100s);
  for (auto* end : {&a_, &b_}) {
    const auto outcome = closed(*end);
    EXPECT_NEAR(static_cast<double>(outcome.received.packets), 5'000, 30);
    EXPECT_EQ(outcome.received.lost, 0U);
    EXPECT_EQ(outcome.refused, path_counters{});
  }
}

TEST_F(webrtc_path_between_lite, a_peer_without_an_address_ends_the_stream_by_name) {
  a_.tell(media_connect{changed(agreed_with(b_, sdp::setup::passive), [](auto& theirs) {
    theirs.ice->candidates = {"1 1 udp 99 f3b1.local 4000 typ host",
                              "2 1 udp 99 2001:db8::1 4000 typ host"};
  })});
  world_.pass(1s);
  EXPECT_EQ(failed_at(a_), "ice checks");
}

class webrtc_call_from_lite : public webrtc_calls {
protected:
  webrtc_call_from_lite() : webrtc_calls(true, false) {}
};

// Nobody else would nominate a pair.
TEST_F(webrtc_call_from_lite, is_controlled_by_who_answers) {
  for (const auto& call : run(3, 5s)) {
    ASSERT_TRUE(call.media);
    EXPECT_NEAR(static_cast<double>(call.media->received.packets), 250, 8);
    EXPECT_EQ(call.media->received.lost, 0U);
  }
}

class webrtc_call_to_lite : public webrtc_calls {
protected:
  webrtc_call_to_lite() : webrtc_calls(false, true) {}
};

TEST_F(webrtc_call_to_lite, restarts_ice_without_losing_a_packet) {
  manner_.steps = {{1s, call_step::kind::ice_restart}, {3s, call_step::kind::ice_restart}};
  for (const auto& call : run(3, 5s)) {
    ASSERT_TRUE(call.media);
    EXPECT_EQ(call.steps.ice_restart.done, 2U);
    EXPECT_EQ(call.media->received.lost, 0U);
    EXPECT_NEAR(static_cast<double>(call.media->received.packets), 250, 8);
  }
}

} // namespace
} // namespace jackfield
