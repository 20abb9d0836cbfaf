#include "actors/media/webrtc_path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/actors/webrtc_ends.hpp"

namespace jackfield {
namespace {

class webrtc_path_test : public webrtc_streams {};

TEST_F(webrtc_path_test, is_described_by_ice_a_fingerprint_and_actpass) {
  const auto& own = *a_.heard().opened->transport;
  ASSERT_TRUE(own.ice);
  EXPECT_EQ(own.ice->ufrag.size(), 8U);
  EXPECT_EQ(own.ice->pwd.size(), 24U);
  EXPECT_THAT(own.ice->candidates,
              testing::ElementsAre(testing::HasSubstr(a_.address().address())));
  ASSERT_EQ(own.fingerprints.size(), 1U);
  EXPECT_EQ(own.fingerprints[0].hash, "sha-256");
  EXPECT_EQ(own.role, sdp::setup::actpass);
  EXPECT_NE(own.ice->ufrag, b_.heard().opened->transport->ice->ufrag);
}

TEST_F(webrtc_path_test, is_described_in_time_where_no_server_answers) {
  webrtc_settings settings;
  settings.stun_server = lane::endpoint::parse("192.0.2.1", 3478).value();
  media_plane plane(world_.lane(), {*lane::endpoint::parse("10.1.0.3", 0), 10'000, 65'535,
                                    webrtc_services::make_simulated(settings).value()});
  stream_end end(world_.lane(), plane, make_path(plane, sdp::protection::dtls, true));
  world_.pass(29ms);
  EXPECT_FALSE(end.heard().opened) << "a server has some time to answer";
  world_.pass(2ms);
  ASSERT_TRUE(end.heard().opened);
  EXPECT_EQ(end.address().address(), "10.1.0.3");
  const auto outcome = closed(end);
  ASSERT_TRUE(outcome.took.gathering);
  EXPECT_LT(*outcome.took.gathering, 50ms);
}

/// A call that has no port is told why, and the next one is not harmed.
TEST_F(webrtc_path_test, says_so_where_there_is_no_port_for_it) {
  class deaf final : public lane::datagram_handler {
    void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> /*bytes*/,
                     lane::time_point /*arrived*/) override {}
  } nobody;
  for (const bool lite : {false, true}) {
    media_plane plane(world_.lane(), {*lane::endpoint::parse("10.1.0.3", 0), 40'010, 40'011,
                                      simulated_services(lite)});
    auto only = plane.open_rtp(nobody, false);
    ASSERT_TRUE(only);
    stream_end without(world_.lane(), plane, make_path(plane, sdp::protection::dtls, true));
    world_.pass(100ms);
    ASSERT_TRUE(without.heard().opened);
    ASSERT_FALSE(without.heard().opened->local);
    EXPECT_EQ(without.heard().opened->local.error().place, "ice gathering");
    EXPECT_NE(without.heard().opened->local.error().cause, "");
    without.tell(media_close{});
    world_.pass(0ms);
    EXPECT_EQ(without.heard().closed.size(), 1U);
    only->reset();
    stream_end with(world_.lane(), plane, make_path(plane, sdp::protection::dtls, true));
    world_.pass(100ms);
    ASSERT_TRUE(with.heard().opened && with.heard().opened->local);
    EXPECT_EQ(with.address().port(), 40'010);
    closed(with);
  }
}

TEST_F(webrtc_path_test, carries_audio_and_reports_both_ways_whoever_shakes_hands_first) {
  for (const auto role : {sdp::setup::active, sdp::setup::passive}) {
    SCOPED_TRACE(sdp::to_string(role));
    stream_end a(world_.lane(), site_a_.context.media, path_at(site_a_, true));
    stream_end b(world_.lane(), site_b_.context.media, path_at(site_b_, false));
    world_.pass(10ms);
    const bool active = role == sdp::setup::active;
    a.tell(media_connect{agreed_with(b, active ? sdp::setup::passive : sdp::setup::active)});
    b.tell(media_connect{agreed_with(a, role)});
    world_.pass(20s);
    for (auto* end : {&a, &b}) {
      const auto outcome = closed(*end);
      EXPECT_EQ(outcome.protected_by, "AEAD_AES_128_GCM");
      EXPECT_NEAR(static_cast<double>(outcome.received.packets), 1'000, 20);
      EXPECT_EQ(outcome.received.lost, 0U);
      EXPECT_EQ(outcome.refused, path_counters{});
      EXPECT_TRUE(outcome.remote) << "no report came through";
      EXPECT_TRUE(outcome.took.gathering && outcome.took.checks && outcome.took.handshake);
    }
  }
}

TEST_F(webrtc_path_test, a_handshake_over_a_bad_path_comes_to_its_end) {
  set_loss(0.3);
  connect();
  world_.pass(20s);
  set_loss(0);
  world_.pass(5s);
  for (auto* end : {&a_, &b_})
    EXPECT_GT(closed(*end).received.packets, 200U);
}

// SEC-20: only who has the announced certificate is talked to.
TEST_F(webrtc_path_test, sec_20_another_certificate_ends_the_stream_by_name) {
  b_.tell(media_connect{agreed_with(a_, sdp::setup::active)});
  a_.tell(media_connect{changed(agreed_with(b_, sdp::setup::passive), [](auto& theirs) {
    auto& value = theirs.fingerprints[0].value;
    value[0] = value[0] == 'A' ? 'B' : 'A';
  })});
  world_.pass(10s);
  EXPECT_EQ(failed_at(a_), "dtls fingerprint");
  EXPECT_EQ(a_.heard().closed[0].outcome.received.packets, 0U);
  b_.tell(media_close{}); // if it has not ended by itself
  world_.pass(100ms);
  ASSERT_EQ(b_.heard().closed.size(), 1U);
  EXPECT_EQ(b_.heard().closed[0].outcome.received.packets, 0U);
  EXPECT_EQ(b_.heard().closed[0].outcome.packets_sent, 0U);
}

TEST_F(webrtc_path_test, a_description_without_a_hash_of_ours_ends_the_stream_by_name) {
  b_.tell(media_connect{agreed_with(a_, sdp::setup::active)});
  a_.tell(media_connect{changed(agreed_with(b_, sdp::setup::passive), [](auto& theirs) {
    theirs.fingerprints[0] = {"sha-1", "AA:BB"};
  })});
  world_.pass(10s);
  EXPECT_EQ(failed_at(a_), "dtls fingerprint");
}

TEST_F(webrtc_path_test, a_peer_without_ice_ends_the_stream_by_name) {
  a_.tell(media_connect{
    changed(agreed_with(b_, sdp::setup::passive), [](auto& theirs) { theirs.ice.reset(); })});
  world_.pass(1s);
  EXPECT_EQ(failed_at(a_), "ice checks");
}

TEST_F(webrtc_path_test, a_wrong_password_never_gets_consent) {
  b_.tell(media_connect{agreed_with(a_, sdp::setup::active)});
  a_.tell(media_connect{changed(agreed_with(b_, sdp::setup::passive), [](auto& theirs) {
    theirs.ice->pwd = "notThePasswordThatBTold";
  })});
  world_.pass(40s);
  EXPECT_EQ(failed_at(a_), "ice consent");
}

TEST_F(webrtc_path_test, a_network_cut_for_ten_seconds_is_outlived_and_for_forty_is_not) {
  connect();
  expect_outlives_a_short_cut_alone();
}

TEST_F(webrtc_path_test, a_tenth_of_all_packets_lost_for_ten_seconds_is_outlived) {
  connect();
  world_.pass(5s);
  set_loss(0.1);
  world_.pass(10s);
  set_loss(0);
  world_.pass(10s);
  EXPECT_EQ(failed_at(a_), "has not failed");
  EXPECT_EQ(failed_at(b_), "has not failed");
  for (auto* const end : {&a_, &b_}) {
    const auto heard = closed(*end).received;
    EXPECT_GT(heard.lost, 25U) << "of 500 a tenth";
    EXPECT_LT(heard.lost, 90U);
    EXPECT_GT(heard.packets, 1'100U) << "of the 1,250 of 25 s";
  }
}

TEST_F(webrtc_path_test, sec_22_copies_are_counted_as_replayed_and_not_heard_twice) {
  lane::sim_link link;
  link.delay = 10ms;
  link.duplication = 1;
  connect();
  world_.pass(2s);
  world_.lane().set_link(link);
  world_.pass(5s);
  const auto outcome = closed(b_);
  EXPECT_GT(outcome.refused.replayed, 200U) << "each of 250 comes twice";
  EXPECT_EQ(outcome.refused.forged, 0U);
  EXPECT_EQ(outcome.received.duplicates, 0U);
  EXPECT_EQ(outcome.received.lost, 0U);
  ASSERT_TRUE(outcome.mos);
  EXPECT_GT(*outcome.mos, 4.3);
}

TEST_F(webrtc_path_test, a_wrong_ufrag_never_gets_consent) {
  b_.tell(media_connect{agreed_with(a_, sdp::setup::active)});
  a_.tell(media_connect{changed(agreed_with(b_, sdp::setup::passive),
                                [](auto& theirs) { theirs.ice->ufrag = "somebody"; })});
  world_.pass(60s);
  EXPECT_EQ(failed_at(a_).substr(0, 3), "ice") << failed_at(a_);
}

// SEC-21, SEC-22 and SEC-20: what strangers send is counted and harms nothing.
TEST_F(webrtc_path_test, sec_21_strangers_are_counted_and_not_heard) {
  connect();
  rtp_peer stranger(world_.lane(), "10.1.0.66", 9);
  for (int i = 0; i < 200; ++i) { // during the set-up, too
    stranger.speak(b_.address(), 0);
    world_.pass(5ms);
  }
  world_.pass(2s);
  const auto outcome = closed(b_);
  EXPECT_GE(outcome.refused.strangers, 190U);
  EXPECT_EQ(outcome.received.lost, 0U);
  EXPECT_TRUE(stranger.heard.empty()) << "nothing is sent to a stranger";
  ASSERT_TRUE(outcome.mos);
  EXPECT_GT(*outcome.mos, 4.3);
}

TEST_F(webrtc_path_test, sec_20_hellos_from_nowhere_neither_begin_nor_end_anything) {
  class shouter final : public lane::datagram_handler {
  public:
    void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> /*bytes*/,
                     lane::time_point /*arrived*/) override {
      ++answers;
    }
    int answers = 0;
  } attacker;
  const auto socket =
    world_.lane().open_datagram(lane::endpoint::parse("10.1.0.66", 4'000).value(), attacker, {});
  // A record that begins a ClientHello of 16,000 bytes.
  std::string hello("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x20\x01\0\x3e\x80\0\0\0\0\0\0\0\x14", 25);
  hello.resize(13 + 32, '\1');
  connect();
  for (int i = 0; i < 10'000; ++i) {
    hello[9] = static_cast<char>(i >> 8);
    hello[10] = static_cast<char>(i);
    (*socket)->send(b_.address(), hello);
    (*socket)->send(a_.address(), hello);
    if (i % 10 == 0)
      world_.pass(1ms);
  }
  world_.pass(3s);
  EXPECT_EQ(attacker.answers, 0);
  for (auto* end : {&a_, &b_}) {
    const auto outcome = closed(*end);
    EXPECT_GT(outcome.refused.strangers, 9'000U);
    EXPECT_GT(outcome.received.packets, 100U);
    EXPECT_EQ(outcome.received.lost, 0U);
  }
}

TEST_F(webrtc_path_test, a_re_offer_with_the_same_description_goes_on_without_a_gap) {
  for (int i = 0; i < 4; ++i) {
    connect();
    world_.pass(1s);
  }
  const auto outcome = closed(a_);
  EXPECT_EQ(outcome.received.lost, 0U);
  EXPECT_NEAR(static_cast<double>(outcome.received.packets), 200, 6);
}

TEST_F(webrtc_path_test, an_ice_restart_takes_both_ends_to_new_sockets_and_loses_nothing) {
  connect();
  world_.pass(2s);
  uint16_t port = a_.address().port();
  for (uint32_t round = 1; round <= 3; ++round) {
    a_.tell(media_restart{true});
    world_.pass(10ms);
    b_.tell(media_restart{false});
    world_.pass(10ms);
    ASSERT_TRUE(a_.heard().restarted.size() == round && b_.heard().restarted.size() == round);
    const auto anew = [&](const stream_end& other, sdp::setup role) {
      auto audio = agreed_with(other, role);
      audio.remote = other.heard().restarted.back().transport;
      return audio;
    };
    // Who answers the offer is there first.
    b_.tell(media_connect{anew(a_, sdp::setup::active)});
    world_.pass(50ms);
    a_.tell(media_connect{anew(b_, sdp::setup::passive)});
    world_.pass(2s);
    ASSERT_TRUE(a_.heard().restarted.back().local);
    EXPECT_NE(a_.heard().restarted.back().local->port(),
              std::exchange(port, a_.heard().restarted.back().local->port()));
  }
  for (auto* end : {&a_, &b_}) {
    const auto outcome = closed(*end);
    EXPECT_EQ(outcome.took.restarts, 3U);
    EXPECT_EQ(outcome.received.lost, 0U);
    EXPECT_EQ(outcome.received.duplicates, 0U);
    EXPECT_NEAR(static_cast<double>(outcome.received.packets), 410, 15);
    EXPECT_EQ(outcome.refused, path_counters{});
  }
}

// As behind a proxy that connected us to somebody else, or after a crash of the peer's.
TEST_F(webrtc_path_test, another_end_that_comes_with_an_ice_restart_is_shaken_hands_with) {
  auto& site_c =
    world_.add_site("10.0.0.3", transport::protocol::udp, {}, simulated_services(false));
  for (const auto role : {sdp::setup::active, sdp::setup::passive}) {
    SCOPED_TRACE(sdp::to_string(role));
    stream_end a(world_.lane(), site_a_.context.media, path_at(site_a_, true));
    stream_end b(world_.lane(), site_b_.context.media, path_at(site_b_, false));
    stream_end c(world_.lane(), site_c.context.media, path_at(site_c, true));
    world_.pass(10ms);
    a.tell(media_connect{agreed_with(b, sdp::setup::passive)});
    b.tell(media_connect{agreed_with(a, sdp::setup::active)});
    world_.pass(2s);
    b.tell(media_close{});
    a.tell(media_restart{false});
    world_.pass(10ms);
    ASSERT_EQ(a.heard().restarted.size(), 1U);
    auto with_a = agreed_with(a, role);
    with_a.remote = a.heard().restarted[0].transport;
    a.tell(media_connect{
      agreed_with(c, role == sdp::setup::active ? sdp::setup::passive : sdp::setup::active)});
    c.tell(media_connect{with_a});
    world_.pass(4s);
    const auto of_c = closed(c);
    EXPECT_NEAR(static_cast<double>(of_c.received.packets), 195, 10);
    EXPECT_EQ(of_c.received.lost, 0U);
    EXPECT_EQ(of_c.refused.forged, 0U) << "by keys that only the other had";
    const auto of_a = closed(a);
    EXPECT_NEAR(static_cast<double>(of_a.received.packets), 100 + 195, 10);
    EXPECT_EQ(of_a.took.restarts, 1U);
    EXPECT_EQ(of_a.protected_by, "AEAD_AES_128_GCM");
  }
}

TEST_F(webrtc_path_test, sec_20_another_end_without_its_certificate_ends_the_stream_by_name) {
  auto& site_c =
    world_.add_site("10.0.0.3", transport::protocol::udp, {}, simulated_services(false));
  stream_end c(world_.lane(), site_c.context.media, path_at(site_c, true));
  connect();
  world_.pass(1s);
  a_.tell(media_restart{false});
  world_.pass(10ms);
  auto with_a = agreed_with(a_, sdp::setup::active);
  with_a.remote = a_.heard().restarted.at(0).transport;
  c.tell(media_connect{with_a});
  a_.tell(media_connect{changed(agreed_with(c, sdp::setup::passive), [](auto& theirs) {
    auto& value = theirs.fingerprints[0].value;
    value[0] = value[0] == 'A' ? 'B' : 'A';
  })});
  world_.pass(10s);
  EXPECT_EQ(failed_at(a_), "dtls fingerprint");
  c.tell(media_close{});
  world_.pass(100ms);
  ASSERT_EQ(c.heard().closed.size(), 1U);
  EXPECT_EQ(c.heard().closed[0].outcome.received.packets, 0U);
}

TEST_F(webrtc_path_test, an_ice_restart_that_is_not_answered_leaves_the_old_way) {
  connect();
  world_.pass(1s);
  for (int i = 0; i < 2; ++i) {
    a_.tell(media_restart{true});
    world_.pass(1s);
    connect(); // the old description again
    world_.pass(1s);
  }
  EXPECT_EQ(a_.heard().restarted.size(), 2U);
  const auto outcome = closed(a_);
  EXPECT_EQ(outcome.took.restarts, 0U);
  EXPECT_EQ(outcome.received.lost, 0U);
  EXPECT_NEAR(static_cast<double>(outcome.received.packets), 250, 10);
}

TEST_F(webrtc_path_test, ice_cannot_begin_anew_before_there_are_keys_or_without_ice) {
  a_.tell(media_restart{});
  stream_end plain(world_.lane(), site_a_.context.media);
  world_.pass(10ms);
  plain.tell(media_restart{});
  world_.pass(10ms);
  for (const auto* end : {&a_, &plain}) {
    ASSERT_EQ(end->heard().restarted.size(), 1U);
    EXPECT_FALSE(end->heard().restarted[0].local);
  }
}

TEST_F(webrtc_path_test, ice_begun_anew_is_said_to_be_not_followed) {
  connect();
  world_.pass(1s);
  a_.tell(media_connect{changed(agreed_with(b_, sdp::setup::passive),
                                [](auto& theirs) { theirs.ice->ufrag = "anotherone"; })});
  world_.pass(1s);
  EXPECT_EQ(failed_at(a_), "ice checks");
}

TEST_F(webrtc_path_test, ends_at_any_moment_of_its_set_up) {
  for (auto moment = 0ms; moment < 60ms; ++moment) {
    stream_end a(world_.lane(), site_a_.context.media, path_at(site_a_, true));
    stream_end b(world_.lane(), site_b_.context.media, path_at(site_b_, false));
    world_.pass(1ms);
    a.tell(media_connect{agreed_with(b, sdp::setup::passive)});
    b.tell(media_connect{agreed_with(a, sdp::setup::active)});
    world_.pass(moment);
    closed(a);
    closed(b);
  }
}

class webrtc_call : public webrtc_calls {};

TEST_F(webrtc_call, completes_with_opus_both_ways) {
  for (const auto& call : run(3, 5s)) {
    ASSERT_TRUE(call.media);
    EXPECT_EQ(call.media->protected_by, "AEAD_AES_128_GCM");
    EXPECT_EQ(call.media->clock_rate, 48'000U);
    EXPECT_NEAR(static_cast<double>(call.media->received.packets), 250, 8);
    ASSERT_TRUE(call.media->mos);
    EXPECT_GT(*call.media->mos, 4.3);
  }
}

TEST_F(webrtc_call, dials_what_was_asked_for_before_there_were_keys) {
  digits_ = "12#";
  manner_.steps = {{0s, call_step::kind::dial}};
  for (const auto& call : run(3, 5s)) {
    ASSERT_TRUE(call.media);
    EXPECT_EQ(call.media->digits_sent, 3U);
  }
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).media.dtmf_received, 9U);
}

TEST_F(webrtc_call, restarts_ice_without_losing_a_packet) {
  manner_.steps = {{1s, call_step::kind::ice_restart}, {3s, call_step::kind::ice_restart}};
  for (const auto& call : run(3, 5s)) {
    ASSERT_TRUE(call.media);
    EXPECT_EQ(call.steps.ice_restart.done, 2U);
    EXPECT_EQ(call.steps.ice_restart.failed, 0U);
    EXPECT_EQ(call.media->received.lost, 0U);
    EXPECT_NEAR(static_cast<double>(call.media->received.packets), 250, 8);
  }
}

TEST_F(webrtc_call, holds_restarts_ice_on_hold_and_resumes) {
  manner_.steps = {
    {1s, call_step::kind::hold}, {2s, call_step::kind::ice_restart}, {3s, call_step::kind::resume}};
  for (const auto& call : run(3, 5s)) {
    ASSERT_TRUE(call.media);
    EXPECT_EQ(call.steps.hold.done, 1U);
    EXPECT_EQ(call.steps.ice_restart.done, 1U);
    EXPECT_EQ(call.steps.resume.done, 1U);
    EXPECT_NEAR(static_cast<double>(call.media->received.packets), 150, 8) << "2 s on hold";
  }
}

} // namespace
} // namespace jackfield
