#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/relay/path/relay.hpp" // owned_fd

namespace jackfield::tests {

/// What somebody sends who knows where media is heard, and no key or password.
enum class hostile_kind : uint8_t {
  hello, ///< a fragment of a ClientHello of 16,000 bytes
  noise, ///< random bytes, of each first byte by turns (RFC 7983), or a head of STUN before them
  rtp,   ///< a packet of Opus, in sequence
  rtcp,  ///< a report, or a BYE
  wrong_ufrag,    ///< a check for somebody else
  wrong_password, ///< a check with the right ufrag that nominates its sender
  response,       ///< an answer, or a role conflict, to a check that was never sent
};
inline constexpr size_t hostile_kinds = 7;

/// Sends such datagrams, from 127.0.0.1 and from 127.0.0.2, to all ports it is told of, until its
/// end: to each about one a millisecond, every second one of them a hello.
class sprayer {
public:
  sprayer();
  ~sprayer();
  sprayer(const sprayer&) = delete;
  sprayer& operator=(const sprayer&) = delete;

  /// Media is heard at this port of 127.0.0.1, and this ICE user at it; from any thread.
  void aim_at(uint16_t port, std::string ufrag);
  /// Sends no more; the rest is to be asked for after this.
  void stop();

  [[nodiscard]] uint64_t sent(hostile_kind kind) const { return sent_[static_cast<size_t>(kind)]; }
  [[nodiscard]] uint64_t sent() const;
  /// Datagrams that came back and are no STUN: what it managed to be sent.
  [[nodiscard]] uint64_t heard() const noexcept { return heard_; }

private:
  struct target {
    uint16_t port = 0;
    std::string ufrag;
  };

  void run();
  void spray(const target& at);
  [[nodiscard]] std::string make(hostile_kind kind, const target& at);
  [[nodiscard]] std::string random_text(size_t size);
  void read();

  std::array<owned_fd, 2> sockets_;
  std::mutex mutex_;
  std::vector<target> targets_;
  std::atomic<bool> stopped_ = false;
  std::mt19937 random_{1};
  uint64_t rounds_ = 0;
  std::array<uint64_t, hostile_kinds> sent_{};
  uint64_t heard_ = 0;
  std::thread thread_;
};

} // namespace jackfield::tests
