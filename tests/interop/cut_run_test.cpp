#include <csignal>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using named_signal = std::pair<int, const char*>;

class cut_run : public testing::TestWithParam<named_signal> {};

// Whether the machine kept up is not judged: 6, or 4 where it did not.
TEST_P(cut_run, says_so_and_does_not_pass_for_a_whole_one) {
  const auto& [signal, name] = GetParam();
  const scratch_folder folder;
  auto load = start_load(folder, {"--media", "none", "-m", "10000", "-r", "20", "-d", "100"});
  ASSERT_TRUE(load.program->wait_for("running: "));
  load.program->signal(signal);
  const auto outcome = load.finish();
  ASSERT_TRUE(outcome.summary.is_object()) << "it has a report all the same";
  EXPECT_TRUE(outcome.status == 6 || outcome.status == 4) << outcome.status;
  EXPECT_EQ(outcome.summary.at("exit_code"), outcome.status);
  EXPECT_EQ(outcome.summary.at("verdict"), outcome.status == 6 ? "failed" : "invalid");
  EXPECT_EQ(outcome.summary.at("ended_by"), name);
  EXPECT_EQ(outcome.summary.at("calls").at("failed"), 0);
  const auto text = outcome.program->standard_output();
  EXPECT_NE(text.substr(0, text.find('\n')).find("cut after "), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(by, cut_run,
                         testing::Values(named_signal{SIGINT, "SIGINT"},
                                         named_signal{SIGTERM, "SIGTERM"},
                                         named_signal{SIGHUP, "SIGHUP"}),
                         [](const auto& one) { return std::string{one.param.second}; });

TEST(cut_run_of, lines_that_cannot_be_written_is_an_error) {
  const scratch_folder folder;
  const auto outcome = run_load(folder, {"--media", "none", "-m", "10000", "-r", "50", "-d", "100",
                                         "--calls-file", "/dev/full"});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_LT(outcome.summary.at("calls").at("started"), 10'000) << "it ended early";
}

} // namespace
} // namespace jackfield::tests
