// `jackfield simulate --live`: callers and agents over real SIP, with audio, beside the very same
// callers in simulated time, and beside theory.

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using json = nlohmann::json;

class simulate_live : public testing::Test {
protected:
  std::unique_ptr<process> start(arguments more) {
    more.insert(more.begin(), {JACKFIELD_PROGRAM, "simulate", "--live"});
    more.insert(more.end(), {"--json", report_file()});
    return std::make_unique<process>("simulate", folder_, more);
  }
  /// What it reports, once it has ended so.
  json finish(process& program, int expected = 0) {
    EXPECT_EQ(program.wait(), expected) << program.standard_output() << program.standard_error();
    const auto lines = lines_of(report_file());
    std::string text;
    for (const auto& line : lines)
      text += line + "\n";
    return json::parse(text, nullptr, false);
  }
  json run(arguments more, int expected = 0) { return finish(*start(std::move(more)), expected); }
  /// The one line that says what is wrong with how it is called.
  std::string fault_of(arguments more) {
    more.insert(more.begin(), {JACKFIELD_PROGRAM, "simulate"});
    process program{"fault", folder_, more};
    EXPECT_EQ(program.wait(), 2) << program.standard_output();
    return program.standard_error();
  }
  std::string report_file() const { return folder_.file("live.json"); }

  scratch_folder folder_;
};

uint64_t count(const json& report, const char* what) {
  return report.at("calls").at(what).get<uint64_t>();
}

double value(const json& report, const char* figure, const char* what) {
  return report.at(figure).at(what).get<double>();
}

/// Each caller in the figures is accounted for, its agent's phone knew whose call it was, and
/// nobody failed.
void expect_accounted_for(const json& report, uint64_t calls) {
  EXPECT_EQ(report.at("valid"), true) << report.at("invalid_reasons");
  EXPECT_EQ(report.at("cut"), false);
  EXPECT_TRUE(report.at("failures").empty()) << report.at("failures");
  EXPECT_EQ(count(report, "offered") + count(report, "refused"), calls);
  EXPECT_EQ(count(report, "answered") + count(report, "abandoned"), calls);
  EXPECT_EQ(count(report, "agent_failed"), 0U);
  EXPECT_GE(report.at("caller_id").at("matched"), count(report, "answered"));
  EXPECT_EQ(report.at("caller_id").at("in_order"), 0);
}

// The queue's waits are Erlang's to within what three minutes can show; and those of each caller
// are, to some milliseconds, what the policies alone make of the very same callers.
TEST_F(simulate_live, fifty_browsers_make_callers_wait_as_theory_says) {
  const auto program = start({"--agents", "50", "--aht", "8", "--arrivals", "5.5/s", "--duration",
                              "3m", "--answer-within", "1s", "--seed", "3"});
  ASSERT_TRUE(program->wait_for(" 100 s of some 204: ")) << "no progress is told";
  const auto report = finish(*program);
  ASSERT_TRUE(report.is_object());
  expect_accounted_for(report, 990);
  for (const auto* const figure : {"p_wait", "asa_s", "service_level", "occupancy"})
    EXPECT_EQ(report.at(figure).at("inside"), true) << figure << ": " << report.at(figure);
  EXPECT_GT(value(report, "p_wait", "mean"), 0.05) << "it says little where nobody waits";
  EXPECT_NEAR(value(report, "asa_s", "mean"), value(report, "asa_s", "twin"), 0.1);
  EXPECT_LT(report.at("added_wait_s").at("p50"), 0.1);
  EXPECT_EQ(report.at("agents_over"), "wss");
  EXPECT_EQ(report.at("media"), "callers rtp, agents webrtc");
  EXPECT_GT(report.at("mos_mean"), 4);
}

TEST_F(simulate_live, callers_who_give_up_and_agents_who_wrap_up_fare_as_with_the_policies_alone) {
  const auto report =
    run({"--agents",          "5",   "--arrivals", "2/s", "--aht",           "2",
         "--wrap-up",         "1",   "--patience", "4",   "--answers-after", "exp:300ms",
         "--duration",        "15s", "-t",         "wss", "--media",         "webrtc",
         "--agent-transport", "udp"});
  ASSERT_TRUE(report.is_object());
  expect_accounted_for(report, 30);
  EXPECT_GT(count(report, "abandoned"), 0U);
  EXPECT_GE(report.at("ended_alike").at("calls").get<uint64_t>(), 27U) << report;
  EXPECT_NEAR(value(report, "occupancy", "mean"), value(report, "occupancy", "twin"), 0.05);
  EXPECT_EQ(report.at("theory").at("exact"), false) << "phones ring, and wrap-up is constant";
}

