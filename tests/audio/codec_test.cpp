#include "engine/audio/codec.hpp"

#include <gtest/gtest.h>

#include "engine/audio/encoder.hpp"

namespace jackfield::audio {
namespace {

using namespace std::chrono_literals;

TEST(codec, counts_timestamps_of_g722_at_half_its_sample_rate) {
  EXPECT_EQ(timestamp_step(codec::pcmu, 20ms), 160u);
  EXPECT_EQ(timestamp_step(codec::g722, 20ms), 160u);
  EXPECT_EQ(timestamp_step(codec::opus, 60ms), 2880u);
  EXPECT_EQ(samples_in(codec::pcma, 20ms), 160u);
  EXPECT_EQ(samples_in(codec::g722, 20ms), 320u);
  EXPECT_EQ(samples_in(codec::opus, 120ms), 5760u);
}

TEST(codec, takes_the_packet_times_that_a_codec_has) {
  for (const auto c : {codec::pcmu, codec::pcma, codec::g722}) {
    for (auto ms = 0ms; ms <= 130ms; ms += 5ms)
      EXPECT_EQ(check_packet_time(c, ms).has_value(),
                ms >= 10ms && ms <= 120ms && ms % 10ms == 0ms);
  }
  for (auto ms = 0ms; ms <= 130ms; ms += 5ms)
    EXPECT_EQ(check_packet_time(codec::opus, ms).has_value(),
              ms == 10ms || ms == 20ms || ms == 40ms || ms == 60ms);
  EXPECT_EQ(check_packet_time(codec::opus, 30ms).error().to_string(),
            "ptime: 30 ms, expected 10, 20, 40 or 60 for Opus");
}

TEST(codec, refuses_opus_settings_that_are_out_of_range_in_one_line) {
  const auto error_of = [](const opus_settings& settings) {
    const auto made = encoder::make(codec::opus, 20ms, settings);
    return made ? "" : made.error().to_string();
  };
  EXPECT_EQ(error_of({}), "");
  EXPECT_EQ(error_of({.bitrate = 5999}), "opus bitrate: 5999, expected 6000 to 510000");
  EXPECT_EQ(error_of({.bitrate = 510'001}), "opus bitrate: 510001, expected 6000 to 510000");
  EXPECT_EQ(error_of({.complexity = 11}), "opus complexity: 11, expected 0 to 10");
  EXPECT_EQ(error_of({.expected_loss_percent = 101}),
            "opus expected loss: 101 %, expected 0 to 100");
}

} // namespace
} // namespace jackfield::audio
