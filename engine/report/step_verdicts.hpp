#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/report/run_metrics.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::report {

/// One step of a run's load profile.
struct load_step {
  std::string name;              ///< "500/s"
  std::chrono::nanoseconds ends; ///< since the run began
};

/// Judges each step of a profile by what was measured in it: a short one in which the generator
/// could not keep up does not vanish in the long ones beside it.
class step_verdicts {
public:
  /// `steps` by their ends. With fewer than two there is nothing that the whole does not tell.
  step_verdicts(std::vector<load_step> steps, unsigned lanes, const validity_bounds& bounds);

  /// The merged metrics as of `elapsed` since the run began. About once a second, so a step's
  /// figures end up to that later.
  void sample(std::chrono::nanoseconds elapsed, const run_metrics& metrics);
  /// The run is over.
  void finish(std::chrono::nanoseconds elapsed, const run_metrics& metrics);

  /// Of the steps so far, why they do not count; one line each reason.
  [[nodiscard]] const std::vector<std::string>& invalid_reasons() const noexcept {
    return reasons_;
  }

private:
  void close(std::chrono::nanoseconds elapsed, const run_metrics& metrics);

  std::vector<load_step> steps_;
  size_t next_ = 0; // the step under way
  unsigned lanes_;
  validity_bounds bounds_;
  std::chrono::nanoseconds began_{};
  run_metrics before_;
  std::vector<std::string> reasons_;
};

} // namespace jackfield::report
