#include <stdexcept>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "engine/report/verdict.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;

/// What an error within leaves behind: an exception in a handler ends an actor, as an exit message
/// of kind `kill` does at any other moment.
class supervision_test : public testing::Test {
protected:
  supervision_test()
      : world_(3, quiet()), caller_(world_.add_site("10.0.0.1")),
        callee_(world_.add_site("10.0.0.2")) {
    world_.answer(callee_, answer_manner_of(callee_));
  }

  static lane::sim_link quiet() {
    lane::sim_link link;
    link.delay = 10ms;
    return link;
  }
  std::shared_ptr<const call_manner> manner(bool audio = false) {
    auto made = manner_between(caller_, callee_.target());
    if (audio)
      add_audio(made, caller_);
    return std::make_shared<const call_manner>(made);
  }
  void kill_at(lane::duration when, caf::strong_actor_ptr who) {
    world_.at(when, [who = std::move(who)] {
      caf::anon_send_exit(caf::actor_cast<caf::actor>(who), caf::exit_reason::kill);
    });
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
};

TEST_F(supervision_test, call_that_dies_is_reported_and_hung_up) {
  for (const bool audio : {false, true}) {
    auto call = world_.call(caller_, manner(audio), target_of(callee_.address), 60s);
    kill_at(world_.elapsed() + 5s, std::move(call));
    world_.pass(6s);
    ASSERT_FALSE(world_.heard().calls.empty());
    const auto& c = world_.heard().calls.back();
    EXPECT_EQ(c.failure, failure_cause{failure_cause::internal});
    EXPECT_TRUE(c.times.answered);
  }
  EXPECT_EQ(world_.heard().calls.size(), 2U);
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).calls.completed, 2U) << "the other side was hung up";
  world_.expect_nothing_left();
}

/// Whatever the moment, also before the INVITE was answered or the stream was open.
TEST_F(supervision_test, calls_that_die_at_any_moment_are_each_reported_once) {
  for (int i = 0; i < 60; ++i)
    kill_at(std::chrono::milliseconds{i},
            world_.call(caller_, manner(i % 2 == 0), target_of(callee_.address), 30ms));
  world_.pass(100s);
  EXPECT_EQ(world_.heard().calls.size(), 60U);
  world_.expect_nothing_left();
}

TEST_F(supervision_test, registration_that_dies_is_reported) {
  registration::plan plan;
  auto user = world_.register_user(caller_, manner(), target_of(callee_.address), plan);
  kill_at(1s, std::move(user));
  world_.pass(2s);
  ASSERT_EQ(world_.heard().registrations.size(), 2U);
  EXPECT_EQ(world_.heard().registrations[0].what, registration_report::kind::registered);
  EXPECT_EQ(world_.heard().registrations[1].what, registration_report::kind::over);
  EXPECT_EQ(world_.heard().registrations[1].failure, failure_cause{failure_cause::internal});
}

/// A user whose handler throws: the leg ends with a cause, and nothing else does.
class throwing_user final : public leg_user {
public:
  throwing_user(const call_manner& manner, bool& lost) : manner_(manner), lost_(lost) {}

  void on_start(call_leg& leg) override {
    ASSERT_TRUE(leg.open(manner_.servers, manner_.connections));
    leg.describe(manner_.offer, 10'000);
    sip::call_options options;
    const auto uri = "sip:service@" + manner_.servers.current().remote.to_string();
    options.uri = uri;
    options.from = "<sip:caller@10.0.0.1>";
    ASSERT_TRUE(leg.prepare(options).and_then([&] { return leg.send_invite(); }));
  }
  void on_answered(call_leg& /*leg*/, const leg_answer& /*answer*/) override {
    throw std::runtime_error{"a fault of this test"};
  }
  void on_hang_up(call_leg& leg) override { leg.hang_up(); }
  void on_ended(call_leg& leg, const leg_end& /*end*/) override { leg.finish(); }
  void on_lost(call_leg& /*leg*/) override { lost_ = true; }

private:
  call_manner manner_;
  bool& lost_;
};

TEST_F(supervision_test, exception_ends_its_call_alone) {
  bool lost = false;
  world_.lane().spawn<call_leg>(caller_.context.router,
                                std::make_unique<throwing_user>(*manner(), lost));
  world_.call(caller_, manner(), target_of(callee_.address), 5s);
  world_.pass(10s);
  EXPECT_TRUE(lost);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls[0].failure.failed()) << world_.heard().calls[0].failure.name();
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).calls.completed, 2U) << "the lost one was hung up too";
  world_.expect_nothing_left();
}

TEST_F(supervision_test, run_ends_without_a_generator_that_died) {
  auto plan = std::make_shared<load_plan>();
  plan->arrivals.phases = {{100, 100, std::nullopt}};
  plan->arrivals.calls = 1000;
  plan->length.mean = 60s;
  plan->targets = {target_of(callee_.address)};
  world_.run_load(caller_, plan, manner());
  world_.at(5s, [this] {
    caf::anon_send_exit(world_.generator(), caf::exit_reason::kill);
    world_.forget_generator();
  });
  ASSERT_TRUE(world_.run_until_finished(120s));
  EXPECT_EQ(world_.heard().finished->metrics->health.parts_lost, 1U);
  EXPECT_FALSE(report::judge(*world_.heard().finished->metrics).valid);
  world_.pass(1s);
  world_.ask_for_metrics();
  const auto& served = world_.metrics_of(1).calls;
  EXPECT_GT(served.started, 100U);
  EXPECT_EQ(served.started, served.completed) << "some are left up";
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
