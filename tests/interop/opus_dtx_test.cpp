#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"
#include "tests/interop/wave_file.hpp"
#include "tests/speech_like.hpp"

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 5;
constexpr uint64_t frames = call_count * 6000 / 20;

/// A second of speech, then two of silence.
std::string write_pauses(const scratch_folder& folder) {
  auto samples = audio::speech_like(wave_rate);
  samples.resize(size_t{3} * wave_rate);
  return write_wave(folder, samples);
}

nlohmann::json media_of_calls(const scratch_folder& folder, uint16_t port, const arguments& more) {
  arguments all{sip_uri("service", port),
                "--media",
                "webrtc",
                "--codecs",
                "opus",
                "--audio",
                write_pauses(folder),
                "-m",
                std::to_string(call_count),
                "-r",
                "5",
                "-d",
                "6000"};
  all.insert(all.end(), more.begin(), more.end());
  const auto outcome = run_load(folder, all);
  expect_all_completed(outcome, call_count);
  return outcome.summary.at("media");
}

TEST(opus_dtx, leaves_out_silence_and_loses_nothing) {
  const scratch_folder folder;
  auto answer = start_answerer(folder, "udp:127.0.0.1:0", {"--media-ip", "127.0.0.1"});
  const auto plain = media_of_calls(folder, answer.port, {});
  EXPECT_EQ(plain.at("dtx_frames"), 0);
  EXPECT_NEAR(plain.at("packets_sent").get<double>(), frames, frames / 20.0);

  const auto media = media_of_calls(folder, answer.port, {"--opus-dtx"});
  const auto sent = media.at("packets_sent").get<double>();
  const auto left_out = media.at("dtx_frames").get<double>();
  // Of a turn of three seconds, two less what follows speech (200 ms) and a frame in 400 ms.
  EXPECT_GT(left_out, frames / 2.0) << media.dump();
  EXPECT_LT(left_out, frames * 2.0 / 3) << media.dump();
  EXPECT_NEAR(sent + left_out, frames, frames / 20.0) << media.dump();
  EXPECT_EQ(media.at("packets_lost"), 0) << media.dump();
  EXPECT_EQ(media.at("one_way_calls"), 0);
  EXPECT_EQ(media.at("silent_calls"), 0);

  const auto answered = answer.finish();
  const auto& heard = answered.at("media").at("received");
  EXPECT_EQ(heard.at("streams"), 2 * call_count);
  EXPECT_EQ(heard.at("packets_lost"), 0) << heard.dump();
  EXPECT_EQ(answered.at("media").at("dtx_frames"), 0) << "the answerer was not asked to";
}

} // namespace
} // namespace jackfield::tests