// At an address, as any queue: what `serve` counts itself is what was seen from outside.
TEST_F(simulate_live, a_serve_elsewhere_counts_what_callers_and_agents_count) {
  std::string config = "[server]\nlisten = [\"udp:127.0.0.1:0\", \"wss:127.0.0.1:0\"]\n";
  std::string logins = "user,password\n";
  for (const auto* const name : {"ann", "bea", "cleo", "dora", "eve"}) {
    config += std::string{"[[agent]]\nname = \""} + name + "\"\npassword = \"pw-" + name + "\"\n";
    logins += std::string{name} + ",pw-" + name + "\n";
  }
  config += "[[queue]]\nname = \"support\"\nmembers = \"all\"\nmusic = \"silence\"\n";
  process centre{"serve", folder_,
                 arguments{JACKFIELD_PROGRAM, "serve", "-c", folder_.write("centre.toml", config),
                           "--events", folder_.file("events.jsonl")}};
  const auto udp = port_in(centre.wait_for_rest_of_line("listening on UDP "));
  const auto wss = port_in(centre.wait_for_rest_of_line("listening on WSS "));
  const auto report =
    run({sip_uri("support", udp), "--register", "sip:" + loopback(wss) + ";transport=wss",
         "--insecure", "--users", folder_.write("agents.csv", logins), "--agents", "5",
         "--arrivals", "2/s", "--aht", "2", "--duration", "12s", "--warm-up", "4s"});
  centre.signal(SIGTERM);
  EXPECT_EQ(centre.wait(), 0);
  ASSERT_TRUE(report.is_object());
  expect_accounted_for(report, 24);
  EXPECT_EQ(report.at("agents_over"), "wss");
  std::map<std::string, uint64_t> events;
  for (const auto& line : lines_of(folder_.file("events.jsonl")))
    ++events[json::parse(line).at("event")];
  EXPECT_EQ(events["call.entered"], 32U) << "with those who warmed it up";
  EXPECT_EQ(events["call.connected"], 32U);
  EXPECT_EQ(events["call.completed"], 32U);
}

TEST_F(simulate_live, one_that_is_cut_says_so_and_reports_what_it_saw) {
  const auto program = start(
    {"--agents", "4", "--arrivals", "2/s", "--aht", "1", "--duration", "10m", "--warm-up", "0s"});
  ASSERT_TRUE(program->wait_for("s of some 600: ")) << "no progress is told";
  program->signal(SIGINT);
  const auto report = finish(*program, 6);
  ASSERT_TRUE(report.is_object());
  EXPECT_EQ(report.at("cut"), true);
  EXPECT_GT(count(report, "answered"), 0U);
  EXPECT_EQ(program->standard_output().rfind("cut", 0), 0U)
    << "expected that first: " << program->standard_output();
}

TEST_F(simulate_live, what_does_not_go_together_is_said) {
  const arguments queue{"--arrivals", "1/s", "--aht", "2", "--agents", "4"};
  const auto fault = [&](arguments more) {
    more.insert(more.begin(), queue.begin(), queue.end());
    return fault_of(std::move(more));
  };
  const std::pair<arguments, std::string> expected[] = {
    {{"--duration", "10s"}, "--duration: is of live runs, expected --live, too\n"},
    {{"sip:100@127.0.0.1"}, "URI: is of live runs, expected --live, too\n"},
    {{"--live", "--virtual"}, "--virtual: is of runs in simulated time"},
    {{"--live", "--seeds", "2"}, "--seeds: is of runs in simulated time"},
    {{"--live", "--target", "sl>=80%"}, "--target: is of runs in simulated time"},
    {{"--live", "--wrap-up", "exp:1s"}, "--wrap-up: live, what serves an agent keeps it"},
    {{"--live", "--calls", "20", "--duration", "10s"}, "--duration: says how many calls"},
    {{"--live", "--users", "x.csv"}, "--users: is of somebody else's queue, expected its URI"},
    {{"--live", "sip:100@127.0.0.1"}, "--users: is missing, expected a CSV file"},
    {{"--live", "--media", "tape"}, "--media: \"tape\" is not available"},
    {{"--live", "--agent-transport", "smoke"}, "--agent-transport: \"smoke\" is no transport"},
    {{"--live", "sip:100@127.0.0.1", "--users",
      folder_.write("three.csv", "user,password\na,x\nb,x\nc,x\n")},
     "has 3 users, expected 4 or more"},
  };
  for (const auto& [given, said] : expected) {
    const auto told = fault(given);
    EXPECT_NE(told.find(said), std::string::npos) << "expected " << said << " in " << told;
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
  }
}

} // namespace
} // namespace jackfield::tests
