#pragma once

#include <string>
#include <vector>

namespace jackfield::app {

/// `jackfield serve`: a contact centre, until it is told to end. Returns the exit code.
int serve_command(const std::vector<std::string>& arguments);

} // namespace jackfield::app
