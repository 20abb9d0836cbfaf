#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"

namespace jackfield::scenario {

/// Digits that are dialled while a call is up.
struct dial_part {
  std::chrono::nanoseconds after{}; ///< since the answer
  std::string digits;               ///< as given: {columns} of a user table and all

  friend bool operator==(const dial_part&, const dial_part&) = default;
};

/// Reads "123#", "2s:1234,10s:{pin}#": parts separated by commas, each with the time since the
/// answer at which it begins, in the order of their times. Without one a part follows the one
/// before it at once, and the first the answer. The digits themselves are not checked. `place`
/// names the option in errors.
result<std::vector<dial_part>> parse_dial_plan(std::string_view place, std::string_view text);

} // namespace jackfield::scenario
