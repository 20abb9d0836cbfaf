#include "actors/media/transcoding.hpp"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "engine/audio/comfort_noise.hpp"
#include "engine/audio/tone_detector.hpp"
#include "tests/coded_signals.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using audio::codec;

constexpr auto packet_time = 20ms;
constexpr rtp::time_point start{100s};
constexpr double tone_hz = 880;
constexpr size_t tone_seconds = 10;

/// Somebody who plays a tone in one codec, and somebody who hears it in another, every 20 ms.
class direction {
public:
  direction(codec from, codec to)
      : from_(from), to_(to), made_(transcoding::make({from, to, packet_time}, {}).value()),
        decoder_(audio::decoder::make(to)) {
    const auto coder = audio::encoder::make(from, packet_time).value();
    const auto rate = audio::traits_of(from).sample_rate;
    tone_ = encode_all(*coder, audio::sine(tone_hz, -20, rate, size_t{rate} * tone_seconds));
  }

  /// The packet of that number comes at that time.
  void say(uint32_t number, rtp::time_point at) {
    say(number, number, at, tone_[number % tone_.size()]);
  }
  void say(uint32_t number, uint32_t time, rtp::time_point at, std::span<const std::byte> payload,
           bool is_noise = false) {
    rtp::packet p;
    p.ssrc = 7;
    p.payload_type = is_noise ? 13 : 96;
    p.sequence = static_cast<uint16_t>(65'530 + number);
    p.timestamp = time * audio::timestamp_step(from_, packet_time);
    p.payload = payload;
    using content = rtp::heard_packet::content;
    made_->on_heard(
      {p, is_noise ? content::other : content::audio, static_cast<uint8_t>(from_), at});
  }
  /// One packet time; true if there was a frame.
  bool listen(rtp::time_point at) {
    const auto frame = made_->next_frame(at);
    if (frame.empty())
      return false;
    const auto samples = decoder_->decode(frame);
    EXPECT_TRUE(samples);
    EXPECT_EQ(samples->size(), samples_in(to_, packet_time));
    audio::append(heard, *samples);
    return true;
  }
  /// Both go on for so many packet times; returns how many frames there were.
  uint32_t talk(uint32_t count, rtp::duration lag = 3ms) {
    uint32_t frames = 0;
    for (; count > 0; --count, ++now_) {
      say(now_, start + now_ * packet_time + lag);
      frames += listen(start + now_ * packet_time + 10ms) ? 1 : 0;
    }
    return frames;
  }
  [[nodiscard]] double tone_since(size_t sample) const {
    return audio::tone_share(std::span{heard}.subspan(sample), tone_hz,
                             audio::traits_of(to_).sample_rate);
  }
  [[nodiscard]] const rtp::jitter_buffer_counts& counts() const { return made_->counts(); }
  [[nodiscard]] uint32_t now() const { return now_; }

  std::vector<int16_t> heard;

private:
  codec from_;
  codec to_;
  std::unique_ptr<transcoding> made_;
  std::unique_ptr<audio::decoder> decoder_;
  std::vector<std::vector<std::byte>> tone_;
  uint32_t now_ = 0;
};

struct pair_of_codecs {
  codec from;
  codec to;
};

class transcoding_test : public testing::TestWithParam<pair_of_codecs> {};

TEST_P(transcoding_test, a_steady_stream_is_a_frame_for_each_packet_and_nothing_is_made_up) {
  direction d{GetParam().from, GetParam().to};
  const auto frames = d.talk(100);
  EXPECT_GE(frames, 97U) << "some tens of ms of delay at first";
  EXPECT_EQ(d.counts().missing, 0U);
  EXPECT_EQ(d.counts().stretched, 0U);
  EXPECT_EQ(d.counts().dropped, 0U);
  EXPECT_GT(d.tone_since(d.heard.size() / 4), 0.95);
}

INSTANTIATE_TEST_SUITE_P(of_codecs, transcoding_test,
                         testing::Values(pair_of_codecs{codec::opus, codec::pcmu},
                                         pair_of_codecs{codec::pcma, codec::opus},
                                         pair_of_codecs{codec::g722, codec::pcma},
                                         pair_of_codecs{codec::opus, codec::g722},
                                         pair_of_codecs{codec::pcmu, codec::pcma}),
                         [](const auto& of) {
                           return std::string{traits_of(of.param.from).name} + "_to_" +
                                  std::string{traits_of(of.param.to).name};
                         });

TEST(transcoding, loss_and_jitter_are_concealed_and_the_delay_follows) {
  direction d{codec::pcmu, codec::opus};
  std::mt19937 random{5};
  std::multimap<rtp::time_point, uint32_t> arrivals;
  constexpr uint32_t packets = 500;
  uint64_t lost = 0;
  for (uint32_t n = 0; n < packets; ++n)
    if (random() % 100 < 3)
      ++lost;
    else
      arrivals.emplace(start + n * packet_time + std::chrono::milliseconds{random() % 60}, n);
  uint32_t frames = 0;
  for (uint32_t n = 0; n < packets; ++n) {
    const auto now = start + n * packet_time;
    for (; !arrivals.empty() && arrivals.begin()->first <= now; arrivals.erase(arrivals.begin()))
      d.say(arrivals.begin()->second, arrivals.begin()->first);
    frames += d.listen(now) ? 1 : 0;
  }
  EXPECT_GE(frames, packets - 6) << "once it has begun there is a frame each time";
  EXPECT_GE(d.counts().missing, lost / 2);
  EXPECT_LE(d.counts().missing, lost + packets * 5 / 100) << "nearly all that came was in time";
  EXPECT_GT(d.tone_since(48'000), 0.8);
}

TEST(transcoding, falls_silent_with_its_source_and_goes_on_with_it) {
  direction d{codec::pcmu, codec::pcma};
  d.talk(50);
  uint32_t frames = 0;
  for (uint32_t n = 0; n < 100; ++n)
    frames += d.listen(start + (d.now() + n) * packet_time) ? 1 : 0;
  EXPECT_GE(frames, 1U);
  EXPECT_LE(frames, 25U) << "half a second, and then nothing is sent";
  for (uint32_t n = 0; n < 50; ++n) { // its clock has gone on
    const auto at = start + (150 + n) * packet_time;
    d.say(50 + n, 150 + n, at, std::vector<std::byte>(160, std::byte{0x55}));
    frames += d.listen(at + 10ms) ? 1 : 0;
  }
  EXPECT_GE(frames, 47U);
}

TEST(transcoding, comfort_noise_is_noise_of_its_level_until_talk_goes_on) {
  direction d{codec::pcmu, codec::opus};
  d.talk(50);
  const std::vector<std::byte> noise{audio::comfort_noise::payload_of(50)};
  d.say(50, 50, start + 50 * packet_time, noise, true);
  const auto before = d.heard.size();
  for (uint32_t n = 50; n < 150; ++n)
    EXPECT_TRUE(d.listen(start + n * packet_time + 10ms)) << n;
  const auto later = std::span{d.heard}.subspan(before + 48'000);
  EXPECT_NEAR(audio::comfort_noise::measure(later), 50, 3);
  EXPECT_EQ(d.counts().missing, 0U);
  for (uint32_t n = 0; n < 50; ++n) {
    const auto at = start + (150 + n) * packet_time;
    d.say(51 + n, 150 + n, at,
          std::vector<std::byte>(160, std::byte{static_cast<uint8_t>(n % 2 == 0 ? 0x90 : 0x10)}));
    EXPECT_TRUE(d.listen(at + 10ms));
  }
  EXPECT_EQ(d.counts().missing, 0U);
}

TEST(transcoding, of_opus_that_is_not_sent_in_silence) {
  direction d{codec::opus, codec::pcmu};
  d.talk(50);
  const std::vector<std::byte> silence{std::byte{0x08}};
  d.say(50, 50, start + 50 * packet_time, silence);
  for (uint32_t n = 50; n < 90; ++n)
    EXPECT_TRUE(d.listen(start + n * packet_time + 10ms)) << n;
  EXPECT_EQ(d.counts().missing, 0U) << "nothing was lost";
}

TEST(transcoding, what_cannot_be_decoded_is_concealed) {
  direction d{codec::opus, codec::pcmu};
  d.talk(50);
  const std::vector<std::byte> garbage(300, std::byte{0xff});
  uint32_t frames = 0;
  for (uint32_t n = 50; n < 100; ++n) {
    d.say(n, n, start + n * packet_time, garbage);
    frames += d.listen(start + n * packet_time + 10ms) ? 1 : 0;
  }
  EXPECT_EQ(frames, 50U);
}

TEST(transcoding, other_codecs_and_digits_are_not_heard) {
  auto made = transcoding::make({codec::pcmu, codec::pcma, packet_time}, {}).value();
  rtp::packet p;
  const std::vector<std::byte> payload(160, std::byte{1});
  p.payload = payload;
  using content = rtp::heard_packet::content;
  made->on_heard({p, content::audio, static_cast<uint8_t>(codec::g722), start});
  made->on_heard({p, content::event, 0, start});
  made->on_heard({p, content::other, 0, start});
  EXPECT_EQ(made->counts().stored, 0U);
  EXPECT_TRUE(made->next_frame(start + 1s).empty());
}

TEST(transcoding, is_not_made_for_a_packet_time_that_the_target_does_not_have) {
  const auto made = transcoding::make({codec::pcmu, codec::opus, 30ms}, {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().to_string().find("30"), std::string::npos) << made.error().to_string();
}

} // namespace
} // namespace jackfield
