#include "engine/simulation/live_study.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/simulation/estimate.hpp"
#include "tests/simulation/live_plan.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

/// Each answer comes later, and all else is as it was.
live_run later(const live_plan& plan, live_run run, duration by) {
  auto& all = run.figures.all;
  auto& waits = run.figures.queues.front().answered_waits;
  all.answered = all.answered_within = 0;
  all.answered_wait = {};
  waits.clear();
  for (auto& call : run.calls) {
    if (!call.answered)
      continue;
    *call.answered += by;
    if (call.number <= plan.warm_up)
      continue;
    const auto waited = *call.answered - call.came;
    all.count_answered(waited, plan.queue.answer_within);
    waits.record(waited);
  }
  return run;
}

TEST(live_study, of_a_virtual_run_is_its_own_twin) {
  auto plan = short_plan();
  plan.queue.patience = distribution::exponential(20s);
  plan.warm_up = 30;
  plan.seed = 7;
  const auto run = played(plan);
  const auto study = studied(plan, run);
  for (const auto& each : all_figures) {
    const auto& f = study[each.which];
    ASSERT_TRUE(f.live && f.twin) << each.key;
    EXPECT_EQ(*f.live, *f.twin) << each.key;
    EXPECT_TRUE(f.theory) << each.key;
  }
  EXPECT_EQ(study.counts, study.twin_counts);
  EXPECT_EQ(study.counts, run.figures.all);
  EXPECT_EQ(study.answered_waits, study.twin_answered_waits);
  EXPECT_EQ(study.abandoned_waits, study.twin_abandoned_waits);
  EXPECT_EQ(study.in_both, plan.calls);
  EXPECT_EQ(study.ended_alike, plan.calls);
  ASSERT_TRUE(study.added);
  EXPECT_EQ(study.added->calls, study.counts.answered);
  for (const double each : {study.added->mean, study.added->min, study.added->p50, study.added->p95,
                            study.added->p99, study.added->max})
    EXPECT_EQ(each, 0);
}

TEST(live_study, finds_waits_that_are_longer) {
  auto plan = short_plan();
  plan.warm_up = 20;
  const auto study = studied(plan, later(plan, played(plan), 5s));
  ASSERT_TRUE(study.added);
  EXPECT_NEAR(study.added->mean, 5, 1e-9);
  EXPECT_DOUBLE_EQ(study.added->min, 5);
  EXPECT_DOUBLE_EQ(study.added->max, 5);
  EXPECT_NEAR(*study.asa.live, *study.asa.twin + 5, 1e-9);
  EXPECT_GT(*study.asa.live, *study.asa.expected_high);
  EXPECT_FALSE(study.asa.inside());
  EXPECT_FALSE(study.level_negative.inside()) << *study.level_negative.live;
  EXPECT_TRUE(study.p_wait.inside()) << "nothing of that was changed";
}

TEST(live_study, tells_how_waits_are_spread) {
  const auto plan = short_plan();
  auto run = played(plan);
  for (size_t i = 0; auto& call : run.calls)
    if (call.answered)
      *call.answered += std::chrono::milliseconds{++i} - 1ms; // 0 to 199 ms
  std::ranges::reverse(run.calls);
  const auto study = studied(plan, run);
  ASSERT_TRUE(study.added);
  EXPECT_EQ(study.added->calls, 200U);
  EXPECT_NEAR(study.added->mean, 0.0995, 1e-9);
  EXPECT_NEAR(study.added->min, 0, 1e-9);
  EXPECT_NEAR(study.added->p50, 0.0995, 1e-9);
  EXPECT_NEAR(study.added->p95, 0.18995, 1e-9); // at 190.95
  EXPECT_NEAR(study.added->p99, 0.19799, 1e-9);
  EXPECT_NEAR(study.added->max, 0.199, 1e-9);
}

TEST(live_study, matches_callers_by_number_and_attempt) {
  const auto plan = short_plan();
  auto run = played(plan);
  ASSERT_EQ(run.calls.size(), 200U);
  const auto of = [&](uint64_t number) {
    return std::ranges::find(run.calls, number, &call_outcome::number);
  };
  of(1)->attempt = 1;
  of(2)->how = call_end::refused;
  of(2)->answered.reset();
  of(3)->how = call_end::agent_failed;
  of(4)->number = 1'000'000;
  run.calls.erase(of(5));
  const auto study = studied(plan, run);
  EXPECT_EQ(study.in_both, 197U);
  EXPECT_EQ(study.ended_alike, 195U);
  EXPECT_EQ(study.agent_failed, 1U);
  ASSERT_TRUE(study.added);
  EXPECT_EQ(study.added->calls, 196U);
  EXPECT_EQ(study.added->max, 0);
}

TEST(live_study, adds_nothing_to_who_was_answered_in_one_of_both) {
  auto plan = short_plan();
  plan.queue.patience = distribution::exponential(5s);
  auto run = played(plan);
  const auto hung_up = std::ranges::find(run.calls, call_end::abandoned, &call_outcome::how);
  ASSERT_NE(hung_up, run.calls.end());
  hung_up->how = call_end::served;
  hung_up->answered = hung_up->came + 1h;
  const auto study = studied(plan, run);
  ASSERT_TRUE(study.added);
  EXPECT_EQ(study.added->calls, study.twin_counts.answered);
  EXPECT_EQ(study.added->max, 0);
  EXPECT_EQ(study.ended_alike, plan.calls - 1);
}

