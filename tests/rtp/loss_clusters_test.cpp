#include "engine/rtp/loss_clusters.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace jackfield::rtp {
namespace {

// "x" is a loss, "." is heard.
loss_pattern pattern_of(std::string_view packets) {
  loss_clusters c;
  for (const auto p : packets) {
    if (p == 'x')
      c.lost(1);
    else
      c.heard();
  }
  c.close();
  return c.pattern(packets.size());
}

TEST(loss_clusters, finds_no_pattern_where_nothing_is_lost) {
  const auto p = pattern_of("........................................");
  EXPECT_EQ(p.bursts, 0u);
  EXPECT_EQ(p.loss_runs, 0u);
  EXPECT_EQ(p.gap_length, 40);
  EXPECT_EQ(p.burst_ratio, 1);
  EXPECT_EQ(loss_clusters{}.pattern(0).gap_density, 0);
}

TEST(loss_clusters, counts_a_lone_loss_to_the_gap) {
  const auto p = pattern_of("....................x...................");
  EXPECT_EQ(p.bursts, 0u);
  EXPECT_EQ(p.loss_runs, 1u);
  EXPECT_EQ(p.gap_density, 1.0 / 40);
  EXPECT_EQ(p.burst_density, 0);
}

TEST(loss_clusters, joins_losses_less_than_gmin_apart_into_a_burst) {
  // 15 heard between two losses: one burst of 17. 16 heard: two lone losses.
  auto p = pattern_of("....................x...............x...................");
  EXPECT_EQ(p.bursts, 1u);
  EXPECT_EQ(p.burst_length, 17);
  EXPECT_EQ(p.burst_density, 2.0 / 17);
  EXPECT_EQ(p.gap_density, 0);
  p = pattern_of("....................x................x...................");
  EXPECT_EQ(p.bursts, 0u);
  EXPECT_EQ(p.gap_density, 2.0 / 57);
}

TEST(loss_clusters, measures_runs_and_their_ratio_to_chance) {
  const auto p =
    pattern_of("....................xxxx................................................"
               "............................");
  EXPECT_EQ(p.loss_runs, 1u);
  EXPECT_EQ(p.longest_loss_run, 4u);
  EXPECT_EQ(p.bursts, 1u);
  EXPECT_EQ(p.burst_density, 1);
  // Four in a row at 4 %, where chance would give runs of 1 / 0.96.
  EXPECT_DOUBLE_EQ(p.burst_ratio, 4 * 0.96);
}

TEST(loss_clusters, takes_a_long_loss_at_once) {
  loss_clusters c;
  c.lost(3);
  c.lost(2900);
  c.lost(0);
  c.close();
  const auto p = c.pattern(2903);
  EXPECT_EQ(p.loss_runs, 1u);
  EXPECT_EQ(p.longest_loss_run, 2903u);
  EXPECT_EQ(p.burst_density, 1);
  EXPECT_EQ(p.burst_ratio, 1);
}

} // namespace
} // namespace jackfield::rtp
