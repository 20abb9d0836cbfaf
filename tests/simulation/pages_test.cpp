#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/simulation/day_page.hpp"
#include "engine/simulation/study_page.hpp"
#include "tests/simulation/html_elements.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != text.npos;
}

/// Two queues from 8:00 to 10:00; too few of the first one's agents from 9:00 on.
day_plan uneven_day() {
  day_plan day;
  day.begins = 8h;
  day.level_targets = {0.8};
  for (const auto* name : {"sales", "support"}) {
    auto& queue = day.centre.queues.emplace_back();
    queue.name = name;
    queue.arrivals.per_interval = {30, 30, 90, 90};
    queue.talk = distribution::exponential(160s);
    queue.wrap_up = distribution::constant(20s);
    queue.patience = distribution::exponential(120s);
  }
  for (uint32_t i = 0; i < 20; ++i) {
    auto& agent = day.centre.agents.emplace_back();
    agent.name = "agent";
    agent.queues.push_back({i < 6 ? 0U : 1U, 0, {}});
    agent.shifts = {{0min, 120min}};
  }
  return day;
}

day_study study_of(const day_plan& day, uint32_t runs, uint64_t seed = 1, unsigned threads = 1) {
  auto study = study_day(day, runs, seed, threads);
  EXPECT_TRUE(study) << study.error().to_string();
  return std::move(*study);
}

const study_info info{"1.2.3", "jackfield simulate -c 'a <b> & c.toml'"};

TEST(day_page, is_well_formed_and_fetches_nothing) {
  const auto day = uneven_day();
  for (const uint32_t runs : {1U, 4U}) {
    const auto page = day_html(info, day, study_of(day, runs));
    expect_well_formed(page);
    expect_harmless(page);
    EXPECT_EQ(contains(page, "<div class=\"about\">Figures are means of 4 runs with seeds 1 to 4"),
              runs == 4);
  }
}

TEST(day_page, is_the_same_for_the_same_seed_and_any_number_of_threads) {
  const auto day = uneven_day();
  const auto page = day_html(info, day, study_of(day, 3, 5, 1));
  EXPECT_EQ(page, day_html(info, day, study_of(day, 3, 5, 3)));
  EXPECT_NE(page, day_html(info, day, study_of(day, 3, 6, 1)));
}

TEST(day_page, has_the_headline_with_intervals_of_the_runs) {
  const auto day = uneven_day();
  auto study = study_of(day, 4);
  study.all.level = estimate{0.7654, 0.0123};
  study.all.asa = estimate{30, 2.34};
  study.all.abandoned = estimate{0.1, 0.011};
  study.occupancy = estimate{0.5, 0.0071};
  const auto page = day_html(info, day, study);
  EXPECT_TRUE(contains(page, "<b>76.5 %</b><span>service level ±\u00a01.2</span>"));
  EXPECT_TRUE(contains(page, "<span>average speed of answer ±\u00a02.3</span>"));
  EXPECT_TRUE(contains(page, "<span>abandoned ±\u00a01.1</span>"));
  EXPECT_TRUE(contains(page, "<span>occupancy ±\u00a00.7 of "));
  EXPECT_TRUE(contains(page, " calls, 2 queues, 20 agents</h1>"));
}

TEST(day_page, marks_what_misses_the_target_by_more_than_colour) {
  auto day = uneven_day();
  auto study = study_of(day, 2);
  auto& intervals = study.queues[0].intervals;
  ASSERT_EQ(intervals.size(), 4U);
  for (size_t i = 0; i < 4; ++i)
    intervals[i].level = estimate{i < 2 ? 0.8 : 0.7999, 0.01};
  study.queues[0].level = estimate{0.79, 0.01};
  const auto page = day_html(info, day, study);
  EXPECT_TRUE(contains(page, "<b>2</b><span>of 4 intervals below the target</span>"));
  EXPECT_TRUE(contains(page, "<span class=\"badge bad\">0 OF 1 QUEUE REACHES ITS TARGET</span>"));
  EXPECT_EQ(occurrences(page, "<strong class=\"bad\">▼ "), 3U) << "two intervals and the day";
  EXPECT_EQ(occurrences(page, "<path class=\"missed\""), 2U);
  EXPECT_EQ(occurrences(page, "<line class=\"bound\""), 1U);
  EXPECT_TRUE(contains(page, ">target 80 %</text>"));
  // Without a target nothing is judged.
  day.level_targets.clear();
  const auto plain = day_html(info, day, study);
  for (const auto* word : {"below the target", "badge good", "badge bad", "▼ ", "class=\"bound\""})
    EXPECT_FALSE(contains(plain, word)) << word;
}

