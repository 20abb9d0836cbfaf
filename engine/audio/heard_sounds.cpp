#include "engine/audio/heard_sounds.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace jackfield::audio {

namespace {

constexpr std::chrono::milliseconds least_sound{200};

std::optional<uint16_t> read_hz(std::string_view text) {
  uint16_t hz = 0;
  const auto* const last = text.data() + text.size();
  if (const auto [end, code] = std::from_chars(text.data(), last, hz);
      code != std::errc{} || end != last || hz < 100 || hz > 3900)
    return std::nullopt;
  return hz;
}

bool close_to(uint16_t found, uint16_t wanted) noexcept {
  return std::abs(found - wanted) <= 5 + wanted / 50;
}

} // namespace

std::string_view to_string(found_sound::kind what) noexcept {
  switch (what) {
  case found_sound::kind::silence:
    return "silence";
  case found_sound::kind::tone:
    return "tone";
  case found_sound::kind::sound:
    break;
  }
  return "sound";
}

found_sound::kind heard_sounds::mostly() const noexcept {
  if (tone > std::chrono::milliseconds::zero())
    return found_sound::kind::tone;
  return sound >= least_sound ? found_sound::kind::sound : found_sound::kind::silence;
}

result<expected_sound> expected_sound::parse(std::string_view place, std::string_view text) {
  using kind = found_sound::kind;
  for (const auto what : {kind::silence, kind::tone, kind::sound})
    if (text == to_string(what))
      return expected_sound{what, {}};
  if (text.starts_with("tone:")) {
    const auto both = text.substr(5);
    const auto plus = both.find('+');
    const auto first = read_hz(both.substr(0, plus));
    const auto second =
      plus == std::string_view::npos ? std::optional<uint16_t>{0} : read_hz(both.substr(plus + 1));
    if (first && second) {
      expected_sound made{kind::tone, {*first, *second}};
      if (*second != 0)
        std::ranges::sort(made.hz);
      return made;
    }
  }
  return fail(std::string{place},
              "\"" + std::string{text} +
                "\" cannot be found, expected tone, tone:HZ, tone:HZ+HZ (100 to 3900), sound or "
                "silence");
}

bool expected_sound::met_by(const heard_sounds& heard) const noexcept {
  switch (what) {
  case found_sound::kind::silence:
    return heard.tone + heard.sound < least_sound;
  case found_sound::kind::sound:
    return heard.tone + heard.sound >= least_sound;
  case found_sound::kind::tone:
    break;
  }
  return std::ranges::any_of(heard.pieces, [&](const found_sound& piece) {
    return piece.what == found_sound::kind::tone &&
           (hz[0] == 0 || (close_to(piece.hz[0], hz[0]) && close_to(piece.hz[1], hz[1]) &&
                           (piece.hz[1] == 0) == (hz[1] == 0)));
  });
}

} // namespace jackfield::audio
