#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/live_options.hpp"
#include "engine/error/error.hpp"
#include "engine/simulation/staffing.hpp"

namespace jackfield::app {

/// What `jackfield simulate` was asked to do.
struct simulate_options {
  std::string command; ///< as it was called, for reports

  /// A day, config/simulation.toml; empty: one queue, as follows.
  std::string config;
  bool check_only = false; ///< of the day: say what is wrong with it

  simulation::single_queue queue; ///< without its number of agents
  uint32_t least_agents = 0;
  uint32_t most_agents = 0;
  std::optional<simulation::staffing_target> target;
  simulation::study_options study;
  /// In real time, one run: the queue's agents are `least_agents`. Unset: in simulated time.
  std::optional<live_options> live;

  // Files; empty: none, "-": standard output.
  std::string json;
  std::string csv;
  std::string html;
  bool quiet = false;
};

/// As `parse_load_options`.
[[nodiscard]] result<std::optional<simulate_options>>
parse_simulate_options(const std::vector<std::string>& arguments);

} // namespace jackfield::app
