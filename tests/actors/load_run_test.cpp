#include <gtest/gtest.h>

#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;

/// Load runs, signalling only, at an answering service ten milliseconds away.
class load_run_test : public testing::Test {
protected:
  load_run_test()
      : world_(1, {.delay = 10ms}), caller_(world_.add_site("10.0.0.1")),
        callee_(world_.add_site("10.0.0.2")) {
    world_.answer(callee_, answer_manner_of(callee_));
  }

  static load_plan plan(uint64_t calls, double rate, lane::duration length) {
    load_plan made;
    made.arrivals.phases = {{rate, rate, std::nullopt}};
    made.arrivals.calls = calls;
    made.length.mean = length;
    return made;
  }
  void begin(load_plan plan, const transport::target& to) {
    plan.targets = {target_of(to.remote)};
    world_.run_load(caller_, std::make_shared<const load_plan>(std::move(plan)),
                    std::make_shared<const call_manner>(manner_between(caller_, to)));
  }
  void begin(load_plan plan) { begin(std::move(plan), callee_.target()); }
  const report::run_metrics& run(load_plan plan, lane::duration limit) {
    begin(std::move(plan));
    EXPECT_TRUE(world_.run_until_finished(limit));
    return *world_.heard().finished->metrics;
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
};

/// One that has no room waits, and those behind it: ten at once, of 500 ms and 20 ms of way.
TEST_F(load_run_test, arrivals_wait_for_room_where_they_are_to) {
  auto wanted = plan(100, 100, 500ms);
  wanted.limit = 10;
  wanted.waits_when_full = true;
  const auto& m = run(wanted, 60s);
  EXPECT_EQ(m.calls.completed, 100U);
  EXPECT_EQ(m.calls.missed(), 0U);
  EXPECT_EQ(m.calls.peak, 10U);
  EXPECT_LT(m.health.start_lateness.max(), 5000U) << "us: it is not we who were late";
  const auto took = world_.heard().finished->elapsed;
  EXPECT_GT(took, 5400ms);
  EXPECT_LT(took, 6s) << "ten calls of 540 ms one after the other, in ten rows";
  world_.expect_nothing_left();
}

/// A lane that lags for half a second places what was due late, and measures it from then.
TEST_F(load_run_test, arrivals_of_a_short_lag_are_placed_late) {
  world_.at(1s, [this] { world_.lane().set_lag(500ms); });
  world_.at(1500ms, [this] { world_.lane().set_lag(0s); });
  const auto& m = run(plan(300, 100, 100ms), 20s);
  EXPECT_EQ(m.calls.missed(), 0U);
  EXPECT_EQ(m.calls.started, 300U);
  EXPECT_GT(m.health.start_lateness.max(), 100'000U) << "us";
  EXPECT_GT(m.times.setup.max(), m.health.start_lateness.max()) << "from when it was due";
}

/// Calls whose callee says nothing are given up by a third Ctrl-C.
TEST_F(load_run_test, that_is_given_up_ends_at_once) {
  raw_peer mute{world_.lane(), "10.0.0.3"};
  begin(plan(20, 10, 10s), {transport::protocol::udp, mute.address()});
  world_.at(5s, [this] { caf::anon_send(world_.load(), load_abort{}); });
  world_.at(6s, [this] { caf::anon_send(world_.load(), load_give_up{}); });
  EXPECT_TRUE(world_.run_until_finished(7s));
  const auto& calls = world_.heard().finished->metrics->calls;
  EXPECT_EQ(calls.started, 20U);
  EXPECT_EQ(calls.failed, 20U);
  EXPECT_EQ(calls.failures, (std::map<failure_cause, uint64_t>{{failure_cause::stopped, 20}}));
  world_.forget_generator();
}

/// Before a call is over, what was sent and answered of it is counted.
TEST_F(load_run_test, messages_are_counted_as_they_pass) {
  begin(plan(5, 10, 60s));
  world_.pass(5s);
  world_.ask_for_metrics();
  using report::counted_method;
  const auto& caller = world_.metrics_of(0);
  EXPECT_EQ(caller.statuses.requests(counted_method::invite), 5U);
  EXPECT_EQ(caller.statuses.requests(counted_method::ack), 5U);
  EXPECT_EQ(caller.statuses.requests(counted_method::bye), 0U);
  EXPECT_EQ(caller.statuses.responses(counted_method::invite),
            (std::map<uint16_t, uint64_t>{{180, 5}, {200, 5}}));
  EXPECT_EQ(caller.requests_sent, 10U);
  const auto& callee = world_.metrics_of(1);
  EXPECT_EQ(callee.served.responses(counted_method::invite),
            (std::map<uint16_t, uint64_t>{{200, 5}}));
}

/// Arrivals of a lane that lags for long are counted as missed.
TEST_F(load_run_test, overloaded_generator_misses_arrivals) {
  world_.at(1s, [this] { world_.lane().set_lag(1s); });
  const auto& m = run(plan(200, 100, 100ms), 10s);
  EXPECT_EQ(m.calls.offered, 200U);
  EXPECT_NEAR(static_cast<double>(m.calls.missed_by_generator), 110, 5);
  EXPECT_EQ(m.calls.started + m.calls.missed(), 200U);
  EXPECT_GT(m.health.late_passes, 0U);
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
