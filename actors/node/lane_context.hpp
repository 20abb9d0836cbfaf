#pragma once

#include <memory>

#include "actors/media/media_plane.hpp"
#include "actors/wire/sip_router.hpp"
#include "engine/lane/lane.hpp"

namespace jackfield {

class recorder;

/// What one lane's actors share: the lane, the router of its SIP messages, and the common part of
/// its media. Made and destroyed on the lane's thread (or with the lane not running); outlives the
/// lane's actors.
struct lane_context {
  lane_context(lane::lane& l, const router_settings& router_options,
               const media_plane_settings& media_options)
      : home(l), router(l, router_options), media(l, media_options) {
    // nop
  }

  lane::lane& home;
  sip_router router;
  media_plane media;
  /// What is kept of this lane's calls goes there; null: nothing is.
  recorder* keeps = nullptr;
};

} // namespace jackfield
