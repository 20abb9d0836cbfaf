#pragma once

#include <cstdint>

#include "engine/error/error.hpp"

namespace jackfield::transport {

/// How a way to a peer ended, or why it could not be had.
struct flow_end {
  /// What it was doing then.
  enum class stage : uint8_t {
    lookup,     ///< its name was looked for (RFC 3263)
    connecting, ///< TCP
    tls,        ///< the handshake, certificates with it
    websocket,  ///< the HTTP request that makes it one (RFC 6455 §4)
    up
  };
  stage during = stage::up;
  /// Its cause is empty when the peer, or the idle timer, closed it in order.
  error why;
  /// The peer said that it goes, by a WebSocket's close frame: a process that is killed does not.
  bool said_goodbye = false;
};

} // namespace jackfield::transport
