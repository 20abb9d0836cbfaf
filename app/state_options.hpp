#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/error/error.hpp"
#include "storage/call_export.hpp"
#include "storage/records.hpp"

namespace jackfield::app {

/// What may be done with a state directory.
namespace state_action {

struct list {
  bool json = false;
};
struct show {
  std::variant<uint64_t, storage::call_key> what; ///< a run's number, or a call
  bool json = false;
};
struct export_lines {
  bool events = false; ///< else finished calls
  storage::line_format format = storage::line_format::json_lines;
  uint64_t from = 1;
  std::string output; ///< empty: standard output
};
struct verify {};
/// Of checkpoint and restore.
struct copy {
  std::filesystem::path into;
};
struct compact {};

using any = std::variant<list, show, export_lines, verify, copy, compact>;

} // namespace state_action

/// What `jackfield state` was asked to do.
struct state_options {
  std::filesystem::path directory; ///< of the store that is read
  state_action::any action;
};

/// As `parse_load_options`.
[[nodiscard]] result<std::optional<state_options>>
parse_state_options(const std::vector<std::string>& arguments);

} // namespace jackfield::app
