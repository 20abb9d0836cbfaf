#pragma once

#include "actors/media/audio_settings.hpp"
#include "engine/error/error.hpp"

namespace jackfield::app {

/// Has what is played encoded for what callers mostly offer: a file that cannot be played is found
/// now, not at the first call.
result<void> check_playable(const audio_settings& audio);

} // namespace jackfield::app
