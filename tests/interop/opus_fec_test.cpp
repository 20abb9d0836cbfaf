#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/media_detour.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/wave_file.hpp"
#include "tests/speech_like.hpp"

namespace jackfield::tests {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t call_count = 5;

/// Calls over a path that loses 3 % and delays packets by 15 to 45 ms; both runs lose the same.
class impaired_calls {
public:
  explicit impaired_calls(const arguments& more)
      : answer_(start_answerer(folder_, "udp:127.0.0.1:0", {"--media-ip", "127.0.0.1"})),
        detour_(answer_.port, path()), load_(start_load(folder_, command(more))) {}

  /// What the answerers heard.
  nlohmann::json finish() {
    static_cast<void>(load_.finish());
    const auto answered = answer_.finish();
    return answered.at("media").at("received");
  }

private:
  static relay_options path() {
    relay_options made;
    made.path.loss = 0.03;
    made.path.delay = 30ms;
    made.path.jitter = 15ms;
    return made;
  }
  [[nodiscard]] arguments command(const arguments& more) const {
    arguments all{sip_uri("service", detour_.port()),
                  "--media",
                  "webrtc",
                  "--codecs",
                  "opus",
                  "--lanes",
                  "1",
                  "--audio",
                  write_wave(folder_, audio::speech_like(size_t{4} * wave_rate)),
                  "-m",
                  std::to_string(call_count),
                  "-r",
                  "5",
                  "-d",
                  "12000"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  scratch_folder folder_;
  answerer answer_;
  media_detour detour_;
  running_load load_;
};

struct compared {
  nlohmann::json without;
  nlohmann::json with;

  /// The path alone makes no packet late: a machine that was too busy for this does.
  [[nodiscard]] bool fair() const {
    const auto good = [](const nlohmann::json& heard) {
      return heard.at("streams") == call_count && heard.at("packets_late") < 10;
    };
    return good(without) && good(with);
  }
};

compared compare() {
  impaired_calls plain{{}};
  impaired_calls fec{{"--opus-fec"}};
  return {plain.finish(), fec.finish()};
}

TEST(opus_fec, raises_mos_at_three_percent_of_loss_and_thirty_ms_of_jitter) {
  auto heard = compare();
  for (int again = 0; again < 3 && !heard.fair(); ++again)
    heard = compare();
  const auto figures = "without FEC " + heard.without.dump() + "\nwith FEC " + heard.with.dump();
  const auto mos = [](const nlohmann::json& of) { return of.at("mos_mean").get<double>(); };
  RecordProperty("mos_without_fec", std::to_string(mos(heard.without)));
  RecordProperty("mos_with_fec", std::to_string(mos(heard.with)));
  EXPECT_TRUE(heard.fair()) << "in four attempts\n" << figures;
  for (const auto& each : {heard.without, heard.with}) {
    EXPECT_GT(each.at("packets_lost"), 40) << "of 3,000, 3 %\n" << figures;
    EXPECT_LT(each.at("packets_lost"), 150) << figures;
  }
  EXPECT_EQ(heard.without.at("fec_recovered"), 0) << figures;
  // Nine in ten are of syllables, which libopus repeats.
  EXPECT_GT(heard.with.at("fec_recovered").get<double>(),
            0.5 * heard.with.at("packets_lost").get<double>())
    << figures;
  EXPECT_GT(mos(heard.with), mos(heard.without) + 0.1) << figures;
}

} // namespace
} // namespace jackfield::tests
