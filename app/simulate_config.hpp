#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/simulation/day_study.hpp"

namespace jackfield::app {

/// Reads a day to be simulated, config/simulation.toml, whole: what it says, or each of its faults,
/// with the file, the line, and what was expected. Paths in it are relative to the file.
[[nodiscard]] tl::expected<simulation::day_plan, std::vector<error>>
read_day_plan(const std::string& path);

} // namespace jackfield::app
