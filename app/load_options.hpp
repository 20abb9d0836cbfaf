#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/load/load_settings.hpp"
#include "app/keep_options.hpp"
#include "app/trace_options.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/report/thresholds.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::app {

/// What `jackfield load` was asked to do.
struct load_options : load_settings {
  std::string json; ///< "-" is standard output
  std::string html;
  std::string csv;
  std::string junit;
  std::string calls_file;
  keep_options kept;
  std::string plan; ///< what is to be done, as options: two runs that do the same have the same
  trace_options tracing;
  std::optional<lane::endpoint> metrics_listen;
  std::vector<report::threshold> thresholds;
  report::validity_bounds bounds;
  bool quiet = false;
  std::string command; ///< as typed, with secrets hidden
};

/// Reads the arguments of `load` (without the program and command names). An error names the
/// option, and what was expected. Nothing where help was asked for: it has been printed.
[[nodiscard]] result<std::optional<load_options>>
parse_load_options(const std::vector<std::string>& arguments);

} // namespace jackfield::app
