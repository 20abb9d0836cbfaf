#pragma once

#include <cstdint>
#include <span>

namespace jackfield::audio {

/// The level of decoded audio in dBm0: a full-scale sine of the G.711 codecs is
/// +3.14 dBm0. Silence, and no samples at all, are -90.
[[nodiscard]] double level_dbm0(std::span<const int16_t> samples) noexcept;

/// True if the level stays below `bound_dbm0`.
[[nodiscard]] bool is_silence(std::span<const int16_t> samples, double bound_dbm0 = -50) noexcept;

/// Share of a signal's power that lies at `frequency_hz`, in [0, 1] (Goertzel): near 1 for a pure
/// tone, 0 for silence. Wants some whole periods: 20 ms do for 300 Hz and more.
[[nodiscard]] double tone_share(std::span<const int16_t> samples, double frequency_hz,
                                uint32_t sample_rate = 8000) noexcept;

/// Looks for one known tone in a stream of decoded audio, frame by frame.
class tone_detector {
public:
  explicit tone_detector(double frequency_hz, double least_share = 0.8,
                         double least_level_dbm0 = -40, uint32_t sample_rate = 8000) noexcept;

  /// Judges one frame (10 ms or more); returns true if it has the tone.
  bool on_frame(std::span<const int16_t> samples) noexcept;

  [[nodiscard]] uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] uint64_t frames_with_tone() const noexcept { return with_tone_; }

private:
  double frequency_hz_;
  double least_share_;
  double least_level_;
  uint32_t sample_rate_;
  uint64_t frames_ = 0;
  uint64_t with_tone_ = 0;
};

} // namespace jackfield::audio
