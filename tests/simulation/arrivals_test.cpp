#include "engine/simulation/arrivals.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

std::vector<duration> all_of(const arrival_plan& plan, uint64_t seed = 1, size_t most = 1'000'000) {
  const random_numbers random{seed};
  arrival_process process{plan, 0};
  std::vector<duration> times;
  while (times.size() < most) {
    const auto next = process.next(random);
    if (!next)
      break;
    times.push_back(*next);
  }
  return times;
}

TEST(arrivals, come_as_often_as_each_interval_says) {
  arrival_plan plan;
  plan.interval = 30min;
  plan.per_interval = {0, 4000, 0, 1000, 9000};
  const auto times = all_of(plan);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  std::vector<double> counted(plan.per_interval.size());
  for (const auto at : times)
    ++counted.at(static_cast<size_t>(at / plan.interval));
  for (size_t i = 0; i < counted.size(); ++i)
    EXPECT_NEAR(counted[i], plan.per_interval[i], 5 * std::sqrt(plan.per_interval[i])) << i;
  EXPECT_EQ(plan.length(), 150min);
  EXPECT_DOUBLE_EQ(plan.expected(45min, 105min), 2000 + 500);
  EXPECT_DOUBLE_EQ(plan.expected(0min, 10h), 14'000);
}

TEST(arrivals, are_a_poisson_process) {
  const auto times = all_of(arrival_plan::steady(10), 3, 200'000);
  ASSERT_EQ(times.size(), 200'000U);
  // Gaps of mean 0.1 s and as great a deviation; counts of 10 s with variance = mean.
  double squares = 0;
  duration last{};
  for (const auto at : times) {
    const double gap = std::chrono::duration<double>(at - last).count();
    squares += gap * gap;
    last = at;
  }
  const double mean = std::chrono::duration<double>(last).count() / 200'000;
  EXPECT_NEAR(mean, 0.1, 0.0012);
  EXPECT_NEAR(squares / 200'000, 2 * mean * mean, 0.0005);
  std::vector<double> counts(static_cast<size_t>(last / 10s));
  for (const auto at : times)
    if (const auto i = static_cast<size_t>(at / 10s); i < counts.size())
      ++counts[i];
  double deviation = 0;
  for (const double each : counts)
    deviation += (each - 100) * (each - 100);
  EXPECT_NEAR(deviation / static_cast<double>(counts.size()), 100, 16);
}

TEST(arrivals, begin_the_day_anew_where_it_repeats) {
  arrival_plan plan;
  plan.interval = 1h;
  plan.per_interval = {100, 0};
  plan.repeats = true;
  const auto times = all_of(plan, 1, 1000);
  ASSERT_EQ(times.size(), 1000U);
  for (const auto at : times)
    EXPECT_EQ(at / 1h % 2, 0) << at / 1s;
  EXPECT_GT(times.back(), 15h);
  EXPECT_DOUBLE_EQ(plan.expected(0h, 4h), 200);
}

TEST(arrivals, are_those_of_a_day_that_was) {
  arrival_plan plan;
  plan.times =
    std::make_shared<const std::vector<duration>>(std::vector<duration>{1s, 1s, 5s, 3600s});
  EXPECT_EQ(all_of(plan), *plan.times);
  EXPECT_EQ(plan.length(), 1h);
  EXPECT_EQ(plan.expected(0s, 5s), 2);
  EXPECT_FALSE(plan.endless());
}

TEST(arrivals, are_nobody_unless_told) {
  EXPECT_TRUE(all_of({}).empty());
  EXPECT_TRUE(arrival_plan{}.check("q"));
}

TEST(arrivals, say_what_is_out_of_range) {
  arrival_plan plan;
  plan.repeats = true;
  EXPECT_EQ(plan.check("q").error().to_string(), "q: expected arrivals in some interval");
  plan.per_interval = {0, 0};
  EXPECT_FALSE(plan.check("q"));
  plan.per_interval = {0, -1};
  EXPECT_FALSE(plan.check("q"));
  plan.per_interval = {NAN};
  EXPECT_FALSE(plan.check("q"));
  plan.per_interval = {5};
  EXPECT_TRUE(plan.check("q"));
  plan.interval = 1ms;
  EXPECT_FALSE(plan.check("q"));
  plan.times = std::make_shared<const std::vector<duration>>(std::vector<duration>{2s, 1s});
  EXPECT_FALSE(plan.check("q"));
}

TEST(arrivals, rates_are_read) {
  const auto rate = [](std::string_view text) {
    return arrival_plan::parse_rate("--arrivals", text);
  };
  EXPECT_DOUBLE_EQ(*rate("200/h"), 200 / 3600.);
  EXPECT_DOUBLE_EQ(*rate("3/m"), 0.05);
  EXPECT_DOUBLE_EQ(*rate("0.5/s"), 0.5);
  for (const auto* wrong : {"", "200", "/h", "0/h", "-1/h", "x/h", "200/d", "1e9/s", "nan/h"})
    EXPECT_EQ(rate(wrong).error().to_string(),
              std::string{"--arrivals: \""} + wrong +
                "\" is no rate of arrivals, expected 200/h, 3/m or 0.5/s");
}

} // namespace
} // namespace jackfield::simulation
