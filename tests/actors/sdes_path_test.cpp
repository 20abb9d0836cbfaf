#include "actors/media/media_protection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/actors/sim_world.hpp"
#include "tests/actors/stream_ends.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

std::string_view as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Between two streams, and keeps what goes by.
class wire_between final : public lane::datagram_handler {
public:
  wire_between(lane::sim_lane& home, std::string_view address)
      : socket_(
          home.open_datagram(lane::endpoint::parse(address, 30'000).value(), *this, {}).value()) {}
  void join(const lane::endpoint& a, const lane::endpoint& b) {
    a_ = a;
    b_ = b;
  }
  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   lane::time_point /*arrived*/) override {
    auto& heard = from == a_ ? from_a : from_b;
    heard.emplace_back(bytes.begin(), bytes.end());
    send(from == a_ ? b_ : a_, heard.back());
  }
  void send(const lane::endpoint& to, const std::vector<std::byte>& bytes) {
    socket_->send(to, as_text(bytes));
  }
  [[nodiscard]] const lane::endpoint& address() const { return socket_->local(); }

  std::vector<std::vector<std::byte>> from_a;
  std::vector<std::vector<std::byte>> from_b;

private:
  std::unique_ptr<lane::datagram_socket> socket_;
  lane::endpoint a_;
  lane::endpoint b_;
};

class sdes_path_test : public testing::Test {
protected:
  sdes_path_test()
      : world_(1), site_a_(world_.add_site("10.0.0.1")), site_b_(world_.add_site("10.0.0.2")),
        wire_(world_.lane(), "10.0.0.9"),
        a_(world_.lane(), site_a_.context.media, path_at(site_a_)),
        b_(world_.lane(), site_b_.context.media, path_at(site_b_)) {
    world_.pass(10ms);
    wire_.join(a_.address(), b_.address());
  }
  static std::unique_ptr<media_path> path_at(sim_site& site) {
    return make_path(site.context.media, sdp::protection::sdes, true);
  }
  /// What one end is told that was agreed on: the other's key for that suite.
  [[nodiscard]] sdp::negotiated_audio agreed_with(const stream_end& other,
                                                  std::string_view suite) const {
    auto audio = agreed(wire_.address());
    auto theirs = *other.heard().opened->transport;
    std::erase_if(theirs.keys, [&](const sdp::crypto& key) { return key.suite != suite; });
    audio.protected_by = sdp::protection::sdes;
    audio.remote = std::make_shared<const sdp::stream_transport>(std::move(theirs));
    return audio;
  }
  void connect(std::string_view suite) {
    a_.tell(media_connect{agreed_with(b_, suite)});
    b_.tell(media_connect{agreed_with(a_, suite)});
  }
  media_outcome closed(stream_end& end) {
    end.tell(media_close{});
    world_.pass(100ms);
    EXPECT_EQ(end.heard().closed.size(), 1U);
    EXPECT_FALSE(end.heard().closed[0].failure);
    return end.heard().closed[0].outcome;
  }

  sim_world world_;
  sim_site& site_a_;
  sim_site& site_b_;
  wire_between wire_;
  stream_end a_;
  stream_end b_;
};

TEST_F(sdes_path_test, every_suite_carries_audio_and_reports_both_ways) {
  std::vector<std::string> suites;
  for (const auto& key : a_.heard().opened->transport->keys)
    suites.push_back(key.suite);
  EXPECT_THAT(suites, testing::ElementsAre("AEAD_AES_128_GCM", "AEAD_AES_256_GCM",
                                           "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"));
  for (const auto& suite : suites) { // one after another, as re-offers might have it
    connect(suite);
    world_.pass(10s);
  }
  for (auto* end : {&a_, &b_}) {
    const auto outcome = closed(*end);
    EXPECT_EQ(outcome.protected_by, suites.back());
    EXPECT_NEAR(static_cast<double>(outcome.received.packets), 2'000, 30);
    // At each change of keys what is on its way is of the other key.
    EXPECT_LT(outcome.refused.forged, 12U);
    EXPECT_TRUE(outcome.remote) << "no report came through";
    EXPECT_EQ(outcome.refused.unprotected, 0U);
  }
}

TEST_F(sdes_path_test, what_goes_over_the_wire_is_not_the_audio) {
  connect("AEAD_AES_128_GCM");
  world_.pass(1s);
  ASSERT_FALSE(wire_.from_a.empty());
  for (const auto& packet : wire_.from_a)
    if (!rtp::is_rtcp(packet)) {
      EXPECT_EQ(packet.size(), 12U + 160 + 16);
    }
}

TEST_F(sdes_path_test, sec_21_and_22_forged_replayed_and_strange_packets_are_counted_and_ignored) {
  connect("AES_CM_128_HMAC_SHA1_80");
  world_.pass(2s);
  auto before = wire_.from_a;
  std::erase_if(before, [](const auto& packet) { return rtp::is_rtcp(packet); });
  ASSERT_GT(before.size(), 90U);
  for (const auto& packet : before) {
    wire_.send(b_.address(), packet); // again
    auto changed = packet;            // a number that has not come yet, by nobody who has the key
    changed[2] ^= std::byte{0x20};
    wire_.send(b_.address(), changed);
  }
  rtp_peer stranger(world_.lane(), "10.0.0.66", 9);
  for (int i = 0; i < 50; ++i) {
    stranger.speak(b_.address(), 0);
    world_.pass(1ms);
  }
  world_.pass(2s);
  const auto outcome = closed(b_);
  EXPECT_EQ(outcome.refused.replayed, before.size());
  EXPECT_EQ(outcome.refused.forged, before.size());
  EXPECT_EQ(outcome.refused.malformed, 0U) << "a stranger's do not even come to be judged";
  EXPECT_EQ(outcome.received.lost, 0U);
  EXPECT_EQ(outcome.received.duplicates, 0U);
  EXPECT_TRUE(stranger.heard.empty()) << "nothing is sent to a stranger";
  ASSERT_TRUE(outcome.mos);
  EXPECT_GT(*outcome.mos, 4.3);
}

TEST_F(sdes_path_test, plain_rtp_from_the_peers_own_address_is_not_heard) {
  connect("AEAD_AES_256_GCM");
  world_.pass(1s);
  for (int i = 0; i < 100; ++i)
    wire_.send(b_.address(), std::vector<std::byte>(172, std::byte{0x80}));
  world_.pass(1s);
  const auto outcome = closed(b_);
  EXPECT_EQ(outcome.refused.forged + outcome.refused.malformed, 100U);
  EXPECT_EQ(outcome.other_types, 0U);
}

TEST_F(sdes_path_test, the_same_keys_again_go_on_without_a_gap) {
  for (int i = 0; i < 5; ++i) {
    connect("AEAD_AES_128_GCM");
    world_.pass(1s);
  }
  const auto outcome = closed(a_);
  EXPECT_EQ(outcome.received.lost, 0U);
  EXPECT_EQ(outcome.refused, path_counters{});
}

TEST_F(sdes_path_test, a_key_that_is_none_ends_the_stream_by_name) {
  auto audio = agreed_with(b_, "AEAD_AES_128_GCM");
  auto theirs = *audio.remote;
  theirs.keys.front().key = "c2hvcnQ=";
  audio.remote = std::make_shared<const sdp::stream_transport>(theirs);
  a_.tell(media_connect{audio});
  world_.pass(10ms);
  ASSERT_EQ(a_.heard().closed.size(), 1U);
  ASSERT_TRUE(a_.heard().closed[0].failure);
  EXPECT_EQ(a_.heard().closed[0].failure->to_string(),
            "srtp key: 5 bytes, expected 28 for AEAD_AES_128_GCM");
}

} // namespace
} // namespace jackfield
