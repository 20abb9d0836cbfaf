#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "engine/error/error.hpp"

namespace jackfield::scenario {

/// A length of time that each call draws for itself, or one that is the same for all.
struct drawn_duration {
  enum class shape : uint8_t { fixed, exponential, uniform };

  constexpr drawn_duration() = default;
  template <class Rep, class Period>
  constexpr drawn_duration(std::chrono::duration<Rep, Period> fixed) : mean(fixed) {}
  constexpr drawn_duration(shape s, std::chrono::nanoseconds mean_or_least,
                           std::chrono::nanoseconds upper_bound)
      : drawn(s), mean(mean_or_least), most(upper_bound) {}

  /// That of whoever drew `unit`, uniform in [0, 1).
  [[nodiscard]] std::chrono::nanoseconds at(double unit) const noexcept;

  shape drawn = shape::fixed;
  std::chrono::nanoseconds mean{}; ///< of a uniform one: its lower bound
  std::chrono::nanoseconds most{}; ///< of a uniform one: its upper bound
};

/// Reads "30" (seconds), "90s", "exp:180s", "uniform:10s..60s". `place` names the option in errors.
[[nodiscard]] result<drawn_duration> parse_drawn_duration(std::string_view place,
                                                          std::string_view text);

} // namespace jackfield::scenario
