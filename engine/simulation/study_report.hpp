#pragma once

#include <string>
#include <vector>

#include "engine/simulation/staffing.hpp"

namespace jackfield::simulation {

/// What a report says of where it comes from. No times: the same seed gives the same bytes.
struct study_info {
  std::string version;
  std::string command;
};

/// All that a report is of.
struct study_report {
  study_info info;
  single_queue queue; ///< its number of agents is in `staffing`
  study_options options;
  staffing_result staffing;
};

/// What is simulated, in a line.
[[nodiscard]] std::string study_model(const study_report& report);
/// What must be known to read the figures right, a line each.
[[nodiscard]] std::vector<std::string> study_remarks(const study_report& report);
/// For people: a table for one number of agents, or a line for each.
[[nodiscard]] std::string study_text(const study_report& report);
/// One object. Of the number of agents that was asked for, or found: "p_wait", "asa_s",
/// "service_level", "abandoned", "occupancy" and more, each with "mean", "ci95_low", "ci95_high"
/// and "theory"; null where there is none. All that were tried are in "steps", if more than one
/// was, or a target was given.
[[nodiscard]] std::string study_json(const study_report& report);
/// A header, and a line for each number of agents.
[[nodiscard]] std::string study_csv(const study_report& report);

} // namespace jackfield::simulation
