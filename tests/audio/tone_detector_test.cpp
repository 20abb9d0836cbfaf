#include "engine/audio/tone_detector.hpp"

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::audio {
namespace {

std::vector<int16_t> sine(double hz, double peak, size_t count = 160) {
  std::vector<int16_t> out(count);
  for (size_t n = 0; n < count; ++n)
    out[n] = static_cast<int16_t>(
      std::lround(peak * std::sin(2 * std::numbers::pi * hz * static_cast<double>(n) / 8000)));
  return out;
}

TEST(tone_detector, measures_levels) {
  EXPECT_EQ(level_dbm0({}), -90);
  EXPECT_EQ(level_dbm0(std::vector<int16_t>(160)), -90);
  EXPECT_NEAR(level_dbm0(sine(1000, 32767)), 3.14, 0.01);
  EXPECT_NEAR(level_dbm0(sine(1000, 3276.7)), 3.14 - 20, 0.01);
  EXPECT_TRUE(is_silence({}));
  EXPECT_TRUE(is_silence(std::vector<int16_t>(160, 8))); // A-law's silence
  EXPECT_FALSE(is_silence(sine(1000, 1000)));
}

TEST(tone_detector, finds_the_share_of_a_tone) {
  EXPECT_EQ(tone_share({}, 1000), 0);
  EXPECT_EQ(tone_share(std::vector<int16_t>(160), 1000), 0);
  EXPECT_GT(tone_share(sine(1000, 10'000), 1000), 0.99);
  EXPECT_LT(tone_share(sine(1000, 10'000), 1100), 0.05);
  auto two = sine(1000, 10'000);
  const auto other = sine(2000, 10'000);
  for (size_t n = 0; n < two.size(); ++n)
    two[n] = static_cast<int16_t>(two[n] + other[n]);
  EXPECT_NEAR(tone_share(two, 1000), 0.5, 0.01);
  EXPECT_NEAR(tone_share(two, 2000), 0.5, 0.01);
}

TEST(tone_detector, counts_the_frames_that_have_the_tone) {
  tone_detector detector{880};
  std::mt19937 random{1};
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(detector.on_frame(sine(880, 3000)));
    EXPECT_FALSE(detector.on_frame(sine(880, 20))); // far too faint
    EXPECT_FALSE(detector.on_frame(sine(700, 3000)));
    std::vector<int16_t> noise(160);
    for (auto& x : noise)
      x = static_cast<int16_t>(random());
    EXPECT_FALSE(detector.on_frame(noise));
    EXPECT_FALSE(detector.on_frame({}));
  }
  EXPECT_EQ(detector.frames(), 500u);
  EXPECT_EQ(detector.frames_with_tone(), 100u);
}

} // namespace
} // namespace jackfield::audio
