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
    world_.call(caller_, std::make_shared<const call_manner>(manner), target_, length);
    world_.pass(length + 1s);
    if (world_.heard().calls.empty() || !world_.heard().calls.back().media) {
      ADD_FAILURE() << "the call has not ended";
      return {};
    }
    EXPECT_FALSE(world_.heard().calls.back().failure.failed());
    return *world_.heard().calls.back().media;
  }
  /// A load run of some calls of two seconds.
  report::run_metrics run(uint64_t calls) {
    auto manner = manner_between(caller_, callee_.target());
    add_audio(manner, caller_);
    auto plan = std::make_shared<load_plan>();
    plan->arrivals.phases = {{10, 10, std::nullopt}};
    plan->arrivals.calls = calls;
    plan->length.mean = 2s;
    plan->targets = {target_};
    world_.run_load(caller_, plan, std::make_shared<const call_manner>(manner));
    EXPECT_TRUE(world_.run_until_finished(60s));
    world_.ask_for_metrics();
    return world_.metrics_of(0);
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
  std::shared_ptr<call_target> target_;
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
  target_->digits = "0123456789*#ABCD";
  auto manner = manner_between(caller_, callee_.target());
  add_audio(manner, caller_);
  manner.dials_by_info = true;
  world_.call(caller_, std::make_shared<const call_manner>(manner), target_, 5s);
  world_.pass(6s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls[0].steps.info_digit.done, 16U);
  EXPECT_EQ(world_.heard().calls[0].steps.info_digit.failed, 0U);
  world_.ask_for_metrics();
  world_.pass(1s);
  EXPECT_EQ(world_.metrics_of(1).media.dtmf_received, 16U);
}

TEST_F(media_test, digits_arrive_under_loss) {
  lose(true, 0.1);
  target_->digits = "0123456789*#ABCD";
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
