#include "actors/centre/supervisor_call.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "tests/actors/centre_world.hpp"
#include "tests/actors/tone_phone.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using audio::codec;
using outcome = supervision_answer::outcome;
using testing::ElementsAre;

std::shared_ptr<const sdp::offer_template> media_of(const sim_site& site,
                                                    std::span<const codec> codecs) {
  sdp::media_capabilities can;
  can.rtcp_mux = true;
  describe_codecs(can, codecs);
  accept_any_protection(can);
  return std::make_shared<sdp::offer_template>(site.context.media.address().address(), can);
}

/// Keeps what it is answered.
class asker final : public lane::lane_actor {
public:
  asker(caf::actor_config& config, lane::lane& home, std::vector<outcome>& told)
      : lane::lane_actor(config, home), told_(told) {}
  caf::behavior make_behavior() override {
    return {[this](const supervision_answer& answer) { told_.push_back(answer.what); }};
  }

private:
  std::vector<outcome>& told_;
};

/// A caller who says 440 Hz, Alice who says 1,000 Hz and takes calls, both in G.711, and Carol, an
/// agent in no queue, who says 1,500 Hz in Opus.
class supervisor_call_test : public testing::Test {
public:
  ~supervisor_call_test() override {
    caf::anon_send_exit(asker_, caf::exit_reason::kill);
    asker_ = nullptr;
    world_.pass(0ms);
  }

protected:
  supervisor_call_test()
      : world_(7), caller_(world_.add_site("10.0.0.1")), centre_(world_.add_site("10.0.0.2")),
        alices_(world_.add_site("10.0.0.3")), carols_(world_.add_site("10.0.0.4")),
        alice_(alices_, 1000, media_of(alices_, std::array{codec::pcmu})),
        carol_(carols_, 1500, media_of(carols_, std::array{codec::opus})),
        asker_(world_.lane().spawn<asker>(told_)) {
    world_.let_stay(1);
    auto silence = std::make_shared<audio_settings>();
    silence->source = audio::source_spec::silence();
    for (const auto* const name : {"alice", "carol", "dave"})
      plan_.agents.push_back({name, {}, true});
    plan_.queues.push_back({"support", {"100"}, {}, silence, {}});
    plan_.queues.front().members.push_back({0, {}, 0});
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto manner = std::make_shared<bridge_manner>();
    manner->media = media_of(centre_, std::array{codec::opus, codec::pcmu});
    manner->audio = std::move(listens);
    world_.serve(centre_, plan_, manner);
    users_.push_back(world_.register_phone(alices_, centre_, "alice"));
    users_.push_back(world_.register_phone(carols_, centre_, "carol"));
    world_.pass(1s);
  }
  void call(lane::duration length) {
    auto manner = manner_between(caller_, centre_.target());
    add_audio(manner, caller_);
    auto says = std::make_shared<audio_settings>();
    says->source = audio::source_spec::tone(440);
    says->listens = true;
    manner.audio = says;
    auto target = std::make_shared<call_target>();
    target->uri = "sip:100@10.0.0.2";
    target->from = "<sip:bob@10.0.0.1>";
    world_.call(caller_, std::make_shared<const call_manner>(manner), target, length);
    world_.pass(2s);
  }
  [[nodiscard]] uint64_t the_call() const {
    for (const auto& each : world_.events())
      if (each.what == centre_event::kind::entered)
        return each.call;
    return 0;
  }
  template <class Wish>
  outcome ask(const Wish& wish) {
    const auto before = told_.size();
    caf::actor_cast<caf::strong_actor_ptr>(world_.centre().services.front())
      ->get()
      ->enqueue(caf::make_mailbox_element(caf::actor_cast<caf::strong_actor_ptr>(asker_),
                                          caf::make_message_id(), {}, wish),
                &world_.lane());
    world_.pass(1s);
    EXPECT_EQ(told_.size(), before + 1) << "each is answered once";
    return told_.size() == before + 1 ? told_.back() : outcome::no_call;
  }
  outcome supervise(supervision how, const std::string& who = "carol") {
    return ask(supervise_call{the_call(), who, how});
  }
  [[nodiscard]] std::vector<std::string> caller_heard() {
    const auto& calls = world_.heard().calls;
    EXPECT_EQ(calls.size(), 1U);
    EXPECT_FALSE(calls.front().failure.failed()) << calls.front().failure.text();
    return tones_of(calls.front().media.value());
  }
  void expect_nothing_left() {
    for (auto& user : std::exchange(users_, {}))
      lane::tell(world_.lane(), user, hang_up{});
    world_.expect_nothing_left();
  }

