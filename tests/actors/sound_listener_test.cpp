#include "actors/media/sound_listener.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "engine/audio/codec.hpp"
#include "engine/rtp/packet.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using kind = audio::found_sound::kind;

/// Hears half a second of a tone of 1 kHz, and more of it later.
class sound_listener_of_a_tone : public testing::Test {
protected:
  sound_listener_of_a_tone() { hear(0ms, first); }

  /// 25 packets of 20 ms of PCMU: when the first arrives, and its timestamp.
  void hear(milliseconds at, uint32_t timestamp) {
    constexpr std::array<uint8_t, 8> wave{0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E};
    std::array<std::byte, 160> payload{};
    for (size_t i = 0; i < payload.size(); ++i)
      payload.at(i) = std::byte{wave.at(i % wave.size())};
    for (uint32_t i = 0; i < 25; ++i) {
      rtp::packet packet;
      packet.timestamp = timestamp + i * 160;
      packet.payload = payload;
      listener_.on_heard({.what = packet,
                          .is = rtp::heard_packet::content::audio,
                          .codec = static_cast<uint8_t>(audio::codec::pcmu),
                          .arrived = rtp::time_point{} + at + i * 20ms});
    }
  }
  /// Two stretches of the tone with so much silence between them.
  void expect_silence(milliseconds length) const {
    const auto pieces = listener_.found().pieces;
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[0].what, kind::tone);
    EXPECT_EQ(pieces[1].what, kind::silence);
    EXPECT_EQ(pieces[1].length, length);
    EXPECT_EQ(pieces[2].what, kind::tone);
    EXPECT_EQ(pieces[2].at, pieces[1].at + length);
  }

  static constexpr uint32_t first = 0xFFFFF000; // they wrap on the way
  static constexpr uint32_t next = first + 25 * 160;
  sound_listener listener_;
};

TEST_F(sound_listener_of_a_tone, takes_what_follows_as_one_stretch) {
  hear(500ms, next);
  const auto pieces = listener_.found().pieces;
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].length, 1000ms);
}

TEST_F(sound_listener_of_a_tone, has_a_pause_last_as_its_timestamps_say) {
  hear(1100ms, next + 8 * 800);
  expect_silence(800ms);
}

TEST_F(sound_listener_of_a_tone, has_a_pause_last_as_its_timestamps_say_where_packets_were_late) {
  hear(480ms + 1ms, next + 8 * 1000);
  expect_silence(1000ms);
}

TEST_F(sound_listener_of_a_tone, has_a_jump_ahead_last_as_long_as_nothing_came) {
  hear(480ms + 700ms, next + 0x40000000);
  expect_silence(700ms);
}

TEST_F(sound_listener_of_a_tone, has_a_jump_back_last_as_long_as_nothing_came) {
  hear(480ms + 700ms, next - 0x40000000);
  expect_silence(700ms);
}

TEST_F(sound_listener_of_a_tone, leaves_out_what_comes_after_its_time) {
  hear(500ms, first);
  const auto pieces = listener_.found().pieces;
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].length, 480ms); // whole blocks of 40 ms
}

} // namespace
} // namespace jackfield
