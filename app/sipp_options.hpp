#pragma once

#include <string>
#include <vector>

namespace jackfield::app {

/// SIPp's options have one dash and several letters ("-inf users.csv", "-rp 1000"). Turns those
/// that we share with it into the long options that the command line parser knows ("--inf");
/// everything else is left alone. The program's name is not among `arguments`.
[[nodiscard]] std::vector<std::string> from_sipp_habits(std::vector<std::string> arguments);

} // namespace jackfield::app
