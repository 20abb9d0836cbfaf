#include "engine/simulation/live_page.hpp"

#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/simulation/html_elements.hpp"
#include "tests/simulation/live_plan.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != text.npos;
}

live_report some_report(bool gives_up) {
  auto plan = short_plan();
  if (gives_up)
    plan.queue.patience = distribution::exponential(20s);
  return report_of(plan, played(plan));
}

TEST(live_page, is_well_formed_and_fetches_nothing) {
  auto none = report_of(short_plan(4), {});
  none.conditions = {};
  for (const auto& report : {some_report(true), some_report(false), none}) {
    const auto page = live_html(report);
    expect_well_formed(page);
    expect_harmless(page);
    EXPECT_EQ(page, live_html(report));
    EXPECT_TRUE(contains(page, "<h3>How long callers waited</h3>"));
  }
}

TEST(live_page, has_each_figure_beside_what_is_expected) {
  auto report = some_report(true);
  for (const auto& each : all_figures)
    report.study[each.which] = {0.5, 0.5, 0.5, 0.4, 0.5, 0.6};
  report.study.asa = {1.25, 1.2, 1.5, 0.5, 1.4, 2.5};
  const auto page = live_html(report);
  EXPECT_TRUE(contains(page, "<span class=\"badge good\">7 OF 7 FIGURES AS EXPECTED</span>"));
  EXPECT_TRUE(
    contains(page, "<b>1.2 s</b><span>average speed of answer<br/>policies alone: 1.2 s</span>"));
  EXPECT_TRUE(contains(page, "<tr><td>average speed of answer</td><td>1.25 s</td><td><svg "));
  EXPECT_TRUE(contains(page, "</svg></td><td>0.50 s to 2.50 s</td><td>1.20 s</td><td>1.50 s</td>"
                             "<td>inside</td></tr>"));
  EXPECT_TRUE(contains(
    page, "aria-label=\"average speed of answer: live 1.25 s, expected 0.50 s to 2.50 s\""));
  EXPECT_EQ(occurrences(page, "<circle class=\"dot c1\""), 7U);
  EXPECT_EQ(occurrences(page, "<circle class=\"line c5\""), 7U);
  // From the left margin at 0.5 s to the right one at 2.5 s.
  EXPECT_TRUE(contains(page, "x=\"8.0\" y=\"6\" width=\"174.0\""));
  EXPECT_TRUE(contains(page, "<circle class=\"dot c1\" cx=\"73.5\""));
  for (const auto* defined : {"Service level", "ASA", "Has to wait", "Erlang A", "Policies alone",
                              "Runs like this", "Served by", "Callers", "Agents"})
    EXPECT_TRUE(contains(page, fmt::format("<dt>{}</dt>", defined))) << defined;
}

TEST(live_page, does_not_draw_apart_what_is_as_good_as_the_same) {
  auto report = some_report(false);
  report.study.level_negative = {1, 1, 0.9998, 1, 1, 1};
  const auto page = live_html(report);
  // A percentage point is 172 wide: the formula's line is 3.4 to the left of all else.
  EXPECT_TRUE(contains(page, "<line class=\"bound\" x1=\"93.3\""));
  EXPECT_TRUE(contains(page, "<circle class=\"dot c1\" cx=\"96.7\""));
}

TEST(live_page, marks_what_is_outside_by_more_than_colour) {
  auto report = some_report(false);
  for (const auto& each : all_figures)
    report.study[each.which] = {0.5, 0.5, 0.5, 0.4, 0.5, 0.6};
  report.study.p_wait.live = 0.7;
  report.study.occupancy = {0.3, 0.3, 0.5, 0.4, 0.5, 0.6};
  const auto page = live_html(report);
  EXPECT_TRUE(contains(page, "<span class=\"badge bad\">2 OF 4 FIGURES AS EXPECTED</span>"))
    << "without those of callers who hang up";
  EXPECT_EQ(occurrences(page, "<strong class=\"bad\">▼ "), 2U);
  EXPECT_EQ(occurrences(page, "<path class=\"missed\""), 2U);
  EXPECT_EQ(occurrences(page, "<td>OUTSIDE</td>"), 1U);
  EXPECT_EQ(occurrences(page, "<td>outside, as the policies alone</td>"), 1U);
}