TEST(day_page, has_the_agents_that_are_needed_beside_those_planned) {
  auto day = uneven_day();
  auto study = study_of(day, 2);
  auto& intervals = study.queues[0].intervals;
  for (auto& each : intervals)
    each.needed_agents = 5;
  intervals[2].needed_agents = 1234;
  intervals[3].needed_agents.reset();
  const auto page = day_html(info, day, study);
  expect_well_formed(page);
  EXPECT_EQ(occurrences(page, "<li class=\"dashes c5\">agents needed</li>"), 1U) << "of one queue";
  EXPECT_TRUE(contains(page, "\nagents needed: 5 agents"));
  EXPECT_EQ(occurrences(page, "<th scope=\"col\">needed</th><th scope=\"col\">more</th>"), 1U);
  EXPECT_EQ(occurrences(page, "<td>6.0</td><td>5</td><td></td>"), 2U);
  EXPECT_EQ(
    occurrences(page, "<td>6.0</td><td>1,234</td><td><strong class=\"bad\">+1,228</strong>"), 1U);
  EXPECT_EQ(occurrences(page, "<td>6.0</td><td>-</td><td></td>"), 1U);
  EXPECT_TRUE(contains(page, "<dt>Agents needed</dt>"));
  // Without a target nobody is missing.
  day.level_targets.clear();
  EXPECT_FALSE(contains(day_html(info, day, study_of(day, 2)), "needed"));
}

TEST(day_page, has_each_queue_and_interval_in_charts_and_in_a_table) {
  const auto day = uneven_day();
  const auto study = study_of(day, 2);
  const auto page = day_html(info, day, study);
  for (const auto* title :
       {"Calls offered and agents there", "Service level, each queue within its T",
        "Average speed of answer", "Occupancy of the agents", "sales: calls and agents",
        "sales: service level, 20 s", "sales: average speed of answer", "sales: waits",
        "support: calls and agents", "support: service level, 20 s",
        "support: average speed of answer", "support: waits"})
    EXPECT_EQ(occurrences(page, fmt::format("<h3>{}</h3>", title)), 1U) << title;
  EXPECT_EQ(occurrences(page, "<svg "), 4U + 2 * 4);
  for (const auto* begins : {"08:00", "08:30", "09:00", "09:30"})
    EXPECT_EQ(occurrences(page, fmt::format("<tr><td>{}</td>", begins)), 2U) << begins;
  EXPECT_TRUE(contains(page, "<th scope=\"col\">Erlang A</th>"));
  EXPECT_TRUE(contains(page, "<dt>Agents</dt><dd>6 for sales; 14 for support</dd>"));
}

TEST(day_page, escapes_names_and_the_command) {
  auto day = uneven_day();
  day.centre.queues[0].name = "<b>&\"\x1b\u202E";
  day.centre.queues[1].rules.overflow_to.max_wait = day.centre.queues[0].name;
  const auto page = day_html(info, day, study_of(day, 2));
  expect_well_formed(page);
  expect_harmless(page);
  EXPECT_FALSE(contains(page, "<b>&"));
  EXPECT_FALSE(contains(page, "\u202E"));
  EXPECT_TRUE(contains(page, "&lt;b&gt;&amp;&quot;"));
  EXPECT_TRUE(contains(page, "a &lt;b&gt; &amp; c.toml"));
}

TEST(day_page, says_nothing_of_nobody) {
  auto day = uneven_day();
  day.centre.queues[1].arrivals = {};
  const auto page = day_html(info, day, study_of(day, 1));
  expect_well_formed(page);
  expect_harmless(page);
  EXPECT_TRUE(contains(page, "<h3>support: waits</h3>"));
  EXPECT_TRUE(contains(page, "nothing to show"));
}

study_report report_of(uint32_t least, uint32_t most, const char* target, bool gives_up,
                       uint32_t seeds = 3) {
  study_report report;
  report.info = info;
  report.queue.calls_per_second = 200 / 3600.;
  report.queue.talk = distribution::exponential(180s);
  if (gives_up)
    report.queue.patience = distribution::exponential(300s);
  report.options.calls = 2000;
  report.options.seeds = seeds;
  std::optional<staffing_target> wanted;
  if (target != nullptr)
    wanted = *staffing_target::parse("--target", target);
  auto staffing = study_staffing(report.queue, least, most, wanted, report.options);
  EXPECT_TRUE(staffing) << staffing.error().to_string();
  report.staffing = std::move(*staffing);
  return report;
}

