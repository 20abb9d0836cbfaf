#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/simulation/live_study.hpp"
#include "engine/simulation/study_report.hpp"

namespace jackfield::simulation {

/// How a live run was made, and how well. Texts may be from outside.
struct live_conditions {
  std::string target; ///< what served: "jackfield serve in this process", or a URI
  std::string callers_over;
  std::string agents_over;
  std::string media;
  double seconds = 0; ///< that it took
  /// Calls of which an agent's phone told who called, and those that were taken for the ones due.
  uint64_t matched_by_caller_id = 0;
  uint64_t matched_in_order = 0;
  /// Why its figures say nothing of what served; empty: they do.
  std::vector<std::string> invalid_reasons;
  /// Calls and registrations that failed, by cause.
  std::vector<std::pair<std::string, uint64_t>> failures;
  std::optional<double> mos_mean;
  std::optional<double> lost_share; ///< of packets
  bool cut = false;                 ///< ended before its time
};

struct live_report {
  study_info info;
  live_plan plan;
  live_conditions conditions;
  live_study study;
};

/// What is told apart before any figure: that it was cut, or why it says nothing; a line each.
[[nodiscard]] std::vector<std::string> live_warnings(const live_report& report);
/// What must be known to read the figures right, a line each.
[[nodiscard]] std::vector<std::string> live_remarks(const live_report& report);
/// What it was served by, over what and for how long, in a line.
[[nodiscard]] std::string live_setting(const live_report& report);
/// "3 ms longer on average (…)" of the waits, beside the twins'; nothing where none is in both.
[[nodiscard]] std::optional<std::string> added_waits_text(const live_study& study);
/// "12 ms", "-1.25 s".
[[nodiscard]] std::string shown_shift(double seconds);
/// "inside", "OUTSIDE", or that its twin is outside, too.
[[nodiscard]] const char* live_verdict(const live_figure& figure) noexcept;
/// The figures that say something: those of callers who hang up only where they do.
[[nodiscard]] bool says_something(const live_plan& plan, const figure_name& which) noexcept;

/// For people: a table of the figures, warnings before it.
[[nodiscard]] std::string live_text(const live_report& report);
/// One object with the keys of `study_json`; each figure with "mean", the live value, "theory",
/// "expected_mean", "expected_low", "expected_high", "twin", "inside" and "twin_inside". One run
/// has no interval of its own: "ci95_low" and "ci95_high" are null.
[[nodiscard]] std::string live_json(const live_report& report);
/// A header, and a line for each figure.
[[nodiscard]] std::string live_csv(const live_report& report);

} // namespace jackfield::simulation
