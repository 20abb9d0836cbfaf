#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

std::vector<nlohmann::json> json_lines_of(const std::string& path) {
  std::vector<nlohmann::json> made;
  for (const auto& line : lines_of(path))
    made.push_back(nlohmann::json::parse(line));
  return made;
}

// What a killed run had written of its figures is there.
TEST(while_it_runs, figures_are_written_line_by_line) {
  const scratch_folder folder;
  const auto csv = folder.file("run.csv");
  auto load = start_load(folder, {"-m", "100000", "-r", "20", "-d", "60000", "--csv", csv});
  ASSERT_TRUE(load.program->wait_for("running: "));
  while (lines_of(csv).size() < 3) // its header, and two seconds
    ASSERT_FALSE(load.program->ended_within(50));
  load.program->signal(SIGKILL);
  EXPECT_EQ(load.program->wait(), 128 + SIGKILL);
  const auto lines = lines_of(csv);
  ASSERT_GE(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("at_s,")) << lines[0];
  // packets_received is the 19th figure: calls of a minute are not over, and it is not 0.
  std::string figure = lines[2];
  for (int i = 0; i < 18; ++i)
    figure.erase(0, figure.find(',') + 1);
  EXPECT_NE(figure.substr(0, figure.find(',')), "0") << lines[2];
}

TEST(while_it_runs, registrations_and_options_have_their_lines_too) {
  const scratch_folder folder;
  auto answering = start_answerer(
    folder, "udp:127.0.0.1:0", {"--users", folder.write("known.csv", "user,password\nalice,a1\n")});
  const auto users = folder.write("users.csv", "user,password\nalice,a1\nbob,b2\n");
  const auto lines = folder.file("lines.jsonl");
  run_load(folder, {sip_uri("x", answering.port), "--flow", "register", "--users", users, "-m", "2",
                    "--duration", "0", "--calls-file", lines});
  auto said = json_lines_of(lines);
  ASSERT_EQ(said.size(), 2U);
  if (said[0].at("from").get<std::string>().starts_with("sip:bob"))
    std::swap(said[0], said[1]);
  EXPECT_EQ(said[0].at("kind"), "register");
  EXPECT_EQ(said[0].at("status"), 200);
  EXPECT_TRUE(said[0].at("cause").is_null());
  EXPECT_TRUE(said[0].at("took_ms").is_number());
  EXPECT_EQ(said[1].at("cause"), "auth_failed") << said[1];
  EXPECT_TRUE(said[1].at("took_ms").is_null());

  run_load(folder,
           {sip_uri("x", answering.port), "--flow", "options", "-m", "3", "--calls-file", lines});
  said = json_lines_of(lines);
  ASSERT_EQ(said.size(), 3U);
  EXPECT_EQ(said[0].at("kind"), "options");
  EXPECT_EQ(said[0].at("status"), 200);
  EXPECT_GT(said[0].at("took_ms").get<double>(), 0);
  answering.finish();
}

// Peers that never answer do not keep it: a third Ctrl-C ends it.
TEST(while_it_runs, a_third_interrupt_ends_it_with_its_report) {
  const scratch_folder folder;
  auto load =
    start_load(folder, {sip_uri("x", free_port()), "-m", "1000", "-r", "20", "--media", "none"});
  ASSERT_TRUE(load.program->wait_for("running: "));
  for (int i = 0; i < 3; ++i)
    load.program->signal(SIGINT);
  const auto outcome = load.finish();
  ASSERT_TRUE(outcome.summary.is_object());
  const auto& calls = outcome.summary.at("calls");
  EXPECT_EQ(calls.at("started").get<uint64_t>(),
            calls.at("completed").get<uint64_t>() + calls.at("failed").get<uint64_t>());
  EXPECT_EQ(outcome.summary.at("ended_by"), "SIGINT");
}

} // namespace
} // namespace jackfield::tests
