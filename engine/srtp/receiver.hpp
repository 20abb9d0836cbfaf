#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/error/error.hpp"
#include "engine/srtp/master_key.hpp"
#include "engine/srtp/session_handle.hpp"

namespace jackfield::srtp {

/// Opens what a peer protected, RTP and RTCP (RFC 3711, RFC 7714). One thread at a time. What is
/// not the peer's changes nothing but a count.
class receiver {
public:
  enum class verdict : uint8_t {
    accepted,
    replayed,  ///< came before, or is older than 1,024 packets
    forged,    ///< by another key, or changed on its way
    malformed, ///< no packet
  };
  /// Packets by what became of them.
  struct counters {
    uint64_t accepted = 0;
    uint64_t replayed = 0;
    uint64_t forged = 0;
    uint64_t malformed = 0;
  };
  struct opened {
    verdict is = verdict::malformed;
    size_t size = 0; ///< of the packet if it was accepted
  };

  /// For whichever sources the peer sends from, by this key. Place "srtp".
  static result<receiver> make(const master_key& key);
  /// Goes on hearing a source whose sequence numbers have wrapped `rollovers` times (ROC). Before
  /// its first packet; `key` as in `make`.
  result<void> resume(const master_key& key, uint32_t ssrc, uint32_t rollovers);

  /// Opens a packet where it lies; `packet` begins at a multiple of 4. Unless it is accepted, its
  /// bytes are of no use any more.
  opened open_rtp(std::span<std::byte> packet) noexcept;
  opened open_rtcp(std::span<std::byte> packet) noexcept;

  [[nodiscard]] const counters& counted() const noexcept { return counted_; }
  [[nodiscard]] uint32_t rollovers(uint32_t ssrc) const noexcept;

  /// Sources of one peer whose place is kept: the one heard longest ago makes room for a new one.
  static constexpr size_t most_sources = 8;

private:
  explicit receiver(session_handle session) noexcept : session_(std::move(session)) {}

  opened judged(srtp_err_status_t status, int size, uint32_t ssrc) noexcept;
  void note(uint32_t ssrc) noexcept;

  session_handle session_;
  counters counted_;
  std::array<uint32_t, most_sources> sources_{}; // heard last first
  uint8_t source_count_ = 0;
};

} // namespace jackfield::srtp
