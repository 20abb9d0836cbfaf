#pragma once

#include <memory>
#include <string_view>

#include "actors/media/audio_settings.hpp"
#include "app/config_reader.hpp"

namespace jackfield::app {

/// What is to be heard: "silence", "tone:440", or the name of a sound file, beside the
/// configuration. Played; a tone where nothing is said. A fault where it cannot be.
[[nodiscard]] std::shared_ptr<const audio_settings>
read_sound(config_reader& in, const toml::table& one, std::string_view key);

} // namespace jackfield::app
