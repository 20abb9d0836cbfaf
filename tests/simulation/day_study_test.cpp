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
  day = short_day();
  day.centre.queues[1].rules.tiers = {{0s, 0}, {30s, 1}};
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

TEST(day_study, says_how_many_agents_an_interval_needs) {
  auto day = short_day();
  day.level_targets = {std::nullopt, 0.9};
  auto study = study_of(day, 1, 1, 1);
  for (const auto& each : study.queues[0].intervals)
    EXPECT_FALSE(each.needed_agents) << "it has no target";
  // By the formula that is beside it: enough where it says so, and only there.
  const auto& intervals = study.queues[1].intervals;
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(intervals[i].needed_agents);
    EXPECT_EQ(*intervals[i].theory >= 0.9, *intervals[i].needed_agents <= 12) << i;
  }
  EXPECT_LT(intervals[0].needed_agents, intervals[1].needed_agents);
  EXPECT_LT(intervals[1].needed_agents, intervals[2].needed_agents);
  EXPECT_EQ(intervals[0].agents_short(), 0U);
  EXPECT_EQ(intervals[2].agents_short(), *intervals[2].needed_agents - 12);
  // As many as it says, and no more: then it has nothing to ask for.
  for (uint32_t more = intervals[2].agents_short(); more > 0; --more)
    day.centre.agents.push_back(day.centre.agents[1]);
  study = study_of(day, 1, 1, 1);
  EXPECT_EQ(study.queues[1].intervals[2].agents_short(), 0U);
  EXPECT_GE(*study.queues[1].intervals[2].theory, 0.9);
  // An agent of both: no formula knows what the one queue has of it.
  day.centre.agents[1].queues.push_back({0, 0, {}});
  study = study_of(day, 1, 1, 1);
  for (const auto& each : study.queues[1].intervals)
    EXPECT_FALSE(each.needed_agents);
}

TEST(day_study, needs_as_many_as_the_simulation_does) {
  day_plan day;
  day.interval = 10h;
  day.level_targets = {0.84};
  auto& queue = day.centre.queues.emplace_back();
  queue.name = "sales";
  queue.arrivals.interval = 10h;
  queue.arrivals.per_interval = {2000};
  queue.talk = distribution::exponential(180s);
  const auto with = [&](uint32_t agents) {
    agent_plan agent;
    agent.name = "agent";
    agent.queues.push_back({});
    agent.shifts = {{0min, 10h}};
    day.centre.agents.assign(agents, agent);
    return study_of(day, 20, 1, 2).queues[0].intervals[0];
  };
  EXPECT_EQ(with(13).needed_agents, 14U);
  EXPECT_TRUE(*with(13).reaches(0.84) == false && with(13).surely(0.84));
  EXPECT_TRUE(*with(14).reaches(0.84) && with(14).surely(0.84));
}

TEST(day_interval, is_short_of_whole_agents) {
  day_interval one;
  one.planned_agents = 92.5;
  EXPECT_EQ(one.agents_short(), 0U) << "nobody knows how many it needs";
  for (const auto& [needed, more] : {std::pair{95U, 2U}, {94U, 1U}, {93U, 0U}, {50U, 0U}}) {
    one.needed_agents = needed;
    EXPECT_EQ(one.agents_short(), more) << needed << ": the formula takes 92.5 for 93";
  }
}

TEST(day_cell, reaches_its_target_by_the_mean_and_surely_by_all_of_the_interval) {
  day_cell cell;
  EXPECT_EQ(cell.reaches(0.8), std::nullopt) << "nobody called";
  cell.level = estimate{0.81, 0.02};
  EXPECT_EQ(cell.reaches(std::nullopt), std::nullopt);
  EXPECT_EQ(cell.reaches(0.8), true);
  EXPECT_EQ(cell.reaches(0.82), false);
  EXPECT_FALSE(cell.surely(0.8));
  EXPECT_FALSE(cell.surely(0.82));
  EXPECT_TRUE(cell.surely(0.78));
  EXPECT_TRUE(cell.surely(0.84));
  cell.level = estimate{0.81, std::nullopt};
  EXPECT_EQ(cell.reaches(0.8), true);
  EXPECT_FALSE(cell.surely(0.1)) << "one run says nothing of others";
  const std::vector<double> ten(10, 0.8);
  cell.level = estimate_mean(ten);
  EXPECT_EQ(cell.reaches(0.8), true) << "is missed by rounding alone";
}

