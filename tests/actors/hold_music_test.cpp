#include <array>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/centre/hold.hpp"
#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "tests/actors/centre_world.hpp"
#include "tests/actors/tone_phone.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::shared_ptr<audio_settings> tone(uint16_t hz) {
  auto out = std::make_shared<audio_settings>();
  out->source = audio::source_spec::tone(hz);
  return out;
}

std::shared_ptr<const sdp::offer_template> media_of(const sim_site& site,
                                                    std::span<const audio::codec> codecs) {
  sdp::media_capabilities can;
  can.rtcp_mux = true;
  describe_codecs(can, codecs);
  accept_any_protection(can);
  return std::make_shared<sdp::offer_template>(site.context.media.address().address(), can);
}

/// A caller who says 440 Hz in G.711, a centre whose queue plays 700 Hz, and who is held beside it
/// hears 800 Hz, and Alice, who says 1,000 Hz in Opus, to whom all is transcoded.
class hold_music_test : public testing::Test {
protected:
  hold_music_test()
      : world_(7), caller_(world_.add_site("10.0.0.1")), centre_(world_.add_site("10.0.0.2")),
        phone_(world_.add_site("10.0.0.3")),
        alice_(phone_, 1000, media_of(phone_, std::array{audio::codec::opus})) {
    plan_.agents.push_back({"alice", {}, true});
    plan_.queues.push_back({"support", {"100"}, {}, tone(700), {}});
    plan_.queues.front().members.push_back({0, {}, 0});
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto manner = std::make_shared<bridge_manner>();
    manner->media = media_of(centre_, std::array{audio::codec::opus, audio::codec::pcmu});
    manner->audio = std::move(listens);
    manner->hold_music = tone(800);
    world_.serve(centre_, plan_, manner);
    user_ = world_.register_phone(phone_, centre_, "alice");
    world_.pass(1s);
  }

  /// Of ten seconds; the caller does this meanwhile.
  void call(const std::string& whom, std::vector<call_step> steps = {}) {
    auto manner = manner_between(caller_, centre_.target());
    add_audio(manner, caller_);
    auto says = tone(440);
    says->listens = true;
    manner.audio = says;
    manner.steps = std::move(steps);
    auto target = std::make_shared<call_target>();
    target->uri = "sip:" + whom + "@10.0.0.2";
    target->from = "<sip:bob@10.0.0.1>";
    world_.call(caller_, std::make_shared<const call_manner>(manner), target, 10s);
    world_.pass(15s);
    ASSERT_EQ(world_.heard().calls.size(), 1U);
    ASSERT_FALSE(world_.heard().calls.front().failure.failed());
    ASSERT_EQ(alice_.outcomes.size(), 1U);
  }
  [[nodiscard]] std::vector<std::string> caller_heard() {
    return tones_of(world_.heard().calls.front().media.value());
  }
  [[nodiscard]] std::vector<std::string> alice_heard() { return tones_of(alice_.outcomes.front()); }
  void expect_nothing_left() {
    lane::tell(world_.lane(), std::exchange(user_, nullptr), hang_up{});
    world_.expect_nothing_left();
  }

  centre_world world_;
  sim_site& caller_;
  sim_site& centre_;
  sim_site& phone_;
  centre_plan plan_;
  tone_phone alice_;
  caf::strong_actor_ptr user_;
};

TEST_F(hold_music_test, a_caller_whom_the_agent_holds_hears_the_queues_music) {
  alice_.steps = {tone_phone::holds(3s), tone_phone::resumes(6s)};
  call("100");
  EXPECT_THAT(caller_heard(), ElementsAre("1000", "700", "1000"));
  EXPECT_THAT(alice_heard(), ElementsAre("440"));
  expect_nothing_left();
}

TEST_F(hold_music_test, an_agent_whom_the_caller_holds_hears_it_and_is_not_told) {
  call("100", {{3s, call_step::kind::hold}, {6s, call_step::kind::resume}});
  EXPECT_THAT(alice_heard(), ElementsAre("440", "700", "440"));
  EXPECT_EQ(alice_.offers, 0);
  EXPECT_EQ(world_.heard().calls.front().steps.hold.done, 1U);
  EXPECT_EQ(world_.heard().calls.front().steps.resume.done, 1U);
  expect_nothing_left();
}

TEST_F(hold_music_test, they_may_hold_each_other) {
  alice_.steps = {tone_phone::holds(4s), tone_phone::resumes(6s)};
  call("100", {{3s, call_step::kind::hold}, {8s, call_step::kind::resume}});
  // From 3 s the caller holds, from 4 to 6 both do.
  EXPECT_THAT(alice_heard(), ElementsAre("440", "700", "440"));
  EXPECT_THAT(caller_heard(), ElementsAre("1000"));
  EXPECT_EQ(alice_.offers, 0);
  expect_nothing_left();
}

TEST_F(hold_music_test, in_a_call_beside_the_queue_it_is_the_music_for_that) {
  alice_.steps = {tone_phone::holds(3s), tone_phone::resumes(6s)};
  call("alice");
  EXPECT_THAT(caller_heard(), ElementsAre("1000", "800", "1000"));
  EXPECT_THAT(alice_heard(), ElementsAre("440"));
  expect_nothing_left();
}

TEST_F(hold_music_test, who_hangs_up_while_on_hold_has_ended_the_call) {
  alice_.steps = {tone_phone::holds(3s)};
  call("100");
  EXPECT_THAT(caller_heard(), ElementsAre("1000", "700"));
  expect_nothing_left();
}

} // namespace
} // namespace jackfield
