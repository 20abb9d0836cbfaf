#pragma once

#include <string>
#include <vector>

namespace jackfield::app {

/// `jackfield answer`: serves until interrupted. Returns 0 after an orderly end, 1 if a call
/// failed, 2 for wrong usage.
int answer_command(const std::vector<std::string>& arguments);

} // namespace jackfield::app
