#pragma once

#include <string_view>

namespace jackfield::app {

inline constexpr std::string_view version = JACKFIELD_VERSION;

} // namespace jackfield::app
