#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/lane/endpoint.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield::transport {

/// Names a connection or a UDP socket of one `transport_layer`. A handle that outlives what it
/// named never names another: the generation tells.
struct connection_handle {
  uint32_t index = 0;
  uint32_t generation = 0; // 0: names nothing

  [[nodiscard]] explicit operator bool() const noexcept { return generation != 0; }
  friend bool operator==(const connection_handle&, const connection_handle&) = default;
};

/// Where a message came from or goes to (RFC 5626 §2): a plain value, cheap to copy, that owns
/// nothing and means something only to the `transport_layer` that made it. Sending to the flow a
/// request came on is the symmetric response routing of RFC 3581.
struct flow {
  /// Of the layer; a UDP flow's handle is that of the socket.
  connection_handle handle;
  transport::protocol protocol = transport::protocol::udp;
  /// The lane whose layer made it.
  uint8_t lane = 0;
  /// Our address.
  lane::endpoint local;
  /// The peer's address.
  lane::endpoint remote;

  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(handle); }
  /// "tls 192.0.2.1:5061", for logs.
  [[nodiscard]] std::string to_string() const;

  /// The same connection; or, over UDP, the same socket and peer.
  friend bool operator==(const flow& a, const flow& b) noexcept {
    return a.handle == b.handle && a.protocol == b.protocol && a.lane == b.lane &&
           a.remote == b.remote;
  }
};

} // namespace jackfield::transport

template <>
struct std::hash<jackfield::transport::flow> {
  size_t operator()(const jackfield::transport::flow& x) const noexcept {
    const auto handle = (uint64_t{x.handle.generation} << 32U) | x.handle.index;
    return (handle * 0x9e3779b97f4a7c15U) ^ x.remote.hash();
  }
};
