#pragma once

#include <string>

#include "app/option_reader.hpp"
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

/// The texts of these options.
struct keep_texts {
  std::string recover;
  bool durable = false;
};

/// Declares --state, --state-durable and --recover. Both must outlive the parsing.
void declare_keep(CLI::App& app, keep_texts& t, keep_options& o, const std::string& group);
void read_keep(option_reader& r, const keep_texts& t, keep_options& o);

} // namespace jackfield::app
