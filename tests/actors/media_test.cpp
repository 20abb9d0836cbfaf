#include <gtest/gtest.h>

#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// Calls with audio; the media's addresses are not those of the signalling.
class media_test : public testing::Test {
protected:
  media_test()
      : world_(5, path(0)), caller_(world_.add_site("10.0.0.1")),
        callee_(world_.add_site("10.0.0.2")), target_(target_of(callee_.address)) {
    auto answers = answer_manner_of(callee_);
    add_audio(answers);
    world_.answer(callee_, answers);
  }

  static lane::sim_link path(double loss) {
    lane::sim_link link;
    link.delay = 20ms;
    link.loss = loss;
    return link;
  }
  /// Loses so much of the media, not of the signalling.
  void lose(bool from_caller, double loss) {
    const auto& a = (from_caller ? caller_ : callee_).context.media.address();
    const auto& b = (from_caller ? callee_ : caller_).context.media.address();
    world_.lane().set_link(a, b, path(loss));
  }
  media_outcome call(lane::duration length) {
    auto manner = manner_between(caller_, callee_.target());
    add_audio(manner, caller_);
    manner.steps = steps_;
    world_.call(caller_, std::make_shared<const call_manner>(manner), target_, length);
    world_.pass(length + 1s);
    if (world_.heard().calls.empty() || !world_.heard().calls.back().media) {
      ADD_FAILURE() << "the call has not ended";
      return {};
    }
    EXPECT_FALSE(world_.heard().calls.back().failure.failed());
    return *world_.heard().calls.back().media;
  }
  /// Begins a load run of ten calls a second.
  void begin_run(uint64_t calls, lane::duration length) {
    auto manner = manner_between(caller_, callee_.target());
    add_audio(manner, caller_);
    auto plan = std::make_shared<load_plan>();
    plan->arrivals.phases = {{10, 10, std::nullopt}};
    plan->arrivals.calls = calls;
    plan->length.mean = length;
    plan->targets = {target_};
    world_.run_load(caller_, plan, std::make_shared<const call_manner>(manner));
  }
  /// A load run of some calls of two seconds.
  report::run_metrics run(uint64_t calls) {
    begin_run(calls, 2s);
    EXPECT_TRUE(world_.run_until_finished(60s));
    world_.ask_for_metrics();
    return world_.metrics_of(0);
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
  std::shared_ptr<call_target> target_;
  std::vector<call_step> steps_;
};

TEST_F(media_test, clean_path) {
  const auto m = call(20s);
  EXPECT_TRUE(m.connected);
  EXPECT_NEAR(static_cast<double>(m.packets_sent), 1000, 2);
  EXPECT_NEAR(static_cast<double>(m.received.packets), 1000, 5);
  EXPECT_EQ(m.received.lost, 0U);
  ASSERT_TRUE(m.mos);
  EXPECT_GT(*m.mos, 4.3);
  ASSERT_TRUE(m.remote);
  EXPECT_EQ(m.remote->cumulative_lost, 0);
  ASSERT_TRUE(m.round_trip);
  EXPECT_NEAR(static_cast<double>(m.round_trip->count()), 40e6, 1e6);
  world_.expect_nothing_left();
}

TEST_F(media_test, mos_drops_under_loss) {
  double last = 5;
  for (const double loss : {0.0, 0.01, 0.05, 0.2}) {
    lose(false, loss);
    const auto m = call(20s);
    ASSERT_TRUE(m.mos);
    EXPECT_LT(*m.mos, last) << loss;
    EXPECT_NEAR(static_cast<double>(m.received.lost) / static_cast<double>(m.received.expected),
                loss, loss / 2 + 0.001);
    last = *m.mos;
  }
  EXPECT_LT(last, 3.0);
  world_.expect_nothing_left();
}

TEST_F(media_test, one_way_calls_are_counted) {
  lose(false, 1);
  const auto m = run(5);
  EXPECT_EQ(m.calls.completed, 5U);
  EXPECT_EQ(m.media.one_way_calls, 5U);
  EXPECT_EQ(m.media.silent_calls, 0U);
  EXPECT_EQ(m.media.received.received, 0U);
  EXPECT_GT(world_.metrics_of(1).media.received.received, 400U);
  world_.expect_nothing_left();
}

TEST_F(media_test, two_way_calls_are_not_one_way) {
  const auto m = run(5);
  EXPECT_EQ(m.calls.completed, 5U);
  EXPECT_EQ(m.media.one_way_calls, 0U);
  world_.expect_nothing_left();
}

TEST_F(media_test, digits_in_info_are_taken_one_after_the_other) {
  target_->digits = {"0123456789*#ABCD"};
  auto manner = manner_between(caller_, callee_.target());
  add_audio(manner, caller_);
  manner.dials_by = dtmf_mode::info;
  manner.steps = {{0s, call_step::kind::dial}};
  world_.call(caller_, std::make_shared<const call_manner>(manner), target_, 5s);
  world_.pass(6s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls[0].steps.info_digit.done, 16U);
  EXPECT_EQ(world_.heard().calls[0].steps.info_digit.failed, 0U);
  world_.ask_for_metrics();
  world_.pass(1s);
  EXPECT_EQ(world_.metrics_of(1).media.dtmf_received, 16U);
}

TEST_F(media_test, digits_are_dialled_at_their_times) {
  for (const bool by_info : {false, true}) {
    target_->digits = {"12", "", "345"};
    auto manner = manner_between(caller_, callee_.target());
    add_audio(manner, caller_);
    manner.dials_by = by_info ? dtmf_mode::info : dtmf_mode::rfc4733;
    manner.steps = {{1s, call_step::kind::dial, 0},
                    {1s, call_step::kind::dial, 1}, // this user has none
                    {3s, call_step::kind::dial, 2}};
    world_.call(caller_, std::make_shared<const call_manner>(manner), target_, 5s);
    const auto received = [&] {
      world_.ask_for_metrics();
      return world_.metrics_of(1).media.dtmf_received;
    };
    const auto before = received();
    // Of calls that end, so in between nothing can be seen but what was sent.
    world_.pass(7s);
    ASSERT_FALSE(world_.heard().calls.empty());
    EXPECT_FALSE(world_.heard().calls.back().failure.failed());
    EXPECT_EQ(received() - before, 5U) << by_info;
  }
}

TEST_F(media_test, digits_that_the_peer_does_not_take_fail_the_call) {
  target_->digits = {"12"};
  auto manner = manner_between(caller_, callee_.target());
  manner.capabilities.codecs = {sdp::pcmu()};
  add_audio(manner, caller_);
  manner.steps = {{0s, call_step::kind::dial}};
  world_.call(caller_, std::make_shared<const call_manner>(manner), target_, 2s);
  world_.pass(3s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls[0].failure.name(), "dtmf_not_negotiated");
  EXPECT_EQ(world_.heard().calls[0].media->digits_sent, 0U);
}

TEST_F(media_test, digits_that_are_not_due_when_the_call_ends_are_not_dialled) {
  target_->digits = {"12", "345"};
  steps_ = {{0s, call_step::kind::dial, 0}, {3s, call_step::kind::dial, 1}};
  EXPECT_EQ(call(2s).digits_sent, 2U);
}

TEST_F(media_test, tones_and_silence_are_found_in_what_comes) {
  auto& silent = world_.add_site("10.0.0.3");
  auto answers = answer_manner_of(silent);
  add_audio(answers);
  auto nothing = std::make_shared<audio_settings>(*answers.audio);
  nothing->source = audio::source_spec::silence();
  answers.audio = std::move(nothing);
  world_.answer(silent, answers);
  const auto heard = [&](sim_site& from, const char* expected) {
    auto manner = manner_between(caller_, from.target());
    add_audio(manner, caller_);
    auto audio = std::make_shared<audio_settings>(*manner.audio);
    audio->listens = true;
    audio->expects = audio::expected_sound::parse("", expected).value();
    manner.audio = std::move(audio);
    world_.call(caller_, std::make_shared<const call_manner>(manner), target_of(from.address), 5s);
    world_.pass(6s);
    return world_.heard().calls.back();
  };
  const report::failure_cause not_heard{report::failure_cause::not_heard};
  const auto tone = heard(callee_, "tone:880");
  EXPECT_FALSE(tone.failure.failed()) << tone.failure.text();
  ASSERT_TRUE(tone.media && tone.media->heard);
  ASSERT_EQ(tone.media->heard->pieces.size(), 1U);
  EXPECT_NEAR(tone.media->heard->pieces[0].hz[0], 880, 3);
  EXPECT_NEAR(static_cast<double>(tone.media->heard->tone.count()), 5000, 80);
  EXPECT_EQ(heard(callee_, "tone:480").failure, not_heard);
  EXPECT_EQ(heard(callee_, "silence").failure, not_heard);
  const auto silence = heard(silent, "silence");
  EXPECT_FALSE(silence.failure.failed()) << silence.failure.text();
  EXPECT_EQ(silence.media->heard->mostly(), audio::found_sound::kind::silence);
  EXPECT_EQ(heard(silent, "sound").failure, not_heard);
}

TEST_F(media_test, users_send_sounds_of_their_own) {
  auto& listening = world_.add_site("10.0.0.3");
  auto answers = answer_manner_of(listening);
  add_audio(answers);
  auto ears = std::make_shared<audio_settings>(*answers.audio);
  ears->listens = true;
  ears->expects = audio::expected_sound::parse("", "tone:440").value();
  answers.audio = std::move(ears);
  world_.answer(listening, answers);
  auto manner = manner_between(caller_, listening.target());
  add_audio(manner, caller_);
  const auto usual = std::make_shared<const call_manner>(manner);
  auto own = target_of(listening.address);
  auto audio = std::make_shared<audio_settings>(*usual->audio);
  audio->source = audio::source_spec::tone(440);
  own->audio = std::move(audio);
  world_.call(caller_, usual, own, 3s);
  world_.call(caller_, usual, target_of(listening.address), 3s);
  world_.pass(5s);
  world_.ask_for_metrics();
  const auto& m = world_.metrics_of(2);
  EXPECT_EQ(m.calls.completed, 1U);
  ASSERT_EQ(m.calls.failures.size(), 1U);
  EXPECT_EQ(m.calls.failures.begin()->first.name(), "not_heard") << "the other user's is 880 Hz";
  EXPECT_EQ(m.media.found.tone, 2U);
}

/// While calls are up: what an interval shows is of the interval.
TEST_F(media_test, packets_are_counted_as_they_come) {
  lose(false, 0.1);
  begin_run(5, 60s);
  world_.pass(21s);
  world_.ask_for_metrics();
  const auto before = world_.metrics_of(0).media;
  EXPECT_NEAR(static_cast<double>(before.received.expected), 5165, 50);
  EXPECT_NEAR(static_cast<double>(before.received.lost), 500, 120);
  EXPECT_EQ(before.received.received + before.received.lost, before.received.expected);
  EXPECT_GT(before.sent.received, 3000U) << "what the peer reported";
  EXPECT_EQ(before.sent.lost, 0U);
  EXPECT_TRUE(before.received.mos.empty()) << "which is of whole streams";
  EXPECT_TRUE(world_.run_until_finished(90s));
  world_.ask_for_metrics();
  const auto& after = world_.metrics_of(0).media.received;
  EXPECT_EQ(after.streams, 5U);
  EXPECT_NEAR(static_cast<double>(after.expected), 15'000, 20);
  EXPECT_EQ(after.received + after.lost, after.expected);
}

/// The last few that are missing may come yet, until their call ends.
TEST_F(media_test, a_call_that_ended_has_told_of_all_its_losses) {
  lose(false, 0.2);
  uint64_t expected = 0;
  uint64_t lost = 0;
  for (int i = 0; i < 10; ++i) {
    const auto m = call(2s);
    expected += m.received.expected;
    lost += m.received.lost;
  }
  EXPECT_GT(lost, 100U);
  EXPECT_EQ(caller_.context.media.heard().expected, expected);
  EXPECT_EQ(caller_.context.media.heard().lost, lost);
}

/// The callee's audio ends 6 s before the call does.
TEST_F(media_test, audio_that_stops_is_told_and_judged) {
  world_.at(2s, [this] { lose(false, 1); });
  const auto m = call(8s);
  EXPECT_NEAR(static_cast<double>(m.stopped_for.count()), 6e9, 1e8);
  EXPECT_EQ(m.received.lost, 0U) << "no number tells of them";
  ASSERT_TRUE(m.mos);
  EXPECT_LT(*m.mos, 2.0) << "three quarters were not heard";
}

/// 200 calls over a path that loses some and takes 20 to 60 ms: what is told, while they are up and
/// in the end, is what the path did. Two delays of +-20 ms differ by 13.33 ms in the mean; in the
/// order in which packets come, of which some have overtaken others, it is 13.97 (a simulation of
/// 20 million).
TEST_F(media_test, losses_and_jitter_that_are_told_are_the_paths) {
  constexpr double in_order_of_arrival = 13.97;
  for (const double loss : {0.0, 0.01, 0.05}) {
    SCOPED_TRACE(loss);
    sim_world world{17, {.delay = 20ms}};
    auto& caller = world.add_site("10.0.0.1");
    auto& callee = world.add_site("10.0.0.2");
    auto answers = answer_manner_of(callee);
    add_audio(answers);
    world.answer(callee, answers);
    lane::sim_link rough;
    rough.delay = 40ms;
    rough.jitter = 20ms;
    rough.loss = loss;
    world.lane().set_link(callee.context.media.address(), caller.context.media.address(), rough);
    auto manner = manner_between(caller, callee.target());
    add_audio(manner, caller);
    auto plan = std::make_shared<load_plan>();
    plan->arrivals.phases = {{100, 100, std::nullopt}};
    plan->arrivals.calls = 200;
    plan->length.mean = 20s;
    plan->targets = {target_of(callee.address)};
    world.run_load(caller, plan, std::make_shared<const call_manner>(manner));
    const auto expect_told = [&](const char* when) {
      SCOPED_TRACE(when);
      world.ask_for_metrics();
      const auto& heard = world.metrics_of(0).media.received;
      const auto sent = static_cast<double>(callee.context.media.packets_sent());
      const auto lost = sent - static_cast<double>(heard.received);
      constexpr double on_their_way = 3 * 200; // at most, of each call
      EXPECT_NEAR(static_cast<double>(heard.expected), sent, on_their_way);
      EXPECT_NEAR(static_cast<double>(heard.lost), lost, on_their_way);
      EXPECT_EQ(heard.received + heard.lost, heard.expected);
      EXPECT_NEAR(static_cast<double>(heard.variation_us) / 1000 /
                    static_cast<double>(heard.variation_count),
                  in_order_of_arrival, 0.01 * in_order_of_arrival);
    };
    world.pass(15s);
    expect_told("while it runs");
    if (loss == 0) {
      EXPECT_EQ(world.metrics_of(0).media.received.lost, 0U) << "though some were overtaken";
    }
    ASSERT_TRUE(world.run_until_finished(60s));
    expect_told("at the end");
    const auto& jitter = world.metrics_of(0).media.received.jitter;
    EXPECT_EQ(jitter.count(), 200U);
    EXPECT_NEAR(jitter.mean() / 1000, in_order_of_arrival, 0.01 * in_order_of_arrival);
  }
}

TEST_F(media_test, audio_that_goes_on_to_the_end_has_not_stopped) {
  world_.at(2s, [this] { lose(false, 1); });
  world_.at(5s, [this] { lose(false, 0); });
  EXPECT_EQ(call(8s).stopped_for, 0s);
  const auto m = run(3);
  EXPECT_EQ(m.media.stopped_calls, 0U);
}

TEST_F(media_test, a_run_counts_calls_whose_audio_stopped) {
  world_.at(1s, [this] { lose(false, 1); });
  begin_run(3, 5s);
  ASSERT_TRUE(world_.run_until_finished(30s));
  EXPECT_EQ(world_.heard().finished->metrics->media.stopped_calls, 3U);
  EXPECT_EQ(world_.heard().finished->metrics->media.one_way_calls, 0U);
}

/// As tones: because that was asked for, or because the peer takes no events.
TEST_F(media_test, digits_go_in_the_audio_where_they_are_to) {
  for (const auto how : {dtmf_mode::inband, dtmf_mode::automatic}) {
    target_->digits = {"555"};
    auto manner = manner_between(caller_, callee_.target());
    if (how == dtmf_mode::automatic)
      manner.capabilities.codecs = {sdp::pcmu()};
    add_audio(manner, caller_);
    manner.dials_by = how;
    manner.steps = {{500ms, call_step::kind::dial}};
    world_.call(caller_, std::make_shared<const call_manner>(manner), target_, 3s);
    world_.pass(5s);
    const auto& call = world_.heard().calls.back();
    EXPECT_FALSE(call.failure.failed()) << call.failure.name();
    EXPECT_EQ(call.media->digits_sent, 3U);
    EXPECT_EQ(call.media->digits_not_taken, 0U);
  }
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).media.dtmf_received, 0U) << "as tones, not as events";
}

