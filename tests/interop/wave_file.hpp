#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {

inline constexpr uint32_t wave_rate = 48'000;

/// A file for `--audio`: RIFF, 16 bits, one channel, `wave_rate`.
inline std::string write_wave(const scratch_folder& folder, std::span<const int16_t> samples) {
  std::string out;
  const auto put = [&](uint32_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i)
      out += static_cast<char>(value >> (8 * i));
  };
  const auto size = static_cast<uint32_t>(samples.size() * 2);
  out += "RIFF";
  put(36 + size, 4);
  out += "WAVEfmt ";
  put(16, 4);
  put(1, 2); // PCM
  put(1, 2); // one channel
  put(wave_rate, 4);
  put(wave_rate * 2, 4);
  put(2, 2);
  put(16, 2);
  out += "data";
  put(size, 4);
  for (const auto sample : samples)
    put(static_cast<uint16_t>(sample), 2);
  return folder.write("audio.wav", out);
}

} // namespace jackfield::tests
