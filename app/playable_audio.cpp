#include "app/playable_audio.hpp"

#include <chrono>
#include <utility>

namespace jackfield::app {

namespace {

/// What nearly every caller asks for.
constexpr std::chrono::milliseconds usual_ptime{20};

} // namespace

result<void> check_playable(const audio_settings& audio) {
  if (audio.mode != audio_mode::play)
    return {};
  for (const auto codec : {audio::codec::pcmu, audio::codec::pcma})
    if (auto encoded = audio.cache->get(audio.source, codec, usual_ptime); !encoded)
      return tl::unexpected{std::move(encoded.error())};
  return {};
}

} // namespace jackfield::app
