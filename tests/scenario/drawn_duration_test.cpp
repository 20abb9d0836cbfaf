#include "engine/scenario/drawn_duration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::scenario {
namespace {

using namespace std::chrono_literals;

TEST(drawn_duration, is_the_same_for_all_or_drawn) {
  const auto fixed = parse_drawn_duration("d", "1500ms");
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->at(0), 1500ms);
  EXPECT_EQ(fixed->at(0.99), 1500ms);
  const auto between = parse_drawn_duration("d", "uniform:1s..5s");
  ASSERT_TRUE(between);
  EXPECT_EQ(between->at(0), 1s);
  EXPECT_EQ(between->at(0.5), 3s);
  const auto memoryless = parse_drawn_duration("d", "exp:3s");
  ASSERT_TRUE(memoryless);
  EXPECT_EQ(memoryless->at(0), 0s);
  EXPECT_NEAR(std::chrono::duration<double>(memoryless->at(0.5)).count(), 2.0794, 0.001);
  EXPECT_EQ(drawn_duration{20ms}.at(0.7), 20ms);
}

/// As many draws of one seed: sorted, in seconds.
std::vector<double> draws_of(std::string_view text) {
  const auto length = parse_drawn_duration("d", text);
  std::mt19937_64 random{1};
  std::uniform_real_distribution<double> unit{0, 1};
  std::vector<double> drawn(200'000);
  for (auto& each : drawn)
    each = std::chrono::duration<double>(length.value().at(unit(random))).count();
  std::ranges::sort(drawn);
  return drawn;
}

double mean_of(const std::vector<double>& drawn) {
  return std::accumulate(drawn.begin(), drawn.end(), 0.0) / static_cast<double>(drawn.size());
}

double quantile_of(const std::vector<double>& drawn, double share) {
  return drawn[static_cast<size_t>(share * static_cast<double>(drawn.size()))];
}

TEST(drawn_duration, of_an_exponential_one_has_the_mean_and_the_quantiles_of_that) {
  const auto drawn = draws_of("exp:180s");
  EXPECT_NEAR(mean_of(drawn), 180, 180 * 0.011) << "five standard errors";
  for (const double share : {0.1, 0.5, 0.9, 0.99}) {
    const auto expected = -180 * std::log(1 - share);
    EXPECT_NEAR(quantile_of(drawn, share), expected, expected * 0.015) << share;
  }
}

TEST(drawn_duration, of_a_uniform_one_has_the_mean_and_the_quantiles_of_that) {
  const auto drawn = draws_of("uniform:10s..60s");
  EXPECT_NEAR(mean_of(drawn), 35, 0.17) << "five standard errors";
  EXPECT_GE(drawn.front(), 10);
  EXPECT_LT(drawn.back(), 60);
  for (const double share : {0.01, 0.1, 0.5, 0.9, 0.99})
    EXPECT_NEAR(quantile_of(drawn, share), 10 + 50 * share, 0.3) << share;
}

TEST(drawn_duration, says_what_was_wrong) {
  for (const std::string_view text :
       {"", "exp", "exp:", "exp:-1", "uniform:", "uniform:1s", "uniform:1s..", "uniform:..2s",
        "uniform:2s..1s", "normal:1s"}) {
    const auto read = parse_drawn_duration("--answer-after", text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().place, "--answer-after") << text;
  }
}

} // namespace
} // namespace jackfield::scenario
