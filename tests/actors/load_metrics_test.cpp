#include "actors/load/load_metrics.hpp"

#include <gtest/gtest.h>

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = registration_report::kind;
using report::failure_cause;

registration_report reported(kind what, failure_cause failure = {}) {
  registration_report r;
  r.what = what;
  r.failure = failure;
  r.took = 5ms;
  r.had_registered = what != kind::registered;
  return r;
}

TEST(load_metrics, count_each_report_of_a_registration_as_what_it_is) {
  load_metrics metrics;
  auto& calls = metrics.measured.calls;
  const auto& counts = metrics.measured.registrations;
  calls.offer();
  calls.start();
  metrics.on_registration(reported(kind::registered));
  metrics.on_registration(reported(kind::refreshed));
  metrics.on_registration(reported(kind::refreshed));
  EXPECT_EQ(counts.succeeded, 1U);
  EXPECT_EQ(counts.current, 1U);
  EXPECT_EQ(counts.refreshed, 2U);
  EXPECT_EQ(counts.refresh_failed, 0U);
  EXPECT_EQ(counts.failed, 0U);
  EXPECT_TRUE(counts.failures.empty());
  const auto refused = failure_cause::from_status(500);
  metrics.on_registration(reported(kind::failed, refused));
  EXPECT_EQ(counts.refreshed, 2U);
  EXPECT_EQ(counts.refresh_failed, 1U);
  EXPECT_EQ(counts.failures, (std::map<failure_cause, uint64_t>{{refused, 1}}));
  EXPECT_EQ(counts.current, 1U) << "it will try again";
  auto over = reported(kind::over);
  over.left = true;
  metrics.on_registration(over);
  EXPECT_EQ(counts.current, 0U);
  EXPECT_EQ(counts.refresh_failed, 1U);
  EXPECT_EQ(calls.completed, 1U);
  EXPECT_EQ(calls.failed, 0U);
}

} // namespace
} // namespace jackfield
