#pragma once

#include <string>
#include <vector>

namespace jackfield::app {

/// `jackfield state`: shows, checks and copies a state directory. Returns 0, 2 for wrong usage, or
/// the `storage::fault_kind` of what is wrong with the directory, or with what was to be written; 1
/// if there is no such run or call.
int state_command(const std::vector<std::string>& arguments);

} // namespace jackfield::app
