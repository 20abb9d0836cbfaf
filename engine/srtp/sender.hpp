#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/error/error.hpp"
#include "engine/srtp/master_key.hpp"
#include "engine/srtp/session_handle.hpp"

namespace jackfield::srtp {

/// Protects what one source sends, RTP and RTCP (RFC 3711, RFC 7714). One thread at a time.
class sender {
public:
  /// For the stream of this SSRC. Place "srtp".
  static result<sender> make(const master_key& key, uint32_t ssrc);

  /// Bytes that a packet grows by, at most.
  static constexpr size_t most_growth = SRTP_MAX_TAG_LEN + 4;

  /// Protects the packet in the first `size` bytes of `buffer`, where it stays; returns its new
  /// size, or 0: there is no room, it is no packet of the stream, or one of its number has gone out
  /// before (nothing is ever sent twice under one number, which would give the key away).
  size_t protect_rtp(std::span<std::byte> buffer, size_t size) noexcept;
  size_t protect_rtcp(std::span<std::byte> buffer, size_t size) noexcept;

  /// Times that sequence numbers wrapped (ROC), for a store.
  [[nodiscard]] uint32_t rollovers() const noexcept;
  /// Goes on as one that has wrapped so often. Before the first packet.
  void set_rollovers(uint32_t count) noexcept;

private:
  sender(session_handle session, uint32_t ssrc) noexcept
      : session_(std::move(session)), ssrc_(ssrc) {}

  session_handle session_;
  uint32_t ssrc_;
};

} // namespace jackfield::srtp
