#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/audio/codec.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::recording {

/// The rate of what is recorded: wideband speech.
inline constexpr uint32_t sample_rate = 16'000;

/// Samples of one channel in `d`, rounded towards zero.
[[nodiscard]] constexpr int64_t samples_in(rtp::duration d) noexcept {
  return rtp::to_units(d, sample_rate);
}

/// A packet of audio as it was heard, to be placed in a recording.
struct recorded_packet {
  rtp::duration at{}; ///< when it came, from the recording's begin on; may be before that
  uint32_t ssrc = 0;
  uint32_t timestamp = 0;
  audio::codec codec = audio::codec::pcmu;
  bool ends_talk = false; ///< its sender may be silent after it, so that no packet is no loss
  std::vector<std::byte> payload; ///< empty: nothing to be heard, it only ends the talk
};

} // namespace jackfield::recording
