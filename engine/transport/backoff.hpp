#pragma once

#include <chrono>

#include "engine/lane/timer_wheel.hpp"

namespace jackfield::transport {

struct backoff_settings {
  /// Doubled with each failure in a row (RFC 5626 §4.5: 30 s if every flow of the user failed, 90 s
  /// if another one works).
  lane::duration base = std::chrono::seconds{30};
  lane::duration base_if_other_works = std::chrono::seconds{90};
  lane::duration max = std::chrono::minutes{30};
};

/// How long to wait before a failed registration or connection is tried again (RFC 5626 §4.5).
/// Does no I/O and draws no random numbers.
class backoff {
public:
  explicit backoff(const backoff_settings& settings = {}) noexcept : settings_(settings) {}

  /// Notes a failure and returns the wait: between 50 and 100 % of min(max, base * 2^failures),
  /// placed by `random_unit` in [0, 1). `failures` counts from 1 (RFC 5626:
  /// "consecutive-failures").
  [[nodiscard]] lane::duration fail(double random_unit, bool other_flow_works = false) noexcept;
  /// Notes a success: the next failure is the first in a row again.
  void succeed() noexcept { failures_ = 0; }
  [[nodiscard]] unsigned failures() const noexcept { return failures_; }

private:
  backoff_settings settings_;
  unsigned failures_ = 0;
};

} // namespace jackfield::transport
