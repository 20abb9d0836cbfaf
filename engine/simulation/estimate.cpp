#include "engine/simulation/estimate.hpp"

#include <cmath>
#include <numbers>

namespace jackfield::simulation {

namespace {

/// P(|T| < tan(angle) sqrt(freedom)): M. Abramowitz and I. Stegun, 26.7.3 and 26.7.4.
double share_within(double angle, uint32_t freedom) noexcept {
  const double sine = std::sin(angle);
  const double square = std::cos(angle) * std::cos(angle);
  const bool odd = freedom % 2 == 1;
  double term = odd ? std::cos(angle) : 1;
  double sum = freedom > 1 ? term : 0;
  for (uint32_t k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= square * (k - 1) / k;
    sum += term;
  }
  return odd ? (angle + sine * sum) * 2 / std::numbers::pi : sine * sum;
}

} // namespace

double student_t(double level, uint32_t freedom) noexcept {
  double low = 0;
  double high = std::numbers::pi / 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (share_within(middle, freedom) < level ? low : high) = middle;
  }
  return std::tan(low) * std::sqrt(static_cast<double>(freedom));
}

estimate estimate_mean(std::span<const double> values, double level) noexcept {
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double each : values)
    sum += each;
  estimate e{sum / count, std::nullopt};
  if (values.size() < 2)
    return e;
  double squares = 0;
  for (const double each : values)
    squares += (each - e.mean) * (each - e.mean);
  e.margin = student_t(level, static_cast<uint32_t>(values.size() - 1)) *
             std::sqrt(squares / (count - 1) / count);
  return e;
}

double quantile(std::span<const double> sorted, double p) noexcept {
  const double place = p * static_cast<double>(sorted.size() + 1) - 1;
  if (place <= 0)
    return sorted.front();
  const auto before = static_cast<size_t>(place);
  if (before + 1 >= sorted.size())
    return sorted.back();
  const double part = place - static_cast<double>(before);
  return sorted[before] + (sorted[before + 1] - sorted[before]) * part;
}

} // namespace jackfield::simulation
