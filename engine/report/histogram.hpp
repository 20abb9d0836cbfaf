#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace jackfield::report {

/// A distribution of non-negative integers, in practice microseconds: log-linear buckets (64 to an
/// octave) that keep every value's position within 0.8 %, from 1 to `largest`. Values up to 127 and
/// the smallest and largest ones recorded are exact, as are count and sum.
///
/// A histogram takes about 16 KB. Recording costs a few nanoseconds and never allocates. A plain
/// value: copy it to take a snapshot, merge snapshots in any order. A moved-from histogram may only
/// be assigned to or destroyed.
class histogram {
public:
  /// The largest value told apart, about 19 hours in microseconds. Greater ones are counted in the
  /// last bucket; `max`, `sum` and `mean` still know them as they were.
  static constexpr uint64_t largest = (uint64_t{1} << 36) - 1;

  histogram();

  void record(uint64_t value) noexcept { record(value, 1); }
  /// Records `value` as if it had come `times` times.
  void record(uint64_t value, uint64_t times) noexcept;
  /// Records a duration in microseconds, rounded down; a negative one counts as 0.
  void record(std::chrono::nanoseconds value) noexcept;

  /// Adds what `other` recorded.
  void merge(const histogram& other) noexcept;

  /// What was recorded since `earlier`, an older snapshot of this histogram. The smallest and
  /// largest value of the difference are known to bucket precision only.
  [[nodiscard]] histogram since(const histogram& earlier) const;

  void clear() noexcept;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] uint64_t count() const noexcept { return count_; }
  /// Sum of all values; saturates.
  [[nodiscard]] uint64_t sum() const noexcept { return sum_; }
  /// 0 when empty, as `max` and `mean`.
  [[nodiscard]] uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] uint64_t max() const noexcept { return max_; }
  [[nodiscard]] double mean() const noexcept;

  /// The smallest value that at least `percent` per cent of all values do not exceed (nearest
  /// rank), 0 <= percent <= 100; what is outside is clamped. 0 is the minimum and 100 the maximum,
  /// both exact. 0 when empty.
  [[nodiscard]] uint64_t percentile(double percent) const noexcept;

  /// How many values were at most `value`; exact at bucket edges, else to bucket precision.
  [[nodiscard]] uint64_t count_at_most(uint64_t value) const noexcept;

  /// A run of equal-bucket values, for charts: how many lay in [from, to].
  struct bucket {
    uint64_t from;
    uint64_t to;
    uint64_t count;
  };
  /// The buckets that are not empty, in ascending order.
  [[nodiscard]] std::vector<bucket> buckets() const;

  friend bool operator==(const histogram&, const histogram&) = default;

private:
  static size_t index_of(uint64_t value) noexcept;
  static uint64_t lowest_in(size_t index) noexcept;
  static uint64_t highest_in(size_t index) noexcept;

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

/// A percentile of a histogram of microseconds in milliseconds; nothing when it is empty.
[[nodiscard]] std::optional<double> percentile_ms(const histogram& h, double percent) noexcept;

} // namespace jackfield::report
