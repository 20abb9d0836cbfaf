#pragma once

#include <string>

namespace jackfield::app {

/// Counts SIGINT, SIGTERM and, unless that is ignored (nohup), SIGHUP instead of dying of them;
/// ignores SIGPIPE. Once a process.
void catch_interrupts();

/// How many came so far.
[[nodiscard]] int interrupts() noexcept;
/// The name of the last one.
[[nodiscard]] std::string interrupted_by();

/// Allows as many open files as the system lets us, for a socket a stream.
void raise_file_limit() noexcept;

} // namespace jackfield::app
