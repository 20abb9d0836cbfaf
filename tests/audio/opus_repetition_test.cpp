#include "engine/audio/opus_repetition.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "engine/audio/opus_encoder.hpp"
#include "engine/audio/opus_toc.hpp"
#include "tests/coded_signals.hpp"
#include "tests/guarded_bytes.hpp"
#include "tests/speech_like.hpp"

namespace jackfield::audio {
namespace {

using namespace std::chrono_literals;
using payloads = std::vector<std::vector<std::byte>>;

constexpr size_t ms = 48; // samples

payloads encoded(const opus_settings& settings, std::span<const int16_t> samples,
                 size_t frame = 20 * ms) {
  opus_encoder coder{frame, settings};
  return encode_all(coder, samples);
}

size_t repeating(const payloads& packets) {
  return static_cast<size_t>(std::ranges::count_if(
    packets, [](const auto& packet) { return opus_repetition(packet) != 0; }));
}

/// Whether a decoder that lost packet `at` has something better than concealment from the next.
bool is_repeated_for_a_decoder(const payloads& packets, size_t at,
                               std::chrono::milliseconds length) {
  const auto before = std::span{packets}.first(at);
  const auto lost = [&](bool fec) {
    const auto in = decoder::make(codec::opus);
    for (const auto& packet : before)
      EXPECT_TRUE(in->decode(packet));
    const auto samples = fec ? in->decode_fec(packets[at + 1], length) : in->conceal(length);
    return std::vector<int16_t>{samples.begin(), samples.end()};
  };
  return lost(true) != lost(false);
}

TEST(opus_repetition, is_in_speech_at_the_settings_of_a_call) {
  const auto speech = speech_like(4000 * ms);
  EXPECT_EQ(repeating(encoded({}, speech)), 0u);
  EXPECT_EQ(repeating(encoded({.expected_loss_percent = 10}, speech)), 0u);
  const auto with = encoded({.fec = true, .expected_loss_percent = 10}, speech);
  EXPECT_GT(repeating(with), with.size() * 3 / 4);
  for (const auto& packet : with)
    EXPECT_TRUE(opus_repetition(packet) == 0 || opus_repetition(packet) == 960u);
}

TEST(opus_repetition, is_what_a_decoder_finds) {
  const auto speech = speech_like(2000 * ms);
  for (const auto frame : {10 * ms, 20 * ms, 40 * ms, 60 * ms})
    for (const auto bitrate : {20'000U, 32'000U, 64'000U}) {
      const auto packets =
        encoded({.bitrate = bitrate, .fec = true, .expected_loss_percent = 20}, speech, frame);
      const std::chrono::milliseconds length{frame / ms};
      for (size_t at = 5; at + 1 < packets.size(); at += 7) {
        const auto units = opus_repetition(packets[at + 1]);
        if (opus_toc::read(packets[at + 1])->frames > 1) {
          EXPECT_EQ(units, 0u);
          continue;
        }
        // A change of mode or bandwidth is not concealed by the old one's means.
        if (units == 0 && packets[at + 1][0] != packets[at - 1][0])
          continue;
        EXPECT_EQ(units != 0, is_repeated_for_a_decoder(packets, at, length))
          << frame / ms << " ms at " << bitrate << ", packet " << at;
        EXPECT_TRUE(units == 0 || units == frame);
      }
    }
}

TEST(opus_repetition, knows_where_the_flags_of_each_layout_are) {
  const auto of = [](std::initializer_list<int> values) {
    std::vector<std::byte> packet;
    for (const auto value : values)
      packet.push_back(static_cast<std::byte>(value));
    return opus_repetition(packet);
  };
  // The first byte: configuration, stereo, code.
  EXPECT_EQ(of({0x08, 0x40, 0}), 960u); // SILK, 20 ms: voice, LBRR
  EXPECT_EQ(of({0x08, 0xbf, 0}), 0u);
  EXPECT_EQ(of({0x00, 0x40, 0}), 480u);  // 10 ms
  EXPECT_EQ(of({0x10, 0x20, 0}), 1920u); // 40 ms: voice twice
  EXPECT_EQ(of({0x10, 0xdf, 0}), 0u);
  EXPECT_EQ(of({0x18, 0x10, 0}), 2880u); // 60 ms: three times
  EXPECT_EQ(of({0x18, 0xef, 0}), 0u);
  EXPECT_EQ(of({0x78, 0x40, 0}), 960u); // hybrid
  EXPECT_EQ(of({0x98, 0xff, 0}), 0u);   // CELT has none
  EXPECT_EQ(of({0x0c, 0x10, 0}), 960u); // stereo: voice, LBRR, voice, LBRR
  EXPECT_EQ(of({0x0c, 0xaf, 0}), 0u);
  EXPECT_EQ(of({0x1c, 0x01, 0}), 2880u);         // its last bit
  EXPECT_EQ(of({0x09, 0x40, 0x40}), 0u);         // two frames
  EXPECT_EQ(of({0x0b, 0x01, 0x40}), 960u);       // a count of one
  EXPECT_EQ(of({0x0b, 0x41, 1, 0x40, 0}), 960u); // and a byte of padding
  EXPECT_EQ(of({0x0b, 0x41, 1, 0x40}), 0u);      // which is all there is
  EXPECT_EQ(of({0x0b, 0x41, 0xff}), 0u);         // and whose length is missing
  EXPECT_EQ(of({0x08}), 0u);
  EXPECT_EQ(of({}), 0u);
}

TEST(sec_07, opus_repetition_reads_no_further_than_any_payload) {
  std::minstd_rand random{7};
  for (int toc = 0; toc < 256; ++toc)
    for (size_t size = 0; size < 12; ++size)
      for (int turn = 0; turn < 3; ++turn) {
        std::vector<std::byte> bytes(size);
        for (auto& byte : bytes)
          byte = static_cast<std::byte>(turn < 1 ? 0xff : random());
        if (size > 0)
          bytes[0] = static_cast<std::byte>(toc);
        const tests::guarded_bytes packet{
          {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
        EXPECT_LE(opus_repetition(packet.bytes()), 2880u);
      }
}

} // namespace
} // namespace jackfield::audio