TEST(live_study, expects_what_erlang_says_of_runs_that_began_long_ago) {
  auto plan = short_plan(50, 42, 1000, 200);
  plan.warm_up = *plan.queue.warm_up();
  const auto study = studied(plan, played(plan));
  for (const auto& each : all_figures) {
    const auto& f = study[each.which];
    EXPECT_NEAR(*f.expected_mean, *f.theory, 0.06 * *f.theory) << each.key;
    EXPECT_LE(*f.expected_low, *f.expected_mean) << each.key;
    EXPECT_LE(*f.expected_mean, *f.expected_high) << each.key;
  }
  // One that begins empty waits less.
  plan.warm_up = 0;
  plan.calls = 100;
  const auto empty = studied(plan, played(plan));
  EXPECT_LT(*empty.p_wait.expected_mean, 0.7 * *empty.p_wait.theory);
}

TEST(live_study, expects_what_runs_with_the_next_seeds_have) {
  auto plan = short_plan(10, 8, 60, least_comparisons);
  plan.queue.patience = distribution::exponential(20s);
  plan.warm_up = 20;
  plan.seed = 5;
  const auto study = studied(plan, played(plan));
  std::vector<double> waits;
  uint32_t with_one_outside = 0;
  auto other = plan;
  for (uint32_t i = 1; i <= plan.comparisons; ++i) {
    other.seed = plan.seed + i;
    const auto figures = figures_of(played(other).figures);
    waits.push_back(*figures.asa);
    with_one_outside += std::ranges::any_of(all_figures, [&](const auto& each) {
      return !study[each.which].expects(figures[each.which]);
    });
  }
  EXPECT_NEAR(*study.asa.expected_mean, estimate_mean(waits).mean, 1e-12);
  EXPECT_EQ(*study.asa.expected_low, std::ranges::min(waits)) << "the bounds of so few runs";
  EXPECT_EQ(*study.asa.expected_high, std::ranges::max(waits));
  EXPECT_NEAR(study.chance_outside, with_one_outside / 39., 1e-12);
  EXPECT_FALSE(study.asa.expects(std::nullopt));
  EXPECT_TRUE(study.asa.expects(study.asa.expected_low)) << "a bound is inside";
  EXPECT_TRUE(study.asa.expects(study.asa.expected_high));
}

TEST(live_study, has_runs_inside_as_often_as_it_says) {
  const auto plan = short_plan(10, 8, 100, 100);
  auto other = plan;
  uint64_t inside = 0;
  double with_one_outside = 0;
  double said = 0;
  constexpr uint64_t runs = 60;
  for (uint64_t i = 0; i < runs; ++i) {
    other.seed = 1'000'000 + i;
    const auto study = studied(plan, played(other));
    inside += study.asa.inside() ? 1 : 0;
    with_one_outside += study.figures_outside() > 0 ? 1. / runs : 0;
    said = study.chance_outside;
  }
  EXPECT_GE(inside, 52U) << "57 are to be expected";
  EXPECT_LT(inside, runs) << "bounds that hold everything say nothing";
  EXPECT_GT(said, 0.05) << "some figure is outside more often than a certain one";
  EXPECT_NEAR(with_one_outside, said, 0.12);
}

TEST(live_study, is_the_same_with_any_number_of_threads) {
  auto plan = short_plan();
  plan.queue.patience = distribution::exponential(20s);
  const auto run = played(plan);
  const auto first = live_json(report_of(plan, run));
  for (const unsigned threads : {2U, 7U}) {
    plan.threads = threads;
    EXPECT_EQ(live_json(report_of(plan, run)), first) << threads;
  }
  plan.seed = 2;
  EXPECT_NE(live_json(report_of(plan, run)), first);
}

TEST(live_study, says_nothing_of_nobody) {
  const auto study = studied(short_plan(), {});
  for (const auto& each : all_figures) {
    const auto& f = study[each.which];
    EXPECT_FALSE(f.live) << each.key;
    EXPECT_FALSE(f.inside()) << each.key;
    EXPECT_TRUE(f.expected_mean) << each.key;
  }
  EXPECT_EQ(study.figures_outside(), 7U);
  EXPECT_FALSE(study.added);
  EXPECT_EQ(study.in_both, 0U);
}

TEST(live_study, has_bounds_where_erlang_has_none) {
  const auto plan = short_plan(4, 8, 100);
  const auto study = studied(plan, played(plan));
  EXPECT_FALSE(study.asa.theory);
  EXPECT_GT(*study.asa.expected_low, 0);
  // As with phones whose ringing takes all the time that is left.
  auto slow = short_plan(10, 8, 100);
  slow.queue.answers_after = distribution::constant(3s);
  EXPECT_FALSE(studied(slow, played(slow)).asa.theory);
  slow.queue.patience = distribution::exponential(20s);
  EXPECT_TRUE(studied(slow, played(slow)).asa.theory);
}

TEST(live_study, refuses_plans_that_are_out_of_range) {
  const auto place_of = [](const live_plan& plan) {
    const auto study = study_live(plan, {});
    return study ? std::string{"none"} : study.error().place;
  };
  auto plan = short_plan();
  plan.comparisons = least_comparisons;
  EXPECT_EQ(place_of(plan), "none");
  plan.comparisons = least_comparisons - 1;
  EXPECT_EQ(place_of(plan), "comparisons");
  plan = short_plan();
  plan.calls = 0;
  EXPECT_EQ(place_of(plan), "calls");
  EXPECT_EQ(place_of(short_plan(0)), "agents");
  EXPECT_EQ(place_of(short_plan(10, 0)), "queue");
  plan = short_plan();
  plan.queue.no_answer = 2;
  EXPECT_EQ(place_of(plan), "agent 1");
}

} // namespace
} // namespace jackfield::simulation
