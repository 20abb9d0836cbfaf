#include "engine/report/verdict.hpp"

#include <gtest/gtest.h>

namespace jackfield::report {
namespace {

using namespace std::chrono_literals;

/// Whether a run of which that was measured is valid. Lag and lateness are known to a bucket of a
/// histogram, 0.8 % at most: the values below are buckets' edges.
template <class Spoil>
bool is_valid(Spoil spoil, std::chrono::nanoseconds lane_time = 60s) {
  run_metrics m;
  spoil(m);
  return judge(m, lane_time).valid;
}

auto stood_still(uint64_t us, uint64_t times) {
  return [=](run_metrics& m) { m.health.lane_lag.record(us, times); };
}

auto started_late(uint64_t us, uint64_t calls, uint64_t of) {
  return [=](run_metrics& m) {
    m.health.start_lateness.record(us, calls);
    m.health.start_lateness.record(0, of - calls);
  };
}

auto sent_late(uint64_t us, uint64_t packets, uint64_t of) {
  return [=](run_metrics& m) {
    m.media.send_lateness.record(us, packets);
    m.media.send_lateness.record(0, of - packets);
  };
}

auto overloaded(uint64_t late, uint64_t passes) {
  return [=](run_metrics& m) {
    m.health.late_passes = late;
    m.health.passes = passes;
  };
}

auto failed_by(failure_cause cause) {
  return [=](run_metrics& m) {
    m.calls.start();
    m.calls.fail(cause);
  };
}

TEST(verdict_bounds, a_lane_stands_still_beyond_20_ms) {
  EXPECT_TRUE(is_valid(stood_still(20'000, 1'000)));
  EXPECT_FALSE(is_valid(stood_still(20'224, 1'000)));
}

TEST(verdict_bounds, lanes_stand_still_for_no_more_than_1_percent_of_their_time) {
  const auto still = stood_still(32'768, 18); // 589.8 ms
  EXPECT_TRUE(is_valid(still, 59s));
  EXPECT_FALSE(is_valid(still, 58'900ms));
}

TEST(verdict_bounds, lanes_stand_still_for_less_than_250_ms) {
  EXPECT_TRUE(is_valid(stood_still(24'832, 10), 1s)); // 248.3 ms
  EXPECT_FALSE(is_valid(stood_still(25'088, 10), 1s));
}

TEST(verdict_bounds, lanes_stand_still_for_less_than_2_s_at_once) {
  EXPECT_TRUE(is_valid(stood_still(1'999'999, 1), 1h));
  EXPECT_FALSE(is_valid(stood_still(2'000'000, 1), 1h));
}

TEST(verdict_bounds, passes_are_late_in_1_percent_at_most_and_count_from_10_on) {
  EXPECT_TRUE(is_valid(overloaded(20, 2'000)));
  EXPECT_FALSE(is_valid(overloaded(20, 1'999)));
  EXPECT_TRUE(is_valid(overloaded(9, 9)));
  EXPECT_FALSE(is_valid(overloaded(10, 10)));
}

TEST(verdict_bounds, calls_start_late_beyond_20_ms_by_1_percent_and_from_5_on) {
  EXPECT_TRUE(is_valid(started_late(20'000, 100, 100)));
  EXPECT_FALSE(is_valid(started_late(20'224, 100, 100)));
  EXPECT_TRUE(is_valid(started_late(25'000, 20, 2'000)));
  EXPECT_FALSE(is_valid(started_late(25'000, 20, 1'999)));
  EXPECT_TRUE(is_valid(started_late(25'000, 4, 4)));
  EXPECT_FALSE(is_valid(started_late(25'000, 5, 5)));
}

TEST(verdict_bounds, packets_are_sent_late_beyond_5_ms_by_1_percent_and_from_50_on) {
  EXPECT_TRUE(is_valid(sent_late(5'000, 1'000, 1'000)));
  EXPECT_FALSE(is_valid(sent_late(5'056, 1'000, 1'000)));
  EXPECT_TRUE(is_valid(sent_late(6'000, 100, 10'000)));
  EXPECT_FALSE(is_valid(sent_late(6'000, 100, 9'999)));
  EXPECT_TRUE(is_valid(sent_late(6'000, 49, 49)));
  EXPECT_FALSE(is_valid(sent_late(6'000, 50, 50)));
}

TEST(verdict_bounds, of_what_should_never_be_one_is_too_many) {
  EXPECT_TRUE(is_valid([](run_metrics&) {}));
  EXPECT_FALSE(is_valid([](run_metrics& m) { m.calls.missed_by_generator = 1; }));
  EXPECT_FALSE(is_valid([](run_metrics& m) { m.health.socket_drops = 1; }));
  EXPECT_FALSE(is_valid([](run_metrics& m) { m.health.own_refusals = 1; }));
  EXPECT_FALSE(is_valid([](run_metrics& m) { m.health.parts_lost = 1; }));
  for (const auto own :
       {failure_cause::internal, failure_cause::refused_locally, failure_cause::media_setup})
    EXPECT_FALSE(is_valid(failed_by(own))) << failure_cause{own}.name();
  for (const auto theirs : {failure_cause::timeout, failure_cause::no_media,
                            failure_cause::not_heard, failure_cause::transport_error})
    EXPECT_TRUE(is_valid(failed_by(theirs))) << failure_cause{theirs}.name();
}

} // namespace
} // namespace jackfield::report
