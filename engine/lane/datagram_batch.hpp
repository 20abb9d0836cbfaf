#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include <sys/socket.h>

#include "engine/lane/datagram_ring.hpp"
#include "engine/lane/socket.hpp"
#include "engine/lane/udp_socket.hpp"

namespace jackfield::lane {

/// `lane::send_all` and `receive_all` of an io_lane: by a `datagram_ring`, or one by one where the
/// system has none.
class datagram_batch {
public:
  explicit datagram_batch(std::unique_ptr<datagram_ring> ring) noexcept : ring_(std::move(ring)) {}

  /// All sockets are `udp_socket`s.
  void send(std::span<const outgoing_datagram> datagrams);
  void receive(std::span<datagram_socket*> sockets);

private:
  static constexpr size_t most = datagram_ring::most;

  void send_some(std::span<const outgoing_datagram> datagrams);
  void receive_some(std::span<datagram_socket*> sockets);

  std::unique_ptr<datagram_ring> ring_; // null: none
  std::array<datagram_ring::message, most> messages_;
  std::array<msghdr, most> headers_; // of what is sent
  std::array<iovec, most> vectors_;
  std::array<sockaddr_storage, most> names_;
};

} // namespace jackfield::lane
