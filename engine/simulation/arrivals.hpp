#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/policy/time.hpp"
#include "engine/simulation/random_numbers.hpp"

namespace jackfield::simulation {

using policy::duration;

/// When callers come, as times since the beginning of the day. Nobody comes at all by default.
struct arrival_plan {
  /// Expected arrivals in each interval, one after the other; within one, at random (Poisson).
  std::vector<double> per_interval;
  duration interval = std::chrono::minutes{30};
  /// After the last interval comes the first again, for ever; else nobody does.
  bool repeats = false;
  /// Instead: exactly then, as on a day that was, in order.
  std::shared_ptr<const std::vector<duration>> times;

  /// The same rate for ever.
  static arrival_plan steady(double per_second);

  /// "200/h", "3/m", "0.5/s": at a steady rate.
  static result<double> parse_rate(std::string_view place, std::string_view text);

  [[nodiscard]] bool endless() const noexcept { return repeats && !times; }
  /// Of the plan, or the last arrival; 0 s if nobody comes.
  [[nodiscard]] duration length() const noexcept;
  /// Expected in [from, to).
  [[nodiscard]] double expected(duration from, duration to) const noexcept;
  /// Says what is out of range: negative or too many arrivals, none where it repeats, an interval
  /// below a second, times out of order. `place` names the queue.
  [[nodiscard]] result<void> check(std::string_view place) const;
};

/// The arrivals of a plan, in order. Exponential steps are laid onto the integral of the rate, so
/// that each arrival needs one random number, and a change of the rate moves them, but leaves their
/// order and what belongs to each (E. Cinlar, 1975). A value; `plan` outlives it.
class arrival_process {
public:
  /// `stream` tells its random numbers from those of other plans.
  arrival_process(const arrival_plan& plan, uint32_t stream) : plan_(&plan), stream_(stream) {}

  /// Since the day's beginning, whole microseconds; nothing after the last.
  [[nodiscard]] std::optional<duration> next(const random_numbers& random);

private:
  const arrival_plan* plan_;
  uint32_t stream_;
  uint64_t count_ = 0;
  uint64_t interval_ = 0;
  double within_s_ = 0; // of the latest arrival, in its interval
};

} // namespace jackfield::simulation
