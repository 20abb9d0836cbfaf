#include "engine/audio/resampler.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "engine/audio/tone_detector.hpp"
#include "tests/coded_signals.hpp"

namespace jackfield::audio {
namespace {

constexpr uint32_t rates[] = {8000, 16'000, 44'100, 48'000};

TEST(resampler, keeps_frequency_level_and_length_between_all_rates_in_pieces_of_any_length) {
  std::mt19937 random{3};
  for (const auto from : rates) {
    for (const auto to : rates) {
      const auto in = sine(880, -20, from, from);
      resampler r{from, to};
      std::vector<int16_t> out;
      for (size_t at = 0; at < in.size();) {
        const auto size = std::min<size_t>(1 + random() % 2000, in.size() - at);
        append(out, r.process(std::span{in}.subspan(at, size)));
        at += size;
      }
      append(out, r.finish());
      ASSERT_EQ(out.size(), to);
      const auto middle = std::span{out}.subspan(to / 10, to * 8 / 10);
      EXPECT_NEAR(level_dbm0(middle), -20, 0.1) << from << " to " << to;
      EXPECT_GT(tone_share(middle, 880, to), 0.999) << from << " to " << to;
    }
  }
}

TEST(resampler, gives_the_same_for_the_whole_as_for_its_pieces) {
  const auto in = sine(1000, -10, 48'000, 4800);
  resampler whole{48'000, 8000};
  resampler pieces{48'000, 8000};
  std::vector<int16_t> a;
  std::vector<int16_t> b;
  append(a, whole.process(in));
  for (size_t at = 0; at < in.size(); at += 48)
    append(b, pieces.process(std::span{in}.subspan(at, 48)));
  append(a, whole.finish());
  append(b, pieces.finish());
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_LE(std::abs(a[i] - b[i]), 1);
}

TEST(resampler, passes_equal_rates_through_to_the_bit) {
  const auto in = sine(1000, -10, 8000, 500);
  resampler r{8000, 8000};
  const auto out = r.process(in);
  EXPECT_TRUE(std::ranges::equal(in, out));
  EXPECT_TRUE(r.finish().empty());
}

TEST(resampler, is_silent_where_nothing_came) {
  resampler r{8000, 48'000};
  EXPECT_TRUE(r.process({}).empty());
  EXPECT_TRUE(r.finish().empty());
}

} // namespace
} // namespace jackfield::audio
