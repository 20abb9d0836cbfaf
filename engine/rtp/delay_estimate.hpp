#pragma once

#include <array>
#include <cstdint>

#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// How much later than the earliest possible the packets of a stream come, and what delay most of
/// them are in time for. A plain value that forgets: the earliest transit is that of the last 512
/// to 1024 packets, and what is 256 packets older counts half.
class delay_estimate {
public:
  /// Takes note of a packet's transit: its arrival less its timestamp, from any fixed origin.
  void on_packet(duration transit) noexcept;

  /// The path changed: what was earliest says nothing any more.
  void restart(duration transit) noexcept;

  /// The earliest transit; zero while nothing came.
  [[nodiscard]] duration earliest() const noexcept { return earliest_; }

  /// The delay after the earliest transit that 97 of 100 packets keep, 5..320 ms, in steps of 5; a
  /// guess of 40 ms has its part in it while few packets came.
  [[nodiscard]] duration needed() const noexcept { return needed_; }

private:
  static constexpr size_t steps = 64;
  static constexpr duration step = std::chrono::milliseconds{5};

  std::array<uint16_t, steps> late_{}; // packets by how late they were
  duration earliest_{};
  duration earliest_of_turn_{};
  duration needed_ = std::chrono::milliseconds{40};
  uint32_t weight_ = 0;   // sum of late_
  uint16_t turn_ = 0;     // packets since earliest_of_turn_ began
  uint16_t to_halve_ = 0; // packets since late_ was halved
  bool began_ = false;
};

} // namespace jackfield::rtp
