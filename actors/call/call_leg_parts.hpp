#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/call/call_leg.hpp"
#include "actors/call/leg_trickle.hpp"

/// What the sources of `call_leg` share.
namespace jackfield {

/// What few legs need, or for a while only.
struct call_leg::extra {
  std::unique_ptr<error> unacceptable; // the INVITE's offer
  struct early_fork {
    unsigned fork;
    sdp::negotiation state;
  };
  std::vector<early_fork> forks; // whose answers came in provisional responses
  struct ice_restart {
    uint32_t number; // of the peer's offer, 0: for one of ours
    sdp::direction wanted;
  };
  std::optional<ice_restart> restart; // the stream makes its new description
  struct description {
    uint16_t port;
    std::shared_ptr<const sdp::stream_transport> transport;
  };
  std::optional<description> before; // the restart that we offer
  std::unique_ptr<leg_trickle> trickle;
  std::string held_answer;                       // for the ACK that waits
  std::optional<lane::actor_timer> return_timer; // of a client that only it can make a way to
};

inline constexpr std::string_view sdp_type = "application/sdp";

/// Of a command that came at the wrong moment.
inline error not_now(std::string_view command, std::string_view expected) {
  return {std::string{command}, "not now, expected " + std::string{expected}};
}

} // namespace jackfield
