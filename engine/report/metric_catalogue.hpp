#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/report/run_metrics.hpp"

namespace jackfield::report {

/// What can be asked of a metric in a threshold.
enum class metric_kind : uint8_t {
  trend,   ///< avg, min, med, max, count, p(N)
  counter, ///< count; rate, per second of the run
  share,   ///< count; rate, 0 to 1 of what it is a share of
  gauge,   ///< value
};

/// An aggregation of k6's threshold grammar.
enum class aggregation : uint8_t { avg, min, med, max, count, percentile, rate, value };

/// A metric by the name that thresholds use.
struct metric_entry {
  std::string_view name;
  metric_kind kind;
  std::string_view meaning;
  /// The figure; nothing when nothing was measured. `percent` matters to `percentile` only,
  /// `run_seconds` to a counter's `rate`.
  std::optional<double> (*read)(const run_metrics& metrics, aggregation what, double percent,
                                double run_seconds);
};

/// All metrics, in the order a manual lists them.
[[nodiscard]] std::span<const metric_entry> metric_catalogue() noexcept;
/// Null if there is none of this name.
[[nodiscard]] const metric_entry* find_metric(std::string_view name) noexcept;
/// The name nearest to a mistyped one; empty if none is near.
[[nodiscard]] std::string_view nearest_metric(std::string_view name);
/// "avg, min, med, max, count or p(N)": what fits a kind.
[[nodiscard]] std::string_view aggregations_of(metric_kind kind) noexcept;
[[nodiscard]] bool fits(metric_kind kind, aggregation what) noexcept;

} // namespace jackfield::report
