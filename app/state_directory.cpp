#include "app/state_directory.hpp"

#include <cstdlib>

namespace jackfield::app {

result<std::filesystem::path> default_state_directory() {
  const auto absolute = [](const char* variable) {
    const char* text = std::getenv(variable);
    std::filesystem::path path{text != nullptr ? text : ""};
    return path.is_absolute() ? path : std::filesystem::path{};
  };
  if (auto state = absolute("XDG_STATE_HOME"); !state.empty())
    return state / "jackfield";
  if (auto home = absolute("HOME"); !home.empty())
    return home / ".local/state/jackfield";
  return fail("state directory", "none is named, and neither $XDG_STATE_HOME nor $HOME is set");
}

} // namespace jackfield::app
