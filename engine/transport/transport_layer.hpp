#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/lane/lane.hpp"
#include "engine/transport/flow.hpp"
#include "engine/transport/flow_end.hpp"
#include "engine/transport/stream_splitter.hpp"
#include "engine/transport/transport_settings.hpp"

namespace jackfield::transport {

/// Hears what comes in. Every call may call back into the layer, `close` of the same flow included;
/// none may destroy the layer.
class transport_handler {
public:
  virtual ~transport_handler() = default;
  /// A message (over UDP: a datagram that is not a keep-alive). `bytes` are valid during the call.
  virtual void on_message(const flow& from, std::string_view bytes, time_point arrived) = 0;
  /// A connection is up, and `up.local` is known: one we opened, or one that was accepted and has
  /// done its handshakes.
  virtual void on_flow_up(const flow& /*up*/) {}
  /// A connection is over and `gone.handle` names nothing from now on. Not called after `close`.
  /// Never called from inside `open` or `send`.
  virtual void on_flow_failed(const flow& gone, const flow_end& how) = 0;
  /// Over UDP: the peer's host has nobody at its port, it says (ICMP). Somebody else may have said
  /// so in its name, too. The flow stands.
  virtual void on_peer_refused(const flow& /*to*/) {}
};

/// What a layer did so far.
struct transport_counters {
  uint64_t messages_in = 0;
  uint64_t messages_out = 0;
  uint64_t accepted = 0;
  uint64_t opened = 0;
  /// Connections over for a reason other than an orderly end.
  uint64_t failed = 0;
  /// Connections refused because a cap of `transport_settings` was reached.
  uint64_t refused = 0;
  /// Sends refused because the destination is one nothing may be sent to.
  uint64_t forbidden = 0;
  /// TLS handshakes done, and how many of them resumed a session.
  uint64_t tls_handshakes = 0;
  uint64_t tls_resumed = 0;
};

/// What TLS agreed on, for logs.
struct tls_summary {
  std::string version; // "TLSv1.3"
  std::string cipher;
  bool resumed = false;
};

/// SIP's transports on one lane: UDP, TCP, TLS, WS and WSS, client and server (RFC 3261 §18,
/// RFC 7118). Messages are opaque bytes. Lives on its lane's thread.
class transport_layer {
public:
  /// `home` and `handler` outlive the layer. `splitter` makes the framing of TCP and TLS streams.
  transport_layer(lane::lane& home, transport_handler& handler, splitter_factory splitter,
                  const transport_settings& settings = {});
  /// Closes everything, with a goodbye where there is one (close_notify, a close frame); the
  /// handler hears nothing.
  ~transport_layer();
  transport_layer(const transport_layer&) = delete;
  transport_layer& operator=(const transport_layer&) = delete;

  /// Serves `local` (port 0: the system chooses) and returns the address bound. For UDP this is
  /// also the socket that `open` sends from; a layer has one socket an address family, usually.
  result<lane::endpoint> listen(protocol p, const lane::endpoint& local,
                                const listen_settings& settings = {});
  /// As above for UDP, with a say in the socket (buffer sizes; `trains` is on by default here).
  result<lane::endpoint> listen_udp(const lane::endpoint& local, size_t buffer_bytes);

  /// Names a flow to `remote`; begins a connection where one is needed and none may be shared.
  /// Returns at once: messages sent meanwhile wait (`max_waiting_bytes`), and `on_flow_up` or
  /// `on_flow_failed` follows for a new connection. Fails if the destination is forbidden
  /// (multicast, broadcast, port 0), a cap is reached, the settings do not fit the protocol, or,
  /// over UDP, no socket of the remote's address family was opened by `listen`.
  result<flow> open(protocol p, const lane::endpoint& remote, const open_settings& settings = {});

  /// Sends one message. Returns false if it was not taken: the flow is gone, the destination is
  /// forbidden, or too much waits already; in the last case a connection is closed and
  /// `on_flow_failed` follows. `rank` is for UDP: see `lane::datagram_socket::send`.
  [[nodiscard]] bool send(const flow& to, std::string_view bytes, unsigned rank = 0);

  /// Ends a connection after what was queued has been sent; over UDP, ends its keep-alives. The
  /// handler does not hear of it. A flow that is gone is ignored.
  void close(const flow& which);

  /// Sends a CRLF to a UDP flow's peer now and then (`keep_alive_settings::udp`) until `close`.
  void keep_alive_udp(const flow& which);

  /// The flow as known now (with its local address), or nothing if it is gone.
  [[nodiscard]] std::optional<flow> find(const flow& which) const;
  /// Our own flow to the peer of another lane's UDP flow, from a socket bound to the same address;
  /// nothing where we have none, or it is a connection.
  [[nodiscard]] std::optional<flow> own(const flow& other) const;
  /// True when messages sent to `which` leave at once: up, or UDP.
  [[nodiscard]] bool is_up(const flow& which) const;
  [[nodiscard]] std::optional<tls_summary> tls_of(const flow& which) const;

  [[nodiscard]] size_t connections() const noexcept;
  [[nodiscard]] const transport_counters& counters() const noexcept;
  /// Datagrams lost at this layer's UDP sockets.
  [[nodiscard]] uint64_t udp_drops() const noexcept;

private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

} // namespace jackfield::transport
