#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/report/run_metrics.hpp"

namespace jackfield::report {

/// Beyond which the generator's own troubles spoil what it measured.
struct validity_bounds {
  /// 99th percentile of how late lane passes began.
  std::chrono::milliseconds lane_lag_p99{20};
  /// 99th percentile of how late calls were started.
  std::chrono::milliseconds start_lateness_p99{20};
  /// 99th percentile of how late media packets were sent.
  std::chrono::milliseconds send_lateness_p99{5};
};

/// Whether a run measured the system under test or the generator.
struct verdict {
  bool valid = true;
  /// One line each, with the figure and the bound; empty exactly if valid.
  std::vector<std::string> invalid_reasons;
  /// What a reader should know that does not spoil the run: arrivals left out by the user's own
  /// cap on concurrent calls, calls with audio one way only.
  std::vector<std::string> remarks;
};

[[nodiscard]] verdict judge(const run_metrics& metrics, const validity_bounds& bounds = {});

} // namespace jackfield::report
