#pragma once

namespace jackfield::app {

/// Counts SIGINT and SIGTERM instead of dying of them; ignores SIGPIPE. Once a process.
void catch_interrupts();

/// How many came so far.
[[nodiscard]] int interrupts() noexcept;

/// Allows as many open files as the system lets us, for a socket a stream.
void raise_file_limit() noexcept;

} // namespace jackfield::app
