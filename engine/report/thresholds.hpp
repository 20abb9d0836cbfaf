#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/report/metric_catalogue.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield::report {

enum class comparison : uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };

/// A condition that a run must meet, in k6's grammar.
struct threshold {
  const metric_entry* metric = nullptr; ///< never null in a parsed threshold
  aggregation what = aggregation::value;
  double percent = 0; ///< for `percentile`
  comparison compare = comparison::less;
  double bound = 0;
  bool abort_on_fail = false;
  /// How long after the run's start an abort is first considered.
  std::chrono::nanoseconds abort_delay{0};
  /// As the user wrote it, without spaces: "srd_ms: p(99)<200".
  std::string text;
};

/// Reads `metric: condition, condition...`, for example
///
///     srd_ms: p(99)<200, avg<50
///     failed: rate<0.01 abortOnFail
///     mos: p(5)>=4.0 abortOnFail(10s)
///
/// A condition is an aggregation (avg, min, med, max, count, rate, value, p(N)), an operator
/// (< <= > >= == === !=) and a number, and optionally abortOnFail, with a delay in s or m. `place`
/// names the option or the file and line in errors.
[[nodiscard]] result<std::vector<threshold>> parse_thresholds(std::string_view place,
                                                              std::string_view text);

/// What became of a threshold.
struct threshold_outcome {
  threshold condition;
  /// Nothing when nothing was measured.
  std::optional<double> observed;
  bool passed = false;
};

/// Judges a finished run. A condition on something that was never measured has not been met.
[[nodiscard]] std::vector<threshold_outcome>
evaluate_thresholds(const std::vector<threshold>& thresholds, const run_metrics& metrics,
                    std::chrono::nanoseconds run_length);

/// During a run: the first threshold with abortOnFail that is crossed after its delay, or null.
/// What was not measured yet is not crossed.
[[nodiscard]] const threshold* crossed_abort(const std::vector<threshold>& thresholds,
                                             const run_metrics& metrics,
                                             std::chrono::nanoseconds elapsed);

} // namespace jackfield::report
