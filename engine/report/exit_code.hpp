#pragma once

#include "engine/report/run_outcome.hpp"

namespace jackfield::report {

/// Exit codes of `jackfield load`. When several apply the one furthest up this list is given:
///
///   usage (2)           nothing was run, so nothing else can be said
///   internal_error (5)  the run did not come to its end; its figures are not to be trusted
///   invalid (4)         the generator was the bottleneck: thresholds crossed and calls failed
///                       then are as likely its fault as the tested system's, and must not be
///                       reported as the latter
///   threshold (3)       the user said which figures matter: a crossed threshold says more than
///                       that some call failed
///   failed (1)          a call, or a registration, failed. This holds even if all thresholds
///                       passed
///   cut (6)             it was ended before its own time, by a signal say: what was done went
///                       well, but some of what was asked for was not done
///   ok (0)              valid, every threshold passed, nothing failed, all done
enum class exit_code : int {
  ok = 0,
  failed = 1,
  usage = 2,
  threshold = 3,
  invalid = 4,
  internal_error = 5,
  cut = 6,
};

/// The exit code of a run that came to its end.
[[nodiscard]] inline exit_code exit_code_of(const run_report& report) noexcept {
  if (!report.validity.valid)
    return exit_code::invalid;
  if (!report.thresholds_passed())
    return exit_code::threshold;
  if (anything_failed(report.metrics))
    return exit_code::failed;
  return was_cut(report) ? exit_code::cut : exit_code::ok;
}

} // namespace jackfield::report
