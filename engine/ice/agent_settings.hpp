#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/ice/credentials.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::ice {

/// Between us and the server. There is no TLS: libnice has none for servers of RFC 8656.
enum class turn_transport : uint8_t { udp, tcp };

struct turn_server {
  lane::endpoint address;
  std::string user;
  std::string password;
  turn_transport transport = turn_transport::udp;
};

/// What one agent is made of: one component on one socket. It is never lite: with libnice's
/// `full-mode` off it asks no servers, but makes checks all the same (0.1.21). A lite end is a
/// `connectivity` and needs no agent.
struct agent_settings {
  static constexpr std::chrono::milliseconds usual_patience{39'500};

  lane::endpoint local_address; ///< the port is not looked at
  /// The range from which the socket's port is taken; both 0: any port.
  uint16_t first_port = 0;
  uint16_t last_port = 0;
  bool controlling = false;      ///< later only a conflict changes it
  credentials local;             ///< valid ones; must be told to the peer
  lane::endpoint stun_server;    ///< not valid: none
  std::vector<turn_server> turn; ///< at most 4 are used
  bool relay_only = false;       ///< nothing but relayed candidates is told or used
  /// How long checks may take from the time the peer's credentials are known (RFC 8863 §4): the
  /// peer's candidates may come late, or never, and its checks serve as well.
  std::chrono::milliseconds patience = usual_patience;
};

} // namespace jackfield::ice
