#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackfield::app {

/// A command line as reports show it: what options and URIs say of passwords is hidden. `command`:
/// "jackfield load".
[[nodiscard]] std::string shown_command(std::string_view command,
                                        const std::vector<std::string>& arguments);

} // namespace jackfield::app
