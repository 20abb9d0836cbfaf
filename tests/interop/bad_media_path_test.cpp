#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/interop/media_detour.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using namespace std::chrono_literals;

/// WebRTC calls between real processes, over relays.
class bad_media_path : public testing::Test {
protected:
  void call(uint64_t count, std::string length_ms, const relay_options& path) {
    answer_ = start_answerer(folder_, "udp:127.0.0.1:0", {"--media-ip", "127.0.0.1"});
    detour_.emplace(answer_.port, path);
    called_ = run_load(folder_, {sip_uri("service", detour_->port()), "--media", "webrtc", "-m",
                                 std::to_string(count), "-r", std::to_string(count), "-d",
                                 std::move(length_ms)})
                .summary;
    ASSERT_TRUE(called_.is_object());
  }

  const scratch_folder folder_;
  answerer answer_;
  std::optional<media_detour> detour_;
  nlohmann::json called_;
};

TEST_F(bad_media_path, that_loses_a_tenth_for_ten_seconds_ends_no_call) {
  constexpr uint64_t call_count = 5;
  relay_options path;
  path.path.loss = 0.1;
  path.loss_from = 2s;
  path.loss_for = 10s;
  call(call_count, "16000", path);
  // Whether the machine kept up, so that all were started, is not asked.
  const auto& calls = called_.at("calls");
  const auto started = calls.at("started").get<uint64_t>();
  EXPECT_GT(started, 0U);
  EXPECT_EQ(calls.at("completed"), started) << called_.at("failures");
  const auto answered = answer_.finish();
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("completed"), started) << answered.at("failures");
  for (const auto& heard :
       {called_.at("media").at("received"), answered.at("media").at("received")}) {
    const auto lost =
      heard.at("packets_lost").get<double>() / heard.at("packets_expected").get<double>();
    EXPECT_GT(lost, 0.03) << "a tenth for 10 s of 16\n" << heard;
    EXPECT_LT(lost, 0.09) << heard;
  }
  EXPECT_EQ(detour_->finish().size(), started) << "each call took a relay";
}

// Row 22 of what others were attacked by, where keys come from DTLS.
TEST_F(bad_media_path, sec_22_that_brings_every_packet_twice_is_heard_once) {
  constexpr uint64_t call_count = 4;
  relay_options path;
  path.path.duplicate = 1;
  call(call_count, "4000", path);
  EXPECT_EQ(called_.at("calls").at("completed"), call_count) << called_.at("failures");
  const auto answered = answer_.finish();
  ASSERT_TRUE(answered.is_object());
  for (const auto& media : {called_.at("media"), answered.at("media")}) {
    const auto& heard = media.at("received");
    EXPECT_EQ(heard.at("packets_lost"), 0) << heard;
    EXPECT_EQ(heard.at("packets_duplicate"), 0) << "stopped before";
    EXPECT_GT(heard.at("packets_received"), call_count * 150);
    EXPECT_GE(media.at("replayed"), heard.at("packets_received"));
    EXPECT_EQ(media.at("forged"), 0);
  }
}

TEST_F(bad_media_path, that_is_cut_for_forty_seconds_ends_calls_by_consent) {
  relay_options path;
  path.path.loss = 1;
  path.loss_from = 3s;
  path.loss_for = 40s;
  call(1, "60000", path);
  answer_.program->signal(SIGINT);
  answer_.program->wait();
  const auto answered = nlohmann::json::parse(std::ifstream{answer_.json}, nullptr, false);
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("answered"), 1U);
  EXPECT_EQ(answered.at("media").at("received").at("streams"), 1U);
  // Each end finds out by itself; who does so first hangs up, which the other may see before.
  const auto& ours = called_.at("failures");
  const auto& theirs = answered.at("failures");
  EXPECT_EQ(called_.at("calls").at("failed"), 1U) << called_.at("calls");
  EXPECT_TRUE(ours.contains("ice_consent") || theirs.contains("ice_consent")) << ours << theirs;
}

} // namespace
} // namespace jackfield::tests
