#pragma once

#include <memory>

#include "actors/media/media_path.hpp"
#include "actors/media/media_plane.hpp"
#include "engine/sdp/offer_answer.hpp"

namespace jackfield {

/// Has `capabilities` offer streams that are protected so, and take no others.
void require_protection(sdp::media_capabilities& capabilities, sdp::protection how);

/// Has `capabilities` take whatever is offered of what there are paths for; plain RTP is offered.
void accept_any_protection(sdp::media_capabilities& capabilities);

/// The path of a stream that is protected so; `controls_ice`: our role where that is done. `port`,
/// unless 0, is where it is heard if that can be had and there is no ICE.
[[nodiscard]] std::unique_ptr<media_path> make_path(media_plane& plane, sdp::protection how,
                                                    bool controls_ice, uint16_t port = 0);

} // namespace jackfield
