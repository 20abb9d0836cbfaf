#include "engine/audio/transcoder.hpp"

#include <gtest/gtest.h>

#include "engine/audio/tone_detector.hpp"
#include "tests/coded_signals.hpp"

namespace jackfield::audio {
namespace {

using namespace std::chrono_literals;

constexpr codec all_codecs[] = {codec::pcmu, codec::pcma, codec::g722, codec::opus};

std::vector<std::vector<std::byte>> tone_payloads(codec c, size_t seconds = 1) {
  const auto coder = encoder::make(c, 20ms);
  EXPECT_TRUE(coder);
  const auto rate = traits_of(c).sample_rate;
  return encode_all(**coder, sine(880, -20, rate, rate * seconds));
}

TEST(transcoder, carries_a_tone_from_every_codec_to_every_other) {
  for (const auto from : all_codecs) {
    for (const auto to : all_codecs) {
      const auto t = transcoder::make(from, to, 20ms);
      ASSERT_TRUE(t);
      const auto out = decoder::make(to);
      std::vector<int16_t> heard;
      for (const auto& payload : tone_payloads(from)) {
        ASSERT_TRUE((*t)->on_payload(payload));
        for (auto frame = (*t)->next_frame(); !frame.empty(); frame = (*t)->next_frame()) {
          const auto samples = out->decode(frame);
          ASSERT_TRUE(samples);
          append(heard, *samples);
        }
      }
      const auto rate = traits_of(to).sample_rate;
      // As much as went in, but what the filter still holds.
      EXPECT_GE(heard.size(), rate * 95 / 100) << traits_of(from).name << traits_of(to).name;
      const auto later = std::span{heard}.subspan(rate / 5);
      EXPECT_NEAR(level_dbm0(later), -20, 0.7) << traits_of(from).name << traits_of(to).name;
      EXPECT_GT(tone_share(later, 880, rate), 0.95) << traits_of(from).name << traits_of(to).name;
      EXPECT_LT((*t)->waiting(), 20ms);
    }
  }
}

TEST(transcoder, changes_the_packet_time) {
  const auto t = transcoder::make(codec::pcmu, codec::opus, 60ms);
  ASSERT_TRUE(t);
  size_t frames = 0;
  for (const auto& payload : tone_payloads(codec::pcmu)) {
    ASSERT_TRUE((*t)->on_payload(payload));
    while (!(*t)->next_frame().empty())
      ++frames;
  }
  EXPECT_EQ(frames, 16u); // 960 of 1000 ms
}

TEST(transcoder, goes_on_in_time_over_losses_silence_and_faults) {
  const auto t = transcoder::make(codec::opus, codec::pcma, 20ms);
  ASSERT_TRUE(t);
  const auto payloads = tone_payloads(codec::opus);
  size_t frames = 0;
  for (size_t i = 0; i < payloads.size(); ++i) {
    if (i % 10 == 3) {
      EXPECT_FALSE((*t)->on_payload({}));
      (*t)->on_lost(20ms);
    } else if (i % 10 == 6) {
      (*t)->on_recovered(payloads[i + 1], 20ms);
    } else if (i % 10 == 9) {
      (*t)->on_silence(60, 20ms);
    } else {
      ASSERT_TRUE((*t)->on_payload(payloads[i]));
    }
    while (!(*t)->next_frame().empty())
      ++frames;
  }
  EXPECT_GE(frames, payloads.size() - 1);
}

TEST(transcoder, keeps_no_more_than_a_second_that_nobody_takes) {
  const auto t = transcoder::make(codec::pcmu, codec::opus, 20ms);
  ASSERT_TRUE(t);
  for (const auto& payload : tone_payloads(codec::pcmu, 3))
    ASSERT_TRUE((*t)->on_payload(payload));
  EXPECT_LE((*t)->waiting(), 1s);
  EXPECT_GE((*t)->waiting(), 900ms);
}

TEST(transcoder, refuses_a_packet_time_that_the_target_does_not_have) {
  EXPECT_FALSE(transcoder::make(codec::pcmu, codec::opus, 30ms));
  EXPECT_TRUE(transcoder::make(codec::opus, codec::pcmu, 30ms));
}

} // namespace
} // namespace jackfield::audio
