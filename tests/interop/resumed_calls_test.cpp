#include <csignal>
#include <sstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/interop/peers.hpp"
#include "tests/interop/process.hpp"

namespace jackfield::tests {
namespace {

using testing::HasSubstr;

constexpr uint64_t calls = 100;

/// `kill -9` after so long, in which it is not to end.
void kill_after(process& program, int ms) {
  EXPECT_FALSE(program.ended_within(ms));
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait(), 128 + SIGKILL);
}

struct transport_and_media {
  const char* transport;
  const char* media;
};

class resumed_calls : public testing::TestWithParam<transport_and_media> {
protected:
  [[nodiscard]] std::string uri(uint16_t port) const {
    return sip_uri("x", port) + ";transport=" + GetParam().transport;
  }
  [[nodiscard]] std::string listen(uint16_t port) const {
    return std::string{GetParam().transport} + ":127.0.0.1:" + std::to_string(port);
  }
  arguments load(uint16_t port, const arguments& more = {}) const {
    arguments all{uri(port),
                  "--transport",
                  GetParam().transport,
                  "--media",
                  GetParam().media,
                  "--calls",
                  std::to_string(calls),
                  "--rate",
                  "100",
                  "--duration",
                  "6"};
    if (std::string_view{GetParam().transport} == "tls")
      all.emplace_back("--insecure");
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// What `state export` has of each call.
  std::vector<nlohmann::json> exported() {
    process program{"state", folder_, {JACKFIELD_PROGRAM, "state", "export", directory_, "--cdrs"}};
    EXPECT_EQ(program.wait(), 0);
    std::vector<nlohmann::json> all;
    std::istringstream lines{program.standard_output()};
    for (std::string line; std::getline(lines, line);)
      all.push_back(nlohmann::json::parse(line));
    return all;
  }
  /// As many packets as the calls' lengths ask for, but for the time in which nobody was there.
  static void expect_heard(const nlohmann::json& direction) {
    EXPECT_EQ(direction.at("streams"), calls);
    EXPECT_GT(direction.at("packets_received").get<uint64_t>(), calls * 150);
    EXPECT_EQ(direction.at("packets_lost"), 0);
  }

  scratch_folder folder_;
  std::string directory_ = folder_.file("state");
};

TEST_P(resumed_calls, of_a_run_that_was_killed_go_on_and_its_report_covers_both_parts) {
  auto answering = start_answerer(folder_, listen(0), {"--audio", "tone"});
  const auto options = load(answering.port, {"--state", directory_});
  kill_after(*start_load(folder_, options).program, 2500);
  auto again = options;
  again.emplace_back("--resume");
  const auto outcome = run_load(folder_, again);
  ASSERT_FALSE(outcome.summary.is_null()) << outcome.program->standard_error();
  const auto& resumed = outcome.summary.at("resumed");
  EXPECT_EQ(resumed.at("crashes"), 1);
  EXPECT_EQ(resumed.at("calls"), calls);
  EXPECT_EQ(resumed.at("lost"), 0);
  EXPECT_LT(resumed.at("slowest_s").get<double>(), 5);
  EXPECT_EQ(outcome.summary.at("calls").at("offered"), calls);
  EXPECT_EQ(outcome.summary.at("calls").at("completed"), calls);
  expect_heard(outcome.summary.at("media").at("received"));
  const auto there = answering.finish();
  EXPECT_EQ(there.at("calls").at("completed"), calls);
  EXPECT_EQ(there.at("calls").at("started"), calls);
  const auto records = exported();
  EXPECT_EQ(records.size(), calls);
  for (const auto& record : records)
    EXPECT_EQ(record.at("cause"), "completed");
}

TEST_P(resumed_calls, of_an_answering_engine_that_was_killed_go_on) {
  uint16_t port = 0;
  running_load calling;
  {
    auto answering = start_answerer(folder_, listen(0), {"--audio", "tone", "--state", directory_});
    port = answering.port;
    calling = start_load(folder_, load(port));
    EXPECT_FALSE(calling.program->ended_within(2500));
    answering.program->signal(SIGKILL);
    EXPECT_EQ(answering.program->wait(), 128 + SIGKILL);
  }
  auto answering = start_answerer(
    folder_, listen(port), {"--audio", "tone", "--state", directory_, "--recover", "resume"});
  const auto outcome = calling.finish();
  expect_all_completed(outcome, calls);
  expect_heard(outcome.summary.at("media").at("received"));
  (void)answering.finish();
  EXPECT_THAT(answering.program->standard_error(), HasSubstr("100 calls go on"));
  EXPECT_THAT(answering.program->standard_error(), HasSubstr("0 were lost"));
  const auto records = exported();
  EXPECT_EQ(records.size(), calls);
  for (const auto& record : records)
    EXPECT_EQ(record.at("cause"), "completed");
}

INSTANTIATE_TEST_SUITE_P(
  each_way, resumed_calls,
  testing::Values(transport_and_media{"udp", "rtp"}, transport_and_media{"udp", "srtp"},
                  transport_and_media{"tcp", "rtp"}, transport_and_media{"tls", "rtp"}),
  [](const auto& named) { return std::string{named.param.transport} + "_" + named.param.media; });

class resumed_run : public testing::Test {
protected:
  int load(const arguments& more) {
    arguments all{JACKFIELD_PROGRAM, "load", "--state", directory_};
    all.insert(all.end(), more.begin(), more.end());
    process program{"load", folder_, all};
    const int status = program.wait();
    said_ = program.standard_error();
    return status;
  }
  scratch_folder folder_;
  std::string directory_ = folder_.file("state");
  std::string said_;
};

TEST_F(resumed_run, needs_one_that_was_cut_off) {
  EXPECT_EQ(load({"--resume", "--calls", "3"}), 2);
  EXPECT_EQ(said_, "--resume: no run was cut off in " + directory_ + "\n");
}

TEST_F(resumed_run, needs_the_same_options) {
  const auto running = start_load(
    folder_, {"--state", directory_, "--calls", "5000", "--rate", "100", "--media", "none"});
  kill_after(*running.program, 1000);
  EXPECT_EQ(load({"--resume", "--calls", "30", "--rate", "100", "--media", "none"}), 2);
  EXPECT_THAT(said_, HasSubstr("--resume: that run was \"jackfield load --state"));
  EXPECT_THAT(said_, HasSubstr("expected the same options"));
}

TEST_F(resumed_run, without_a_peer_of_its_own_makes_what_is_left_to_be_made) {
  const arguments plan{"--calls", "300", "--rate", "100", "--duration", "500ms", "--media", "none"};
  auto first = plan;
  first.insert(first.end(), {"--state", directory_});
  kill_after(*start_load(folder_, first).program, 1500);
  auto second = first;
  second.emplace_back("--resume");
  const auto outcome = run_load(folder_, second);
  ASSERT_FALSE(outcome.summary.is_null()) << outcome.program->standard_error();
  EXPECT_EQ(outcome.summary.at("calls").at("offered"), 300);
  EXPECT_EQ(outcome.summary.at("calls").at("started"), 300);
  EXPECT_GT(outcome.summary.at("calls").at("completed").get<int>(), 200);
  for (const auto& [cause, count] : outcome.summary.at("failures").items())
    EXPECT_TRUE(cause == "engine_restart" || cause == "indeterminate") << count << ' ' << cause;
}

} // namespace
} // namespace jackfield::tests
