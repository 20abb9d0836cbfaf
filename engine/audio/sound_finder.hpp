#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/audio/heard_sounds.hpp"
#include "engine/audio/resampler.hpp"
#include "engine/audio/tone_analysis.hpp"

namespace jackfield::audio {

/// Finds tones and silence in a stream of decoded audio, 40 ms at a time. A value; keeps a piece of
/// 40 ms and the list of what was found.
class sound_finder {
public:
  /// Rates as those of `resampler`: it is brought to 8,000 Hz.
  explicit sound_finder(uint32_t sample_rate);

  /// What follows in time. A rate of its own: the codec changed.
  void add(std::span<const int16_t> samples, uint32_t sample_rate);
  /// Nothing came for so long: taken as silence from 200 ms on; what is less is left out.
  void skip(std::chrono::milliseconds missing);

  /// All that was found so far.
  [[nodiscard]] heard_sounds found() const;

private:
  using kind = found_sound::kind;

  static constexpr uint32_t rate = 8000;
  static constexpr std::chrono::milliseconds block_length{40};
  static constexpr size_t block_samples = rate / 1000 * 40;

  /// A stretch that is still growing.
  struct stretch {
    kind what = kind::silence;
    std::chrono::milliseconds at{};
    std::chrono::milliseconds length{};
    tones heard; // the mean
  };

  void judge(std::span<const int16_t> block);
  void take(kind what, std::chrono::milliseconds length, const tones& heard = {});
  /// What a stretch counts for, now that it has ended.
  static void settle(heard_sounds& list, const stretch& over);

  resampler to_rate_;
  uint32_t from_;
  std::vector<int16_t> block_;
  heard_sounds list_;
  stretch now_;
  std::chrono::milliseconds at_{};
};

} // namespace jackfield::audio
