#include <csignal>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

TEST(bad_path, of_loss_delay_duplicates_and_reordering_fails_none_of_a_thousand_calls) {
  constexpr uint64_t call_count = 1000;
  const scratch_folder folder;
  // All that goes to the answering side takes the bad path: it names the relay as its Contact.
  const auto behind = free_port();
  auto relay = start_relay(folder, behind,
                           {"--seed", "1", "--loss", "0.05", "--burst", "3", "--delay-ms", "40",
                            "--jitter-ms", "20", "--duplicate", "0.02", "--reorder", "0.02"});
  auto answer = start_answerer(folder, "udp:" + loopback(behind),
                               {"--media", "none", "--advertise", loopback(relay.port)});
  const auto outcome = run_load(folder, {sip_uri("service", relay.port), "--media", "none", "-m",
                                         std::to_string(call_count), "-r", "100", "-d", "1000"});
  expect_all_completed(outcome, call_count);

  const auto answered = answer.finish();
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("answered"), call_count);
  EXPECT_EQ(answered.at("calls").at("completed"), call_count);
  EXPECT_EQ(answered.at("calls").at("failed"), 0) << answered.at("failures");

  relay.program->signal(SIGTERM);
  EXPECT_EQ(relay.program->wait(), 0);
  const auto path = nlohmann::json::parse(relay.program->standard_output(), nullptr, false);
  ASSERT_TRUE(path.is_object());
  for (const auto* way : {"to_target", "to_client"}) {
    EXPECT_GT(path.at(way).at("lost"), 50) << way;
    EXPECT_GT(path.at(way).at("duplicated"), 20) << way;
    EXPECT_GT(path.at(way).at("overtaken"), 20) << way;
  }
}

} // namespace
} // namespace jackfield::tests
