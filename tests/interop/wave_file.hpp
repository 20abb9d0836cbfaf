#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <gtest/gtest.h>
#include <sndfile.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {

inline constexpr uint32_t wave_rate = 48'000;

/// A file for `--audio`: RIFF, 16 bits, one channel, `wave_rate`.
inline std::string write_wave(const scratch_folder& folder, std::span<const int16_t> samples) {
  auto path = folder.file("audio.wav");
  SF_INFO info{};
  info.samplerate = wave_rate;
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  const std::unique_ptr<SNDFILE, decltype(&sf_close)> file{sf_open(path.c_str(), SFM_WRITE, &info),
                                                           &sf_close};
  const auto count = static_cast<sf_count_t>(samples.size());
  EXPECT_TRUE(file && sf_write_short(file.get(), samples.data(), count) == count) << path;
  return path;
}

} // namespace jackfield::tests
