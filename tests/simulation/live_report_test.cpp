#include "engine/simulation/live_report.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/simulation/live_plan.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != text.npos;
}

live_report some_report(bool gives_up = true) {
  auto plan = short_plan();
  if (gives_up)
    plan.queue.patience = distribution::exponential(20s);
  return report_of(plan, played(plan));
}

TEST(live_report, has_in_json_what_automation_relies_on) {
  auto report = some_report();
  report.study.asa = {1.25, 1.2, 1.5, 0.5, 1.4, 2.5};
  report.study.p_wait.live = 0.99;
  report.conditions.failures = {{"486 Busy Here", 2}, {"timeout", 1}, {"486 Busy Here", 3}};
  report.conditions.mos_mean = 4.4;
  const auto j = nlohmann::json::parse(live_json(report));
  EXPECT_EQ(j.at("mode"), "live");
  EXPECT_EQ(j.at("version"), "1.2.3");
  EXPECT_EQ(j.at("valid"), true);
  EXPECT_EQ(j.at("invalid_reasons"), nlohmann::json::array());
  EXPECT_EQ(j.at("cut"), false);
  EXPECT_EQ(j.at("agents"), 10);
  EXPECT_EQ(j.at("seed"), 1);
  EXPECT_EQ(j.at("target"), "jackfield serve in this process");
  EXPECT_EQ(j.at("model").at("patience"), "exp:20s");
  EXPECT_EQ(j.at("theory").at("formula"), "Erlang A");
  const nlohmann::json asa{{"mean", 1.25},         {"ci95_low", nullptr},  {"ci95_high", nullptr},
                           {"theory", 1.5},        {"expected_mean", 1.4}, {"expected_low", 0.5},
                           {"expected_high", 2.5}, {"twin", 1.2},          {"inside", true},
                           {"twin_inside", true}};
  EXPECT_EQ(j.at("asa_s"), asa);
  EXPECT_EQ(j.at("p_wait").at("inside"), false);
  for (const auto* key : {"p_wait", "asa_s", "service_level", "service_level_abandoned_ignored",
                          "service_level_abandoned_positive", "abandoned", "occupancy"})
    for (const auto* part :
         {"mean", "theory", "expected_mean", "expected_low", "expected_high", "twin"})
      EXPECT_TRUE(j.at(key).at(part).is_number()) << key << "." << part;
  for (const auto* part : {"mean", "p50", "p95", "p99", "max"})
    EXPECT_EQ(j.at("added_wait_s").at(part), 0) << part;
  const auto& calls = j.at("calls");
  EXPECT_EQ(calls.at("offered"), 200);
  EXPECT_EQ(calls.at("answered").get<int>() + calls.at("abandoned").get<int>(), 200);
  EXPECT_EQ(calls.at("refused"), 0);
  EXPECT_EQ(j.at("failures").at("486 Busy Here"), 5);
  EXPECT_EQ(j.at("failures").at("timeout"), 1);
  EXPECT_EQ(j.at("caller_id").at("matched"), 200);
  EXPECT_EQ(j.at("caller_id").at("in_order"), 0);
  EXPECT_EQ(j.at("mos_mean"), 4.4);
  EXPECT_TRUE(j.at("lost_share").is_null());
}

TEST(live_report, has_a_line_for_each_figure) {
  auto report = some_report();
  report.study.asa = {1.25, 1.2, 1.5, 0.5, 1.4, 2.5};
  report.study.p_wait = {0.4, 0.25, {}, 0.1, 0.2, 0.3};
  report.study.occupancy = {0.4, 0.05, 0.2, 0.1, 0.2, 0.3};
  const auto text = live_text(report);
  EXPECT_TRUE(contains(text, "\n10 agents                        live  policies alone   "
                             "95 % of runs like this   Erlang A\n"))
    << text;
  EXPECT_TRUE(contains(text, "\nanswered after (ASA)           1.25 s          1.20 s         "
                             "0.50 s to 2.50 s     1.50 s  inside\n"))
    << text;
  EXPECT_TRUE(contains(text, "\nhas to wait                   40.00 %         25.00 %       "
                             "10.00 % to 30.00 %          -  OUTSIDE\n"))
    << text;
  EXPECT_TRUE(contains(text, " 20.00 %  outside, as the policies alone\n")) << text;
  EXPECT_TRUE(contains(text, "\nservice level (5 s) "));
  EXPECT_TRUE(contains(text, "\n  short abandons ignored "));
  EXPECT_TRUE(contains(text, "\nvalid: "));
  const auto endless = live_text(some_report(false));
  EXPECT_FALSE(contains(endless, "short abandons")) << "nobody hangs up";
  EXPECT_TRUE(contains(endless, "Erlang C\n"));
  const auto csv = live_csv(report);
  EXPECT_EQ(std::ranges::count(csv, '\n'), 8);
  EXPECT_TRUE(
    csv.starts_with("figure,live,twin,expected_low,expected_mean,expected_high,theory,inside\n"
                    "p_wait,0.400000,0.250000,0.100000,0.200000,0.300000,,false\n"
                    "asa_s,1.250000,1.200000,0.500000,1.400000,2.500000,1.500000,true\n"))
    << csv;
}

TEST(live_report, says_what_was_added_to_waits) {
  auto report = some_report();
  report.study.added = added_waits{190, 0.0031, -0.0104, 0.0028, 0.0123, 0.5, 1.25};
  EXPECT_TRUE(contains(live_text(report),
                       "\nwaits: 3 ms longer on average than with the policies alone; median 3 ms, "
                       "95 % up to 12 ms, 99 % up to 500 ms, all from -10 ms to 1.25 s (190 calls "
                       "answered in both)\n"))
    << live_text(report);
  report.study.added->mean = -2;
  EXPECT_TRUE(contains(live_text(report), "\nwaits: 2.00 s shorter on average "));
  report.study.added.reset();
  EXPECT_FALSE(contains(live_text(report), "\nwaits: "));
}

