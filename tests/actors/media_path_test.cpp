#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/actors/sim_world.hpp"
#include "tests/actors/stream_ends.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// What a test does with a path, and sees of it; outlives it.
struct path_hands {
  media_path_user* user = nullptr;
  std::vector<media_remote> remotes;
  size_t rtp = 0;
  size_t rtcp = 0;
  size_t asked = 0; // for what came in
  bool throws = false;
  bool gone = false;
};

/// Does nothing by itself, as a path that takes its time to open and connect.
class slow_path final : public media_path {
public:
  explicit slow_path(path_hands& hands) : hands_(hands) {}
  ~slow_path() override { hands_.gone = true; }
  void open(media_path_user& user) override { hands_.user = &user; }
  void connect(const media_remote& remote) override {
    if (hands_.throws)
      throw std::runtime_error("a path that is broken");
    hands_.remotes.push_back(remote);
  }
  void send_rtp(std::span<const std::byte> /*packet*/) override { ++hands_.rtp; }
  void send_rtcp(std::span<const std::byte> /*packet*/) override { ++hands_.rtcp; }
  void read_at_once(bool /*at_once*/) override {}
  void read_soon() override { ++hands_.asked; }
  void read_rest() override { ++hands_.asked; }
  path_counters counted() const override { return {}; }
  std::string_view protected_by() const override { return {}; }

private:
  path_hands& hands_;
};

class media_path_test : public testing::Test {
protected:
  media_path_test()
      : world_(1), end_(world_.lane(), world_.add_site("10.0.0.2").context.media,
                        std::make_unique<slow_path>(hands_)) {
    world_.pass(100ms);
  }
  void open() {
    hands_.user->on_path_opened(here_, nullptr);
    world_.pass(0ms);
  }

  const lane::endpoint here_ = lane::endpoint::parse("192.0.2.1", 4000).value();
  const lane::endpoint there_ = lane::endpoint::parse("192.0.2.2", 5000).value();
  path_hands hands_; // outlives the world's streams
  sim_world world_;
  stream_end end_;
};

TEST_F(media_path_test, a_stream_waits_for_its_path) {
  ASSERT_NE(hands_.user, nullptr);
  EXPECT_FALSE(end_.heard().opened);
  open();
  ASSERT_TRUE(end_.heard().opened);
  EXPECT_EQ(end_.address(), here_);
  auto audio = agreed(there_);
  audio.muxed = false;
  audio.remote_rtcp_host = audio.remote_host;
  audio.remote_rtcp_port = 5001;
  end_.tell(media_connect{audio});
  world_.pass(1s);
  ASSERT_EQ(hands_.remotes.size(), 1U);
  EXPECT_EQ(hands_.remotes[0].rtp, there_);
  EXPECT_EQ(hands_.remotes[0].rtcp, there_.with_port(5001));
  EXPECT_EQ(hands_.rtp, 0U) << "nothing is sent before it is connected";
  hands_.user->on_path_connected(true);
  world_.pass(1s);
  EXPECT_NEAR(static_cast<double>(hands_.rtp), 50, 1);
  EXPECT_NEAR(static_cast<double>(hands_.asked), 100, 2) << "read once a frame";
  hands_.user->on_path_connected(false);
  const auto sent = hands_.rtp;
  world_.pass(10s);
  EXPECT_EQ(hands_.rtp, sent);
  EXPECT_GT(hands_.rtcp, 0U) << "reports go on";
  end_.tell(media_close{});
  world_.pass(0ms);
  ASSERT_EQ(end_.heard().closed.size(), 1U);
  EXPECT_EQ(end_.heard().closed[0].outcome.packets_sent, sent);
  EXPECT_TRUE(hands_.gone);
}

TEST_F(media_path_test, one_that_cannot_open_says_why) {
  hands_.user->on_path_failed(error{"ice", "no candidates"});
  world_.pass(0ms);
  ASSERT_TRUE(end_.heard().opened);
  ASSERT_FALSE(end_.heard().opened->local);
  EXPECT_EQ(end_.heard().opened->local.error().to_string(), "ice: no candidates");
  end_.tell(media_connect{agreed(there_)});
  end_.tell(media_close{});
  world_.pass(0ms);
  EXPECT_TRUE(hands_.remotes.empty());
  ASSERT_EQ(end_.heard().closed.size(), 1U);
  EXPECT_FALSE(end_.heard().closed[0].outcome.connected);
}

TEST_F(media_path_test, one_that_fails_ends_its_stream_with_the_cause) {
  open();
  end_.tell(media_connect{agreed(there_)});
  world_.pass(0ms);
  hands_.user->on_path_failed(error{"dtls", "handshake refused"});
  EXPECT_FALSE(hands_.gone) << "not under its own feet";
  world_.pass(0ms);
  EXPECT_TRUE(hands_.gone);
  ASSERT_EQ(end_.heard().closed.size(), 1U);
  ASSERT_TRUE(end_.heard().closed[0].failure);
  EXPECT_EQ(end_.heard().closed[0].failure->to_string(), "dtls: handshake refused");
}

TEST_F(media_path_test, an_exception_closes_the_stream_for_its_owner_too) {
  open();
  hands_.throws = true;
  end_.tell(media_connect{agreed(there_)});
  world_.pass(0ms);
  EXPECT_TRUE(hands_.gone);
  ASSERT_EQ(end_.heard().closed.size(), 1U);
  EXPECT_TRUE(end_.heard().closed[0].failure);
}

} // namespace
} // namespace jackfield