TEST_F(media_test, digits_go_as_events_by_themselves_where_the_peer_takes_them) {
  target_->digits = {"12"};
  auto manner = manner_between(caller_, callee_.target());
  add_audio(manner, caller_);
  manner.dials_by = dtmf_mode::automatic;
  manner.steps = {{0s, call_step::kind::dial}};
  world_.call(caller_, std::make_shared<const call_manner>(manner), target_, 3s);
  world_.pass(5s);
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).media.dtmf_received, 2U);
}

TEST_F(media_test, digits_arrive_under_loss) {
  lose(true, 0.1);
  target_->digits = {"0123456789*#ABCD"};
  steps_ = {{0s, call_step::kind::dial}};
  uint64_t sent = 0;
  for (int i = 0; i < 10; ++i)
    sent += call(10s).digits_sent;
  EXPECT_EQ(sent, 160U);
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).media.dtmf_received, sent);
  world_.expect_nothing_left();
}

TEST_F(media_test, silence_while_cut_and_back) {
  world_.at(5s, [this] { lose(false, 1); });
  world_.at(10s, [this] { lose(false, 0); });
  const auto m = call(20s);
  EXPECT_NEAR(static_cast<double>(m.received.lost), 250, 3);
  EXPECT_NEAR(static_cast<double>(m.received.packets), 750, 5);
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
