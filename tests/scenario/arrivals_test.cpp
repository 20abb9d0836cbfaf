#include "engine/scenario/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

double in_seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

arrival_plan plan_of(std::string_view rates) {
  arrival_plan plan;
  plan.phases = parse_rates("--rate", rates).value();
  return plan;
}

std::vector<duration> arrivals_of(const arrival_plan& plan, size_t most = 10'000'000) {
  arrival_process process{plan};
  std::vector<duration> all;
  while (all.size() < most) {
    const auto at = process.next(0);
    if (!at)
      break;
    all.push_back(*at);
  }
  EXPECT_EQ(process.count(), all.size());
  return all;
}

std::vector<duration> poisson_arrivals_of(arrival_plan plan, uint64_t seed, size_t most) {
  plan.poisson = true;
  arrival_process process{plan};
  std::mt19937_64 random{seed};
  std::vector<duration> all;
  while (all.size() < most) {
    const auto at = process.next(static_cast<double>(random() >> 11U) * 0x1p-53);
    if (!at)
      break;
    all.push_back(*at);
  }
  return all;
}

/// Of the rate from the run's start to `at`, in higher precision than the code under test.
long double integral(const arrival_plan& plan, duration at) {
  long double sum = 0;
  long double left = static_cast<long double>(at.count()) / 1e9L;
  for (const auto& p : plan.phases) {
    const long double length =
      p.length ? static_cast<long double>(p.length->count()) / 1e9L : left + 1;
    const long double t = std::min(left, length);
    const long double slope = p.length ? (p.to - p.from) / length : 0;
    sum += p.from * t + slope * t * t / 2;
    left -= t;
    if (left <= 0)
      break;
  }
  return sum;
}

/// Each arrival is where the integral reaches its number, to the nanosecond on both sides.
void expect_exact(std::string_view rates, size_t most = 2'000'000) {
  const auto plan = plan_of(rates);
  const auto all = arrivals_of(plan, most);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end())) << rates;
  size_t wrong = 0;
  for (size_t n = 1; n < all.size(); ++n) {
    const auto number = static_cast<long double>(n);
    if (integral(plan, all[n] - 2ns) <= number && number <= integral(plan, all[n] + 2ns))
      continue;
    if (++wrong <= 3)
      ADD_FAILURE() << rates << ": arrival " << n << " at " << all[n].count() << " ns, where the "
                    << "integral is " << static_cast<double>(integral(plan, all[n]) - number)
                    << " off";
  }
  EXPECT_EQ(wrong, 0U) << rates;
}

