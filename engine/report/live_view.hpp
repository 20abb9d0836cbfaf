#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "engine/report/interval_series.hpp"
#include "engine/report/run_metrics.hpp"
#include "engine/report/run_report.hpp"

namespace jackfield::report {

/// Where a run stands, for showing it while it goes on. Nothing is owned.
struct live_state {
  const run_info& info;
  const run_metrics& metrics;    ///< merged, as of now
  const interval_series& series; ///< for the current rates
  std::chrono::nanoseconds elapsed{0};
  std::optional<uint64_t> planned_calls; ///< how many arrivals there will be, if known
  double planned_rate = 0;               ///< arrivals a second aimed at now; 0 if there is no aim
  bool draining = false;                 ///< no new calls; waiting for the last to end
  validity_bounds bounds = {};           ///< by which it will be judged
};

/// Renders frames that replace each other on a terminal.
class live_view {
public:
  /// `columns` of the terminal, at least 40 is assumed.
  explicit live_view(unsigned columns, bool colour) : columns_(columns), colour_(colour) {}

  void resize(unsigned columns) noexcept { columns_ = columns; }

  /// Bytes to write: moves the cursor to the previous frame's beginning, and draws over it.
  [[nodiscard]] std::string frame(const live_state& state);
  /// Bytes that remove the last frame, to be written before the final summary.
  [[nodiscard]] std::string erase();

private:
  unsigned columns_;
  bool colour_;
  unsigned lines_drawn_ = 0;
};

/// The same in one plain line with its newline, for logs and pipes; about one every few seconds.
[[nodiscard]] std::string live_line(const live_state& state);

} // namespace jackfield::report
