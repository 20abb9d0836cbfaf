#include "engine/simulation/day_study.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "engine/simulation/day_report.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

/// Two queues from 8:00 to 10:00; the second has two agents who serve the first, too.
day_plan short_day() {
  day_plan day;
  day.begins = 8h;
  day.interval = 30min;
  for (const auto* name : {"sales", "support"}) {
    auto& queue = day.centre.queues.emplace_back();
    queue.name = name;
    queue.arrivals.per_interval = {50, 100, 120, 60};
    queue.talk = distribution::exponential(160s);
    queue.wrap_up = distribution::constant(20s);
    queue.patience = distribution::exponential(120s);
  }
  for (uint32_t i = 0; i < 24; ++i) {
    auto& agent = day.centre.agents.emplace_back();
    agent.name = "agent " + std::to_string(i);
    agent.queues.push_back({i % 2, 0, {}});
    agent.shifts = {{0min, 120min}};
    if (i % 2 == 0)
      agent.breaks = {{{30min, 45min}, "break"}};
  }
  return day;
}

day_study study_of(const day_plan& day, uint32_t runs, uint64_t seed, unsigned threads) {
  auto study = study_day(day, runs, seed, threads);
  EXPECT_TRUE(study) << study.error().to_string();
  return std::move(*study);
}

TEST(day_plan, knows_who_is_to_be_there) {
  auto day = short_day();
  EXPECT_EQ(day.intervals(), 4U);
  EXPECT_DOUBLE_EQ(day.planned_agents(0, 0min, 30min), 12);
  EXPECT_DOUBLE_EQ(day.planned_agents(0, 30min, 60min), 6);
  EXPECT_DOUBLE_EQ(day.planned_agents(1, 30min, 60min), 12);
  EXPECT_DOUBLE_EQ(day.planned_agents(1, 110min, 130min), 6);
  // A break outside the shift takes nobody away; without shifts they are always there.
  day.centre.agents[0].shifts = {{60min, 120min}};
  EXPECT_DOUBLE_EQ(day.planned_agents(0, 30min, 60min), 5.5);
  day.centre.agents[0].shifts.clear();
  EXPECT_DOUBLE_EQ(day.planned_agents(0, 30min, 60min), 6);
}

TEST(day_plan, knows_which_queues_erlang_speaks_of) {
  auto day = short_day();
  EXPECT_TRUE(day.has_agents_of_its_own(0));
  day.centre.agents[1].queues.push_back({0, 0, {}});
  EXPECT_FALSE(day.has_agents_of_its_own(0));
  EXPECT_FALSE(day.has_agents_of_its_own(1));
  day = short_day();
  day.centre.queues[0].rules.overflow_to.max_wait = "support";
  EXPECT_TRUE(day.has_agents_of_its_own(0));
  EXPECT_FALSE(day.has_agents_of_its_own(1)) << "who overflows is not what was expected";
  day = short_day();
  day.centre.queues[1].rules.wants = {{policy::skill_id{1}, 1}};
  EXPECT_FALSE(day.has_agents_of_its_own(1));
}

TEST(day_study, sums_up_its_runs) {
  const auto day = short_day();
  const auto study = study_of(day, 4, 1, 1);
  EXPECT_EQ(study.runs, 4U);
  ASSERT_EQ(study.queues.size(), 2U);
  EXPECT_EQ(study.all.sum.offered, study.queues[0].sum.offered + study.queues[1].sum.offered);
  EXPECT_NEAR(static_cast<double>(study.all.sum.offered), 4 * 660, 5 * 52);
  ASSERT_TRUE(study.queues[0].level && study.queues[0].level->margin);
  for (const auto& queue : study.queues) {
    ASSERT_GE(queue.intervals.size(), 4U);
    service_counts sum;
    for (const auto& each : queue.intervals)
      sum += each.sum;
    EXPECT_EQ(sum, queue.sum);
    EXPECT_EQ(queue.answered_waits.count(), queue.sum.answered);
    ASSERT_TRUE(queue.intervals[1].theory);
  }
  // Half of the first one's agents are away when the peak begins.
  EXPECT_LT(*study.queues[0].intervals[1].theory, *study.queues[1].intervals[1].theory);
  EXPECT_LT(study.queues[0].intervals[1].level->mean, study.queues[1].intervals[1].level->mean);
  // Shifts less breaks, and the calls that go on then.
  const double hours = std::chrono::duration<double>(study.staff.staffed()).count() / 4 / 3600;
  EXPECT_GE(hours, 24 * 2 - 3);
  EXPECT_LT(hours, 24 * 2 - 2);
}

