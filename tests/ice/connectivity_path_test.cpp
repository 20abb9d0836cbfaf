#include <optional>

#include <gtest/gtest.h>

#include "tests/ice/simulated_ends.hpp"

namespace jackfield::ice {
namespace {

using namespace tests;

TEST(ice_connectivity_path, keeps_consent_over_ten_minutes) {
  simulated_ends ends{near_end(true), far_end(false), 1, 0};
  ends.run_until(time_point{} + 10min);
  EXPECT_FALSE(ends.near.lost());
  EXPECT_FALSE(ends.far.lost());
  // One check each 5 s on average, and no more.
  EXPECT_NEAR(ends.near.counts().confirmed, 120, 10);
  EXPECT_NEAR(ends.far.counts().confirmed, 120, 10);
  EXPECT_EQ(ends.near.counts().unmatched, 0u);
  EXPECT_EQ(ends.near.counts().conflicts, 0u);
}

TEST(ice_connectivity_path, loses_consent_thirty_seconds_after_the_last_answer) {
  simulated_ends ends{near_end(true), far_end(false), 1, 0};
  const auto cut = time_point{} + 60s;
  time_point last{};
  uint32_t confirmed = 0;
  ends.run_until(cut, [&](time_point now) {
    if (std::exchange(confirmed, ends.near.counts().confirmed) != confirmed)
      last = now;
  });
  ends.cut();
  std::optional<time_point> lost;
  ends.run_until(cut + 60s, [&](time_point now) {
    if (std::exchange(confirmed, ends.near.counts().confirmed) != confirmed)
      last = now;
    if (ends.near.lost() && !lost)
      lost = now;
  });
  ASSERT_TRUE(lost);
  EXPECT_EQ(*lost - last, 30s);
  EXPECT_EQ(ends.near_host.lost, 1);
  EXPECT_EQ(ends.far_host.lost, 1);
}

TEST(ice_connectivity_path, never_loses_consent_to_mere_loss) {
  for (const double loss : {0.03, 0.3}) {
    for (uint64_t seed = 0; seed < 100; ++seed) {
      simulated_ends ends{near_end(true), far_end(false), seed, loss};
      ends.run_until(time_point{} + 10min);
      EXPECT_FALSE(ends.near.lost() || ends.far.lost()) << loss << " seed " << seed;
    }
  }
}

TEST(ice_connectivity_path, nominates_again_within_two_seconds_under_loss) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    // The far end has not heard which pair was nominated: it believes in another one.
    auto settings = far_end(false);
    settings.remote_address = other_address;
    simulated_ends ends{near_end(true), settings, seed, 0.3};
    ends.run_until(time_point{} + 2s);
    EXPECT_EQ(ends.far.remote(), near_address) << "seed " << seed;
    ends.run_until(time_point{} + 30s);
    EXPECT_FALSE(ends.near.nominating()) << "seed " << seed;
  }
}

TEST(ice_connectivity_path, settles_roles_whichever_both_ends_took) {
  for (const bool role : {true, false}) {
    for (uint64_t seed = 0; seed < 100; ++seed) {
      simulated_ends ends{near_end(role), far_end(role), seed, 0.1};
      ends.run_until(time_point{} + 20s);
      // Who has the higher tie-breaker controls where both wanted to, and neither did.
      EXPECT_NE(ends.near.controlling(), ends.far.controlling()) << role << " seed " << seed;
      EXPECT_TRUE(ends.far.controlling()) << role << " seed " << seed;
    }
  }
}

} // namespace
} // namespace jackfield::ice
