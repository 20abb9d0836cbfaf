#pragma once

#include <cstdint>
#include <memory>

#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/media/audio_settings.hpp"

/// What a media stream plays on its owner's word, and which keys its owner hears of.
namespace jackfield {

/// To the stream: play another source from now on, from its beginning. Only what is played changes:
/// `settings` has to have the mode `play`, as those before.
struct media_play {
  std::shared_ptr<const audio_settings> settings;
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

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_play)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_played)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_key)
