#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/media/audio_settings.hpp"

/// What a stream is told to send in place of what it was made to, and which keys its owner hears
/// of.
namespace jackfield {

/// To a stream: play this, from its begin, while joined to no other. Source and cache count.
struct media_play {
  std::shared_ptr<const audio_settings> what; ///< null: as before
  /// Once, and silence then: the owner gets `media_played`. Else over and over.
  bool once = false;
  uint32_t number = 0; ///< told in `media_played`
  /// The owner gets a `media_key` for each key that the peer presses (RFC 4733), until told
  /// otherwise.
  bool tells_keys = false;
};

/// To the owner: a source has been played once, to its end.
struct media_played {
  uint32_t number = 0; ///< of the `media_play`
};

/// To the owner: the peer has pressed a key.
struct media_key {
  char digit = '0'; ///< 0-9, *, #, A-D
};

/// To a stream: send the mix of what these hear, streams of its lane, instead of all else; what it
/// hears itself is passed on as before. None: as before. Answered by a `media_join_result`.
struct media_mix {
  std::vector<caf::strong_actor_ptr> of;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_play)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_played)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_key)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_mix)
