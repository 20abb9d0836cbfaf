#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "engine/audio/opus_toc.hpp"
#include "engine/audio/source.hpp"
#include "engine/audio/tone_detector.hpp"
#include "tests/coded_signals.hpp"
#include "tests/speech_like.hpp"

namespace jackfield::audio {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const encoded_source> make(const source_spec& spec, codec c,
                                           std::chrono::milliseconds packet_time,
                                           const opus_settings& settings = {}) {
  auto made = encoded_source::make(spec, c, packet_time, settings);
  EXPECT_TRUE(made) << (made ? "" : made.error().to_string());
  return made.value_or(nullptr);
}

std::vector<int16_t> played(const encoded_source& source, size_t first, size_t count) {
  const auto in = decoder::make(source.encoding());
  std::vector<int16_t> out;
  for (size_t i = first; i < first + count; ++i) {
    const auto samples = in->decode(source.frame(i));
    EXPECT_TRUE(samples);
    if (samples)
      append(out, *samples);
  }
  return out;
}

TEST(coded_source, has_frames_of_each_packet_time_that_last_as_long_as_it_says) {
  for (const auto ms : {10ms, 20ms, 40ms, 60ms}) {
    const auto s = make(source_spec::tone(), codec::opus, ms);
    ASSERT_TRUE(s);
    EXPECT_EQ(s->frame_bytes(), 0u);
    EXPECT_EQ(s->frame_units(), static_cast<uint32_t>(ms.count()) * 48);
    EXPECT_GE(s->frame_count() * ms, 2s);
    for (size_t i = 0; i < s->frame_count(); ++i) {
      const auto toc = opus_toc::read(s->frame(i));
      ASSERT_TRUE(toc);
      EXPECT_EQ(toc->duration(), s->frame_units());
      EXPECT_LE(s->frame(i).size(), encoder::most_bytes);
    }
  }
  for (const auto ms : {10ms, 20ms, 30ms, 70ms, 120ms}) {
    const auto s = make(source_spec::tone(), codec::g722, ms);
    ASSERT_TRUE(s);
    EXPECT_EQ(s->frame_bytes(), static_cast<size_t>(ms.count()) * 8);
    EXPECT_EQ(s->frame_units(), static_cast<uint32_t>(ms.count()) * 8);
    EXPECT_EQ(s->frame(0).size(), s->frame_bytes());
  }
  EXPECT_FALSE(encoded_source::make(source_spec::tone(), codec::opus, 30ms));
}

TEST(coded_source, plays_a_tone_that_decodes_at_its_frequency_and_level) {
  for (const auto c : {codec::g722, codec::opus}) {
    const auto rate = traits_of(c).sample_rate;
    for (const uint16_t hz : {300, 880, 1004, 3399}) {
      const auto s = make(source_spec::tone(hz, -20), c, 20ms);
      ASSERT_TRUE(s);
      const auto all = played(*s, 0, s->frame_count());
      const auto later = std::span{all}.subspan(rate / 10);
      EXPECT_NEAR(level_dbm0(later), -20, 0.5) << hz;
      EXPECT_GT(tone_share(later, hz, rate), 0.97) << hz;
    }
  }
}

TEST(coded_source, repeats_a_tone_without_a_seam) {
  for (const auto c : {codec::g722, codec::opus}) {
    const auto rate = traits_of(c).sample_rate;
    const auto frame = samples_in(c, 20ms);
    for (const uint16_t hz : {425, 880, 1004}) {
      const auto s = make(source_spec::tone(hz), c, 20ms);
      ASSERT_TRUE(s);
      const auto turns = played(*s, 0, 3 * s->frame_count());
      // The worst frame around the seams is no worse than the worst of the rest.
      const auto share = [&](size_t i) {
        return tone_share(std::span{turns}.subspan(i * frame, frame), hz, rate);
      };
      double within = 1;
      for (size_t i = 10; i + 5 < s->frame_count(); ++i)
        within = std::min(within, share(i));
      for (const auto seam : {s->frame_count(), 2 * s->frame_count()}) {
        for (size_t i = seam - 2; i < seam + 5; ++i)
          EXPECT_GT(share(i), within - 0.02) << hz << " at " << i;
      }
      EXPECT_GT(within, 0.9);
    }
  }
}

TEST(coded_source, plays_silence_that_is_silent) {
  for (const auto c : {codec::g722, codec::opus}) {
    const auto s = make(source_spec::silence(), c, 20ms);
    ASSERT_TRUE(s);
    EXPECT_TRUE(is_silence(played(*s, 0, s->frame_count())));
  }
}

// Frames from `first` up to `end` that have nothing to send, and the most of them in a row.
struct left_out {
  size_t frames = 0;
  size_t in_a_row = 0;
};

left_out left_out_of(const encoded_source& source, size_t first, size_t end) {
  left_out all;
  size_t row = 0;
  for (size_t i = first; i < end; ++i) {
    row = source.frame(i).empty() ? row + 1 : 0;
    all.frames += row > 0 ? 1 : 0;
    all.in_a_row = std::max(all.in_a_row, row);
  }
  return all;
}

TEST(coded_source, has_nothing_to_send_of_silence_where_dtx_is_on) {
  auto samples = speech_like(size_t{48'000}); // then two seconds of silence, and speech again
  const auto speech = samples;
  samples.resize(3 * speech.size());
  samples.insert(samples.end(), speech.begin(), speech.end());
  for (const auto packet_time : {20ms, 40ms, 60ms}) {
    const opus_settings with{.dtx = true};
    const auto s = encoded_source::from_samples(samples, codec::opus, packet_time, with);
    ASSERT_TRUE(s);
    const auto frames = [&](std::chrono::milliseconds t) {
      return static_cast<size_t>(t / packet_time);
    };
    EXPECT_EQ(left_out_of(**s, 0, frames(1s)).frames, 0u) << "of speech";
    EXPECT_EQ(left_out_of(**s, frames(3s) + 1, frames(4s)).frames, 0u) << "of speech";
    // 200 ms after speech, and a frame in 400 ms, are sent.
    const auto silence = left_out_of(**s, frames(1s), frames(3s));
    EXPECT_GT(silence.frames, frames(1400ms));
    EXPECT_LE(silence.in_a_row, frames(400ms));
    const auto without = encoded_source::from_samples(samples, codec::opus, packet_time);
    ASSERT_TRUE(without);
    EXPECT_EQ(left_out_of(**without, 0, (*without)->frame_count()).frames, 0u);
  }
  const auto quiet = make(source_spec::silence(), codec::opus, 20ms, {.dtx = true});
  ASSERT_TRUE(quiet);
  const auto all = left_out_of(*quiet, 0, 2 * quiet->frame_count());
  EXPECT_LT(all.frames, 2 * quiet->frame_count()) << "a frame in 400 ms";
  EXPECT_GT(all.frames, 2 * quiet->frame_count() * 9 / 10);
}

TEST(coded_source, plays_all_of_what_it_was_given_with_the_codecs_lag_behind_it) {
  // The last 10 ms are a tone: they are heard though Opus lags by more than what is left.
  std::vector<int16_t> samples(48 * 100);
  const auto end = sine(1000, -6, 48'000, 480);
  std::ranges::copy(end, samples.end() - 480);
  const auto s = encoded_source::from_samples(samples, codec::opus, 20ms);
  ASSERT_TRUE(s);
  EXPECT_EQ((*s)->frame_count(), 6u);
  const auto heard = played(**s, 0, 6);
  EXPECT_GT(level_dbm0(std::span{heard}.subspan(48 * 97, 48 * 10)), -15);
}

TEST(coded_source, follows_the_bit_rate) {
  size_t last = 0;
  for (const uint32_t bitrate : {8000u, 16'000u, 32'000u, 64'000u, 128'000u}) {
    const auto s = make(source_spec::tone(), codec::opus, 20ms, {.bitrate = bitrate});
    ASSERT_TRUE(s);
    size_t bytes = 0;
    for (size_t i = 0; i < s->frame_count(); ++i)
      bytes += s->frame(i).size();
    EXPECT_GT(bytes, last);
    EXPECT_LE(bytes * 8 * 50 / s->frame_count(), bitrate * 5 / 4);
    last = bytes;
  }
  // A rate whose packets would pass the path's size is not kept.
  const auto most = make(source_spec::tone(), codec::opus, 60ms, {.bitrate = 510'000});
  ASSERT_TRUE(most);
  EXPECT_LE(most->frame(0).size(), encoder::most_bytes);
}

TEST(coded_source, is_cached_for_each_of_its_settings) {
  source_cache cache;
  const auto first = cache.get(source_spec::tone(), codec::opus, 20ms);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, *cache.get(source_spec::tone(), codec::opus, 20ms));
  EXPECT_NE(*first, *cache.get(source_spec::tone(), codec::opus, 20ms, {.bitrate = 24'000}));
  EXPECT_NE(*first, *cache.get(source_spec::tone(), codec::opus, 20ms, {.complexity = 0}));
  EXPECT_NE(*first, *cache.get(source_spec::tone(), codec::g722, 20ms));
  // They mean nothing to other codecs.
  EXPECT_EQ(*cache.get(source_spec::tone(), codec::g722, 20ms),
            *cache.get(source_spec::tone(), codec::g722, 20ms, {.bitrate = 24'000}));
}

} // namespace
} // namespace jackfield::audio
