#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace jackfield::report {

/// A distribution of mean opinion scores, 1.00 to 5.00, in steps of 0.01. A stream that could not
/// be judged is not recorded: unknown is not good.
class mos_distribution {
public:
  /// Records a score; one outside 1 to 5 counts as the nearer bound, and NaN not at all.
  void record(double mos) noexcept;
  void merge(const mos_distribution& other) noexcept;
  /// What was recorded since `earlier`, an older snapshot.
  [[nodiscard]] mos_distribution since(const mos_distribution& earlier) const noexcept;

  [[nodiscard]] uint64_t count() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// Nothing when empty, as the others.
  [[nodiscard]] std::optional<double> mean() const noexcept;
  /// Nearest rank; 0 <= percent <= 100. A low percentile is a bad call: p5 is what 95 % of the
  /// streams reached or exceeded.
  [[nodiscard]] std::optional<double> percentile(double percent) const noexcept;
  [[nodiscard]] std::optional<double> min() const noexcept { return percentile(0); }
  [[nodiscard]] std::optional<double> max() const noexcept { return percentile(100); }

  /// Streams with a score in [1 + step / 100, 1 + (step + 1) / 100).
  [[nodiscard]] uint64_t at(size_t step) const noexcept { return counts_[step]; }
  static constexpr size_t steps = 401;

  friend bool operator==(const mos_distribution&, const mos_distribution&) = default;

private:
  std::array<uint64_t, steps> counts_{};
  uint64_t count_ = 0;
};

} // namespace jackfield::report
