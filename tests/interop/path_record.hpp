#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "tests/relay/path/relay.hpp"

namespace jackfield::tests {

/// What a path did to streams of RTP.
struct path_figures {
  std::uint64_t left = 0;  ///< packets that came out of it
  std::uint64_t lost = 0;  ///< between the first and the last of these: no number tells of others
  double variation_ms = 0; ///< |D(i-1,i)| of RFC 3550 section 6.4.1 as they left, all together
  std::uint64_t pairs = 0; ///< and of how many pairs of packets

  [[nodiscard]] double share_lost() const {
    return static_cast<double>(lost) / static_cast<double>(lost + left);
  }
  [[nodiscard]] double jitter_ms() const { return variation_ms / static_cast<double>(pairs); }
};

/// Keeps what a relay did to the packets for its clients, each of which has one stream.
class path_record {
public:
  using clock = std::chrono::steady_clock;

  /// The timestamps of packets of that type are compared, at 8000 Hz; those of others are not.
  explicit path_record(std::uint8_t timed_type) : timed_type_(timed_type) {}

  /// The relay's observer.
  void note(const relay_event& event);

  // To be called when the relay has ended.
  [[nodiscard]] path_figures all() const { return until(clock::time_point::max()); }
  [[nodiscard]] path_figures until(clock::time_point then) const;

private:
  struct packet {
    clock::time_point at;
    std::uint32_t flow = 0;
    std::uint32_t timestamp = 0;
    std::uint16_t sequence = 0;
    bool timed = false;
    bool lost = false;
  };

  std::uint8_t timed_type_;
  std::vector<packet> packets_;
};

} // namespace jackfield::tests
