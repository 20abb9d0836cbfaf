#include "engine/report/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::report {
namespace {

constexpr double percents[] = {0, 0.1, 1, 5, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

/// Nearest rank, by sorting.
uint64_t exact_percentile(const std::vector<uint64_t>& sorted, double percent) {
  const auto rank =
    static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size()) - 1e-6));
  return sorted[rank == 0 ? 0 : rank - 1];
}

std::vector<uint64_t> draw(unsigned seed, size_t n, double spread) {
  std::mt19937_64 random{seed};
  std::lognormal_distribution<double> values{std::log(20'000), spread};
  std::vector<uint64_t> result(n);
  for (auto& value : result)
    value = static_cast<uint64_t>(values(random));
  return result;
}

histogram filled(const std::vector<uint64_t>& values) {
  histogram h;
  for (const uint64_t value : values)
    h.record(value);
  return h;
}

TEST(histogram, knows_nothing_when_empty) {
  const histogram h;
  EXPECT_TRUE(h.empty());
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.min(), 0U);
  EXPECT_EQ(h.max(), 0U);
  EXPECT_EQ(h.mean(), 0);
  EXPECT_TRUE(h.buckets().empty());
  EXPECT_EQ(percentile_ms(h, 50), std::nullopt);
  for (const double percent : percents)
    EXPECT_EQ(h.percentile(percent), 0U);
}

TEST(histogram, gives_back_a_single_value_exactly) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{1}, uint64_t{127}, uint64_t{128}, uint64_t{1'234'567},
        histogram::largest, histogram::largest + 1, UINT64_MAX}) {
    histogram h;
    h.record(value);
    for (const double percent : percents)
      EXPECT_EQ(h.percentile(percent), value) << percent;
    EXPECT_EQ(h.min(), value);
    EXPECT_EQ(h.max(), value);
    ASSERT_EQ(h.buckets().size(), 1U);
    EXPECT_LE(h.buckets()[0].from, value);
    EXPECT_GE(h.buckets()[0].to, value);
  }
}

TEST(histogram, stays_within_one_per_cent_of_sorting) {
  for (const double spread : {0.2, 1.0, 2.5}) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
      auto values = draw(seed, 20'000, spread);
      const histogram h = filled(values);
      std::ranges::sort(values);
      for (const double percent : percents) {
        const auto exact = static_cast<double>(exact_percentile(values, percent));
        EXPECT_NEAR(static_cast<double>(h.percentile(percent)), exact, exact * 0.01)
          << "p" << percent << " seed " << seed << " spread " << spread;
      }
      EXPECT_EQ(h.max(), values.back());
      EXPECT_EQ(h.min(), values.front());
      double sum = 0;
      for (const uint64_t value : values)
        sum += static_cast<double>(value);
      EXPECT_NEAR(h.mean(), sum / static_cast<double>(values.size()), 1e-6 * sum);
    }
  }
}

TEST(histogram, puts_every_value_where_its_bucket_says) {
  for (unsigned bits = 0; bits < 36; ++bits) {
    for (const int64_t offset : {-1, 0, 1}) {
      const uint64_t value = (uint64_t{1} << bits) + static_cast<uint64_t>(offset);
      histogram h;
      h.record(value);
      const auto bucket = h.buckets().at(0);
      EXPECT_LE(bucket.from, value);
      EXPECT_GE(bucket.to, value);
      EXPECT_LE(static_cast<double>(bucket.to - bucket.from), static_cast<double>(value) / 64);
    }
  }
}

TEST(histogram, takes_ranks_as_they_are_meant) {
  histogram h;
  for (uint64_t value = 1; value <= 100; ++value)
    h.record(value);
  EXPECT_EQ(h.percentile(50), 50U);
  EXPECT_EQ(h.percentile(99), 99U);
  EXPECT_EQ(h.percentile(99.0001), 100U);
  EXPECT_EQ(h.percentile(-5), 1U);
  EXPECT_EQ(h.percentile(500), 100U);
  EXPECT_EQ(h.percentile(std::nan("")), 1U);
  EXPECT_EQ(h.count_at_most(50), 50U);
  EXPECT_EQ(h.count_at_most(0), 0U);
  EXPECT_EQ(h.count_at_most(1'000'000), 100U);
}

TEST(histogram, knows_its_least_value_exactly_at_the_first_rank) {
  histogram h;
  h.record(1'000'003); // one bucket holds them all
  h.record(1'000'500, 98);
  h.record(1'000'901);
  EXPECT_EQ(h.buckets().size(), 1U);
  EXPECT_EQ(h.percentile(0), 1'000'003U);
  EXPECT_EQ(h.percentile(0.5), 1'000'003U);
  EXPECT_EQ(h.percentile(1), 1'000'003U);
  EXPECT_EQ(h.percentile(100), 1'000'901U);
}

TEST(histogram, merges_in_any_order) {
  const histogram a = filled(draw(1, 1000, 1));
  const histogram b = filled(draw(2, 2000, 2));
  const histogram c = filled(draw(3, 3000, 0.5));
  histogram left = a; // (a + b) + c
  left.merge(b);
  left.merge(c);
  histogram right = c; // (c + b) + a
  right.merge(b);
  right.merge(a);
  EXPECT_EQ(left, right);
  histogram grouped = b; // a + (b + c)
  grouped.merge(c);
  histogram first = a;
  first.merge(grouped);
  EXPECT_EQ(left, first);
  histogram with_nothing = a;
  with_nothing.merge(histogram{});
  EXPECT_EQ(with_nothing, a);
}

TEST(histogram, tells_what_came_since_a_snapshot) {
  histogram h = filled(draw(4, 5000, 1));
  const histogram before = h;
  const auto later = draw(5, 700, 0.3);
  for (const uint64_t value : later)
    h.record(value);
  const histogram difference = h.since(before);
  const histogram expected = filled(later);
  EXPECT_EQ(difference.count(), 700U);
  EXPECT_EQ(difference.sum(), expected.sum());
  for (const double percent : percents) {
    const auto exact = static_cast<double>(expected.percentile(percent));
    EXPECT_NEAR(static_cast<double>(difference.percentile(percent)), exact, exact * 0.016);
  }
  EXPECT_TRUE(h.since(h).empty());
}

TEST(histogram, survives_values_and_counts_beyond_measure) {
  histogram h;
  h.record(UINT64_MAX, 3);
  h.record(std::chrono::nanoseconds{-5});
  h.record(7, 0);
  EXPECT_EQ(h.count(), 4U);
  EXPECT_EQ(h.sum(), UINT64_MAX);
  EXPECT_EQ(h.min(), 0U);
  EXPECT_EQ(h.max(), UINT64_MAX);
  EXPECT_EQ(h.count_at_most(UINT64_MAX), 4U);
  h.clear();
  EXPECT_EQ(h, histogram{});
}

TEST(histogram, records_durations_in_microseconds) {
  histogram h;
  h.record(std::chrono::microseconds{1500});
  EXPECT_EQ(percentile_ms(h, 50), 1.5);
}

} // namespace
} // namespace jackfield::report
