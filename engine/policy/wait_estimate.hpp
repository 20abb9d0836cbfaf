#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/policy/time.hpp"

namespace jackfield::policy {

/// How long a caller is likely to wait: position x smoothed time between departures to agents. It
/// is the queue-length estimator of W. Whitt, "Predicting queueing delays", Management Science
/// 45(6), 1999, (position) / (rate at which agents become free), the rate being observed, not
/// computed from staffing. It needs no reset when agents come and go. Where many give up it says
/// too much, as it takes all who stand before to be served (Ibrahim and Whitt, M&SOM 11(3), 2009).
///
/// Only departures of callers who found no free agent count, and only the time in which somebody
/// waited: an idle queue says nothing of a busy one. The mean of the first eight intervals, then an
/// eighth of each new one. An interval that is not over counts as soon as it is longer than the
/// mean, so that a queue which stands still does not promise what it once did.
struct wait_estimate {
  /// Mean between departures, and of how many intervals, at most eight.
  duration between{};
  uint32_t intervals = 0;
  /// The latest departure, or since when somebody waits; `never`: nobody does.
  time_point since = never;

  /// Somebody has to wait for an agent; does nothing while others do.
  void begin(time_point now) noexcept;
  /// Nobody waits for an agent any more.
  void end() noexcept { since = never; }
  /// One who waited has gone to an agent.
  void departed(time_point now) noexcept;
  /// `position` from 1. Nothing as long as there was no departure.
  [[nodiscard]] std::optional<duration> at(time_point now, size_t position) const noexcept;

  friend bool operator==(const wait_estimate&, const wait_estimate&) = default;
};

} // namespace jackfield::policy
