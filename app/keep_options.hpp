#pragma once

#include <string>

#include "storage/store.hpp"

namespace jackfield::app {

/// What a command keeps of its calls, and where; empty directory: nothing. And what it does with
/// those that a crash left there.
struct keep_options {
  std::string directory;
  storage::durability calls = storage::durability::async;
  /// What a crash left is ended at the peers; else only its records are closed.
  bool hang_up = true;
};

} // namespace jackfield::app
