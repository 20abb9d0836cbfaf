#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/audio/heard_sounds.hpp"
#include "engine/audio/source.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield {

/// What a stream sends while it is joined to no other.
enum class audio_mode : uint8_t {
  play,   ///< the source, over and over
  echo,   ///< each packet's payload back as it comes
  listen, ///< nothing but digits that are dialed
};

/// What one caller sends, where callers differ.
struct audio_choice {
  audio_mode mode = audio_mode::play;
  audio::source_spec source; ///< what is played

  friend auto operator<=>(const audio_choice&, const audio_choice&) = default;
};

/// Shared by all streams of a run or a service; immutable but for the cache's own lock.
struct audio_settings {
  audio_mode mode = audio_mode::play;
  audio::source_spec source;
  audio::opus_settings opus; ///< where that is what is sent
  /// A peer that was heard, or never was, may be silent for so long before the stream's owner is
  /// told (`media_silent`). Zero: for ever.
  lane::duration silence_limit{};
  lane::duration unheard_limit{};
  /// All that comes is decoded, and tones and silence are found in it.
  bool listens = false;
  /// What is to be found then.
  std::optional<audio::expected_sound> expects;
  std::shared_ptr<audio::source_cache> cache = std::make_shared<audio::source_cache>();
};

} // namespace jackfield
