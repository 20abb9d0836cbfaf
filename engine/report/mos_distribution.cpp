#include "engine/report/mos_distribution.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::report {

namespace {

double score_of(size_t step) noexcept {
  return 1 + static_cast<double>(step) / 100;
}

} // namespace

void mos_distribution::record(double mos) noexcept {
  if (std::isnan(mos))
    return;
  // Rounded down, so that no stream is reported better than it was; a score that binary fractions
  // put a hair below a step belongs to the step.
  const double steps_above = (std::clamp(mos, 1.0, 5.0) - 1) * 100;
  ++counts_[static_cast<size_t>(std::floor(steps_above + 1e-6))];
  ++count_;
}

void mos_distribution::merge(const mos_distribution& other) noexcept {
  for (size_t i = 0; i < steps; ++i)
    counts_[i] += other.counts_[i];
  count_ += other.count_;
}

mos_distribution mos_distribution::since(const mos_distribution& earlier) const noexcept {
  mos_distribution result;
  for (size_t i = 0; i < steps; ++i) {
    result.counts_[i] = counts_[i] - std::min(counts_[i], earlier.counts_[i]);
    result.count_ += result.counts_[i];
  }
  return result;
}

std::optional<double> mos_distribution::mean() const noexcept {
  if (count_ == 0)
    return std::nullopt;
  double sum = 0;
  for (size_t i = 0; i < steps; ++i)
    sum += score_of(i) * static_cast<double>(counts_[i]);
  return sum / static_cast<double>(count_);
}

std::optional<double> mos_distribution::percentile(double percent) const noexcept {
  if (count_ == 0)
    return std::nullopt;
  const double share = std::isnan(percent) ? 0 : std::clamp(percent, 0.0, 100.0) / 100;
  const double exact_rank = share * static_cast<double>(count_);
  const double rounded = std::ceil(exact_rank - 1e-9 * exact_rank);
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(rounded), 1, count_);
  uint64_t seen = 0;
  size_t step = 0;
  for (; step + 1 < steps; ++step) {
    seen += counts_[step];
    if (seen >= rank)
      break;
  }
  return score_of(step);
}

} // namespace jackfield::report
