#pragma once

#include <cstddef>
#include <span>

namespace jackfield::ice {

/// Where transaction ids, tie-breakers and credentials come from. On the wire it must be one that
/// nobody can guess: a response is believed by its transaction id.
class random_source {
public:
  virtual void fill(std::span<std::byte> out) noexcept = 0;

protected:
  random_source() = default;
  random_source(const random_source&) = default;
  random_source& operator=(const random_source&) = default;
  ~random_source() = default;
};

/// The operating system's. It may be used by all threads at once and lives as long as the process.
[[nodiscard]] random_source& system_random() noexcept;

} // namespace jackfield::ice
