#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield::lane {

/// Everything here lives on one lane and is called on its thread only. A handler outlives its
/// socket; destroying a socket closes it and no call into the handler follows.

/// Receives the datagrams of one socket.
class datagram_handler {
public:
  virtual ~datagram_handler() = default;
  /// `bytes` are valid during the call. `arrived` is the time of the pass, or the kernel's
  /// receive time where the socket was opened with `on_demand`.
  virtual void on_datagram(const endpoint& from, std::span<const std::byte> bytes,
                           time_point arrived) = 0;
  /// The peer's host refused an earlier datagram (ICMP port unreachable and the like). Only
  /// connected sockets hear of it.
  virtual void on_datagram_error(int /*errno_value*/) {}
  /// The same of sockets opened with `hears_refusals`, connected or not: a datagram to `by` had
  /// nobody at its port.
  virtual void on_datagram_refused(const endpoint& /*by*/) {}
};

/// Whether sockets of several lanes serve one port, among which the system then spreads what comes
/// in: by the peer's address and port, so that one peer, or one connection, is always the same
/// lane's. A sim_lane has one socket a port.
enum class port_sharing : uint8_t {
  none,
  /// Others may join; fails where somebody serves the port already.
  first,
  /// Joins one that was opened as `first` by this user.
  beside,
};

/// Asks for what a socket is used for; the lane picks the system's means.
struct datagram_options {
  /// Socket buffers asked for, bytes each way; the kernel may grant less.
  size_t buffer_bytes = 8U << 20U;
  /// Many equal-sized datagrams to few peers: gathered into trains (UDP_SEGMENT) at the end of
  /// the pass and received as trains (UDP_GRO). Order between datagrams of one rank is kept.
  bool trains = false;
  /// A media socket: polled in the lane's own media set, sends go out at once.
  bool media = false;
  /// Nothing is told of what comes in; the owner asks with `receive_pending`, as a stream does once
  /// a frame: thousands of them then cost no wake-up a packet. Arrivals carry the kernel's time.
  bool on_demand = false;
  /// Hosts that have nobody at the port say so: `on_datagram_refused` (IP_RECVERR, ip(7)).
  bool hears_refusals = false;
  port_sharing sharing = port_sharing::none;
  /// Connect to this peer: others' datagrams are dropped by the kernel.
  endpoint connect_to{};
};

/// A UDP socket, or its simulated twin.
class datagram_socket {
public:
  virtual ~datagram_socket() = default;
  /// Queues a datagram; it leaves at the end of the lane's pass, together with others. `rank`
  /// orders the queue where trains reorder it: lower ranks leave first (0..7). Datagrams the
  /// kernel refuses are counted in `drops`.
  virtual void send(const endpoint& to, std::string_view bytes, unsigned rank = 0) = 0;
  /// From now on exchanges datagrams with `peer` only: others' are dropped by the kernel, and
  /// sending costs no route look-up. What arrived earlier from others may still be handed up.
  virtual result<void> connect(const endpoint& peer) = 0;
  /// From now on hears anybody again.
  virtual void disconnect() noexcept = 0;
  /// Hands up what has come in, oldest first, and any error the kernel keeps; for sockets opened
  /// with `on_demand`, of others nothing is pending. What came in during the last few milliseconds
  /// may be left for the next call. The handler may destroy the socket.
  virtual void receive_pending() = 0;
  /// From now on what comes in is told of as it comes (false), or only when asked for, as with the
  /// option `on_demand`; what waits already is handed up soon. Fails, with nothing changed, if the
  /// system watches no more sockets. For media sockets; the handler may destroy the socket.
  virtual result<void> set_on_demand(bool on_demand) = 0;
  /// The bound address; the port is the real one even if 0 was asked for.
  [[nodiscard]] virtual const endpoint& local() const noexcept = 0;
  /// Datagrams lost at this socket: receive-queue overflows (SO_RXQ_OVFL) and refused sends.
  [[nodiscard]] virtual uint64_t drops() const noexcept = 0;
};

/// One datagram of several that are sent together.
struct outgoing_datagram {
  datagram_socket* socket;
  endpoint to;
  std::string_view bytes;
};

class stream_socket;

/// Hears of one stream (a TCP connection or its simulated twin).
class stream_handler {
public:
  virtual ~stream_handler() = default;
  /// An outgoing connection is up. Not called for accepted ones.
  virtual void on_connected() {}
  /// Bytes came in; valid during the call. The handler may destroy the stream.
  virtual void on_data(std::span<const std::byte> bytes) = 0;
  /// What was queued has all been taken by the system.
  virtual void on_drained() {}
  /// The stream is over: `why.cause` is empty when the peer closed in order. Last call; the
  /// handler may destroy the stream.
  virtual void on_closed(const error& why) = 0;
};

/// A TCP connection.
class stream_socket {
public:
  virtual ~stream_socket() = default;
  /// Queues bytes; all writes of a pass leave in one system call at its end. Returns false, and
  /// queues nothing, when more than `max_queued` bytes would wait: the peer does not read, and the
  /// caller should close.
  [[nodiscard]] virtual bool write(std::string_view bytes) = 0;
  /// Sends what is queued, then closes; `on_closed` is not called any more. Destroying without
  /// this closes at once; after it, what the system takes without waiting still goes.
  virtual void finish() = 0;
  [[nodiscard]] virtual size_t queued() const noexcept = 0;
  [[nodiscard]] virtual const endpoint& local() const noexcept = 0;
  [[nodiscard]] virtual const endpoint& remote() const noexcept = 0;

  static constexpr size_t max_queued = 1U << 20U;
};

/// Receives the connections of a listener.
class accept_handler {
public:
  virtual ~accept_handler() = default;
  /// A connection came in. Return the handler that is to hear of it, or nullptr to refuse it. The
  /// handler owns `stream`.
  virtual stream_handler* on_accept(std::unique_ptr<stream_socket> stream) = 0;
};

/// A listening TCP socket. When the process is out of file descriptors it keeps serving: the
/// connection is accepted on a reserve descriptor and closed.
class stream_listener {
public:
  virtual ~stream_listener() = default;
  [[nodiscard]] virtual const endpoint& local() const noexcept = 0;
};

} // namespace jackfield::lane
