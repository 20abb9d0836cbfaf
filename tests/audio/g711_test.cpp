#include "engine/audio/g711.hpp"

#include <array>
#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::audio {
namespace {

struct pair {
  int sample;
  int code;
};

TEST(g711, encodes_ulaw_as_g191_does) {
  for (const auto [sample, code] :
       {pair{0, 0xff}, pair{3, 0xff}, pair{4, 0xfe}, pair{8, 0xfe}, pair{-1, 0x7f}, pair{-4, 0x7f},
        pair{-5, 0x7e}, pair{1000, 0xce}, pair{-1000, 0x4e}, pair{8159, 0x9f}, pair{32635, 0x80},
        pair{32767, 0x80}, pair{-32635, 0x00}, pair{-32768, 0x00}})
    EXPECT_EQ(encode_ulaw(static_cast<int16_t>(sample)), code) << sample;
}

TEST(g711, decodes_ulaw_as_g191_does) {
  for (const auto [sample, code] :
       {pair{0, 0xff}, pair{0, 0x7f}, pair{8, 0xfe}, pair{-8, 0x7e}, pair{132, 0xef},
        pair{-132, 0x6f}, pair{988, 0xce}, pair{32124, 0x80}, pair{-32124, 0x00}, pair{16764, 0x8f},
        pair{15996, 0x90}})
    EXPECT_EQ(decode_ulaw(static_cast<uint8_t>(code)), sample) << code;
}

TEST(g711, encodes_alaw_as_g191_does) {
  for (const auto [sample, code] :
       {pair{0, 0xd5}, pair{15, 0xd5}, pair{16, 0xd4}, pair{-1, 0x55}, pair{-16, 0x55},
        pair{-17, 0x54}, pair{255, 0xda}, pair{256, 0xc5}, pair{1000, 0xfa}, pair{-1000, 0x7a},
        pair{32767, 0xaa}, pair{-32768, 0x2a}})
    EXPECT_EQ(encode_alaw(static_cast<int16_t>(sample)), code) << sample;
}

TEST(g711, decodes_alaw_as_g191_does) {
  for (const auto [sample, code] :
       {pair{8, 0xd5}, pair{-8, 0x55}, pair{24, 0xd4}, pair{264, 0xc5}, pair{1008, 0xfa},
        pair{-1008, 0x7a}, pair{32256, 0xaa}, pair{-32256, 0x2a}})
    EXPECT_EQ(decode_alaw(static_cast<uint8_t>(code)), sample) << code;
}

TEST(g711, gives_every_code_back) {
  for (int code = 0; code < 256; ++code) {
    const auto c = static_cast<uint8_t>(code);
    // µ-law has two zeros; the negative one comes back as the positive.
    EXPECT_EQ(encode_ulaw(decode_ulaw(c)), code == 0x7f ? 0xff : code);
    EXPECT_EQ(encode_alaw(decode_alaw(c)), code);
  }
}

TEST(g711, errs_by_half_a_step_at_most_and_never_turns_back) {
  int last_u = -40'000;
  int last_a = -40'000;
  for (int x = -32768; x <= 32767; ++x) {
    const auto sample = static_cast<int16_t>(x);
    const int u = decode_ulaw(encode_ulaw(sample));
    const int a = decode_alaw(encode_alaw(sample));
    EXPECT_GE(u, last_u);
    EXPECT_GE(a, last_a);
    last_u = u;
    last_a = a;
    // A step is at most a sixteenth of the magnitude; the ends clip.
    EXPECT_LE(std::abs(u - x), std::abs(x) > 32635 ? 660 : std::abs(x) / 32 + 8) << x;
    EXPECT_LE(std::abs(a - x), std::abs(x) / 32 + 16) << x;
  }
}

TEST(g711, codes_as_many_samples_as_fit) {
  const std::vector<int16_t> in{0, 1000, -1000};
  std::array<std::byte, 2> codes{};
  EXPECT_EQ(encode(codec::pcma, in, codes), 2u);
  EXPECT_EQ(codes[1], std::byte{0xfa});
  EXPECT_EQ(encode(codec::pcmu, in, codes), 2u);
  EXPECT_EQ(codes[1], std::byte{0xce});
  std::array<int16_t, 4> out{};
  EXPECT_EQ(decode(codec::pcmu, codes, out), 2u);
  EXPECT_EQ(out[1], 988);
  EXPECT_EQ(decode(codec::pcma, {}, out), 0u);
}

} // namespace
} // namespace jackfield::audio
