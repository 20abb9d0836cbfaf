#include "engine/audio/comfort_noise.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "engine/audio/tone_detector.hpp"

namespace jackfield::audio {
namespace {

TEST(comfort_noise, is_as_loud_as_the_payload_says) {
  for (const uint8_t level : {20, 30, 45, 60, 70}) {
    const std::vector<std::byte> payload{comfort_noise::payload_of(level)};
    comfort_noise noise;
    noise.set_level(*comfort_noise::level_of(payload));
    std::vector<int16_t> samples(8000);
    noise.fill(samples);
    EXPECT_NEAR(comfort_noise::measure(samples), level, 1);
  }
}

TEST(comfort_noise, is_noise_and_goes_on_differently) {
  comfort_noise noise;
  noise.set_level(20);
  std::vector<int16_t> first(800);
  std::vector<int16_t> second(800);
  noise.fill(first);
  noise.fill(second);
  EXPECT_NE(first, second);
  for (int hz = 200; hz < 3800; hz += 100)
    EXPECT_LT(tone_share(first, hz), 0.1);
  int64_t sum = 0;
  for (const auto x : first)
    sum += x;
  EXPECT_LT(std::abs(sum / 800), 400);
}

TEST(comfort_noise, takes_every_payload) {
  EXPECT_FALSE(comfort_noise::level_of({}));
  for (int first = 0; first < 256; ++first) {
    // The top bit is no part of the level; what follows is spectrum.
    const std::vector<std::byte> payload{std::byte(static_cast<unsigned char>(first)),
                                         std::byte{9}};
    EXPECT_EQ(comfort_noise::level_of(payload), first & 127);
    comfort_noise noise;
    noise.set_level(static_cast<uint8_t>(first));
    std::vector<int16_t> samples(160);
    noise.fill(samples);
    if (first >= 127) {
      EXPECT_TRUE(std::ranges::all_of(samples, [](int16_t x) { return x == 0; }));
    }
  }
  EXPECT_EQ(comfort_noise::payload_of(200), std::byte{127});
}

TEST(comfort_noise, measures_silence_and_the_overload_point) {
  EXPECT_EQ(comfort_noise::measure({}), 127);
  EXPECT_EQ(comfort_noise::measure(std::vector<int16_t>(160)), 127);
  EXPECT_EQ(comfort_noise::measure(std::vector<int16_t>(160, -32768)), 0);
  EXPECT_EQ(comfort_noise::measure(std::vector<int16_t>(160, 3277)), 20);
}

} // namespace
} // namespace jackfield::audio
