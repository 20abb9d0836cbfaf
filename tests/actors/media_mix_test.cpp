#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actors/media/media_play.hpp"
#include "engine/audio/decoder.hpp"
#include "engine/audio/encoder.hpp"
#include "engine/audio/tone_detector.hpp"
#include "tests/actors/sim_world.hpp"
#include "tests/actors/stream_ends.hpp"
#include "tests/coded_signals.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using outcome = media_join_result::outcome;

/// Somebody with a stream of ours, who says a tone of their own in G.711.
struct talker {
  talker(sim_world& world, sim_site& site, std::string_view address, double hz)
      : peer(world.lane(), address, static_cast<uint32_t>(hz)),
        stream(world.lane(), site.context.media) {
    const auto coder = audio::encoder::make(audio::codec::pcmu, 20ms);
    said = audio::encode_all(**coder, audio::sine(hz, -20, 8000, 8000));
  }

  rtp_peer peer;
  stream_end stream;
  std::vector<std::vector<std::byte>> said; // a second
};

/// A caller (440 Hz), an agent (1,000 Hz), joined, and a supervisor (1,500 Hz).
class media_mix_test : public testing::Test {
protected:
  media_mix_test()
      : world_(3), site_(world_.add_site("10.0.0.2")), caller_(world_, site_, "10.1.0.1", 440),
        agent_(world_, site_, "10.1.0.3", 1000), supervisor_(world_, site_, "10.1.0.4", 1500) {
    world_.pass(1ms);
    for (auto* each : all())
      each->stream.tell(media_connect{agreed(each->peer.address())});
    talk(1s);
    caller_.stream.tell(media_join{agent_.stream.stream});
    talk(1s);
  }

  std::vector<talker*> all() { return {&caller_, &agent_, &supervisor_}; }
  void talk(lane::duration length) {
    for (auto t = lane::duration{}; t < length; t += 20ms) {
      for (auto* each : all())
        each->peer.say(each->stream.address(), 0, each->said[frame_ % each->said.size()]);
      ++frame_;
      world_.pass(20ms);
    }
  }
  /// They are told, and talk for two seconds.
  void mix(talker& by, const std::vector<talker*>& of) {
    media_mix how;
    for (auto* each : of)
      how.of.push_back(each->stream.stream);
    by.stream.tell(how);
    world_.pass(0ms);
    ASSERT_EQ(by.stream.heard().results.back(), outcome::done);
  }
  /// How much of these tones there is in the last second that somebody heard, in dBm0.
  struct heard {
    double of_caller;
    double of_agent;
    double of_supervisor;
  };
  heard last_second(const talker& to) {
    std::vector<int16_t> samples;
    const auto decoder = audio::decoder::make(audio::codec::pcmu);
    const auto now = world_.lane().now();
    for (const auto& each : to.peer.heard)
      if (each.at > now - 1s && each.payload.size() == 160)
        audio::append(samples, decoder->decode(each.payload).value());
    const auto level = [&](double hz) {
      const auto share = audio::tone_share(samples, hz);
      return audio::level_dbm0(samples) + 10 * std::log10(std::max(share, 1e-9));
    };
    EXPECT_TRUE(samples.empty() || samples.size() >= 7800) << samples.size();
    return {level(440), level(1000), level(1500)};
  }
  static constexpr double said_ = -20;
  void expect(const talker& to, bool caller, bool agent, bool supervisor) {
    const auto h = last_second(to);
    const auto check = [](bool wanted, double level, const char* whom) {
      if (wanted)
        EXPECT_NEAR(level, said_, 1.5) << whom;
      else
        EXPECT_LT(level, -50) << whom;
    };
    check(caller, h.of_caller, "caller");
    check(agent, h.of_agent, "agent");
    check(supervisor, h.of_supervisor, "supervisor");
  }
  void expect_ends() {
    for (auto* each : all())
      each->stream.tell(media_close{});
    world_.pass(0ms);
    for (auto* each : all())
      EXPECT_EQ(each->stream.heard().closed.size(), 1U);
  }

  sim_world world_;
  sim_site& site_;
  talker caller_;
  talker agent_;
  talker supervisor_;
  size_t frame_ = 0;
};

TEST_F(media_mix_test, one_hears_two_who_do_not_notice) {
  mix(supervisor_, {&caller_, &agent_});
  talk(2s);
  expect(supervisor_, true, true, false);
  expect(caller_, false, true, false);
  expect(agent_, true, false, false);
  mix(supervisor_, {});
  talk(2s);
  EXPECT_LT(last_second(supervisor_).of_caller, -50);
  expect_ends();
}

TEST_F(media_mix_test, one_of_two_hears_a_third_as_well) {
  mix(supervisor_, {&caller_, &agent_});
  mix(agent_, {&caller_, &supervisor_});
  talk(2s);
  expect(agent_, true, false, true);
  expect(caller_, false, true, false);
  expect(supervisor_, true, true, false);
  mix(caller_, {&agent_, &supervisor_});
  talk(2s);
  expect(caller_, false, true, true);
  expect(agent_, true, false, true);
  mix(caller_, {});
  mix(agent_, {});
  talk(2s);
  expect(caller_, false, true, false);
  expect(agent_, true, false, false);
  expect_ends();
}

TEST_F(media_mix_test, who_goes_is_heard_no_more_and_harms_nobody) {
  mix(supervisor_, {&caller_, &agent_});
  mix(agent_, {&caller_, &supervisor_});
  supervisor_.stream.tell(media_close{});
  world_.pass(0ms);
  talk(2s);
  expect(agent_, true, false, false);
  expect(caller_, false, true, false);
  agent_.stream.tell(media_close{});
  caller_.stream.tell(media_close{});
  world_.pass(0ms);
  EXPECT_EQ(caller_.stream.heard().closed.size(), 1U);
}

TEST_F(media_mix_test, who_cannot_be_heard_is_refused) {
  supervisor_.stream.tell(media_mix{{supervisor_.stream.stream}});
  supervisor_.stream.tell(media_mix{{nullptr}});
  world_.pass(0ms);
  EXPECT_EQ(supervisor_.stream.heard().results,
            (std::vector{outcome::no_stream, outcome::no_stream}));
  talk(1s);
  expect_ends();
}

TEST_F(media_mix_test, what_is_played_can_be_changed) {
  auto music = std::make_shared<audio_settings>();
  music->source = audio::source_spec::tone(440, -20);
  supervisor_.stream.tell(media_play{music});
  talk(2s);
  EXPECT_NEAR(last_second(supervisor_).of_caller, said_, 1.5) << "440 Hz is played to them";
  // To who is joined only when that ends.
  agent_.stream.tell(media_play{music});
  talk(2s);
  expect(agent_, true, false, false);
  agent_.stream.tell(media_part{});
  supervisor_.stream.tell(media_close{});
  talk(2s);
  EXPECT_NEAR(last_second(agent_).of_caller, said_, 1.5);
  caller_.stream.tell(media_close{});
  agent_.stream.tell(media_close{});
  world_.pass(0ms);
}

} // namespace
} // namespace jackfield
