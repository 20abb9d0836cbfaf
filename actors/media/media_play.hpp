#pragma once

#include <memory>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/media/audio_settings.hpp"

/// What a stream is told to send in place of what it was made to.
namespace jackfield {

/// To a stream: play this, from its begin, while joined to no other. Source and cache count.
struct media_play {
  std::shared_ptr<const audio_settings> what;
};

/// To a stream: send the mix of what these hear, streams of its lane, instead of all else; what it
/// hears itself is passed on as before. None: as before. Answered by a `media_join_result`.
struct media_mix {
  std::vector<caf::strong_actor_ptr> of;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_play)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_mix)
