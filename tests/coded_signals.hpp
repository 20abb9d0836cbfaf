#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <span>
#include <vector>

#include "engine/audio/decoder.hpp"
#include "engine/audio/encoder.hpp"

namespace jackfield::audio {

/// A sine; full scale is +3.14 dBm0.
inline std::vector<int16_t> sine(double hz, double dbm0, uint32_t rate, size_t count,
                                 size_t first = 0) {
  const auto peak = 32767 * std::pow(10, (dbm0 - 3.14) / 20);
  std::vector<int16_t> out(count);
  for (size_t n = 0; n < count; ++n)
    out[n] = static_cast<int16_t>(std::lround(
      peak * std::sin(2 * std::numbers::pi * hz * static_cast<double>(n + first) / rate)));
  return out;
}

/// The payloads of `samples`, frame by frame; what is no whole frame is left out.
inline std::vector<std::vector<std::byte>> encode_all(encoder& coder,
                                                      std::span<const int16_t> samples) {
  std::vector<std::vector<std::byte>> out;
  const auto frame = coder.frame_samples();
  for (size_t at = 0; at + frame <= samples.size(); at += frame) {
    std::vector<std::byte> payload(encoder::most_bytes);
    payload.resize(coder.encode(samples.subspan(at, frame), payload));
    out.push_back(std::move(payload));
  }
  return out;
}

inline void append(std::vector<int16_t>& to, std::span<const int16_t> samples) {
  to.insert(to.end(), samples.begin(), samples.end());
}

} // namespace jackfield::audio
