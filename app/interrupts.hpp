#pragma once

#include <string>

namespace jackfield::app {

/// Counts SIGINT, SIGTERM and, unless that is ignored (nohup), SIGHUP instead of dying of them;
/// ignores SIGPIPE. Once a process.
void catch_interrupts();

/// SIGHUP asks for the configuration to be read anew, instead. After `catch_interrupts`.
void catch_reloads();
/// How many did so far.
[[nodiscard]] int reloads() noexcept;

/// How many interrupts came so far.
[[nodiscard]] int interrupts() noexcept;
/// The name of the last one.
[[nodiscard]] std::string interrupted_by();

/// Allows as many open files as the system lets us, for a socket a stream.
void raise_file_limit() noexcept;

} // namespace jackfield::app