TEST(day_report, is_the_same_for_the_same_seed_and_any_number_of_threads) {
  const auto day = short_day();
  const study_info info{"1.2.3", "jackfield simulate -c day.toml"};
  const auto one = study_of(day, 3, 5, 1);
  const auto again = study_of(day, 3, 5, 3);
  EXPECT_EQ(day_json(info, day, one), day_json(info, day, again));
  EXPECT_EQ(day_text(day, one), day_text(day, again));
  EXPECT_EQ(day_csv(day, one), day_csv(day, again));
  EXPECT_NE(day_json(info, day, study_of(day, 3, 6, 1)), day_json(info, day, one));
}

TEST(day_report, has_queues_intervals_and_waits_in_json) {
  const auto day = short_day();
  const auto study = study_of(day, 3, 1, 1);
  const auto j = nlohmann::json::parse(day_json({"", ""}, day, study));
  EXPECT_EQ(j.at("begins"), "08:00");
  EXPECT_EQ(j.at("interval_s"), 1800);
  ASSERT_EQ(j.at("queues").size(), 2U);
  const auto& sales = j.at("queues")[0];
  EXPECT_EQ(sales.at("name"), "sales");
  EXPECT_EQ(sales.at("intervals")[1].at("begins"), "08:30");
  EXPECT_EQ(sales.at("intervals")[1].at("planned_agents"), 6);
  EXPECT_TRUE(sales.at("intervals")[1].at("service_level_theory").is_number());
  EXPECT_LE(sales.at("service_level"), sales.at("service_level_abandoned_ignored"));
  double answered = 0;
  double abandoned = 0;
  for (const auto& group : sales.at("waits")) {
    answered += group.at("answered").get<double>();
    abandoned += group.at("abandoned").get<double>();
  }
  EXPECT_NEAR(answered, sales.at("answered").get<double>(), 1e-4);
  EXPECT_NEAR(abandoned, sales.at("abandoned").get<double>(), 1e-4);
  EXPECT_EQ(j.at("agents").at("number"), 24);
  EXPECT_GT(j.at("agents").at("occupancy").get<double>(), 0.3);
}

TEST(day_report, has_a_line_for_each_queue_and_interval_in_csv) {
  auto day = short_day();
  day.centre.queues[0].name = "sa\"les, all";
  const auto study = study_of(day, 2, 1, 1);
  const auto csv = day_csv(day, study);
  const auto lines = static_cast<size_t>(std::count(csv.begin(), csv.end(), '\n'));
  EXPECT_EQ(lines, 1 + 2 * study.queues[0].intervals.size());
  EXPECT_NE(csv.find("\n\"sa\"\"les, all\",08:30,6,"), std::string::npos) << csv;
}

TEST(day_report, says_nothing_of_nobody) {
  auto day = short_day();
  day.centre.queues[1].arrivals = {};
  day.centre.queues[1].name = "empty\x1b[31m";
  const auto study = study_of(day, 1, 1, 1);
  EXPECT_FALSE(study.queues[1].level);
  const auto j = nlohmann::json::parse(day_json({"", ""}, day, study));
  EXPECT_TRUE(j.at("queues")[1].at("service_level").is_null());
  EXPECT_TRUE(j.at("queues")[1].at("asa_s").is_null());
  EXPECT_EQ(day_text(day, study).find('\x1b'), std::string::npos);
}

} // namespace
} // namespace jackfield::simulation
