#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "actors/wire/trace_file.hpp"
#include "actors/wire/trace_outlet.hpp"
#include "app/option_reader.hpp"

namespace jackfield::app {

/// A trace of SIP messages that was asked for, or not: then there is no file.
struct trace_options {
  std::string file;
  bool all = false;
  uint64_t limit = uint64_t{1} << 30U; ///< bytes
};

/// The texts of these options.
struct trace_texts {
  std::string limit;
};

/// Declares --trace, --trace-all and --trace-limit. Both must outlive the parsing.
void declare_trace(CLI::App& app, trace_texts& t, trace_options& o, const std::string& group);
void read_trace(option_reader& r, const trace_texts& t, trace_options& o);

/// A trace while a command runs.
struct open_trace {
  std::shared_ptr<trace_file> file; ///< null: none was asked for
  std::shared_ptr<const trace_settings> settings;

  /// Says on standard error why the trace had to end, once.
  void tell_failure() const;
  /// Writes the rest.
  void close() const;
};
result<open_trace> start_trace(const trace_options& o);

} // namespace jackfield::app
