#include "app/config_sound.hpp"

#include <string>
#include <utility>

#include "app/option_reader.hpp"
#include "app/playable_audio.hpp"

namespace jackfield::app {

std::shared_ptr<const audio_settings> read_sound(config_reader& in, const toml::table& one,
                                                 std::string_view key) {
  auto made = std::make_shared<audio_settings>();
  made->mode = audio_mode::play;
  const std::string name{key};
  in.parsed(one, key, made->source, [&](const std::string& s) -> result<audio::source_spec> {
    auto source = read_source(name, s);
    const bool is_file = source && s != "silence" && !s.starts_with("tone");
    if (is_file)
      source = read_source(name, in.beside(s));
    if (source) {
      audio_settings trial;
      trial.source = *source;
      if (auto playable = check_playable(trial); !playable)
        return fail(name, playable.error().to_string());
    }
    return source;
  });
  return made;
}

} // namespace jackfield::app
