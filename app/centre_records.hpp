#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "actors/centre/centre_events.hpp"
#include "engine/error/error.hpp"

namespace jackfield::app {

/// What a contact centre's calls and agents did, line by line, as it happens: events as JSON, and
/// Asterisk's queue_log, which its reporting tools read. On the command's thread.
class centre_records {
public:
  /// Files are appended to; an empty name: none is wanted, "-": standard output.
  static result<centre_records> open(const std::string& events, const std::string& queue_log);

  /// Lines of events are wanted.
  [[nodiscard]] bool wants_lines() const noexcept { return events_ != nullptr; }
  /// `line`: its `event_line`.
  void take(const centre_event& event, const std::string& line);
  /// To the disk's cache. An error is told once.
  result<void> flush();

private:
  using file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  static result<file> open_one(const char* option, const std::string& name);
  void write(file& to, const std::string& line);

  std::string events_name_;
  std::string queue_log_name_;
  file events_{nullptr, nullptr};
  file queue_log_{nullptr, nullptr};
  bool failed_ = false;
};

/// One line each, with its end: for `--events`, and for `--queue-log` ("" where that has none).
[[nodiscard]] std::string event_line(const centre_event& event, uint64_t seq);
[[nodiscard]] std::string queue_log_line(const centre_event& event);

} // namespace jackfield::app
