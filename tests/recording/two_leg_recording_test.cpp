#include "engine/recording/two_leg_recording.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "engine/audio/tone_detector.hpp"
#include "tests/coded_signals.hpp"
#include "tests/recorded_file.hpp"

namespace jackfield::recording {
namespace {

using namespace std::chrono_literals;
using audio::codec;

/// Somebody who says a tone, in packets of 20 ms, beginning at any timestamp.
class talker {
public:
  talker(codec c, double hz) : codec_(c), hz_(hz), coder_(*audio::encoder::make(c, 20ms)) {}

  recorded_packet next(rtp::duration at) {
    const auto rate = audio::traits_of(codec_).sample_rate;
    const auto count = coder_->frame_samples();
    recorded_packet out;
    out.at = at;
    out.ssrc = ssrc;
    out.timestamp = timestamp;
    out.codec = codec_;
    out.payload.resize(audio::encoder::most_bytes);
    out.payload.resize(
      coder_->encode(audio::sine(hz_, -20, rate, count, said_ * count), out.payload));
    ++said_;
    timestamp += audio::timestamp_step(codec_, 20ms);
    return out;
  }
  void pause(rtp::duration length) {
    timestamp += static_cast<uint32_t>(rtp::to_units(length, audio::traits_of(codec_).clock_rate));
  }

  uint32_t ssrc = 7;
  uint32_t timestamp = 0xffff'f000; // it wraps soon

private:
  codec codec_;
  double hz_;
  std::unique_ptr<audio::encoder> coder_;
  size_t said_ = 0;
};

class two_leg_recording_test : public testing::Test {
protected:
  read_back read(rtp::duration length) {
    file_.finish(length);
    take();
    return read_bytes(bytes_);
  }
  void take() {
    const auto some = file_.take_pages();
    bytes_.insert(bytes_.end(), some.begin(), some.end());
  }
  static std::span<const int16_t> part(const std::vector<int16_t>& of, const read_back& file,
                                       double from, double to) {
    const auto first = static_cast<size_t>(from * file.rate);
    const auto last = std::min(of.size(), static_cast<size_t>(to * file.rate));
    return std::span{of}.subspan(first, last - first);
  }
  static void expect_tone(const read_back& file, size_t channel, double hz, double from, double to,
                          double share = 0.9) {
    const auto heard = part(file.channels[channel], file, from, to);
    EXPECT_GT(audio::tone_share(heard, hz, file.rate), share) << channel << " " << hz;
    EXPECT_NEAR(audio::level_dbm0(heard), -20, 1.5) << channel;
  }
  static void expect_silence(const read_back& file, size_t channel, double from, double to) {
    EXPECT_LT(audio::level_dbm0(part(file.channels[channel], file, from, to)), -60)
      << channel << " from " << from;
  }

