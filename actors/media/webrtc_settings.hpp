#pragma once

#include <vector>

#include "engine/ice/agent_settings.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield {

/// How ICE finds the way of a node's WebRTC streams (RFC 8445).
struct webrtc_settings {
  lane::endpoint stun_server;         ///< not valid: none
  std::vector<ice::turn_server> turn; ///< at most 4 are used
  bool relay_only = false;            ///< through a TURN server or not at all
  /// Answers checks, makes none, and asks no server (RFC 8445 §2.5): for an end that everybody
  /// reaches at its own address.
  bool lite = false;
};

} // namespace jackfield
