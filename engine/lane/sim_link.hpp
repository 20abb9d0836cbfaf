#pragma once

#include <chrono>

#include "engine/lane/timer_wheel.hpp"

namespace jackfield::lane {

/// What the simulated network does to a datagram on its way. Probabilities in [0, 1]; what is out
/// of range counts as the nearest value that is not.
struct sim_link {
  /// At most an hour.
  duration delay = std::chrono::milliseconds{1};
  /// Uniform in [delay - jitter, delay + jitter], never below zero; jitter above the spacing of
  /// two datagrams reorders them.
  duration jitter{};
  double loss = 0;
  double duplication = 0;
  /// Mean length of a loss burst in datagrams (Gilbert model); 1 / (1 - loss) and less is
  /// independent loss.
  double burst = 1;
};

} // namespace jackfield::lane