TEST(study_page, is_well_formed_and_the_same_for_the_same_seed) {
  for (const auto& report : {report_of(14, 14, nullptr, true), report_of(14, 14, nullptr, false, 1),
                             report_of(9, 13, nullptr, false), report_of(1, 60, "sl>=80%", false),
                             report_of(1, 11, "asa<=1s", true)}) {
    const auto page = study_html(report);
    expect_well_formed(page);
    expect_harmless(page);
    EXPECT_EQ(page, study_html(report));
    EXPECT_TRUE(contains(page, "a &lt;b&gt; &amp; c.toml"));
  }
  EXPECT_EQ(study_html(report_of(12, 12, nullptr, true)),
            study_html(report_of(12, 12, nullptr, true)));
}

TEST(study_page, has_each_figure_with_its_interval_and_the_formula_beside_it) {
  auto report = report_of(14, 14, nullptr, true);
  auto& study = *report.staffing.steps[0].study;
  study.level_negative = {{0.9162, 0.0102}, 0.9168};
  study.asa = {{3.91, 0.05}, 3.88};
  study.abandoned = {{0.0141, 0.0031}, 0.014};
  study.occupancy = {{0.7041, 0.0012}, 0.7043};
  study.p_wait = {{0.1456, 0.0017}, 0.1453};
  const auto page = study_html(report);
  EXPECT_TRUE(
    contains(page, "<b>91.6 %</b><span>service level (20 s) ±\u00a01.0<br/>Erlang A: 91.7 %"));
  EXPECT_TRUE(
    contains(page, "<b>3.9 s</b><span>average speed of answer ±\u00a00.05<br/>Erlang A: 3.9 s"));
  EXPECT_TRUE(contains(page, "<b>1.4 %</b><span>abandoned ±\u00a00.3<br/>Erlang A: 1.4 %"));
  EXPECT_TRUE(contains(page, "<b>70.4 %</b><span>occupancy ±\u00a00.1<br/>Erlang A: 70.4 %"));
  EXPECT_TRUE(contains(page, "<td>91.62 %</td><td>90.60 % to 92.64 %</td><td>91.68 %</td>"));
  EXPECT_TRUE(contains(page, "<b>200</b><span>calls offered an hour<br/>10 Erlangs"));
  EXPECT_TRUE(contains(page, "<h3>How long callers waited</h3>"));
  for (const auto* defined :
       {"Service level", "… short abandons ignored", "… short abandons as met", "ASA", "Abandoned",
        "Occupancy", "Has to wait", "Erlang A"})
    EXPECT_TRUE(contains(page, fmt::format("<dt>{}</dt>", defined))) << defined;
}

TEST(study_page, draws_a_range_and_marks_what_was_chosen) {
  const auto range = study_html(report_of(9, 13, nullptr, false));
  EXPECT_TRUE(contains(range, "<h1>One queue with 9 to 13 agents</h1>"));
  EXPECT_EQ(occurrences(range, "<svg "), 3U) << "nobody hangs up: nothing of that";
  EXPECT_EQ(occurrences(range, "the line grows for ever"), 2U);
  EXPECT_EQ(occurrences(range, "class=\"marked\""), 0U);
  EXPECT_GE(occurrences(range, "<path class=\"error"), 3U);
  EXPECT_EQ(occurrences(range, "class=\"line dashes c5\""), 3U);

  const auto chosen = study_html(report_of(1, 60, "sl>=80%", false));
  EXPECT_TRUE(contains(chosen, "<h1>13 agents are the least with sl&gt;=80%</h1>"));
  EXPECT_TRUE(contains(chosen, "<span class=\"badge good\">TARGET MET</span>"));
  EXPECT_EQ(occurrences(chosen, "class=\"marked\""), 3U);
  EXPECT_EQ(occurrences(chosen, "<tr class=\"chosen\"><td>13\u00a0✓</td>"), 1U);
  EXPECT_EQ(occurrences(chosen, "<line class=\"bound\""), 1U);
  EXPECT_GE(occurrences(chosen, "<path class=\"missed\""), 1U);

  const auto missed = study_html(report_of(1, 11, "asa<=1s", true));
  EXPECT_TRUE(contains(missed, "<h1>No number of agents up to 11 has asa&lt;=1s</h1>"));
  EXPECT_TRUE(contains(missed, "<span class=\"badge bad\">TARGET MISSED</span>"));
}

} // namespace
} // namespace jackfield::simulation
