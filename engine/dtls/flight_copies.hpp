#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/dtls/handshake_sink.hpp"

namespace jackfield::dtls {

/// Retransmissions of the flight under way, made in advance and sent one after the other. Each has
/// record numbers of its own, as a peer discards those that it has seen (RFC 6347 §4.1.2.6).
class flight_copies {
public:
  /// Enough for 30 s of waits that double from 100 ms to 4 s. OpenSSL gives up at the 13th.
  static constexpr size_t max_copies = 11;

  /// Forgets all copies.
  void clear() noexcept;
  /// Begins another one, to which `add` gives its datagrams.
  void begin_copy() noexcept { ++made_; }
  void add(std::span<const std::byte> datagram);

  [[nodiscard]] size_t made() const noexcept { return made_; }
  [[nodiscard]] bool empty() const noexcept { return next_ == datagrams_.size(); }
  /// Sends the oldest copy that was not yet sent; not if `empty`.
  void send_next(handshake_sink& to);

private:
  struct datagram_end {
    size_t copy;
    size_t end;
  };
  std::vector<std::byte> bytes_;
  std::vector<datagram_end> datagrams_;
  size_t made_ = 0;
  size_t next_ = 0; // of datagrams_
};

} // namespace jackfield::dtls
