#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/media_detour.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using namespace std::chrono_literals;

TEST(bad_media_path, that_loses_a_tenth_for_ten_seconds_ends_no_call) {
  constexpr uint64_t call_count = 5;
  const scratch_folder folder;
  relay_options path;
  path.path.loss = 0.1;
  path.loss_from = 2s;
  path.loss_for = 10s;
  auto answer = start_answerer(folder, "udp:127.0.0.1:0", {"--media-ip", "127.0.0.1"});
  media_detour detour{answer.port, path};
  const auto outcome =
    run_load(folder, {sip_uri("service", detour.port()), "--media", "webrtc", "--lanes", "1", "-m",
                      std::to_string(call_count), "-r", "5", "-d", "16000"});
  EXPECT_EQ(outcome.summary.at("calls").at("completed"), call_count)
    << outcome.summary.at("failures");
  const auto answered = answer.finish();
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("completed"), call_count) << answered.at("failures");
  for (const auto& heard :
       {outcome.summary.at("media").at("received"), answered.at("media").at("received")}) {
    EXPECT_GT(heard.at("packets_received"), call_count * 650) << "of 800 of each call";
    EXPECT_GT(heard.at("packets_lost"), call_count * 25) << "of 500 a tenth";
    EXPECT_LT(heard.at("packets_lost"), call_count * 90);
  }
  EXPECT_EQ(detour.finish().size(), call_count) << "each call took a relay";
}

TEST(bad_media_path, that_is_cut_for_forty_seconds_ends_calls_by_consent) {
  const scratch_folder folder;
  relay_options path;
  path.path.loss = 1;
  path.loss_from = 3s;
  path.loss_for = 40s;
  auto answer = start_answerer(folder, "udp:127.0.0.1:0", {"--media-ip", "127.0.0.1"});
  media_detour detour{answer.port, path};
  const auto outcome = run_load(folder, {sip_uri("service", detour.port()), "--media", "webrtc",
                                         "--lanes", "1", "-m", "1", "-d", "60000"});
  EXPECT_EQ(outcome.summary.at("failures").dump(), R"({"ice_consent":1})");
  const auto answered = answer.finish();
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("answered"), 1U);
  EXPECT_EQ(answered.at("media").at("received").at("streams"), 1U);
}

} // namespace
} // namespace jackfield::tests
