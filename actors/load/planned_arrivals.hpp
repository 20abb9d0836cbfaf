#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "actors/load/load_plan.hpp"

namespace jackfield {

/// Uniform in [0, 1). splitmix64 (Steele, Lea and Flood, 2014): the plan's own sequence, the same
/// on every machine.
inline double next_unit(uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  auto z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1.0p-53;
}

/// In [0, 1): what a seed gives to one of a number of equals, for one of its purposes. By its
/// number, not in the order of asking: two runs with one seed draw the same, on however many lanes.
inline double unit_of(uint64_t seed, uint64_t number, uint64_t purpose) {
  uint64_t state = seed + number * 0x9e3779b97f4a7c15U + purpose;
  next_unit(state);
  return next_unit(state);
}

/// All arrivals of a plan, one after the other: whoever walks them sees the same.
class planned_arrivals {
public:
  explicit planned_arrivals(const load_plan& plan)
      : arrivals_(plan.arrivals), poisson_(plan.arrivals.poisson), random_state_(plan.seed) {}

  struct arrival {
    uint64_t number;   ///< from 0
    lane::duration at; ///< since the run began
  };
  /// Nothing after the last.
  [[nodiscard]] std::optional<arrival> next() {
    const auto number = arrivals_.count();
    const auto at = arrivals_.next(poisson_ ? next_unit(random_state_) : 0);
    return at ? std::optional{arrival{number, *at}} : std::nullopt;
  }
  /// Arrivals given out.
  [[nodiscard]] uint64_t count() const noexcept { return arrivals_.count(); }

private:
  scenario::arrival_process arrivals_;
  bool poisson_;
  uint64_t random_state_;
};

} // namespace jackfield