TEST(live_page, has_waits_live_beside_those_of_the_twin) {
  auto report = some_report(false);
  auto& study = report.study;
  study.answered_waits.clear();
  study.twin_answered_waits.clear();
  study.answered_waits.record(std::chrono::milliseconds{150});
  study.answered_waits.record(std::chrono::milliseconds{1500});
  study.twin_answered_waits.record(std::chrono::milliseconds{0});
  study.twin_answered_waits.record(std::chrono::milliseconds{4500});
  const auto page = live_html(report);
  EXPECT_TRUE(contains(page, "<title>0.1\nanswered: 0 % of calls\npolicies alone: 50 % of calls"));
  EXPECT_TRUE(contains(page, "<title>0.2\nanswered: 50 % of calls\npolicies alone: 0 % of calls"));
  EXPECT_TRUE(contains(page, "<title>2\nanswered: 50 % of calls\npolicies alone: 0 % of calls"));
  EXPECT_TRUE(contains(page, "<title>5\nanswered: 0 % of calls\npolicies alone: 50 % of calls"));
  EXPECT_FALSE(contains(page, "<title>10\n")) << "nobody waited so long";
  study.twin_answered_waits.record(std::chrono::hours{20});
  EXPECT_TRUE(
    contains(live_html(report), "<title>∞\nanswered: 0 % of calls\npolicies alone: 33.3"));
}

TEST(live_page, says_what_became_of_calls) {
  auto report = some_report(true);
  auto page = live_html(report);
  for (const auto* none : {"Refused", "Sent on", "Still waiting", "Agent failed", "Failed"})
    EXPECT_FALSE(contains(page, fmt::format("<dt>{}</dt>", none))) << none;
  EXPECT_TRUE(contains(page, "<dd>200, of seed 1: "));
  report.plan.warm_up = 1;
  auto& study = report.study;
  study.counts.refused = 3;
  study.counts.overflowed = 4;
  study.counts.waiting = 5;
  study.agent_failed = 6;
  study.added = added_waits{190, 0.0031, -0.0104, 0.0028, 0.0123, 0.5, 1.25};
  report.conditions.mos_mean = 4.412;
  report.conditions.lost_share = 0.0012;
  page = live_html(report);
  EXPECT_TRUE(contains(page, "<dt>Refused</dt><dd>3</dd>\n<dt>Sent on</dt><dd>4</dd>\n"
                             "<dt>Still waiting</dt><dd>5</dd>\n<dt>Agent failed</dt><dd>6</dd>"));
  EXPECT_TRUE(contains(page, "<dd>200, after 1 that are in no figure, of seed 1: "));
  EXPECT_TRUE(contains(page, "<b>3 ms</b><span>added to waits, on average<br/>95 % up to 12 ms<"));
  EXPECT_TRUE(contains(page, "<b>4.41</b><span>MOS, on average<"));
  EXPECT_TRUE(contains(page, "<b>0.12 %</b><span>of packets lost<"));
  study.added->mean = -0.0031;
  EXPECT_TRUE(contains(live_html(report), "<b>-3 ms</b><span>added to waits, on average"));
}

TEST(live_page, warns_before_any_figure) {
  auto report = some_report(true);
  report.conditions.cut = true;
  auto page = live_html(report);
  EXPECT_TRUE(contains(page, "<span class=\"badge bad\">CUT</span>"));
  EXPECT_LT(page.find("<div class=\"note bad\"><ul><li>cut: the run ended"),
            page.find("<div class=\"tiles\">"));
  report.conditions.invalid_reasons = {"no agent was logged in"};
  page = live_html(report);
  EXPECT_TRUE(contains(page, "<span class=\"badge bad\">NOT VALID</span>"));
  EXPECT_TRUE(contains(page, "<li>not valid: no agent was logged in.</li>"));
  EXPECT_FALSE(contains(page, "AS EXPECTED"));
}

TEST(live_page, escapes_what_is_from_outside) {
  auto report = some_report(true);
  const std::string hostile = "<script>&\"'\x1b\u202E\xff";
  auto& how = report.conditions;
  how.target = how.callers_over = how.agents_over = how.media = hostile;
  how.invalid_reasons = {hostile};
  how.failures = {{hostile, 2}};
  report.info = {hostile, hostile};
  const auto page = live_html(report);
  expect_well_formed(page);
  expect_harmless(page);
  EXPECT_FALSE(contains(page, "\u202E"));
  EXPECT_TRUE(contains(page, "<dt>Failed</dt><dd>2: &lt;script&gt;&amp;&quot;&#39;&lt;U+001B&gt;"));
}

} // namespace
} // namespace jackfield::simulation
