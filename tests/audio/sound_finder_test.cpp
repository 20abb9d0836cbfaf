#include "engine/audio/sound_finder.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/audio/decoder.hpp"
#include "engine/audio/encoder.hpp"
#include "engine/audio/tone_analysis.hpp"
#include "tests/coded_signals.hpp"
#include "tests/speech_like.hpp"

namespace jackfield::audio {
namespace {

using std::chrono::milliseconds;
using kind = found_sound::kind;

std::vector<int16_t> sum(const std::vector<int16_t>& a, const std::vector<int16_t>& b) {
  auto out = a;
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<int16_t>(out[i] + b[i]);
  return out;
}

std::vector<int16_t> noise(size_t count, int peak) {
  std::minstd_rand random{7};
  std::uniform_int_distribution<int> level{-peak, peak};
  std::vector<int16_t> out(count);
  for (auto& x : out)
    x = static_cast<int16_t>(level(random));
  return out;
}

/// As it is after the codec.
std::vector<int16_t> through(codec c, const std::vector<int16_t>& samples) {
  auto coder = encoder::make(c, milliseconds{20}).value();
  auto decoder = decoder::make(c);
  std::vector<int16_t> out;
  for (const auto& payload : encode_all(*coder, samples))
    append(out, decoder->decode(payload).value());
  return out;
}

/// "silence 0+400, tone 440 400+1000".
std::string text(const heard_sounds& heard) {
  std::string out;
  for (const auto& piece : heard.pieces) {
    out += out.empty() ? "" : ", ";
    out += to_string(piece.what);
    if (piece.what == kind::tone)
      out += " " + std::to_string(piece.hz[0]);
    if (piece.hz[1] != 0)
      out += "+" + std::to_string(piece.hz[1]);
    out += " " + std::to_string(piece.at.count()) + "+" + std::to_string(piece.length.count());
  }
  return out;
}

std::string found_in(const std::vector<int16_t>& samples, uint32_t rate = 8000) {
  sound_finder finder{rate};
  finder.add(samples, rate);
  return text(finder.found());
}

TEST(find_tones, tells_the_frequency_of_one) {
  for (const double hz : {120.0, 350.0, 425.0, 880.0, 1004.0, 2100.0, 3400.0})
    for (const double level : {0.0, -20.0, -35.0}) {
      const auto found = find_tones(through(codec::pcmu, sine(hz, level, 8000, 320)));
      ASSERT_TRUE(found) << hz << " Hz at " << level;
      EXPECT_NEAR(found->hz[0], hz, 0.01 * hz + 1) << level;
      EXPECT_EQ(found->hz[1], 0);
    }
}

TEST(find_tones, tells_the_frequencies_of_two) {
  // Dial, ring-back and busy tone (ITU-T E.180 and North America), and a digit.
  for (const auto& [low, high] :
       {std::pair{350.0, 440.0}, {440.0, 480.0}, {480.0, 620.0}, {400.0, 450.0}, {697.0, 1209.0}}) {
    const auto both = sum(sine(low, -13, 8000, 320), sine(high, -16, 8000, 320));
    for (const auto c : {codec::pcmu, codec::pcma}) {
      const auto found = find_tones(through(c, both));
      ASSERT_TRUE(found) << low << "+" << high;
      EXPECT_NEAR(found->hz[0], low, 0.015 * low);
      EXPECT_NEAR(found->hz[1], high, 0.015 * high);
    }
  }
}

TEST(find_tones, finds_none_in_anything_else) {
  EXPECT_FALSE(find_tones(std::vector<int16_t>(320)));
  EXPECT_FALSE(find_tones({}));
  EXPECT_FALSE(find_tones(noise(320, 8000)));
  EXPECT_FALSE(find_tones(sine(880, -45, 8000, 320))) << "too faint";
  const auto three =
    sum(sum(sine(500, -15, 8000, 320), sine(1100, -15, 8000, 320)), sine(2000, -15, 8000, 320));
  EXPECT_FALSE(find_tones(three));
  EXPECT_FALSE(find_tones(sum(sine(440, -10, 8000, 320), noise(320, 4000)))) << "drowned";
}

TEST(sound_finder, lists_what_was_heard_and_when) {
  std::vector<int16_t> heard(3200); // 400 ms
  append(heard, sine(440, -20, 8000, 8000));
  append(heard, std::vector<int16_t>(4000));
  append(heard, noise(4000, 4000));
  EXPECT_EQ(found_in(heard), "silence 0+400, tone 440 400+1000, silence 1400+480, sound 1880+520");
}

TEST(sound_finder, hears_a_cadence_through_every_codec) {
  for (const auto c : {codec::pcmu, codec::pcma, codec::g722, codec::opus}) {
    const auto rate = traits_of(c).sample_rate;
    std::vector<int16_t> busy;
    for (int i = 0; i < 4; ++i) {
      append(busy, sine(425, -15, rate, rate / 2));
      append(busy, std::vector<int16_t>(rate / 2));
    }
    sound_finder finder{rate};
    finder.add(through(c, busy), rate);
    const auto found = finder.found();
    int tones = 0;
    for (const auto& piece : found.pieces) {
      if (piece.what != kind::tone)
        continue;
      ++tones;
      EXPECT_NEAR(piece.hz[0], 425, 5) << traits_of(c).name;
      EXPECT_NEAR(static_cast<double>(piece.length.count()), 500, 90) << traits_of(c).name;
    }
    EXPECT_EQ(tones, 4) << traits_of(c).name << ": " << text(found);
  }
}

TEST(sound_finder, takes_no_speech_for_a_tone) {
  sound_finder finder{48'000};
  finder.add(speech_like(48'000 * 5), 48'000);
  const auto found = finder.found();
  EXPECT_EQ(found.tone.count(), 0) << text(found);
  EXPECT_EQ(found.mostly(), kind::sound);
}

TEST(sound_finder, a_tone_that_changes_is_another_one) {
  std::vector<int16_t> heard; // as a fax announces that a number is not in service
  for (const double hz : {950.0, 1400.0, 1800.0})
    append(heard, sine(hz, -20, 8000, 2560));
  EXPECT_EQ(found_in(heard), "tone 950 0+320, tone 1400 320+320, tone 1800 640+320");
}

TEST(sound_finder, what_is_not_sent_is_silence_and_what_is_lost_is_nothing) {
  sound_finder finder{8000};
  finder.add(sine(880, -20, 8000, 1600), 8000);
  finder.skip(milliseconds{20});
  finder.add(sine(880, -20, 8000, 1600, 1760), 8000);
  finder.skip(milliseconds{3000});
  finder.add(sine(880, -20, 8000, 1600), 8000);
  EXPECT_EQ(text(finder.found()), "tone 880 0+400, silence 420+3000, tone 880 3420+200");
}

TEST(sound_finder, keeps_as_much_of_a_long_call_as_of_a_short_one) {
  sound_finder finder{8000};
  for (int i = 0; i < 500; ++i) {
    finder.add(sine(i % 2 == 0 ? 500 : 800, -20, 8000, 1600), 8000);
    finder.skip(milliseconds{400});
  }
  const auto found = finder.found();
  EXPECT_EQ(found.pieces.size(), heard_sounds::most_pieces);
  EXPECT_EQ(found.tone, milliseconds{500 * 200});
  EXPECT_EQ(found.silence, milliseconds{500 * 400});
}

TEST(sound_finder, finds_a_tone_however_late_it_comes) {
  sound_finder finder{8000};
  for (int i = 0; i < 500; ++i) { // somebody speaks, and pauses
    finder.add(noise(1600, 4000), 8000);
    finder.skip(milliseconds{400});
  }
  for (const double hz : {440.0, 620.0, 440.0}) {
    finder.add(sine(hz, -20, 8000, 8000), 8000);
    finder.skip(milliseconds{400});
  }
  const auto found = finder.found();
  EXPECT_EQ(found.pieces.size(), heard_sounds::most_pieces);
  EXPECT_TRUE(std::ranges::is_sorted(found.pieces, {}, &found_sound::at));
  for (const auto* tone : {"tone:440", "tone:620"})
    EXPECT_TRUE(expected_sound::parse("", tone).value().met_by(found)) << tone;
  EXPECT_EQ(std::ranges::count(found.pieces, kind::tone, &found_sound::what), 2) << "each once";
}

heard_sounds heard_as(const std::vector<int16_t>& samples) {
  sound_finder finder{8000};
  finder.add(samples, 8000);
  return finder.found();
}

TEST(expected_sound, says_whether_it_was_heard) {
  const auto tone = heard_as(sine(440, -20, 8000, 8000));
  const auto two = heard_as(sum(sine(350, -16, 8000, 8000), sine(440, -16, 8000, 8000)));
  const auto silence = heard_as(std::vector<int16_t>(8000));
  const auto sound = heard_as(noise(8000, 4000));
  const auto met = [](std::string_view what, const heard_sounds& by) {
    return expected_sound::parse("--expect-sound", what).value().met_by(by);
  };
  EXPECT_TRUE(met("tone", tone) && met("tone", two));
  EXPECT_FALSE(met("tone", silence) || met("tone", sound));
  EXPECT_TRUE(met("tone:440", tone) && met("tone:445", tone));
  EXPECT_FALSE(met("tone:440", two) || met("tone:480", tone) || met("tone:440+480", tone));
  EXPECT_TRUE(met("tone:440+350", two) && met("tone:350+440", two));
  EXPECT_TRUE(met("sound", tone) && met("sound", sound));
  EXPECT_FALSE(met("sound", silence));
  EXPECT_TRUE(met("silence", silence) && met("silence", {})) << "nothing came";
  EXPECT_FALSE(met("silence", tone) || met("silence", sound));
}

TEST(expected_sound, errors_say_what_can_be_found) {
  for (const auto* wrong :
       {"", "music", "tone:", "tone:50", "tone:440+", "tone:440+9999", "tone:a"})
    EXPECT_EQ(expected_sound::parse("--expect-sound", wrong).error().to_string(),
              "--expect-sound: \"" + std::string{wrong} +
                "\" cannot be found, expected tone, tone:HZ, tone:HZ+HZ (100 to 3900), sound or "
                "silence");
}

} // namespace
} // namespace jackfield::audio
