#include <gtest/gtest.h>

#include "tests/actors/sim_world.hpp"
#include "tests/actors/stream_ends.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// A stream over plain RTP, its peer, and somebody else on the peer's host and on another.
class plain_path_test : public testing::Test {
protected:
  plain_path_test()
      : world_(3), end_(world_.lane(), world_.add_site("10.0.0.2").context.media),
        peer_(world_.lane(), "10.9.0.1", 1), stranger_(world_.lane(), "10.9.0.2", 2) {
    world_.pass(100ms);
  }
  void connect() {
    end_.tell(media_connect{agreed(peer_.address())});
    world_.pass(20ms);
  }
  void speak(rtp_peer& who, int packets) {
    for (int i = 0; i < packets; ++i) {
      who.speak(end_.address(), 0);
      world_.pass(20ms);
    }
  }
  media_outcome outcome() {
    end_.tell(media_close{});
    world_.pass(100ms);
    return end_.heard().closed.at(0).outcome;
  }

  sim_world world_;
  stream_end end_;
  rtp_peer peer_;
  rtp_peer stranger_;
};

/// RFC 3264 §5.1: a peer may send from elsewhere than it hears. That is not heard, and told.
TEST_F(plain_path_test, packets_from_elsewhere_are_counted_and_not_heard) {
  connect();
  speak(stranger_, 60);
  const auto m = outcome();
  EXPECT_EQ(m.received.packets, 0U);
  EXPECT_EQ(m.refused.strangers, 60U);
  EXPECT_EQ(m.refused.early, 0U);
}

TEST_F(plain_path_test, once_its_peer_is_heard_the_system_drops_others) {
  connect();
  speak(stranger_, 3);
  speak(peer_, 5);
  speak(stranger_, 20);
  speak(peer_, 5);
  const auto m = outcome();
  EXPECT_EQ(m.received.packets, 10U);
  EXPECT_EQ(m.refused.strangers, 3U);
}

TEST_F(plain_path_test, packets_before_the_peers_description_are_counted_as_such) {
  speak(peer_, 7);
  connect();
  speak(peer_, 5);
  const auto m = outcome();
  EXPECT_EQ(m.refused.early, 7U);
  EXPECT_EQ(m.refused.strangers, 0U);
  EXPECT_EQ(m.received.packets, 5U);
}

} // namespace
} // namespace jackfield