TEST(arrivals, of_a_constant_rate_are_evenly_spaced_from_the_start_without_end) {
  EXPECT_THAT(arrivals_of(plan_of("100"), 4), ElementsAre(0ms, 10ms, 20ms, 30ms));
  EXPECT_EQ(arrivals_of(plan_of("1000"), 1'000'000).back(), 999'999ms);
  EXPECT_EQ(plan_of("100").length(), std::nullopt);
}

TEST(arrivals, of_a_step_are_its_rate_times_its_length) {
  EXPECT_EQ(arrivals_of(plan_of("100/30s")).size(), 3000U);
  EXPECT_EQ(arrivals_of(plan_of("0.1/30s")).size(), 3U);
  EXPECT_EQ(arrivals_of(plan_of("0.7/10s")).size(), 7U);
  EXPECT_EQ(arrivals_of(plan_of("0.3/70s")).size(), 21U);
  EXPECT_EQ(arrivals_of(plan_of("1000000/1s")).size(), 1'000'000U);
}

TEST(arrivals, of_steps_no_rounding_adds_or_loses_one) {
  for (int tenths = 1; tenths <= 100; ++tenths)
    for (const int times : {10, 30, 70, 90}) {
      const auto rate = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
      const auto text = rate + "/" + std::to_string(times) + "s";
      EXPECT_EQ(arrivals_of(plan_of(text)).size(), static_cast<size_t>(tenths * times / 10))
        << text;
      EXPECT_EQ(arrivals_of(plan_of(text + "," + text)).size(),
                static_cast<size_t>(tenths * times / 5))
        << text << " twice";
    }
}

TEST(arrivals, at_the_border_of_two_steps_belong_to_the_second) {
  EXPECT_THAT(arrivals_of(plan_of("1/2s,2/1s,1/1s")), ElementsAre(0s, 1s, 2s, 2500ms, 3s));
}

TEST(arrivals, carry_a_begun_gap_into_the_next_step) {
  // Half an arrival is due when the rate doubles.
  EXPECT_THAT(arrivals_of(plan_of("1/1500ms,2/1s")), ElementsAre(0s, 1s, 1750ms, 2250ms));
}

TEST(arrivals, wait_while_the_rate_is_zero) {
  EXPECT_THAT(arrivals_of(plan_of("0/10s,1/2s")), ElementsAre(10s, 11s));
  EXPECT_THAT(arrivals_of(plan_of("1/2s,0/10s,1/2s")), ElementsAre(0s, 1s, 12s, 13s));
  EXPECT_THAT(arrivals_of(plan_of("1/2s,0")), ElementsAre(0s, 1s));
}

TEST(arrivals, skip_a_phase_without_length) {
  EXPECT_THAT(arrivals_of(plan_of("50/0s,1/2s")), ElementsAre(0s, 1s));
}

TEST(arrivals, are_where_the_integral_of_the_rate_reaches_their_number) {
  expect_exact("3", 1'000'000);
  expect_exact("0.3", 10'000);
  expect_exact("0..500/60s");
  expect_exact("500..0/60s");
  expect_exact("7..7.0000001/1000s");
  expect_exact("7.0000001..7/1000s");
  expect_exact("0..500/60s,500/5m,500..0/10s");
  expect_exact("100/33333ms,33.3/77ms,1..90/1h,17", 300'000);
  expect_exact("0..1000000/1s");
  expect_exact("1000000..0/1s");
}

TEST(arrivals, of_a_rising_ramp_come_ever_closer) {
  const auto all = arrivals_of(plan_of("0..500/60s"));
  ASSERT_EQ(all.size(), 15'000U);
  EXPECT_EQ(all.front(), 0s);
  for (size_t i = 2; i < all.size(); ++i)
    ASSERT_LE(all[i] - all[i - 1], all[i - 1] - all[i - 2] + 2ns) << i;
}

TEST(arrivals, of_a_falling_ramp_mirror_those_of_a_rising_one) {
  const auto up = arrivals_of(plan_of("0..500/60s"));
  const auto down = arrivals_of(plan_of("500..0/60s"));
  ASSERT_EQ(up.size(), down.size());
  // The n-th from the end of one is when n are still to come of the other.
  for (size_t i = 1; i < up.size(); ++i)
    ASSERT_LE(std::abs((60s - down[down.size() - i] - up[i]).count()), 2) << i;
}

TEST(arrivals, end_with_the_count) {
  auto plan = plan_of("100");
  plan.calls = 3;
  EXPECT_THAT(arrivals_of(plan), ElementsAre(0ms, 10ms, 20ms));
  plan.calls = 0;
  EXPECT_THAT(arrivals_of(plan), ElementsAre());
  plan = plan_of("100/1s");
  plan.calls = 1000;
  EXPECT_EQ(arrivals_of(plan).size(), 100U);
}

TEST(arrivals, that_ended_do_not_begin_again) {
  auto plan = plan_of("2/1s");
  arrival_process process{plan};
  EXPECT_TRUE(process.next(0));
  EXPECT_TRUE(process.next(0));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(process.next(0), std::nullopt);
  EXPECT_EQ(process.count(), 2U);
}

TEST(arrivals, never_come_after_three_years) {
  EXPECT_THAT(arrivals_of(plan_of("0.000000000000000000000000000001")), ElementsAre(0s));
  arrival_plan plan;
  plan.phases = {{0, 0, duration::max() / 2}, {1, 1, std::nullopt}};
  EXPECT_THAT(arrivals_of(plan), ElementsAre());
}

TEST(arrivals, of_a_poisson_process_have_exponential_gaps) {
  constexpr size_t count = 200'000;
  const auto all = poisson_arrivals_of(plan_of("50"), 1, count);
  ASSERT_EQ(all.size(), count);
  double sum = 0;
  double squares = 0;
  size_t beyond_mean = 0;
  duration before{};
  for (const auto at : all) {
    const auto gap = in_seconds(at - before);
    before = at;
    ASSERT_GE(gap, 0);
    sum += gap;
    squares += gap * gap;
    beyond_mean += gap > 0.02 ? 1 : 0;
  }
  const double mean = sum / count;
  const double variance = squares / count - mean * mean;
  // Five standard errors: 1/sqrt(n) of the mean, sqrt(8/n) of the variance.
  EXPECT_NEAR(mean, 0.02, 0.02 * 5 / std::sqrt(count));
  EXPECT_NEAR(variance, 0.0004, 0.0004 * 5 * std::sqrt(8.0 / count));
  EXPECT_NEAR(static_cast<double>(beyond_mean) / count, std::exp(-1.0),
              5 * 0.49 / std::sqrt(count));
}

TEST(arrivals, of_a_poisson_process_follow_the_ramp_and_vary_as_much_as_they_are_many) {
  constexpr int runs = 400;
  double early = 0;
  double late = 0;
  double squares = 0;
  for (int seed = 0; seed < runs; ++seed) {
    const auto all =
      poisson_arrivals_of(plan_of("0..100/10s"), static_cast<uint64_t>(seed), 10'000);
    const auto half = std::lower_bound(all.begin(), all.end(), duration{5s});
    const auto first = static_cast<double>(half - all.begin());
    const auto second = static_cast<double>(all.end() - half);
    early += first;
    late += second;
    squares += (first + second) * (first + second);
    EXPECT_LT(all.back(), 10s);
  }
  const double mean = (early + late) / runs;
  const double variance = squares / runs - mean * mean;
  EXPECT_NEAR(early / runs, 125, 5 * std::sqrt(125.0 / runs));
  EXPECT_NEAR(late / runs, 375, 5 * std::sqrt(375.0 / runs));
  EXPECT_NEAR(variance, 500, 500 * 5 * std::sqrt(2.0 / runs));
}

TEST(arrivals, of_a_poisson_process_take_the_ends_of_the_unit_interval) {
  auto plan = plan_of("10/1s");
  plan.poisson = true;
  arrival_process at_zero{plan};
  EXPECT_EQ(at_zero.next(0), duration{0});
  EXPECT_EQ(at_zero.next(0), duration{0});
  arrival_process at_one{plan};
  EXPECT_EQ(at_one.next(std::nextafter(1.0, 0.0)), std::nullopt);
}

TEST(arrival_plan, knows_its_rate_at_any_time) {
  const auto plan = plan_of("0..500/60s,500/60s,100..0/10s");
  EXPECT_DOUBLE_EQ(plan.rate_at(0s), 0);
  EXPECT_DOUBLE_EQ(plan.rate_at(30s), 250);
  EXPECT_DOUBLE_EQ(plan.rate_at(60s), 500);
  EXPECT_DOUBLE_EQ(plan.rate_at(125s), 50);
  EXPECT_DOUBLE_EQ(plan.rate_at(130s), 0);
  EXPECT_EQ(plan.length(), 130s);
  EXPECT_DOUBLE_EQ(plan_of("5/1s,7").rate_at(1h), 7);
}

TEST(parse_rates, reads_constants_steps_and_ramps) {
  EXPECT_THAT(*parse_rates("r", "100"), ElementsAre(rate_phase{100, 100, std::nullopt}));
  EXPECT_THAT(*parse_rates("r", "0.5"), ElementsAre(rate_phase{0.5, 0.5, std::nullopt}));
  EXPECT_THAT(*parse_rates("r", "0..500/60s"), ElementsAre(rate_phase{0, 500, 60s}));
  EXPECT_THAT(*parse_rates("r", "100/30,200/1.5m,200..0/250ms,1"),
              ElementsAre(rate_phase{100, 100, 30s}, rate_phase{200, 200, 90s},
                          rate_phase{200, 0, 250ms}, rate_phase{1, 1, std::nullopt}));
}

TEST(parse_rates, says_in_one_line_what_was_wrong_and_what_was_expected) {
  for (const std::string_view text : {"",
                                      "x",
                                      "-1",
                                      "-0",
                                      "1,",
                                      ",1",
                                      "1/",
                                      "/1s",
                                      "1..",
                                      "..1",
                                      "1..2",
                                      "1,2",
                                      "1..2,3",
                                      "1/1",
                                      "nan",
                                      "inf",
                                      "1e3",
                                      "0x10",
                                      "1000001",
                                      "0",
                                      "0/10s",
                                      "0,0",
                                      "100/0s",
                                      "1/1x",
                                      "1/-1s",
                                      "1/1s/1s",
                                      "1...2/1s",
                                      " 1",
                                      "1 ",
                                      "1\n",
                                      "\x1b[2J",
                                      "1/9e9h",
                                      "1/99999999999h",
                                      "1/20000h,1/20000h",
                                      "+1",
                                      "1/1s,\r\n2"}) {
    const auto phases = parse_rates("--rate", text);
    if (text == "1/1") { // seconds
      EXPECT_TRUE(phases);
      continue;
    }
    ASSERT_FALSE(phases) << text;
    EXPECT_EQ(phases.error().place, "--rate") << text;
    const auto line = phases.error().to_string();
    EXPECT_THAT(line, HasSubstr("expected")) << text;
    EXPECT_EQ(line.find_first_of("\r\n\x1b"), std::string::npos) << text;
  }
}

TEST(parse_duration, reads_units) {
  EXPECT_EQ(*parse_duration("d", "250ms"), 250ms);
  EXPECT_EQ(*parse_duration("d", "3s"), 3s);
  EXPECT_EQ(*parse_duration("d", "3"), 3s);
  EXPECT_EQ(*parse_duration("d", "1.5m"), 90s);
  EXPECT_EQ(*parse_duration("d", "2h"), 2h);
  EXPECT_EQ(*parse_duration("d", "0"), 0s);
  EXPECT_EQ(*parse_duration("d", "0.000000001s"), 1ns);
  EXPECT_EQ(*parse_duration("d", "100000000"), 100'000'000s);
}

TEST(parse_duration, says_in_one_line_what_was_wrong_and_what_was_expected) {
  for (const std::string_view text :
       {"", "s", "ms", "-1", "1 s", " 1s", "1us", "1d", "1S", "1.2.3s", ".", "1e3s", "nan", "inf",
        "100000001", "99999999999999999999999h", "1s\n", "1h30m"}) {
    const auto length = parse_duration("--duration", text);
    ASSERT_FALSE(length) << text;
    EXPECT_EQ(length.error().place, "--duration") << text;
    const auto line = length.error().to_string();
    EXPECT_THAT(line, HasSubstr("expected")) << text;
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos) << text;
  }
}

} // namespace
} // namespace jackfield::scenario
