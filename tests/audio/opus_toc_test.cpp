#include "engine/audio/opus_toc.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <opus.h>

namespace jackfield::audio {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const auto v : values)
    out.push_back(std::byte(static_cast<unsigned char>(v)));
  return out;
}

TEST(opus_toc, reads_mode_and_length_of_every_configuration) {
  for (int configuration = 0; configuration < 32; ++configuration) {
    const auto toc = opus_toc::read(bytes({configuration << 3, 1, 2, 3}));
    ASSERT_TRUE(toc);
    EXPECT_EQ(toc->mode, configuration < 12   ? opus_toc::coding::silk
                         : configuration < 16 ? opus_toc::coding::hybrid
                                              : opus_toc::coding::celt);
    EXPECT_FALSE(toc->stereo);
    EXPECT_FALSE(toc->dtx);
  }
  EXPECT_EQ(opus_toc::read(bytes({0x78, 0, 0}))->duration(), 960u);  // 15: hybrid, 20 ms
  EXPECT_EQ(opus_toc::read(bytes({0x18, 0, 0}))->duration(), 2880u); // 3: SILK, 60 ms
  EXPECT_EQ(opus_toc::read(bytes({0x80, 0, 0}))->duration(), 120u);  // 16: CELT, 2.5 ms
  EXPECT_TRUE(opus_toc::read(bytes({0x7c, 0, 0}))->stereo);
}

TEST(opus_toc, agrees_with_libopus_on_every_toc_and_frame_count) {
  for (int toc = 0; toc < 256; ++toc) {
    for (int count = 0; count < 256; ++count) {
      const auto packet = bytes({toc, count, 0, 0});
      const auto theirs = opus_packet_get_nb_samples(
        reinterpret_cast<const unsigned char*>(packet.data()), 4, 48'000);
      const auto ours = opus_toc::read(packet);
      EXPECT_EQ(ours ? static_cast<int>(ours->duration()) : 0, std::max(theirs, 0))
        << toc << " " << count;
    }
  }
}

TEST(opus_toc, refuses_what_is_no_packet_and_knows_what_is_silence) {
  EXPECT_FALSE(opus_toc::read({}));
  EXPECT_FALSE(opus_toc::read(bytes({0x7b})));       // a count that is missing
  EXPECT_FALSE(opus_toc::read(bytes({0x7b, 0, 0}))); // no frames
  EXPECT_FALSE(opus_toc::read(bytes({0x7b, 7, 0}))); // 140 ms
  EXPECT_TRUE(opus_toc::read(bytes({0x83, 48, 0}))); // 48 times 2.5 ms
  EXPECT_FALSE(opus_toc::read(bytes({0x83, 49, 0})));
  EXPECT_TRUE(opus_toc::read(bytes({0x78}))->dtx);
  EXPECT_TRUE(opus_toc::read(bytes({0x78, 1}))->dtx);
  EXPECT_FALSE(opus_toc::read(bytes({0x78, 1, 2}))->dtx);
}

} // namespace
} // namespace jackfield::audio
