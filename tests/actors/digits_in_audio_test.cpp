#include <gtest/gtest.h>

#include "engine/audio/g711.hpp"
#include "engine/audio/tone_analysis.hpp"
#include "tests/actors/sim_world.hpp"
#include "tests/actors/stream_ends.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// What was found in each packet: "697+1209", or "" for no two tones.
std::vector<std::string> tones_in(const std::vector<rtp_peer::packet>& packets) {
  std::vector<std::string> found;
  for (const auto& p : packets) {
    std::vector<int16_t> samples;
    for (const auto byte : p.payload)
      samples.push_back(audio::decode_ulaw(std::to_integer<uint8_t>(byte)));
    const auto tones = audio::find_tones(samples);
    const bool two = tones && tones->hz[1] != 0;
    const auto rounded = [](double hz) {
      for (const int known : {697, 770, 852, 941, 1209, 1336, 1477, 1633})
        if (std::abs(hz - known) < 0.02 * known)
          return known;
      return 0;
    };
    found.push_back(two ? std::to_string(rounded(tones->hz[0])) + "+" +
                            std::to_string(rounded(tones->hz[1]))
                        : std::string{});
  }
  return found;
}

/// A stream that dials "1#" in its audio: each digit sounds for five packets, and three follow.
TEST(digits_in_audio, are_their_two_tones_and_a_pause) {
  sim_world world{4};
  stream_end end{world.lane(), world.add_site("10.0.0.2").context.media};
  rtp_peer peer{world.lane(), "10.9.0.1", 1};
  world.pass(100ms);
  end.tell(media_connect{agreed(peer.address())});
  world.pass(205ms);
  end.tell(media_dial{"1#", media_dial::way::audio});
  world.pass(1s);
  const auto found = tones_in(peer.heard);
  const auto first = std::find(found.begin(), found.end(), "697+1209");
  ASSERT_NE(first, found.end());
  const std::vector<std::string> sixteen(first, first + 16);
  std::vector<std::string> expected;
  for (const char* digit : {"697+1209", "941+1477"}) {
    expected.insert(expected.end(), 5, digit);
    expected.insert(expected.end(), 3, "");
  }
  EXPECT_EQ(sixteen, expected);
  EXPECT_EQ(std::count(found.begin(), found.end(), ""), static_cast<long>(found.size()) - 10)
    << "and its own tone around them";
  for (size_t i = 1; i < peer.heard.size(); ++i) {
    EXPECT_EQ(peer.heard[i].payload_type, 0) << "no event among them";
    EXPECT_EQ(peer.heard[i].timestamp - peer.heard[i - 1].timestamp, 160U);
  }
  end.tell(media_close{});
  world.pass(100ms);
  EXPECT_EQ(end.heard().closed.at(0).outcome.digits_sent, 2U);
}

} // namespace
} // namespace jackfield
