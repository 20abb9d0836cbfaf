#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"

namespace jackfield::scenario {

using duration = std::chrono::nanoseconds;

/// A part of a run with its own rate.
struct rate_phase {
  /// Arrivals a second at its beginning and at its end; in between the rate changes linearly.
  double from = 0;
  double to = 0;
  /// Unset: until the run ends (the last phase only).
  std::optional<duration> length;

  friend bool operator==(const rate_phase&, const rate_phase&) = default;
};

/// When calls arrive: the open model, in which arrivals do not wait for the system under test.
struct arrival_plan {
  std::vector<rate_phase> phases{{10, 10, std::nullopt}};
  /// Exponential gaps (a Poisson process) instead of even spacing.
  bool poisson = false;
  /// At most this many arrivals; unset: until the phases end.
  std::optional<uint64_t> calls;

  /// The rate aimed at, arrivals a second, at a time since the run began; 0 after the last phase.
  [[nodiscard]] double rate_at(duration since_start) const noexcept;
  /// Length of all phases, if the last one ends.
  [[nodiscard]] std::optional<duration> length() const noexcept;
};

/// Reads a profile: "100" (constant), "0..500/60s" (a ramp), or several phases in order:
/// "100/30s,200/30s,200..0/10s". Lengths take ms, s, m or h. `place` names the option in errors.
[[nodiscard]] result<std::vector<rate_phase>> parse_rates(std::string_view place,
                                                          std::string_view text);

/// Reads "250ms", "3s", "1.5m", "2h"; a bare number is seconds.
[[nodiscard]] result<duration> parse_duration(std::string_view place, std::string_view text);

/// The arrivals of a plan in order, as times since the run's start, to the nanosecond. For even
/// spacing the n-th arrival, counted from 0, is when the integral of the rate reaches n: a phase of
/// 100/30s has 3,000, the first at once. For a Poisson process the n-th, counted from 1, is when it
/// reaches the sum of n exponential steps. A phase's end belongs to the next phase. Nothing comes
/// after 10^8 seconds. A value: no clock, no I/O.
class arrival_process {
public:
  explicit arrival_process(const arrival_plan& plan) : plan_(plan) {}

  /// The next arrival; nothing after the last. `random_unit` is uniform in [0, 1) and used for
  /// Poisson arrivals only.
  [[nodiscard]] std::optional<duration> next(double random_unit);
  /// Arrivals given out.
  [[nodiscard]] uint64_t count() const noexcept { return count_; }

private:
  std::optional<duration> give(double seconds_since_start);

  arrival_plan plan_;
  uint64_t count_ = 0;
  size_t phase_ = 0;
  double phase_start_s_ = 0; // of the current phase, seconds since the run began
  double due_ = 0;           // integral of the rate at the latest arrival, since the phase began
};

} // namespace jackfield::scenario
