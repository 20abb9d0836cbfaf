#pragma once

#include <string>

#include "storage/store.hpp"

namespace jackfield::app {

/// What a command keeps of its calls, and where; empty directory: nothing.
struct keep_options {
  std::string directory;
  storage::durability calls = storage::durability::async;
};

} // namespace jackfield::app
