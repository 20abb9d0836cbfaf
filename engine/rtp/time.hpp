#pragma once

#include <chrono>
#include <cstdint>

namespace jackfield::rtp {

/// Nanoseconds, the same types as a lane's.
using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// Timestamp units in `d`, which may be negative; rounded towards zero.
[[nodiscard]] constexpr int64_t to_units(duration d, uint32_t clock_rate) noexcept {
  // Two steps, as the product of a long time and a rate passes 64 bits after some days.
  constexpr int64_t second = 1'000'000'000;
  return d.count() / second * clock_rate + d.count() % second * clock_rate / second;
}

/// How long so many timestamp units take; they may be negative, and may be those of years.
[[nodiscard]] constexpr duration to_duration(int64_t units, uint32_t clock_rate) noexcept {
  constexpr int64_t second = 1'000'000'000;
  return duration{units / clock_rate * second + units % clock_rate * second / clock_rate};
}

} // namespace jackfield::rtp
