#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::simulation {

/// A mean, and in what bounds the true one lies: of runs that do not depend on one another, by
/// Student's t.
struct estimate {
  double mean = 0;
  /// Half the interval's width; nothing of one run, which says nothing of others.
  std::optional<double> margin;

  [[nodiscard]] std::optional<double> low() const noexcept {
    return margin ? std::optional{mean - *margin} : std::nullopt;
  }
  [[nodiscard]] std::optional<double> high() const noexcept {
    return margin ? std::optional{mean + *margin} : std::nullopt;
  }
};

/// Of at least one value. `level`: how sure, between 0 and 1.
[[nodiscard]] estimate estimate_mean(std::span<const double> values, double level = 0.95) noexcept;

/// The t that a share `level` of all values of Student's distribution with `freedom` degrees of
/// freedom, 1 or more, does not exceed in size.
[[nodiscard]] double student_t(double level, uint32_t freedom) noexcept;

/// What a share `p`, from 0 to 1, of all further values is below, as nearly as these tell: at least
/// one, in ascending order. It is the one at the place p (n + 1), counted from 1; between two, in
/// proportion; never beyond the first and the last (R. J. Hyndman and Y. Fan 1996, definition 6).
[[nodiscard]] double quantile(std::span<const double> sorted, double p) noexcept;

} // namespace jackfield::simulation
