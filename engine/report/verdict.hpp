#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/report/run_metrics.hpp"

namespace jackfield::report {

/// Beyond which the generator's own troubles spoil what it measured. One hiccup does not: what is
/// late counts by its share, and from so many on that a share means something.
struct validity_bounds {
  /// A lane that begins a pass later than that stood still.
  std::chrono::milliseconds lane_lag{20};
  /// Of the lanes' time, and how much at least; or so long at once.
  double still_share = 0.01;
  std::chrono::milliseconds least_still{250};
  std::chrono::milliseconds still_at_once{2'000};
  /// Calls that were started, and media packets that were sent, later than that are late.
  std::chrono::milliseconds start_lateness{20};
  std::chrono::milliseconds send_lateness{5};
  double late_start_share = 0.01;
  double late_share = 0.01; ///< of packets
  uint64_t least_late_starts = 5;
  uint64_t least_late_packets = 50; ///< a second of one stream
  uint64_t least_late_passes = 10;
};

/// Whether a run measured the system under test or the generator.
struct verdict {
  bool valid = true;
  /// One line each, with the figure and the bound; empty exactly if valid.
  std::vector<std::string> invalid_reasons;
  /// What a reader should know that does not spoil the run: arrivals left out by the user's own
  /// cap on concurrent calls, calls with audio one way only, audio from elsewhere.
  std::vector<std::string> remarks;
};

/// `lane_time`: how long the lanes ran, all together; zero: not known, so of their standing still
/// only what was long at once is judged.
[[nodiscard]] verdict judge(const run_metrics& metrics, std::chrono::nanoseconds lane_time = {},
                            const validity_bounds& bounds = {});

} // namespace jackfield::report
