#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"

namespace jackfield::audio {

/// A stretch of what was heard.
struct found_sound {
  enum class kind : uint8_t {
    silence, ///< below -50 dBm0, or nothing came, for 200 ms and more
    tone,    ///< one or two steady tones, for 120 ms and more
    sound    ///< all else: speech, music, noise
  };

  kind what = kind::silence;
  std::chrono::milliseconds at{}; ///< since the first packet
  std::chrono::milliseconds length{};
  std::array<uint16_t, 2> hz{}; ///< of a tone, ascending; the second 0: one alone

  friend bool operator==(const found_sound&, const found_sound&) = default;
};

/// "silence", "tone" or "sound".
[[nodiscard]] std::string_view to_string(found_sound::kind what) noexcept;

/// What was found in all that came of a stream.
struct heard_sounds {
  static constexpr size_t most_pieces = 64;

  std::vector<found_sound> pieces; ///< in order: the first `most_pieces`, and tones not yet listed
  // Of all, with those that are not listed.
  std::chrono::milliseconds silence{};
  std::chrono::milliseconds tone{};
  std::chrono::milliseconds sound{};

  /// What it was, in one word: a tone if there was any, sound if there was 200 ms of it.
  [[nodiscard]] found_sound::kind mostly() const noexcept;

  friend bool operator==(const heard_sounds&, const heard_sounds&) = default;
};

/// What is to be heard in a call.
struct expected_sound {
  found_sound::kind what = found_sound::kind::sound;
  /// Of a tone; {}: any. Met within 2 % and 5 Hz.
  std::array<uint16_t, 2> hz{};

  /// "silence": less than 200 ms of anything else. "sound": 200 ms of tones or other sound. "tone",
  /// "tone:440", "tone:350+440". `place` names the option in errors.
  static result<expected_sound> parse(std::string_view place, std::string_view text);
  [[nodiscard]] bool met_by(const heard_sounds& heard) const noexcept;
};

} // namespace jackfield::audio
