#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/lane/endpoint.hpp"
#include "engine/lane/socket.hpp"
#include "engine/lane/timer_wheel.hpp"
#include "engine/transport/tls_context.hpp"

namespace jackfield::transport {

using lane::duration;
using lane::time_point;

/// When connections are probed. Intervals are drawn anew each time between 80 and 100 % of the
/// value (RFC 5626 §4.4); 0 is off.
struct keep_alive_settings {
  /// TCP and TLS, on connections we opened: CRLF CRLF, answered by CRLF (RFC 5626 §3.5.1).
  duration stream{};
  /// WS and WSS, either side: a ping frame.
  duration websocket{};
  /// UDP flows given to `keep_alive_udp`: CRLF, unanswered; keeps a NAT's binding.
  duration udp{};
  /// No answer within this: the flow fails.
  duration pong_timeout = std::chrono::seconds{10};
};

/// Bounds and times of a `transport_layer`.
struct transport_settings {
  /// Connections at once, in all (both directions) and accepted from one IP address.
  size_t max_connections = 100'000;
  size_t max_accepted_per_peer = 20'000;
  /// An outgoing connection must be up (TCP, TLS and WebSocket handshakes done) within this.
  duration connect_timeout = std::chrono::seconds{10};
  /// An accepted connection must have brought a whole message within this.
  duration first_message_timeout = std::chrono::seconds{10};
  /// A message once begun must be whole within this, however slowly its bytes drip.
  duration message_timeout = std::chrono::seconds{30};
  /// A connection on which nothing was sent or received for this long is closed; 0: never.
  duration idle_timeout = std::chrono::minutes{10};
  /// Bytes of messages that wait for an outgoing connection to come up: a load run's calls share a
  /// connection, and thousands may begin while a busy peer shakes hands.
  size_t max_waiting_bytes = 4U << 20U;
  /// TLS handshake steps taken in one pass of the lane; others wait for the next, so that a storm
  /// of connections (0.5 ms of CPU each) cannot starve the lane.
  size_t max_handshakes_per_pass = 8;
  keep_alive_settings keep_alive;
  /// What the layer's flows say of where they live; nothing: the lane's index.
  std::optional<uint8_t> lane;
};

/// A WebSocket server's conditions (RFC 7118). The subprotocol must be "sip".
struct ws_server_settings {
  /// Origins let in, compared exactly; a request without Origin (no browser) is let in. Empty: any.
  std::vector<std::string> allowed_origins;
};

/// A WebSocket client's request (RFC 7118 §4.1). Host is the server name and port.
struct ws_client_settings {
  /// Path and query, beginning with "/".
  std::string path = "/";
  /// Sent if not empty.
  std::string origin;
};

struct listen_settings {
  /// TLS and WSS: a server context.
  std::shared_ptr<tls_context> tls;
  ws_server_settings ws;
  /// For a port that several lanes serve.
  lane::port_sharing sharing = lane::port_sharing::none;
};

struct open_settings {
  /// The name the user meant, before any look-up: checked against the certificate, sent as SNI and
  /// as WebSocket Host. A numeric address is checked as one. Empty: the remote address.
  std::string server_name;
  /// TLS and WSS: a client context.
  std::shared_ptr<tls_context> tls;
  ws_client_settings ws;
  /// Local address to connect from; invalid: the system chooses. Over UDP: the socket to use.
  lane::endpoint local;
  /// Take an existing connection with the same protocol, remote endpoint, server name, TLS context
  /// and WebSocket request if there is one; otherwise always a new one.
  bool share = true;
};

} // namespace jackfield::transport