  two_leg_recording file_{99, {"TITLE=a test"}};
  std::vector<std::byte> bytes_;
};

TEST_F(two_leg_recording_test, has_each_leg_in_its_channel_and_nothing_of_the_other) {
  talker caller{codec::opus, 440};
  talker agent{codec::pcmu, 1000};
  for (auto t = 0ms; t < 5000ms; t += 20ms) {
    file_.add(leg::caller, caller.next(t));
    file_.add(leg::agent, agent.next(t + 7ms));
    file_.pass_to(t);
  }
  const auto file = read(5s);
  ASSERT_NEAR(file.seconds(), 5, 0.001);
  expect_tone(file, 0, 440, 0.2, 4.9);
  expect_tone(file, 1, 1000, 0.2, 4.9);
  EXPECT_LT(audio::tone_share(part(file.channels[0], file, 0.2, 4.9), 1000, file.rate), 1e-4);
  EXPECT_LT(audio::tone_share(part(file.channels[1], file, 0.2, 4.9), 440, file.rate), 1e-4);
}

TEST_F(two_leg_recording_test, loses_no_time_to_losses) {
  talker caller{codec::opus, 440};
  talker agent{codec::g722, 1000};
  std::mt19937 dice{5};
  std::array<uint64_t, 2> came{};
  for (auto t = 0ms; t < 20'000ms; t += 20ms) {
    for (const auto of : {leg::caller, leg::agent}) {
      // Some are lost, and some overtake others.
      auto said =
        (of == leg::caller ? caller : agent).next(t + std::chrono::milliseconds{dice() % 60});
      if (dice() % 20 == 0)
        continue;
      ++came[static_cast<size_t>(of)];
      file_.add(of, std::move(said));
    }
    file_.pass_to(t);
  }
  const auto file = read(20s);
  ASSERT_NEAR(file.seconds(), 20, 0.001);
  expect_tone(file, 0, 440, 0.2, 19.8, 0.8); // what is concealed need not be in phase
  expect_tone(file, 1, 1000, 0.2, 19.8, 0.8);
  for (const auto of : {leg::caller, leg::agent}) {
    EXPECT_EQ(file_.counts(of).packets, came[static_cast<size_t>(of)]);
    EXPECT_NEAR(static_cast<double>(file_.counts(of).concealed), 50, 20);
    EXPECT_EQ(file_.counts(of).late, 0U);
  }
}

TEST_F(two_leg_recording_test, places_who_comes_later_where_it_came) {
  talker caller{codec::pcma, 440};
  talker agent{codec::opus, 1000};
  for (auto t = 0ms; t < 4000ms; t += 20ms) {
    file_.add(leg::caller, caller.next(t));
    if (t >= 2000ms)
      file_.add(leg::agent, agent.next(t));
    file_.pass_to(t);
  }
  const auto file = read(4s);
  ASSERT_NEAR(file.seconds(), 4, 0.001);
  expect_silence(file, 1, 0, 1.99);
  expect_tone(file, 1, 1000, 2.1, 3.9);
  // From where on it is heard, to 20 ms.
  const auto& right = file.channels[1];
  const auto first = std::ranges::find_if(right, [](int16_t s) { return std::abs(s) > 500; });
  EXPECT_NEAR(static_cast<double>(first - right.begin()) / file.rate, 2, 0.02);
}

TEST_F(two_leg_recording_test, a_pause_is_silence_as_long_as_it_was) {
  talker caller{codec::opus, 440};
  talker agent{codec::pcmu, 1000};
  for (auto t = 0ms; t < 6000ms; t += 20ms) {
    const bool pauses = t >= 2000ms && t < 4000ms;
    if (pauses) { // as with DTX: its time passes all the same
      caller.pause(20ms);
    } else {
      auto said = caller.next(t);
      said.ends_talk = t == 1980ms;
      file_.add(leg::caller, std::move(said));
    }
    file_.add(leg::agent, agent.next(t));
    file_.pass_to(t);
  }
  const auto file = read(6s);
  ASSERT_NEAR(file.seconds(), 6, 0.001);
  expect_tone(file, 0, 440, 0.2, 1.95);
  expect_silence(file, 0, 2.05, 3.95);
  expect_tone(file, 0, 440, 4.1, 5.9);
  expect_tone(file, 1, 1000, 0.2, 5.9);
}

TEST_F(two_leg_recording_test, timestamps_that_jump_do_not_move_what_is_said) {
  talker caller{codec::pcmu, 440};
  for (auto t = 0ms; t < 4000ms; t += 20ms) {
    if (t == 1000ms)
      caller.timestamp += 0x4000'0000;
    if (t == 2000ms)
      caller.timestamp -= 0x5000'0000;
    if (t == 3000ms)
      caller.ssrc = 8;
    file_.add(leg::caller, caller.next(t));
    file_.pass_to(t);
  }
  const auto file = read(4s);
  expect_tone(file, 0, 440, 0.1, 3.95);
  expect_silence(file, 1, 0, 4);
}

// 400 ppm: 48 ms in two minutes.
TEST_F(two_leg_recording_test, follows_a_clock_that_runs_off) {
  talker caller{codec::pcmu, 440};
  const auto frame = std::chrono::microseconds{20'008};
  auto t = rtp::duration{};
  for (int i = 0; i < 6000; ++i, t += frame) {
    file_.add(leg::caller, caller.next(t));
    file_.pass_to(t);
  }
  const auto last_came = t;
  const auto file = read(t + 1s);
  const auto& left = file.channels[0];
  const auto last =
    std::find_if(left.rbegin(), left.rend(), [](int16_t s) { return std::abs(s) > 500; });
  EXPECT_NEAR(static_cast<double>(left.rend() - last) / file.rate,
              std::chrono::duration<double>(last_came).count(),
              0.13) // what is concealed at the end
    << "it is where it was said";
  EXPECT_EQ(file_.counts(leg::caller).packets, 6000U);
  EXPECT_GT(file_.counts(leg::caller).concealed, 0U);
}

TEST_F(two_leg_recording_test, a_codec_may_change_in_the_middle) {
  talker first{codec::pcmu, 440};
  talker second{codec::opus, 440};
  for (auto t = 0ms; t < 4000ms; t += 20ms) {
    file_.add(leg::caller, t < 2000ms ? first.next(t) : second.next(t));
    file_.pass_to(t);
  }
  const auto file = read(4s);
  expect_tone(file, 0, 440, 0.1, 1.95);
  expect_tone(file, 0, 440, 2.1, 3.95);
}

TEST_F(two_leg_recording_test, what_is_there_when_it_is_cut_off_can_be_read) {
  talker caller{codec::opus, 440};
  talker agent{codec::pcmu, 1000};
  for (auto t = 0ms; t < 10'000ms; t += 20ms) {
    file_.add(leg::caller, caller.next(t));
    file_.add(leg::agent, agent.next(t));
    file_.pass_to(t);
  }
  take(); // and no end comes
  const auto file = read_bytes(bytes_);
  EXPECT_GT(file.seconds(), 8.4) << "all but what is waited for and a page that is begun";
  expect_tone(file, 0, 440, 0.2, 8.3);
  expect_tone(file, 1, 1000, 0.2, 8.3);
  // Torn in the middle of a page, too.
  const auto torn = read_bytes(std::span{bytes_}.first(bytes_.size() * 2 / 3));
  EXPECT_GT(torn.seconds(), 4);
}

TEST_F(two_leg_recording_test, what_cannot_be_decoded_or_is_too_much_is_counted) {
  talker caller{codec::opus, 440};
  for (auto t = 0ms; t < 2000ms; t += 20ms) {
    auto said = caller.next(t);
    if (t == 400ms)
      said.payload.assign(3, std::byte{0xff});
    file_.add(leg::caller, std::move(said));
    file_.pass_to(t);
  }
  for (size_t i = 0; i < 2 * recorded_leg::most_waiting; ++i)
    file_.add(leg::agent, {2s, 1, static_cast<uint32_t>(i) * 160, codec::pcmu, false,
                           std::vector<std::byte>(160)});
  const auto file = read(2s);
  EXPECT_NEAR(file.seconds(), 2, 0.001);
  EXPECT_EQ(file_.counts(leg::caller).faulty, 1U);
  EXPECT_EQ(file_.counts(leg::caller).packets, 99U);
  EXPECT_EQ(file_.counts(leg::agent).refused, recorded_leg::most_waiting);
}

TEST_F(two_leg_recording_test, a_call_in_which_nobody_spoke_is_silence) {
  const auto file = read(3s);
  EXPECT_NEAR(file.seconds(), 3, 0.001);
  expect_silence(file, 0, 0, 3);
  expect_silence(file, 1, 0, 3);
}

} // namespace
} // namespace jackfield::recording
