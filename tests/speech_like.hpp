#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

namespace jackfield::audio {

/// What a codec takes for speech, at 48 kHz: a buzz of a wandering pitch through two formants with
/// a little noise, four syllables a second. The same at each call.
inline std::vector<int16_t> speech_like(size_t count) {
  constexpr double rate = 48'000;
  constexpr double turn = 2 * std::numbers::pi;
  const auto formant = [](double hz, double centre, double width) {
    const auto off = (hz - centre) / width;
    return std::exp(-off * off);
  };
  std::minstd_rand random{1};
  std::vector<int16_t> out(count);
  double phase = 0;
  for (size_t n = 0; n < count; ++n) {
    const auto t = static_cast<double>(n) / rate;
    const auto pitch = 120 + 20 * std::sin(turn * 0.7 * t);
    phase += turn * pitch / rate;
    double sum = 0.1 * (static_cast<double>(random()) / std::minstd_rand::max() * 2 - 1);
    for (int harmonic = 1; harmonic < 30; ++harmonic) {
      const auto hz = harmonic * pitch;
      sum += std::sin(harmonic * phase) / harmonic *
             (1 + 2 * formant(hz, 500, 200) + formant(hz, 1500, 300));
    }
    out[n] = static_cast<int16_t>(2000 * (1 + std::sin(turn * 4 * t)) * sum);
  }
  return out;
}

} // namespace jackfield::audio
