#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>

namespace jackfield::tests {

/// What a path does to datagrams. All shares are from 0 to 1.
struct impairment_options {
  std::uint64_t seed = 1;
  double loss = 0;                    ///< long-term share of lost datagrams
  std::optional<double> burst;        ///< mean length of a run of losses; none: each lost by itself
  std::chrono::nanoseconds delay{0};  ///< mean delay
  std::chrono::nanoseconds jitter{0}; ///< uniform, from -jitter to +jitter; at most `delay`
  double duplicate = 0;               ///< share of datagrams that arrive twice
  double reorder = 0;                 ///< share of datagrams held back by `reorder_hold` more
  std::size_t mtu = 65'535;           ///< bytes of payload; larger datagrams are dropped
};

/// What becomes of one datagram.
struct fate {
  enum class cause : std::uint8_t { delivered, lost, too_big };

  cause why = cause::delivered;
  bool held_back = false;
  std::size_t copies = 0; ///< 0, 1 or 2
  std::array<std::chrono::nanoseconds, 2> delays{};

  friend bool operator==(const fate&, const fate&) = default;
};

/// One direction of an impaired path (Gilbert's model: a good state that loses nothing, a bad one
/// that loses all). A plain value without clock or I/O: the n-th datagram's fate depends only on
/// the options, the direction and the sizes before it, and is the same on every machine.
class impairment {
public:
  enum class direction : std::uint8_t { to_target, to_client };

  /// How much longer than its neighbours a reordered datagram takes.
  static constexpr std::chrono::milliseconds reorder_hold{20};

  /// The largest loss that runs of this mean length can give.
  static double max_loss(double burst) noexcept { return burst / (burst + 1); }

  /// The options must be those that `parse_options` accepts.
  impairment(const impairment_options& options, direction way);

  /// Decides on the next datagram; outside of times of loss none is lost.
  fate next(std::size_t bytes, bool in_time_of_loss = true);

private:
  double draw();
  std::chrono::nanoseconds draw_delay();

  impairment_options options_;
  std::mt19937_64 random_;
  double into_bad_; ///< chance to go from the good state into the bad one, a datagram
  double out_of_bad_;
  bool bad_ = false;
};

} // namespace jackfield::tests
