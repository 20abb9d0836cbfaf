#pragma once

#include <cstddef>

#include "tests/actors/sim_world.hpp"

namespace jackfield {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif
#else
constexpr bool is_sanitized = false;
#endif

/// Tests that kill a process after each event of a run kill it after every `usual`-th, and under a
/// sanitizer, which makes ten of the time, after every `sanitized`-th.
constexpr size_t crash_stride(size_t usual, size_t sanitized) {
  return is_sanitized ? sanitized : usual;
}

/// Plays so many events of a load run; false if it had finished before.
inline bool play_events(sim_world& world, size_t events) {
  for (size_t i = 0; i < events; ++i)
    if (world.heard().finished || !world.lane().step())
      return false;
  return !world.heard().finished;
}

} // namespace jackfield
