#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/media/audio_settings.hpp"
#include "app/option_reader.hpp"
#include "engine/audio/heard_sounds.hpp"
#include "engine/scenario/user_table.hpp"

namespace jackfield::app {

/// "echo", "tone", "tone:440", "silence", or a file.
result<audio_choice> read_sound(std::string_view place, std::string_view text);

/// What each row's user sends: by the column `audio`, where that is not empty, else by `audio`, the
/// text of --audio, which may use {columns} too. Empty: there is neither, all are alike.
result<std::vector<audio_choice>> read_sounds(const scenario::user_table& users,
                                              std::string_view audio, const audio_choice& usual);

/// Whether anybody listens to what is heard, and for what: --hear and --expect-sound.
struct hearing_texts {
  std::string expected;
  bool hear = false;
};
/// `has_lines`: there is --calls-file.
void declare_hearing(CLI::App& app, hearing_texts& t, const std::string& group, bool has_lines);
void read_hearing(option_reader& r, const hearing_texts& t, bool with_media, bool& listens,
                  std::optional<audio::expected_sound>& expects);

} // namespace jackfield::app
