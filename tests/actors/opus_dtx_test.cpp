#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "actors/media/media_codecs.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

std::string parameters_of_opus(const audio::opus_settings& opus) {
  static constexpr std::array codecs{audio::codec::pcmu, audio::codec::opus};
  sdp::media_capabilities can;
  describe_codecs(can, codecs, opus);
  const auto found =
    std::ranges::find_if(can.codecs, [](const auto& c) { return c.encoding == "opus"; });
  return found == can.codecs.end() ? "no opus" : found->parameters;
}

TEST(opus_dtx, is_asked_for_where_it_is_used) {
  EXPECT_EQ(parameters_of_opus({}), "useinbandfec=1");
  EXPECT_EQ(parameters_of_opus({.dtx = true}), "useinbandfec=1;usedtx=1");
}

TEST(opus_dtx, is_not_used_towards_a_peer_that_says_no) {
  auto peer = sdp::opus();
  const auto used = [&](std::string parameters, bool dtx) {
    peer.parameters = std::move(parameters);
    return opus_for(peer, {.bitrate = 24'000, .dtx = dtx}) ==
           audio::opus_settings{.bitrate = 24'000, .dtx = true};
  };
  EXPECT_TRUE(used("", true));
  EXPECT_TRUE(used("minptime=10;usedtx=1", true));
  EXPECT_FALSE(used("usedtx=0;minptime=10", true));
  EXPECT_FALSE(used("usedtx=1", false)) << "we were not asked to";
}

/// Silence both ways, left out by both; the callee says `parameters` of Opus.
media_outcome call_in_silence(const std::string& parameters, uint64_t& left_out) {
  static constexpr std::array codecs{audio::codec::opus};
  const auto silence = [] {
    auto made = std::make_shared<audio_settings>();
    made->source = audio::source_spec::silence();
    made->opus.dtx = true;
    return made;
  };
  lane::sim_link path;
  path.delay = 20ms;
  sim_world world(5, path);
  auto& caller = world.add_site("10.0.0.1");
  auto& callee = world.add_site("10.0.0.2");
  auto answers = answer_manner_of(callee);
  add_audio(answers);
  answers.audio = silence();
  auto can = answers.media->capabilities();
  describe_codecs(can, codecs);
  can.codecs.front().parameters = parameters;
  answers.media = std::make_shared<sdp::offer_template>(answers.media->host(), can);
  world.answer(callee, answers);

  auto manner = manner_between(caller, callee.target());
  add_audio(manner, caller);
  manner.audio = silence();
  describe_codecs(manner.capabilities, codecs, manner.audio->opus);
  manner.offer = std::make_shared<sdp::offer_template>(caller.context.media.address().address(),
                                                       manner.capabilities);
  world.call(caller, std::make_shared<const call_manner>(manner), target_of(callee.address), 40s);
  world.pass(42s);
  left_out = caller.context.media.dtx_frames();
  world.ask_for_metrics();
  world.pass(1s);
  EXPECT_EQ(world.metrics_of(1).media.one_way_calls + world.metrics_of(1).media.silent_calls, 0U);
  EXPECT_EQ(world.metrics_of(1).media.dtx_frames, callee.context.media.dtx_frames());
  EXPECT_GT(callee.context.media.dtx_frames(), 1'500U) << "the caller wants it";
  world.expect_nothing_left();
  if (world.heard().calls.size() != 1 || !world.heard().calls[0].media) {
    ADD_FAILURE() << "the call has not ended, or had no media";
    return {};
  }
  EXPECT_FALSE(world.heard().calls[0].failure.failed());
  return *world.heard().calls[0].media;
}

TEST(opus_dtx, is_no_loss_and_no_end_of_a_call_that_is_silent) {
  uint64_t left_out = 0;
  const auto went = call_in_silence("useinbandfec=1", left_out);
  EXPECT_GT(left_out, 1'500U);
  EXPECT_NEAR(static_cast<double>(went.packets_sent + left_out), 2'000, 5);
  EXPECT_GT(went.received.packets, 50U);
  EXPECT_EQ(went.received.lost + went.received.discarded, 0U);
  EXPECT_LE(went.received.gap_max, 420ms) << "20 frames left out";
  EXPECT_LT(went.received.jitter_max, 1ms);
  ASSERT_TRUE(went.mos && went.remote_mos);
  EXPECT_GT(*went.mos, 4.4);
  EXPECT_GT(*went.remote_mos, 4.4);
}

TEST(opus_dtx, leaves_nothing_out_where_the_peer_says_no) {
  uint64_t left_out = 0;
  const auto went = call_in_silence("usedtx=0", left_out);
  EXPECT_EQ(left_out, 0U);
  EXPECT_NEAR(static_cast<double>(went.packets_sent), 2'000, 5);
}

} // namespace
} // namespace jackfield
