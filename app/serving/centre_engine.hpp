#pragma once

#include <memory>
#include <string>

#include "actors/centre/bridged_call.hpp"
#include "actors/media/audio_settings.hpp"
#include "actors/node/node.hpp"
#include "engine/lane/endpoint.hpp"

/// How a contact centre is set up, whichever command runs one.
namespace jackfield::app {

/// In what one centre's node differs from another's.
struct centre_site {
  unsigned lanes = 1;
  std::string user_agent;
  lane::endpoint media_address; ///< where calls are heard
  uint16_t first_media_port = 10'000;
  uint16_t last_media_port = 65'535;
};

/// Its lanes serve together, and take WebRTC and plain RTP.
[[nodiscard]] node_settings node_settings_of(const centre_site& site);

/// How its calls are bridged: takes and offers what phones and browsers have. `hold_music` is of
/// calls that are none of a queue; null: what the other side sends is passed on.
[[nodiscard]] std::shared_ptr<const bridge_manner>
bridge_manner_at(const lane::endpoint& media_address,
                 std::shared_ptr<const audio_settings> hold_music);

} // namespace jackfield::app
