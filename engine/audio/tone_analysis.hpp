#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::audio {

/// One or two tones that a piece of audio consists of.
struct tones {
  std::array<double, 2> hz{}; ///< ascending; {x, 0}: one alone

  friend bool operator==(const tones&, const tones&) = default;
};

/// Finds the one or two steady tones, of whatever frequencies, that make up at least 9 tenths (two:
/// 19 of 20) of a piece's power; nothing where it is something else, or fainter than
/// `least_level_dbm0`. Wants some 40 ms: two tones are told apart from 30 Hz on then. Frequencies
/// from 100 Hz to nearly half the rate, to about 1 %: by linear prediction (Prony's method with the
/// symmetric polynomial of undamped tones), whose error grows with the noise and towards 0 Hz, so
/// give it audio at 8,000 Hz.
[[nodiscard]] std::optional<tones> find_tones(std::span<const int16_t> samples,
                                              uint32_t sample_rate = 8000,
                                              double least_level_dbm0 = -40) noexcept;

} // namespace jackfield::audio
