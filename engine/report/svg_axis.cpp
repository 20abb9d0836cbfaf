#include "engine/report/svg_axis.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::report {

double nice_step(double span, int steps) noexcept {
  const double rough = span / steps;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digit = rough / power;
  return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

double value_axis::share(double value) const noexcept {
  return std::clamp((value - from) / (to - from), 0.0, 1.0);
}

int value_axis::ticks() const noexcept {
  return static_cast<int>(std::lround((to - from) / step));
}

value_axis value_axis::over(double from, double to, int steps) noexcept {
  if (!(to > from))
    to = from + 1;
  const double step = nice_step(to - from, steps);
  return {from, from + step * std::ceil((to - from) / step - 1e-9), step};
}

value_axis value_axis::with_ticks(double from, double to, int ticks) noexcept {
  if (!(to > from))
    to = from + 1;
  const double rough = (to - from) / ticks;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double digit : {8., 6., 5., 4., 3., 2.5, 2., 1.5, 1.})
    if (digit * power >= rough * (1 - 1e-9))
      step = digit * power;
  return {from, from + ticks * step, step};
}

} // namespace jackfield::report