TEST(live_report, counts_what_became_of_calls) {
  auto report = some_report();
  EXPECT_TRUE(contains(live_text(report), "\n200 calls, seed 1\n"));
  auto& c = report.study.counts;
  c = {};
  c.offered = 1234;
  c.answered = 1000;
  c.abandoned = 200;
  EXPECT_TRUE(contains(live_text(report), "\ncalls: 1,234 offered, 1,000 answered, 200 abandoned; "
                                          "200 of 200 ended as with the policies alone\n"));
  c.refused = 3;
  c.overflowed = 4;
  c.waiting = 5;
  report.study.agent_failed = 6;
  report.study.ended_alike = 190;
  report.plan.warm_up = 7;
  report.conditions.mos_mean = 4.412;
  report.conditions.lost_share = 0.0012;
  const auto text = live_text(report);
  EXPECT_TRUE(contains(text, " 200 abandoned, 3 refused, 4 sent on, 5 still waiting, 6 whose agent "
                             "failed; 190 of 200 ended "))
    << text;
  EXPECT_TRUE(contains(text, "\n200 calls, seed 1, after 7 to warm up\n"));
  EXPECT_TRUE(contains(text, "\nmedia: MOS 4.41 on average, 0.12 % of packets lost\n"));
  report.conditions.mos_mean.reset();
  EXPECT_TRUE(contains(live_text(report), "\nmedia: 0.12 % of packets lost\n"));
}

TEST(live_report, warns_before_anything_else) {
  auto report = some_report();
  report.conditions.invalid_reasons = {"3 of 10 agents were not logged in"};
  EXPECT_TRUE(live_text(report).starts_with("not valid: 3 of 10 agents were not logged in\n"));
  EXPECT_FALSE(contains(live_text(report), "\nvalid: "));
  EXPECT_EQ(nlohmann::json::parse(live_json(report)).at("valid"), false);
  report.conditions.invalid_reasons.clear();
  report.conditions.cut = true;
  EXPECT_TRUE(live_text(report).starts_with("cut: the run ended before its time"));
  EXPECT_FALSE(contains(live_text(report), "\nvalid: "));
  EXPECT_EQ(nlohmann::json::parse(live_json(report)).at("cut"), true);
}

TEST(live_report, says_how_it_is_to_be_read) {
  auto report = some_report();
  report.study.chance_outside = 0.234;
  EXPECT_TRUE(contains(live_text(report), "\nby chance a figure or more is outside in 23 % of "));
  EXPECT_TRUE(contains(live_text(report), "Runs like this: 100 of those"));
  EXPECT_FALSE(contains(live_text(report), "caller ID"));
  report.conditions.matched_in_order = 3;
  EXPECT_TRUE(contains(live_text(report), "no caller ID came through with 3 of 203 calls: "));
  report.conditions.matched_by_caller_id = 0;
  EXPECT_TRUE(contains(live_text(report), "\nno caller ID came through: who had which agent was "
                                          "taken in order\n"));
  EXPECT_TRUE(contains(live_text(report), "has been open for long"));
  report.plan.warm_up = *report.plan.queue.warm_up();
  EXPECT_FALSE(contains(live_text(report), "has been open for long"));
  report.plan.queue.talk = distribution::constant(8s);
  EXPECT_TRUE(contains(live_text(report), "Erlang A takes times for exponential"));
  report.plan.queue.patience.reset();
  report.plan.queue.agents = 5;
  EXPECT_TRUE(contains(live_text(report), "\nthe line would grow for ever: Erlang C has nothing"));
  EXPECT_FALSE(contains(live_text(report), "takes times for exponential"));
}

TEST(live_report, shows_texts_from_outside_as_they_are) {
  auto report = some_report();
  report.conditions.target = "sip:a\x1b[2J\u202E@\xff\n";
  report.conditions.media = "x\ty";
  report.conditions.failures = {{"500 \x07\r\n\x80", 1}};
  report.conditions.invalid_reasons = {"no\x1b[31m"};
  report.info.command = "jackfield \xfe";
  const auto text = live_text(report);
  EXPECT_TRUE(text.starts_with("not valid: no<U+001B>[31m\n")) << text;
  EXPECT_TRUE(contains(text, "live: sip:a<U+001B>[2J<U+202E>@\uFFFD<U+000A>; callers over "));
  EXPECT_TRUE(contains(text, "media x<U+0009>y"));
  EXPECT_TRUE(contains(text, "\nfailed: 1 x 500 <U+0007><U+000D><U+000A>\uFFFD\n"));
  const auto j = nlohmann::json::parse(live_json(report));
  EXPECT_EQ(j.at("target"), "sip:a\x1b[2J\u202E@\uFFFD\n");
  EXPECT_EQ(j.at("command"), "jackfield \uFFFD");
}

TEST(live_report, is_written_of_a_run_without_any_call) {
  const auto plan = short_plan();
  auto report = report_of(plan, {});
  report.conditions = {};
  const auto text = live_text(report);
  EXPECT_TRUE(contains(text, "\nanswered after (ASA)                -          "));
  EXPECT_TRUE(contains(text, "\ncalls: 0 offered, 0 answered, 0 abandoned; 0 of 0 "));
  const auto j = nlohmann::json::parse(live_json(report));
  EXPECT_TRUE(j.at("asa_s").at("mean").is_null());
  EXPECT_TRUE(j.at("added_wait_s").is_null());
  EXPECT_TRUE(contains(live_csv(report), "\nasa_s,,"));
}

} // namespace
} // namespace jackfield::simulation
