#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 5;

/// What a call does between its answer and its end, against `jackfield answer`, over each kind of
/// media.
class mid_call : public testing::TestWithParam<const char*> {
protected:
  /// The answering side has the options in `answering_`; its report is left in `answered_`.
  load_outcome run(const arguments& steps) {
    auto answer = start_answerer(folder_, "udp:127.0.0.1:0", answering_);
    arguments all{sip_uri("service", answer.port),
                  "--media",
                  GetParam(),
                  "-m",
                  std::to_string(call_count),
                  "-r",
                  "5",
                  "-d",
                  "3000"};
    all.insert(all.end(), steps.begin(), steps.end());
    auto outcome = run_load(folder_, all);
    EXPECT_EQ(outcome.summary.at("calls").at("completed"), call_count)
      << outcome.summary.at("failures"); // whether the machine kept up is not asked
    answered_ = answer.finish();
    return outcome;
  }
  static void expect_done(const load_outcome& outcome, const char* step, uint64_t count) {
    EXPECT_EQ(outcome.summary.at("steps").at(step).at("done"), count) << step;
    EXPECT_EQ(outcome.summary.at("steps").at(step).at("failed"), 0) << step;
  }

  scratch_folder folder_;
  arguments answering_;
  nlohmann::json answered_;
};

TEST_P(mid_call, holds_and_resumes) {
  const auto outcome = run({"--hold-after", "1s:1s"});
  expect_done(outcome, "hold", call_count);
  expect_done(outcome, "resume", call_count);
  EXPECT_EQ(outcome.summary.at("media").at("packets_lost"), 0);
}

TEST_P(mid_call, dials_by_rtp) {
  const auto outcome = run({"--dtmf", "1,1s:2#"});
  EXPECT_EQ(outcome.summary.at("media").at("dtmf_sent"), call_count * 3);
  EXPECT_EQ(answered_.at("media").at("dtmf_received"), call_count * 3);
}

TEST_P(mid_call, finds_the_tone_that_is_to_be_heard) {
  answering_ = {"--audio", "tone:440", "--expect-sound", "tone"};
  const auto users = folder_.write("users.csv", "user,audio\nalice,tone:1000\nbob,tone:2000\n");
  const auto lines = folder_.file("calls.jsonl");
  const auto outcome = run({"--users", users, "--expect-sound", "tone:440", "--calls-file", lines});
  EXPECT_EQ(outcome.summary.at("media").at("found").at("tone"), call_count);
  EXPECT_EQ(answered_.at("media").at("found").at("tone"), call_count);
  std::ifstream read{lines};
  uint64_t count = 0;
  for (std::string line; std::getline(read, line); ++count) {
    const auto heard = nlohmann::json::parse(line).at("heard");
    ASSERT_FALSE(heard.empty());
    EXPECT_EQ(heard.at(0).at("what"), "tone");
    EXPECT_NEAR(heard.at(0).at("hz").at(0).get<double>(), 440, 5);
  }
  EXPECT_EQ(count, call_count);
}

TEST_P(mid_call, dials_by_info) {
  const auto outcome = run({"--dtmf", "12#", "--dtmf-by", "info"});
  expect_done(outcome, "info_digit", call_count * 3);
  EXPECT_EQ(outcome.summary.at("media").at("dtmf_sent"), call_count * 3);
  EXPECT_EQ(answered_.at("media").at("dtmf_received"), call_count * 3);
}

INSTANTIATE_TEST_SUITE_P(over, mid_call, testing::Values("rtp", "srtp", "webrtc"),
                         [](const auto& media) { return std::string{media.param}; });

class mid_call_ice : public mid_call {};

TEST_P(mid_call_ice, restarts_without_losing_a_packet) {
  const auto outcome = run({"--ice-restart-after", "1s"});
  expect_done(outcome, "ice_restart", call_count);
  EXPECT_EQ(outcome.summary.at("media").at("packets_lost"), 0);
  EXPECT_EQ(answered_.at("media").at("received").at("packets_lost"), 0);
}

TEST_P(mid_call_ice, restarts_to_a_lite_peer_without_losing_a_packet) {
  answering_ = {"--ice-lite"};
  const auto outcome = run({"--ice-restart-after", "1s"});
  expect_done(outcome, "ice_restart", call_count);
  EXPECT_EQ(outcome.summary.at("media").at("packets_lost"), 0);
  EXPECT_EQ(answered_.at("media").at("received").at("packets_lost"), 0);
}

INSTANTIATE_TEST_SUITE_P(over, mid_call_ice, testing::Values("webrtc"),
                         [](const auto& media) { return std::string{media.param}; });

} // namespace
} // namespace jackfield::tests