TEST(day_report, names_what_misses_its_target_first) {
  auto day = short_day();
  day.level_targets = {0.8, 0.8};
  day.centre.queues[0].name = "sa\x1bles";
  auto study = study_of(day, 2, 1, 1);
  study.queues[1].level = estimate{0.85, 0.01};
  const auto first_line = [&](std::optional<double> margin) {
    study.queues[0].level = estimate{0.7654, margin};
    const auto text = day_text(day, study);
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first_line(0.02),
            "sa<U+001B>les misses its target: service level 76.54 % (95 % interval "
            "74.54 % to 78.54 %), expected 80 %");
  EXPECT_EQ(first_line(0.04),
            "sa<U+001B>les misses its target: service level 76.54 % (95 % interval "
            "72.54 % to 80.54 %), expected 80 %; not surely, the interval spans "
            "it");
  EXPECT_EQ(first_line({}),
            "sa<U+001B>les misses its target: service level 76.54 %, expected 80 %; "
            "not surely, of one run");
  EXPECT_FALSE(study.reaches_targets(day));
  const auto j = nlohmann::json::parse(day_json({"", ""}, day, study));
  EXPECT_EQ(j.at("queues")[0].at("target_met"), false);
  EXPECT_EQ(j.at("queues")[0].at("target_met_by_interval"), false);
  EXPECT_EQ(j.at("queues")[1].at("target_met"), true);
  EXPECT_EQ(j.at("queues")[1].at("target_met_by_interval"), true);
  study.queues[1].level = estimate{0.85, 0.06};
  day.level_targets = {std::nullopt, 0.8};
  EXPECT_TRUE(study.reaches_targets(day));
  const auto none = nlohmann::json::parse(day_json({"", ""}, day, study));
  EXPECT_TRUE(none.at("queues")[0].at("target_met").is_null());
  EXPECT_TRUE(none.at("queues")[0].at("target_met_by_interval").is_null());
  EXPECT_EQ(none.at("queues")[1].at("target_met"), true);
  EXPECT_EQ(none.at("queues")[1].at("target_met_by_interval"), false);
  EXPECT_EQ(day_text(day, study).find("misses"), std::string::npos);
}

TEST(day_report, has_needed_agents_beside_those_planned) {
  auto day = short_day();
  day.level_targets = {0.8, std::nullopt};
  auto study = study_of(day, 1, 1, 1);
  auto& part = study.queues[0].intervals[1];
  part.planned_agents = 6;
  part.needed_agents = 11;
  const auto j = nlohmann::json::parse(day_json({"", ""}, day, study));
  EXPECT_EQ(j.at("queues")[0].at("intervals")[1].at("needed_agents"), 11);
  EXPECT_TRUE(j.at("queues")[1].at("intervals")[1].at("needed_agents").is_null());
  const auto csv = day_csv(day, study);
  const auto line = [&](const char* of) {
    const auto at = csv.find(of);
    return csv.substr(at, csv.find('\n', at) - at);
  };
  EXPECT_TRUE(line("queue,").ends_with(",needed_agents"));
  EXPECT_TRUE(line("\"sales\",08:30").ends_with(",11"));
  EXPECT_TRUE(line("\"support\",08:30").ends_with(","));
  const auto text = day_text(day, study);
  EXPECT_NE(text.find("\n08:30                 6.0      11    +5 "), std::string::npos) << text;
  EXPECT_EQ(text.find("needed"), text.rfind("needed")) << "a queue without a target needs nothing";
}

TEST(day_report, is_whole_whatever_the_command_line_is) {
  const auto day = short_day();
  const auto j =
    nlohmann::json::parse(day_json({"", "simulate -c \xff"}, day, study_of(day, 1, 1, 1)));
  EXPECT_EQ(j.at("command"), "simulate -c \xef\xbf\xbd");
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
