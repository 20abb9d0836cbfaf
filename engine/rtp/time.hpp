#pragma once

#include <chrono>

namespace jackfield::rtp {

/// Nanoseconds, the same types as a lane's.
using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

} // namespace jackfield::rtp