  centre_world world_;
  sim_site& caller_;
  sim_site& centre_;
  sim_site& alices_;
  sim_site& carols_;
  centre_plan plan_;
  tone_phone alice_;
  tone_phone carol_;
  std::vector<outcome> told_;
  caf::actor asker_;
  std::vector<caf::strong_actor_ptr> users_;
};

TEST_F(supervisor_call_test, who_monitors_hears_both_and_is_heard_by_nobody) {
  call(12s);
  EXPECT_EQ(supervise(supervision::monitor), outcome::calling);
  world_.pass(30s);
  EXPECT_THAT(caller_heard(), ElementsAre("1000"));
  ASSERT_EQ(alice_.outcomes.size(), 1U);
  EXPECT_THAT(tones_of(alice_.outcomes.front()), ElementsAre("440"));
  ASSERT_EQ(carol_.outcomes.size(), 1U) << "it ends with the call";
  EXPECT_THAT(tones_of(carol_.outcomes.front()), ElementsAre("440+1000"));
  EXPECT_EQ(alice_.offers, 0);
  expect_nothing_left();
}

TEST_F(supervisor_call_test, who_whispers_is_heard_by_the_agent_and_who_barges_in_by_both) {
  call(30s);
  EXPECT_EQ(supervise(supervision::whisper), outcome::calling);
  world_.pass(5s);
  EXPECT_EQ(supervise(supervision::barge), outcome::changed);
  world_.pass(5s);
  EXPECT_EQ(supervise(supervision::monitor), outcome::changed);
  world_.pass(40s);
  EXPECT_THAT(caller_heard(), ElementsAre("1000", "1000+1500", "1000"));
  ASSERT_EQ(alice_.outcomes.size(), 1U);
  EXPECT_THAT(tones_of(alice_.outcomes.front()), ElementsAre("440", "440+1500", "440"));
  ASSERT_EQ(carol_.outcomes.size(), 1U);
  EXPECT_THAT(tones_of(carol_.outcomes.front()), ElementsAre("440+1000"));
  expect_nothing_left();
}

TEST_F(supervisor_call_test, who_hangs_up_changes_nothing_for_the_call) {
  carol_.steps = {{5s, [](call_leg& leg) { leg.hang_up(); }}};
  call(20s);
  EXPECT_EQ(supervise(supervision::barge), outcome::calling);
  world_.pass(8s);
  EXPECT_EQ(carol_.outcomes.size(), 1U);
  EXPECT_EQ(ask(end_supervision{the_call()}), outcome::nobody);
  world_.pass(30s);
  EXPECT_THAT(caller_heard(), ElementsAre("1000", "1000+1500", "1000"));
  EXPECT_THAT(tones_of(alice_.outcomes.at(0)), ElementsAre("440", "440+1500", "440"));
  expect_nothing_left();
}

TEST_F(supervisor_call_test, it_is_ended_when_asked_and_can_begin_again) {
  call(20s);
  EXPECT_EQ(supervise(supervision::monitor), outcome::calling);
  EXPECT_EQ(ask(end_supervision{the_call()}), outcome::ending);
  EXPECT_EQ(carol_.outcomes.size(), 1U);
  EXPECT_EQ(supervise(supervision::whisper), outcome::calling);
  world_.pass(30s);
  EXPECT_EQ(carol_.outcomes.size(), 2U);
  EXPECT_THAT(caller_heard(), ElementsAre("1000"));
  expect_nothing_left();
}

TEST_F(supervisor_call_test, what_cannot_be_is_said) {
  EXPECT_EQ(ask(supervise_call{4711, "carol", supervision::monitor}), outcome::no_call);
  EXPECT_EQ(ask(end_supervision{4711}), outcome::no_call);
  call(20s);
  EXPECT_EQ(supervise(supervision::monitor, "nobody"), outcome::nobody);
  EXPECT_EQ(supervise(supervision::monitor, "dave"), outcome::no_phone);
  EXPECT_EQ(supervise(supervision::monitor, "alice"), outcome::part_of_it);
  EXPECT_EQ(ask(end_supervision{the_call()}), outcome::nobody);
  EXPECT_EQ(supervise(supervision::monitor), outcome::calling);
  EXPECT_EQ(supervise(supervision::monitor, "dave"), outcome::taken);
  world_.pass(30s);
  EXPECT_THAT(caller_heard(), ElementsAre("1000"));
  expect_nothing_left();
}

TEST_F(supervisor_call_test, nobody_hears_who_still_waits) {
  for (auto& user : std::exchange(users_, {}))
    lane::tell(world_.lane(), user, hang_up{}); // there is no phone
  world_.pass(1s);
  call(5s);
  EXPECT_EQ(supervise(supervision::monitor), outcome::not_talking);
  world_.pass(20s);
  EXPECT_TRUE(carol_.outcomes.empty());
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
