#include "tests/relay/path/impairment.hpp"

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t draws = 1'000'000;

std::vector<fate> series(const impairment_options& options, std::size_t length = 10'000,
                         impairment::direction way = impairment::direction::to_target) {
  impairment path(options, way);
  std::vector<fate> made;
  made.reserve(length);
  for (std::size_t i = 0; i < length; ++i) {
    made.push_back(path.next(500));
  }
  return made;
}

impairment_options rough() {
  impairment_options made;
  made.loss = 0.05;
  made.burst = 3;
  made.delay = 40ms;
  made.jitter = 20ms;
  made.duplicate = 0.01;
  made.reorder = 0.02;
  made.mtu = 1500;
  return made;
}

struct loss_figures {
  double share = 0;
  double mean_run = 0;
};

loss_figures losses(const std::vector<fate>& fates) {
  std::size_t lost = 0;
  std::size_t runs = 0;
  bool before = false;
  for (const auto& each : fates) {
    const bool now = each.why == fate::cause::lost;
    lost += now;
    runs += now && !before;
    before = now;
  }
  return {static_cast<double>(lost) / static_cast<double>(fates.size()),
          runs == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(runs)};
}

TEST(impairment, a_clean_path_delivers_all_at_once) {
  for (const auto& each : series({})) {
    EXPECT_EQ(each, (fate{fate::cause::delivered, false, 1, {}}));
  }
}

TEST(impairment, outside_of_times_of_loss_all_else_goes_on) {
  impairment lossy(rough(), impairment::direction::to_target);
  impairment clean(rough(), impairment::direction::to_target);
  for (int i = 0; i < 10'000; ++i) {
    const auto with = lossy.next(500);
    const auto without = clean.next(500, false);
    ASSERT_EQ(without.why, fate::cause::delivered);
    if (with.why == fate::cause::delivered) {
      ASSERT_EQ(with, without);
    }
  }
}

TEST(impairment, one_seed_gives_one_series) {
  EXPECT_EQ(series(rough()), series(rough()));
  auto other = rough();
  other.seed = 2;
  EXPECT_NE(series(rough()), series(other));
  EXPECT_NE(series(rough()), series(rough(), 10'000, impairment::direction::to_client));
}

TEST(impairment, the_series_is_the_same_on_every_machine) {
  std::size_t lost = 0;
  std::chrono::nanoseconds delays{0};
  for (const auto& each : series(rough(), 1'000)) {
    lost += each.why == fate::cause::lost;
    delays += each.delays[0];
  }
  EXPECT_EQ(lost, 43u);
  EXPECT_EQ(delays.count(), 38'738'860'566);
}

TEST(impairment, one_option_does_not_change_what_another_does) {
  auto with = rough();
  auto without = rough();
  without.delay = without.jitter = 0ms;
  without.duplicate = without.reorder = 0;
  auto a = series(with);
  auto b = series(without);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].why, b[i].why) << i;
  }
}

TEST(impairment, losses_have_their_share_and_their_runs) {
  for (double loss : {0.001, 0.01, 0.05, 0.2, 0.5}) {
    for (double burst : {1.5, 3.0, 10.0}) {
      impairment_options options;
      options.loss = loss;
      options.burst = burst;
      auto got = losses(series(options, draws));
      // Four standard errors of a share whose losses come in runs.
      const double error = 4 * std::sqrt(loss * 2 * burst / static_cast<double>(draws));
      EXPECT_NEAR(got.share, loss, error) << loss << " in runs of " << burst;
      EXPECT_NEAR(got.mean_run, burst, burst * 0.2) << loss << " in runs of " << burst;
    }
  }
}

TEST(impairment, without_bursts_each_is_lost_by_itself) {
  impairment_options options;
  options.loss = 0.2;
  auto got = losses(series(options, draws));
  EXPECT_NEAR(got.share, 0.2, 0.002);
  EXPECT_NEAR(got.mean_run, 1 / (1 - 0.2), 0.01);
}

TEST(impairment, all_or_nothing_is_exact) {
  impairment_options options;
  EXPECT_EQ(losses(series(options, draws)).share, 0);
  options.loss = 1;
  EXPECT_EQ(losses(series(options, draws)).share, 1);
  options.burst = 3;
  EXPECT_EQ(losses(series(options)).share, 1);
}

TEST(impairment, delays_fill_their_range_evenly) {
  impairment_options options;
  options.delay = 40ms;
  options.jitter = 20ms;
  std::array<std::size_t, 4> quarters{};
  for (const auto& each : series(options, draws)) {
    ASSERT_GE(each.delays[0], 20ms);
    ASSERT_LT(each.delays[0], 60ms);
    ++quarters[static_cast<std::size_t>((each.delays[0] - 20ms) / 10ms)];
  }
  for (auto quarter : quarters) {
    EXPECT_NEAR(static_cast<double>(quarter) / draws, 0.25, 0.003);
  }
}

TEST(impairment, duplicates_and_reorders_have_their_share) {
  impairment_options options;
  options.duplicate = 0.01;
  options.reorder = 0.02;
  std::size_t twice = 0;
  std::size_t back = 0;
  for (const auto& each : series(options, draws)) {
    twice += each.copies == 2;
    back += each.held_back;
    ASSERT_EQ(each.delays[0], each.held_back ? impairment::reorder_hold : 0ms);
  }
  EXPECT_NEAR(static_cast<double>(twice) / draws, 0.01, 0.0005);
  EXPECT_NEAR(static_cast<double>(back) / draws, 0.02, 0.0007);
}

TEST(impairment, large_datagrams_are_dropped) {
  impairment_options options;
  options.mtu = 1500;
  impairment path(options, impairment::direction::to_target);
  EXPECT_EQ(path.next(1500).why, fate::cause::delivered);
  EXPECT_EQ(path.next(1501).why, fate::cause::too_big);
  EXPECT_EQ(path.next(1501).copies, 0u);
  EXPECT_EQ(path.next(0).copies, 1u);
}

} // namespace
} // namespace jackfield::tests
