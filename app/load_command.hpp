#pragma once

#include <string>
#include <vector>

namespace jackfield::app {

/// `jackfield load`: runs a load as `arguments` say and returns the exit code (see
/// engine/report/exit_code.hpp).
int load_command(const std::vector<std::string>& arguments);

} // namespace jackfield::app
