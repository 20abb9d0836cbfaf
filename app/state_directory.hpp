#pragma once

#include <filesystem>

#include "engine/error/error.hpp"

namespace jackfield::app {

/// Where state is kept when no directory is named: $XDG_STATE_HOME/jackfield, and where that is not
/// set, or no absolute path (XDG Base Directory Specification), ~/.local/state/jackfield. Root's is
/// no other. Fails if there is no home either.
[[nodiscard]] result<std::filesystem::path> default_state_directory();

} // namespace jackfield::app
