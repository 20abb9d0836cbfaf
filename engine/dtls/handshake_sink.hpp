#pragma once

#include <cstddef>
#include <span>

namespace jackfield::dtls {

/// Where a handshake's datagrams go.
class handshake_sink {
public:
  /// One datagram for the peer, at most `handshake::mtu` bytes, valid during the call. May not call
  /// the handshake that it comes from.
  virtual void send(std::span<const std::byte> datagram) = 0;

protected:
  ~handshake_sink() = default;
};

} // namespace jackfield::dtls
