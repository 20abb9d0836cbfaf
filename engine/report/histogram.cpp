#include "engine/report/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace jackfield::report {

namespace {

// Values below 2 * per_octave have a bucket each; every octave above is cut into per_octave.
constexpr unsigned octave_bits = 6;
constexpr uint64_t per_octave = uint64_t{1} << octave_bits;
constexpr unsigned value_bits = 36;
constexpr size_t bucket_count = (value_bits - octave_bits - 1) * per_octave + 2 * per_octave;

constexpr uint64_t saturating_add(uint64_t a, uint64_t b) noexcept {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

constexpr uint64_t saturating_multiply(uint64_t a, uint64_t b) noexcept {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

} // namespace

histogram::histogram() : counts_(bucket_count) {}

size_t histogram::index_of(uint64_t value) noexcept {
  value = std::min(value, largest);
  if (value < per_octave)
    return static_cast<size_t>(value);
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - octave_bits - 1;
  return static_cast<size_t>(shift * per_octave + (value >> shift));
}

uint64_t histogram::lowest_in(size_t index) noexcept {
  if (index < 2 * per_octave)
    return index;
  const auto shift = static_cast<unsigned>(index / per_octave - 1);
  return (per_octave + index % per_octave) << shift;
}

uint64_t histogram::highest_in(size_t index) noexcept {
  if (index < 2 * per_octave)
    return index;
  const auto shift = static_cast<unsigned>(index / per_octave - 1);
  return ((per_octave + index % per_octave + 1) << shift) - 1;
}

void histogram::record(uint64_t value, uint64_t times) noexcept {
  if (times == 0)
    return;
  counts_[index_of(value)] += times;
  count_ += times;
  sum_ = saturating_add(sum_, saturating_multiply(value, times));
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void histogram::record(std::chrono::nanoseconds value) noexcept {
  record(value.count() > 0 ? static_cast<uint64_t>(value.count()) / 1000 : 0, 1);
}

void histogram::merge(const histogram& other) noexcept {
  if (other.count_ == 0)
    return;
  for (size_t i = 0; i < bucket_count; ++i)
    counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ = saturating_add(sum_, other.sum_);
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

histogram histogram::since(const histogram& earlier) const {
  histogram result;
  for (size_t i = 0; i < bucket_count; ++i) {
    const uint64_t added = counts_[i] - std::min(counts_[i], earlier.counts_[i]);
    if (added == 0)
      continue;
    result.counts_[i] = added;
    result.count_ += added;
    result.min_ = std::min(result.min_, std::max(lowest_in(i), min()));
    result.max_ = std::min(highest_in(i), max_);
    // Beyond what is told apart only the overall maximum says how far.
    if (i + 1 == bucket_count)
      result.max_ = max_;
  }
  result.sum_ = sum_ - std::min(sum_, earlier.sum_);
  return result;
}

void histogram::clear() noexcept {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = 0;
  sum_ = 0;
  min_ = UINT64_MAX;
  max_ = 0;
}

double histogram::mean() const noexcept {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

uint64_t histogram::percentile(double percent) const noexcept {
  if (count_ == 0)
    return 0;
  if (!(percent > 0))
    return min();
  if (percent >= 100)
    return max_;
  const double exact_rank = percent / 100 * static_cast<double>(count_);
  // 99.9 % of 1000 is 999.0000000000001 in binary; the rank meant is 999.
  const double rounded = std::ceil(exact_rank - 1e-9 * exact_rank);
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(rounded), 1, count_);
  if (rank == 1)
    return min();
  if (rank == count_)
    return max_;
  uint64_t seen = 0;
  for (size_t i = 0; i < bucket_count; ++i) {
    seen += counts_[i];
    if (seen < rank)
      continue;
    const uint64_t low = lowest_in(i);
    return std::clamp(low + (highest_in(i) - low) / 2, min(), max_);
  }
  return max_;
}

uint64_t histogram::count_at_most(uint64_t value) const noexcept {
  if (value >= max_)
    return count_;
  const size_t last = index_of(value);
  uint64_t seen = 0;
  for (size_t i = 0; i <= last; ++i)
    seen += counts_[i];
  return seen;
}

std::vector<histogram::bucket> histogram::buckets() const {
  std::vector<bucket> result;
  for (size_t i = 0; i < bucket_count; ++i)
    if (counts_[i] != 0)
      result.push_back({lowest_in(i),
                        i + 1 == bucket_count ? std::max(max_, highest_in(i)) : highest_in(i),
                        counts_[i]});
  return result;
}

std::optional<double> percentile_ms(const histogram& h, double percent) noexcept {
  if (h.empty())
    return std::nullopt;
  return static_cast<double>(h.percentile(percent)) / 1000;
}

} // namespace jackfield::report
