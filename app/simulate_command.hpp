#pragma once

#include <string>
#include <vector>

namespace jackfield::app {

/// `jackfield simulate`: plays a contact centre in simulated time and returns the exit code: 0, or
/// as engine/report/exit_code.hpp has it, threshold where a target cannot be met, or a queue's
/// whole day misses its own.
int simulate_command(const std::vector<std::string>& arguments);

} // namespace jackfield::app
