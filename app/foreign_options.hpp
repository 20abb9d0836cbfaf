#pragma once

#include <string>
#include <vector>

#include "engine/error/error.hpp"

namespace CLI {
class App;
}

namespace jackfield::app {

/// Fails at the first argument that is an option of SIPp's or of k6's and none of `declared`, with
/// what to use instead, and at an unknown one, with the one that was perhaps meant.
result<void> check_options(const CLI::App& declared, const std::vector<std::string>& arguments);

} // namespace jackfield::app
