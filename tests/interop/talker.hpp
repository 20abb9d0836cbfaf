#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/relay/path/relay.hpp" // owned_fd, socket_address

namespace jackfield::tests {

/// Talks to each address that it hears from, for a given time: PCMU, a packet in 20 ms, with
/// numbers and timestamps that wrap round on the way. One socket of 127.0.0.1 and one thread.
class talker {
public:
  static constexpr std::chrono::milliseconds packet_time{20};
  static constexpr std::uint32_t packet_samples = 160;
  static constexpr std::uint8_t speech_type = 0;
  static constexpr std::uint8_t noise_type = 13;

  struct manner {
    /// As a PBX that suppresses silence has it: about a second of speech, then one packet of
    /// comfort noise (RFC 3389), and no more for about 400 ms.
    bool pauses = false;
    unsigned packet_times = 0; ///< that each is talked to
  };

  explicit talker(const manner& how);
  ~talker();
  talker(const talker&) = delete;
  talker& operator=(const talker&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// Falls silent; how many packets it sent.
  std::uint64_t finish();

private:
  using clock = std::chrono::steady_clock;

  struct listener {
    socket_address address;
    std::uint32_t ssrc = 0;
    std::uint32_t timestamp = 0;
    std::uint16_t sequence = 0;
    unsigned left = 0;   ///< packet times in all
    unsigned speech = 0; ///< packet times in this spurt
    unsigned pause = 0;  ///< and behind it
    bool turns = false;  ///< the next packet time is the first one of a spurt or a pause
  };

  void run();
  void hear();
  void talk_where_due();
  void talk(listener& to);
  void send(listener& to, std::uint8_t type, bool marker);
  [[nodiscard]] unsigned drawn(unsigned least, unsigned most);

  manner how_;
  owned_fd socket_;
  owned_fd timer_;
  owned_fd stopper_;
  std::uint16_t port_ = 0;
  std::uint64_t sent_ = 0;
  std::minstd_rand random_;
  std::set<std::uint16_t> known_; ///< the listeners' ports
  std::multimap<clock::time_point, listener> due_;
  std::thread thread_;
};

} // namespace jackfield::tests
