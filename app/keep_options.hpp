#pragma once

#include <cstdint>
#include <string>

#include "app/option_reader.hpp"
#include "storage/store.hpp"

namespace jackfield::app {

/// What a command keeps of its calls, and where; empty directory: nothing. And what it does with
/// those that a crash left there.
struct keep_options {
  std::string directory;
  storage::durability calls = storage::durability::async;
  enum class recovery : uint8_t {
    hang_up, ///< what a crash left is ended at the peers
    resume,  ///< calls that were up go on, all else as above
    forget,  ///< only its records are closed
  };
  recovery recover = recovery::hang_up;
  bool go_on = false; ///< with the load run that a crash cut off
};

/// The texts of these options.
struct keep_texts {
  std::string recover;
  bool durable = false;
};

/// Declares --state, --state-durable and --recover. Both must outlive the parsing. `resumes`: calls
/// that a crash left can go on.
void declare_keep(CLI::App& app, keep_texts& t, keep_options& o, const std::string& group,
                  bool resumes);
void read_keep(option_reader& r, const keep_texts& t, keep_options& o, bool resumes);

} // namespace jackfield::app
