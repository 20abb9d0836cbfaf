#pragma once

#include <chrono>

namespace jackfield::policy {

/// Nanoseconds, the same types as a lane's.
using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// No deadline.
inline constexpr time_point never = time_point::max();

/// `t + d`, and `never` where that lies beyond what can be said. `d` is not negative.
[[nodiscard]] constexpr time_point later(time_point t, duration d) noexcept {
  return t > never - d ? never : t + d;
}

} // namespace jackfield::policy
