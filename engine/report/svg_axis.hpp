#pragma once

namespace jackfield::report {

/// The vertical axis of a chart, with ticks at each `step`.
struct value_axis {
  double from;
  double to;
  double step;

  /// Where a value is, 0 at the lower end and 1 at the upper; what is outside is at its end.
  [[nodiscard]] double share(double value) const noexcept;
  [[nodiscard]] int ticks() const noexcept;
  [[nodiscard]] double tick(int i) const noexcept { return from + i * step; }

  /// From there, at least as far as to `to`, by about so many steps of 1, 2 or 5 times a power of
  /// ten.
  [[nodiscard]] static value_axis over(double from, double to, int steps = 4) noexcept;
  /// With so many ticks, for an axis beside another one.
  [[nodiscard]] static value_axis with_ticks(double from, double to, int ticks) noexcept;
};

/// 1, 2 or 5 times a power of ten, so that about `steps` of them make up `span`.
[[nodiscard]] double nice_step(double span, int steps) noexcept;

} // namespace jackfield::report
