#include "engine/audio/source.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>
#include <sndfile.h>

#include "engine/audio/g711.hpp"
#include "engine/audio/tone_detector.hpp"

namespace jackfield::audio {
namespace {

using namespace std::chrono_literals;

// A folder of its own that goes with the test.
class source_file : public testing::Test {
public:
  ~source_file() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

protected:
  source_file()
      : folder_(std::filesystem::temp_directory_path() /
                ("jackfield-source-" + std::to_string(getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

  // A file of `seconds` of a tone, the same in each channel unless `last_silent`.
  std::string write(const std::string& name, int rate, int channels, double seconds,
                    int format = SF_FORMAT_WAV | SF_FORMAT_PCM_16, bool last_silent = false,
                    double hz = 1000) const {
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = channels;
    info.format = format;
    const auto close = [](SNDFILE* f) { sf_close(f); };
    const std::unique_ptr<SNDFILE, decltype(close)> file{
      sf_open(path(name).c_str(), SFM_WRITE, &info), close};
    EXPECT_TRUE(file) << sf_strerror(nullptr);
    std::vector<float> samples;
    for (int n = 0; n < static_cast<int>(seconds * rate); ++n) {
      for (int c = 0; c < channels; ++c)
        samples.push_back(
          last_silent && c == channels - 1
            ? 0.0f
            : static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hz * n / rate)));
    }
    if (file)
      sf_write_float(file.get(), samples.data(), static_cast<sf_count_t>(samples.size()));
    return path(name);
  }

private:
  std::filesystem::path folder_;
};

std::vector<int16_t> decoded(const encoded_source& s, size_t frames) {
  std::vector<int16_t> out(frames * s.frame_bytes());
  for (size_t i = 0; i < frames; ++i)
    decode(s.encoding(), s.frame(i), std::span{out}.subspan(i * s.frame_bytes()));
  return out;
}

std::string error_of(const source_spec& spec, std::chrono::milliseconds ptime = 20ms) {
  const auto made = encoded_source::make(spec, codec::pcmu, ptime);
  EXPECT_FALSE(made);
  return made ? "" : made.error().to_string();
}

TEST(source, makes_silence) {
  for (const auto c : {codec::pcmu, codec::pcma}) {
    const auto s = encoded_source::make(source_spec::silence(), c, 20ms);
    ASSERT_TRUE(s);
    EXPECT_EQ((*s)->frame_count(), 1u);
    EXPECT_EQ((*s)->frame_bytes(), 160u);
    EXPECT_EQ((*s)->frame(12345)[159], c == codec::pcmu ? std::byte{0xff} : std::byte{0xd5});
    EXPECT_TRUE(is_silence(decoded(**s, 10)));
  }
}

TEST(source, makes_a_tone_of_its_frequency_and_level_that_repeats_without_a_seam) {
  for (const auto c : {codec::pcmu, codec::pcma}) {
    for (const uint16_t hz : {50, 425, 880, 1000, 1004, 3399}) {
      for (const auto ptime : {10ms, 20ms, 30ms, 60ms, 110ms, 120ms}) {
        const auto s = encoded_source::make(source_spec::tone(hz, -10), c, ptime);
        ASSERT_TRUE(s);
        EXPECT_EQ((*s)->frame_bytes(), static_cast<size_t>(ptime.count()) * 8);
        EXPECT_LE((*s)->frame_count(), 1100u);
        const auto twice = decoded(**s, 2 * (*s)->frame_count());
        EXPECT_NEAR(level_dbm0(twice), -10, 0.1);
        EXPECT_GT(tone_share(twice, hz), 0.99) << hz;
      }
    }
  }
}

TEST(source, plays_the_default_tone_that_a_detector_finds_in_every_frame) {
  const source_spec spec;
  const auto s = encoded_source::make(spec, codec::pcma, 20ms);
  ASSERT_TRUE(s);
  tone_detector detector{static_cast<double>(spec.frequency_hz)};
  for (size_t i = 0; i < 200; ++i) {
    std::vector<int16_t> samples(160);
    decode(codec::pcma, (*s)->frame(i), samples);
    detector.on_frame(samples);
  }
  EXPECT_EQ(detector.frames_with_tone(), 200u);
}

TEST(source, makes_the_two_tones_of_each_digit) {
  constexpr std::string_view digits = "123A456B789C*0#D";
  constexpr std::array low{697.0, 770.0, 852.0, 941.0};
  constexpr std::array high{1209.0, 1336.0, 1477.0, 1633.0};
  for (size_t i = 0; i < digits.size(); ++i) {
    const auto s = encoded_source::make(source_spec::digit(digits[i]), codec::pcmu, 20ms);
    ASSERT_TRUE(s) << s.error().to_string();
    EXPECT_EQ((*s)->frame_count(), 8u) << "100 ms of tones, 60 of silence";
    const auto all = decoded(**s, 8);
    const std::vector<int16_t> tones(all.begin(), all.begin() + 800);
    EXPECT_NEAR(level_dbm0(tones), -6, 0.2) << "two of -9";
    EXPECT_NEAR(tone_share(tones, low[i / 4]), 0.5, 0.05) << digits[i];
    EXPECT_NEAR(tone_share(tones, high[i % 4]), 0.5, 0.05) << digits[i];
    EXPECT_TRUE(is_silence({all.begin() + 800, all.end()})) << digits[i];
  }
  EXPECT_EQ(error_of(source_spec::digit('E')), "digit: \"E\" is none, expected one of 0-9*#A-D");
}

TEST(source, fills_the_last_frame_with_silence) {
  const std::vector<int16_t> samples(161, 1000);
  const auto s = encoded_source::from_samples(samples, codec::pcma, 20ms);
  ASSERT_TRUE(s);
  EXPECT_EQ((*s)->frame_count(), 2u);
  EXPECT_EQ((*s)->frame(1)[0], std::byte{0xfa});
  EXPECT_EQ((*s)->frame(1)[1], std::byte{0xd5});
  EXPECT_EQ((*s)->frame(2).data(), (*s)->frame(0).data());
  EXPECT_FALSE(encoded_source::from_samples({}, codec::pcma, 20ms));
}

TEST(source, refuses_what_is_out_of_range_in_one_line) {
  EXPECT_EQ(error_of({}, 15ms), "ptime: 15 ms, expected 10 to 120 in steps of 10");
  EXPECT_EQ(error_of({}, 0ms), "ptime: 0 ms, expected 10 to 120 in steps of 10");
  EXPECT_EQ(error_of({}, 130ms), "ptime: 130 ms, expected 10 to 120 in steps of 10");
  EXPECT_EQ(error_of(source_spec::tone(49)), "tone: 49 Hz, expected 50 to 3400");
  EXPECT_EQ(error_of(source_spec::tone(880, 4)), "tone: 4 dBm0, expected -60 to 3");
}

TEST_F(source_file, reads_8_khz_pcm_to_the_bit) {
  const auto name = write("a.wav", 8000, 1, 0.1);
  const auto s = encoded_source::make(source_spec::file(name), codec::pcma, 20ms);
  ASSERT_TRUE(s) << s.error().to_string();
  EXPECT_EQ((*s)->frame_count(), 5u);
  // 0.5 sin(2 pi n / 8): 0, 11585, 16384 ...
  EXPECT_EQ((*s)->frame(0)[0], std::byte{encode_alaw(0)});
  EXPECT_EQ((*s)->frame(0)[1], std::byte{encode_alaw(11585)});
  EXPECT_EQ((*s)->frame(0)[2], std::byte{encode_alaw(16384)});
}

TEST_F(source_file, resamples_any_rate_without_delay_or_change_of_level) {
  for (const int rate : {1000 * 6, 8001, 11025, 16000, 22050, 44100, 48000, 96000, 192000}) {
    const auto name = write("r.wav", rate, 1, 1.0);
    const auto s = encoded_source::make(source_spec::file(name), codec::pcmu, 20ms);
    ASSERT_TRUE(s) << s.error().to_string();
    EXPECT_EQ((*s)->frame_count(), 50u) << rate;
    const auto all = decoded(**s, 50);
    const auto middle = std::span{all}.subspan(800, 6400);
    EXPECT_NEAR(level_dbm0(middle), 3.14 - 6.02, 0.1) << rate;
    EXPECT_GT(tone_share(middle, 1000), 0.999) << rate;
    // In time: sample n is 0.5 sin(2 pi n / 8).
    for (size_t n = 0; n < 80; ++n)
      EXPECT_NEAR(middle[n], 16384 * std::sin(std::numbers::pi * static_cast<double>(n) / 4), 600)
        << rate;
  }
}

TEST_F(source_file, keeps_what_8_khz_cannot_carry_from_folding_back) {
  const auto name = write("high.wav", 48000, 1, 0.5, SF_FORMAT_WAV | SF_FORMAT_FLOAT, false, 5000);
  const auto s = encoded_source::make(source_spec::file(name), codec::pcmu, 20ms);
  ASSERT_TRUE(s);
  const auto all = decoded(**s, 25);
  EXPECT_LT(level_dbm0(std::span{all}.subspan(800, 2400)), -60);
}

TEST_F(source_file, mixes_stereo_to_mono) {
  const auto name = write("s.wav", 16000, 2, 0.5, SF_FORMAT_WAV | SF_FORMAT_PCM_24, true);
  const auto s = encoded_source::make(source_spec::file(name), codec::pcmu, 20ms);
  ASSERT_TRUE(s);
  const auto all = decoded(**s, 25);
  EXPECT_NEAR(level_dbm0(std::span{all}.subspan(800, 2400)), 3.14 - 12.04, 0.2);
}

TEST_F(source_file, names_what_is_wrong_in_one_line) {
  EXPECT_EQ(error_of(source_spec::file(path("none.wav"))), path("none.wav") + ": no such file");
  EXPECT_EQ(error_of(source_spec::file(path(""))),
            path("") + ": not a regular file, expected an audio file");
  EXPECT_EQ(error_of(source_spec::file("/dev/zero")),
            "/dev/zero: not a regular file, expected an audio file");
  const auto seven = write("prompt.wav", 8000, 7, 0.1);
  EXPECT_EQ(error_of(source_spec::file(seven)), seven + ": 7-channel file, expected 1 or 2");
  const auto slow = write("slow.wav", 999, 1, 0.1);
  EXPECT_EQ(error_of(source_spec::file(slow)),
            slow + ": 999 samples a second, expected 1000 to 384000");
  const auto empty = write("empty.wav", 8000, 1, 0);
  EXPECT_EQ(error_of(source_spec::file(empty)), empty + ": no audio in it");
  for (const std::string content : {"", "x", "RIFF", "RIFF\xff\xff\xff\xffWAVEfmt "}) {
    const auto name = path("broken.wav");
    std::ofstream{name, std::ios::binary} << content;
    const auto error = error_of(source_spec::file(name));
    EXPECT_TRUE(error.starts_with(name + ": cannot be read as audio: ")) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }
}

TEST_F(source_file, survives_every_prefix_of_a_good_file_and_samples_that_are_no_numbers) {
  const auto name = write("good.wav", 16000, 2, 0.01);
  std::string content;
  {
    std::ifstream in{name, std::ios::binary};
    content.assign(std::istreambuf_iterator<char>{in}, {});
  }
  for (size_t n = 0; n < std::min<size_t>(content.size(), 120); ++n) {
    std::ofstream{path("cut.wav"), std::ios::binary} << content.substr(0, n);
    const auto made = encoded_source::make(source_spec::file(path("cut.wav")), codec::pcmu, 20ms);
    EXPECT_TRUE(made || !made.error().cause.empty());
  }
  auto floats = write("nan.wav", 8000, 1, 0.02, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  std::fstream file{floats, std::ios::binary | std::ios::in | std::ios::out};
  file.seekp(-static_cast<std::streamoff>(8 * sizeof(float)), std::ios::end);
  const float strange[] = {std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity(), 1e30f, -1e30f};
  file.write(reinterpret_cast<const char*>(strange), sizeof strange);
  file.close();
  EXPECT_TRUE(encoded_source::make(source_spec::file(floats), codec::pcmu, 20ms));
}

TEST_F(source_file, cache_encodes_once_for_each_source_codec_and_packet_time) {
  source_cache cache;
  const auto name = write("c.wav", 8000, 1, 0.1);
  const auto spec = source_spec::file(name);
  const auto first = cache.get(spec, codec::pcmu, 20ms);
  ASSERT_TRUE(first);
  std::filesystem::remove(name);
  EXPECT_EQ(*cache.get(spec, codec::pcmu, 20ms), *first);
  EXPECT_FALSE(cache.get(spec, codec::pcma, 20ms));
  const auto tone = cache.get(source_spec::tone(), codec::pcmu, 20ms);
  EXPECT_NE(*tone, *cache.get(source_spec::tone(), codec::pcma, 20ms));
  EXPECT_NE(*tone, *cache.get(source_spec::tone(), codec::pcmu, 30ms));
  EXPECT_NE(*tone, *cache.get(source_spec::tone(881), codec::pcmu, 20ms));
  EXPECT_EQ(*tone, *cache.get(source_spec::tone(), codec::pcmu, 20ms));
}

} // namespace
} // namespace jackfield::audio
