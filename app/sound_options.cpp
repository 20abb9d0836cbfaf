#include "app/sound_options.hpp"

#include <utility>

#include <CLI/CLI.hpp>

namespace jackfield::app {

result<audio_choice> read_sound(std::string_view place, std::string_view text) {
  if (text == "echo")
    return audio_choice{audio_mode::echo, {}};
  return read_source(place, text).map([](audio::source_spec source) {
    return audio_choice{audio_mode::play, std::move(source)};
  });
}

result<std::vector<audio_choice>> read_sounds(const scenario::user_table& users,
                                              std::string_view audio, const audio_choice& usual) {
  std::vector<audio_choice> made;
  const bool filled = audio.find('{') != std::string_view::npos;
  if (!filled && users.size() > 0 && !users.field(0, "audio"))
    return made;
  made.reserve(users.size());
  for (size_t row = 0; row < users.size(); ++row) {
    auto own = result<audio_choice>{usual};
    if (const auto column = users.field(row, "audio"); column && !column->empty())
      own = read_sound("--users", *column);
    else if (filled)
      own = users.fill("--audio", audio, row).and_then([](const std::string& text) {
        return read_sound("--audio", text);
      });
    if (!own)
      return tl::unexpected{std::move(own.error())};
    made.push_back(std::move(*own));
  }
  return made;
}

void declare_hearing(CLI::App& app, hearing_texts& t, const std::string& group, bool has_lines) {
  app
    .add_flag("--hear", t.hear,
              std::string{"decode all that is heard, and find tones and silence in it: in the "
                          "summary"} +
                (has_lines ? " and, stretch by stretch, with --calls-file" : ""))
    ->group(group);
  app
    .add_option("--expect-sound", t.expected,
                "calls that did not hear it fail: tone, tone:440, tone:350+440, sound or silence")
    ->group(group);
}

void read_hearing(option_reader& r, const hearing_texts& t, bool with_media, bool& listens,
                  std::optional<audio::expected_sound>& expects) {
  listens = t.hear || !t.expected.empty();
  r.check(!listens || with_media, t.hear ? "--hear" : "--expect-sound",
          "is for audio, expected no --media none beside it");
  r.read(t.expected, expects, [](std::string_view text) {
    return audio::expected_sound::parse("--expect-sound", text).map([](auto what) {
      return std::optional{what};
    });
  });
}

} // namespace jackfield::app
