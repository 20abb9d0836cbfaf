#include "engine/simulation/interval_theory.hpp"

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

/// 100 calls in half an hour, then 200, none, 4,000; 175 s each, and the phone.
queue_plan steps_of_calls(bool give_up) {
  queue_plan queue;
  queue.arrivals.interval = 30min;
  queue.arrivals.per_interval = {100, 200, 0, 4000};
  queue.talk = distribution::exponential(150s);
  queue.wrap_up = distribution::exponential(25s);
  if (give_up)
    queue.patience = distribution::exponential(120s);
  return queue;
}

TEST(interval_theory, needs_the_least_number_that_has_the_target) {
  for (const bool give_up : {false, true}) {
    const auto queue = steps_of_calls(give_up);
    const interval_theory theory{queue, 5s};
    for (const auto from : {0min, 30min, 90min})
      for (const double target : {0.01, 0.5, 0.8, 0.95, 0.9999}) {
        const auto needed = theory.needed(from, from + 30min, target);
        ASSERT_TRUE(needed);
        EXPECT_GE(theory.level(from, from + 30min, *needed).value_or(-1), target)
          << *needed << " at " << from.count() << " min for " << target;
        EXPECT_LT(theory.level(from, from + 30min, *needed - 1).value_or(-1), target)
          << *needed << " at " << from.count() << " min for " << target;
      }
  }
}

// 200 calls an hour of 180 s within 20 s: by Erlang C's tables 79.6 % with 13 agents, 88.8 %
// with 14.
TEST(interval_theory, needs_what_tables_say) {
  auto queue = steps_of_calls(false);
  queue.wrap_up = distribution::constant(30s);
  const interval_theory theory{queue, 0s};
  EXPECT_NEAR(theory.level(0min, 30min, 13).value_or(0), 0.796, 0.0005);
  EXPECT_EQ(theory.needed(0min, 30min, 0.79), 13U);
  EXPECT_EQ(theory.needed(0min, 30min, 0.8), 14U);
  EXPECT_EQ(theory.needed(0min, 30min, 0.88), 14U);
  // Who has to wait for the phone, too, has less time left.
  EXPECT_EQ((interval_theory{queue, 15s}.needed(0min, 30min, 0.79)), 15U);
}

TEST(interval_theory, needs_an_agent_at_least) {
  auto queue = steps_of_calls(true);
  queue.arrivals.per_interval = {0.001};
  EXPECT_EQ((interval_theory{queue, 0s}.needed(0min, 30min, 0)), 1U);
  EXPECT_EQ((interval_theory{queue, 0s}.needed(0min, 30min, 0.8)), 1U);
}

TEST(interval_theory, has_nothing_to_say_of_nobody_nor_of_what_no_number_does) {
  auto queue = steps_of_calls(true);
  const interval_theory theory{queue, 5s};
  EXPECT_FALSE(theory.needed(60min, 90min, 0.8)) << "no calls are planned";
  EXPECT_FALSE(theory.level(60min, 90min, 10));
  EXPECT_FALSE(theory.needed(0min, 30min, 1)) << "no number is sure of 100 %";
  EXPECT_FALSE(theory.level(0min, 30min, 0)) << "nobody is there";
  queue.arrivals.per_interval = {1e9};
  EXPECT_FALSE(theory.needed(0min, 30min, 0.8)) << "more than may be planned";
  queue.arrivals.per_interval = {999'900};
  EXPECT_FALSE(theory.needed(0min, 30min, 0.9999)) << "100,000 are not enough";
  EXPECT_TRUE(theory.needed(0min, 30min, 0.9));
}

} // namespace
} // namespace jackfield::simulation
