#include "engine/simulation/estimate.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

// The printed tables.
TEST(estimate, has_students_t) {
  EXPECT_NEAR(student_t(0.95, 1), 12.7062, 1e-4);
  EXPECT_NEAR(student_t(0.95, 2), 4.30265, 1e-5);
  EXPECT_NEAR(student_t(0.95, 9), 2.26216, 1e-5);
  EXPECT_NEAR(student_t(0.95, 10), 2.22814, 1e-5);
  EXPECT_NEAR(student_t(0.99, 9), 3.24984, 1e-5);
  EXPECT_NEAR(student_t(0.99, 30), 2.75000, 1e-5);
  EXPECT_NEAR(student_t(0.95, 100'000), 1.95999, 1e-4);
}

TEST(estimate, says_how_sure_it_is) {
  const std::vector<double> values{4, 6, 5, 7, 3};
  const auto e = estimate_mean(values);
  EXPECT_DOUBLE_EQ(e.mean, 5);
  ASSERT_TRUE(e.margin);
  EXPECT_NEAR(*e.margin, 2.77645 * 0.70711, 1e-4); // sqrt(2.5 / 5)
  EXPECT_DOUBLE_EQ(*e.low(), 5 - *e.margin);
  EXPECT_DOUBLE_EQ(*e.high(), 5 + *e.margin);
  EXPECT_GT(*estimate_mean(values, 0.99).margin, *e.margin);
}

TEST(estimate, of_one_run_has_no_bounds) {
  const std::vector<double> values{4};
  const auto e = estimate_mean(values);
  EXPECT_EQ(e.mean, 4);
  EXPECT_FALSE(e.margin);
  EXPECT_FALSE(e.low());
}

TEST(quantile, is_what_a_share_of_further_values_is_below) {
  std::vector<double> values{10, 20, 30, 40};
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 25);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 12.5); // at 1.25
  EXPECT_DOUBLE_EQ(quantile(values, 0.75), 37.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.6), 30);
  // As with R's quantile(c(2, 3, 5, 7, 11, 13, 17, 19, 23), c(.1, .9), type = 6).
  values = {2, 3, 5, 7, 11, 13, 17, 19, 23};
  EXPECT_DOUBLE_EQ(quantile(values, 0.1), 2);
  EXPECT_DOUBLE_EQ(quantile(values, 0.35), 6);
}

TEST(quantile, is_never_beyond_the_values) {
  const std::vector<double> values{10, 20, 30, 40};
  for (const double p : {0., 0.1, 0.2})
    EXPECT_EQ(quantile(values, p), 10) << p;
  for (const double p : {0.8, 0.9, 1.})
    EXPECT_EQ(quantile(values, p), 40) << p;
  const std::vector<double> one{7};
  for (const double p : {0., 0.5, 1.})
    EXPECT_EQ(quantile(one, p), 7) << p;
}

} // namespace
} // namespace jackfield::simulation
