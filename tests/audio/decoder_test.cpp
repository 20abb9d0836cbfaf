#include "engine/audio/decoder.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

#include "engine/audio/opus_toc.hpp"
#include "engine/audio/tone_detector.hpp"
#include "tests/coded_signals.hpp"

namespace jackfield::audio {
namespace {

using namespace std::chrono_literals;

constexpr codec all_codecs[] = {codec::pcmu, codec::pcma, codec::g722, codec::opus};

std::unique_ptr<encoder> make_encoder(codec c, const opus_settings& settings = {}) {
  auto made = encoder::make(c, 20ms, settings);
  EXPECT_TRUE(made);
  return made ? std::move(*made) : nullptr;
}

TEST(decoder, gives_back_what_was_encoded) {
  for (const auto c : all_codecs) {
    const auto rate = traits_of(c).sample_rate;
    const auto coder = make_encoder(c);
    const auto in = decoder::make(c);
    std::vector<int16_t> heard;
    for (const auto& payload : encode_all(*coder, sine(880, -20, rate, rate))) {
      const auto samples = in->decode(payload);
      ASSERT_TRUE(samples);
      EXPECT_EQ(samples->size(), samples_in(c, 20ms));
      append(heard, *samples);
    }
    ASSERT_EQ(heard.size(), rate);
    const auto later = std::span{heard}.subspan(rate / 5);
    EXPECT_NEAR(level_dbm0(later), -20, 0.5) << traits_of(c).name;
    EXPECT_GT(tone_share(later, 880, rate), 0.97) << traits_of(c).name;
  }
}

TEST(encoder, takes_frames_of_its_own_length_alone) {
  for (const auto c : all_codecs) {
    const auto coder = make_encoder(c);
    std::vector<std::byte> out(encoder::most_bytes);
    const auto length = coder->frame_samples();
    EXPECT_EQ(length, samples_in(c, 20ms));
    EXPECT_EQ(coder->encode(std::vector<int16_t>(length - 1), out), 0u);
    EXPECT_EQ(coder->encode(std::vector<int16_t>(length + 1), out), 0u);
    EXPECT_EQ(coder->encode({}, out), 0u);
    EXPECT_EQ(coder->encode(std::vector<int16_t>(length), std::span{out}.first(100)), 0u);
    EXPECT_GT(coder->encode(std::vector<int16_t>(length), out), 0u);
  }
}

TEST(decoder, conceals_a_lost_packet_with_more_of_the_same_and_fades_to_silence) {
  for (const auto c : all_codecs) {
    const auto rate = traits_of(c).sample_rate;
    const auto coder = make_encoder(c);
    const auto in = decoder::make(c);
    for (const auto& payload : encode_all(*coder, sine(440, -10, rate, rate / 2)))
      ASSERT_TRUE(in->decode(payload));
    const auto first = in->conceal(20ms);
    EXPECT_EQ(first.size(), samples_in(c, 20ms));
    EXPECT_GT(level_dbm0(first), -20) << traits_of(c).name;
    EXPECT_GT(tone_share(first, 440, rate), c == codec::opus ? 0.5 : 0.8) << traits_of(c).name;
    for (int i = 0; i < 50; ++i)
      static_cast<void>(in->conceal(20ms));
    EXPECT_TRUE(is_silence(in->conceal(20ms))) << traits_of(c).name;
  }
}

TEST(decoder, conceals_any_length_within_120_ms) {
  for (const auto c : all_codecs) {
    const auto in = decoder::make(c);
    for (const auto missing : {-1s, 0s, 1s, 86'400s})
      EXPECT_LE(in->conceal(missing).size(), samples_in(c, longest_packet));
    for (auto us = 1000us; us < 130ms; us += 1234us) {
      const auto samples = in->conceal(us);
      EXPECT_GE(samples.size(), samples_in(c, 2500us));
      EXPECT_LE(samples.size(), samples_in(c, longest_packet));
    }
  }
}

// Voices, as SILK takes them: harmonics of a pitch that moves, in syllables.
std::vector<int16_t> babble(size_t count) {
  std::vector<int16_t> out(count);
  double phase = 0;
  for (size_t n = 0; n < count; ++n) {
    const auto t = static_cast<double>(n) / 48'000;
    phase += (160 + 50 * std::sin(2 * std::numbers::pi * 1.7 * t)) / 48'000;
    double sum = 0;
    for (int k = 1; k <= 15; ++k)
      sum += std::sin(2 * std::numbers::pi * k * phase) / k;
    const auto loud = std::max(0.0, std::sin(2 * std::numbers::pi * 3.1 * t));
    out[n] = static_cast<int16_t>(5000 * loud * sum);
  }
  return out;
}

// How much of `b` is in `a`, by their correlation.
double likeness(std::span<const int16_t> a, std::span<const int16_t> b) {
  double ab = 0;
  double aa = 1;
  double bb = 1;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += double{1} * a[i] * b[i];
    aa += double{1} * a[i] * a[i];
    bb += double{1} * b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

TEST(decoder, recovers_lost_packets_from_the_fec_of_the_next) {
  const auto coder =
    make_encoder(codec::opus, {.bitrate = 24'000, .fec = true, .expected_loss_percent = 20});
  const auto payloads = encode_all(*coder, babble(size_t{48'000} * 4));
  const auto whole = decoder::make(codec::opus);
  const auto with_fec = decoder::make(codec::opus);
  const auto without = decoder::make(codec::opus);
  double like_with = 0;
  double like_without = 0;
  for (size_t i = 0; i + 1 < payloads.size(); ++i) {
    const auto truth = *whole->decode(payloads[i]);
    if (i % 5 == 4) {
      like_with += likeness(truth, with_fec->decode_fec(payloads[i + 1], 20ms));
      like_without += likeness(truth, without->conceal(20ms));
    } else {
      ASSERT_TRUE(with_fec->decode(payloads[i]));
      ASSERT_TRUE(without->decode(payloads[i]));
    }
  }
  EXPECT_GT(like_with, 1.2 * like_without);
}

TEST(decoder, conceals_where_there_is_no_fec) {
  for (const auto c : all_codecs) {
    const auto in = decoder::make(c);
    EXPECT_EQ(in->decode_fec({}, 20ms).size(), samples_in(c, 20ms));
    EXPECT_EQ(in->decode_fec(std::vector<std::byte>(3, std::byte{0xff}), 20ms).size(),
              samples_in(c, 20ms));
  }
}

TEST(decoder, names_its_faults) {
  for (const auto c : all_codecs) {
    const auto in = decoder::make(c);
    EXPECT_EQ(in->decode({}).error(), payload_fault::empty);
  }
  EXPECT_EQ(decoder::make(codec::pcmu)->decode(std::vector<std::byte>(961)).error(),
            payload_fault::too_long);
  EXPECT_EQ(decoder::make(codec::g722)->decode(std::vector<std::byte>(961)).error(),
            payload_fault::too_long);
  EXPECT_EQ(decoder::make(codec::opus)->decode(std::vector<std::byte>(70'000)).error(),
            payload_fault::too_long);
  EXPECT_EQ(decoder::make(codec::opus)->decode(std::vector<std::byte>{std::byte{0x7b}}).error(),
            payload_fault::malformed);
  EXPECT_EQ(to_string(payload_fault::malformed), "malformed");
}

TEST(decoder, sec_07_survives_every_opus_toc_with_random_bodies_and_frame_counts) {
  std::mt19937 random{7};
  const auto in = decoder::make(codec::opus);
  size_t decoded = 0;
  for (int toc = 0; toc < 256; ++toc) {
    for (const int count : {0, 1, 2, 3, 6, 12, 24, 47, 48, 49, 63, 0x81, 0xb0, 0xc1, 0xff}) {
      for (const size_t size : {1u, 2u, 3u, 20u, 160u, 1275u, 1500u}) {
        std::vector<std::byte> payload(size);
        for (auto& x : payload)
          x = std::byte(static_cast<unsigned char>(random()));
        payload[0] = std::byte(static_cast<unsigned char>(toc));
        if (size > 1)
          payload[1] = std::byte(static_cast<unsigned char>(count));
        const auto samples = in->decode(payload);
        if (samples) {
          ++decoded;
          EXPECT_EQ(samples->size(), opus_toc::read(payload)->duration());
        }
        EXPECT_EQ(in->decode_fec(payload, 120ms).size(), 5760u);
      }
    }
  }
  EXPECT_GT(decoded, 1000u);
}

TEST(decoder, sec_07_decodes_fec_of_60_ms_packets_into_any_length) {
  const auto coder =
    encoder::make(codec::opus, 60ms, {.bitrate = 16'000, .fec = true, .expected_loss_percent = 30});
  ASSERT_TRUE(coder);
  const auto in = decoder::make(codec::opus);
  for (const auto& payload : encode_all(**coder, sine(500, -10, 48'000, 48'000))) {
    for (const auto missing : {1ms, 10ms, 20ms, 60ms, 80ms, 120ms, 1000ms})
      EXPECT_LE(in->decode_fec(payload, missing).size(), 5760u);
    ASSERT_TRUE(in->decode(payload));
  }
}

TEST(decoder, sec_07_takes_payloads_of_every_size) {
  std::mt19937 random{8};
  for (const auto c : all_codecs) {
    const auto in = decoder::make(c);
    for (size_t size = 0; size <= 1500; ++size) {
      std::vector<std::byte> payload(size);
      for (auto& x : payload)
        x = std::byte(static_cast<unsigned char>(random()));
      const auto samples = in->decode(payload);
      if (samples) {
        EXPECT_LE(samples->size(), samples_in(c, longest_packet));
      } else {
        EXPECT_EQ(in->conceal(20ms).size(), samples_in(c, 20ms));
      }
      if (c != codec::opus) {
        EXPECT_EQ(samples.has_value(), size > 0 && size <= 960);
      }
    }
  }
}

} // namespace
} // namespace jackfield::audio
