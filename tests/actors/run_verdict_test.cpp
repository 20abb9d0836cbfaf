#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <caf/behavior.hpp>
#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/load/answering_engine.hpp"
#include "actors/load/load_generator.hpp"
#include "engine/report/verdict.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;
using testing::Contains;
using testing::HasSubstr;

/// What a run tells its owner in the end.
class run_watcher final : public lane::lane_actor {
public:
  run_watcher(caf::actor_config& config, lane::lane& home, std::optional<run_finished>& end)
      : lane::lane_actor(config, home), end_(end) {}

  caf::behavior make_behavior() override {
    return {
      [](const run_progress&) {},
      [](const call_lines_batch&) {},
      [this](const run_finished& end) { end_ = end; },
    };
  }

private:
  std::optional<run_finished>& end_;
};

/// The clock of a simulated lane goes on within a pass: as where the machine takes the core away.
struct lane_clock : lane::lane {
  static void go_on(jackfield::lane::lane& home, std::chrono::nanoseconds time) {
    home.*(&lane_clock::now_) += time;
  }
};

class nobody final : public lane::datagram_handler {
  void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> /*bytes*/,
                   lane::time_point /*arrived*/) override {}
};

/// The INVITEs of a site by when each left first.
class invite_times final : public wire_tap {
public:
  explicit invite_times(sim_site& site) : site_(site) { site.context.router.set_tap(this); }
  ~invite_times() override { site_.context.router.set_tap(nullptr); }
  invite_times(const invite_times&) = delete;
  invite_times& operator=(const invite_times&) = delete;

  void on_message(wire_direction direction, const transport::flow& /*over*/, lane::time_point at,
                  std::string_view bytes) override {
    if (direction == wire_direction::sent && bytes.starts_with("INVITE ") &&
        calls_.insert(header_line(std::string{bytes}, "Call-ID")).second)
      all.push_back(at - lane::sim_lane::start);
  }
  [[nodiscard]] size_t between(lane::duration from, lane::duration to) const {
    return static_cast<size_t>(
      std::count_if(all.begin(), all.end(), [&](auto at) { return at >= from && at <= to; }));
  }
  std::vector<lane::duration> all;

private:
  sim_site& site_;
  std::set<std::string> calls_;
};

/// Runs as `jackfield load`, against its embedded engine, and `jackfield answer` make and judge
/// them, in which it is the generator that fails: its run is INVALID, and says why.
class run_verdict_test : public testing::Test {
protected:
  run_verdict_test()
      : world_(11, quiet()), caller_(world_.add_site("10.0.0.1")),
        callee_(world_.add_site("10.0.0.2")), manner_(manner_between(caller_, callee_.target())),
        answers_(answer_manner_of(callee_)) {
    plan_.arrivals.phases = {{100, 100, std::nullopt}};
    plan_.arrivals.calls = 1'000;
    plan_.length = 500ms;
    plan_.targets = {target_of(callee_.address)};
  }

  static lane::sim_link quiet() {
    lane::sim_link link;
    link.delay = 10ms;
    return link;
  }

  void with_audio() {
    add_audio(manner_, caller_);
    add_audio(answers_);
  }
  /// Nothing is done for so long.
  void stall(lane::duration when, lane::duration time) {
    world_.at(when, [this, time] {
      lane_clock::go_on(world_.lane(), time);
      world_.lane().set_lag(time);
    });
    world_.at(when + 2ms, [this] { world_.lane().set_lag({}); }); // in the pass that comes late
  }
  /// Passes are late, though the clock does not show it.
  void lag(lane::duration from, lane::duration to, lane::duration by) {
    world_.at(from, [this, by] { world_.lane().set_lag(by); });
    world_.at(to, [this] { world_.lane().set_lag({}); });
  }
  /// Other programs have all the ports of a site's media.
  void take_all_ports(const sim_site& site) {
    for (uint32_t port = 10'000; port <= 65'534; port += 2)
      taken_.push_back(
        world_.lane()
          .open_datagram(site.context.media.address().with_port(static_cast<uint16_t>(port)),
                         nobody_, {})
          .value());
  }

  report::verdict load() {
    auto& lane = world_.lane();
    const auto run = lane.spawn<load_run>(lane.spawn<run_watcher>(finished_));
    const auto to_run = caf::actor_cast<caf::strong_actor_ptr>(run);
    generator_ = lane.spawn<load_generator>(
      caller_.context, std::make_shared<const load_plan>(plan_),
      std::make_shared<const call_manner>(manner_), load_generator::share{}, to_run);
    const auto answering =
      start_answering(callee_.context, std::make_shared<const answer_manner>(answers_), {}, 1);
    lane::tell(lane, to_run, start_run{{{generator_}, {answering}}, nullptr});
    for (int seconds = 0; seconds < 120 && !finished_; ++seconds)
      world_.pass(1s);
    caf::anon_send_exit(answering, caf::exit_reason::kill);
    if (generator_)
      caf::anon_send_exit(generator_, caf::exit_reason::kill);
    generator_ = nullptr;
    lane.run_until(lane.now());
    if (!finished_)
      throw std::logic_error{"the run has not ended"};
    return report::judge(*finished_->metrics, finished_->elapsed);
  }
  const report::run_metrics& measured() { return *finished_->metrics; }

  /// Has so many calls a second come to the answering side alone, each of half a second.
  report::verdict answer(unsigned calls) {
    world_.answer(callee_, answers_);
    for (unsigned i = 0; i < calls; ++i)
      world_.at(100ms + i * 10ms, [this] {
        world_.call(caller_, std::make_shared<const call_manner>(manner_), plan_.targets[0], 500ms);
      });
    world_.pass(100ms + calls * 10ms + 40s);
    world_.stop_services();
    world_.pass(1s);
    return report::judge(world_.metrics_of(1), world_.elapsed());
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
  call_manner manner_;
  answer_manner answers_;
  load_plan plan_;
  caf::actor generator_;
  std::optional<run_finished> finished_;
  nobody nobody_;
  std::vector<std::unique_ptr<lane::datagram_socket>> taken_;
};

#define EXPECT_INVALID(verdict, cause)                                                             \
  do {                                                                                             \
    const auto& judged_ = verdict;                                                                 \
    EXPECT_FALSE(judged_.valid);                                                                   \
    EXPECT_THAT(judged_.invalid_reasons, Contains(HasSubstr(cause)));                              \
  } while (false)

TEST_F(run_verdict_test, nothing_is_wrong_where_nothing_is) {
  with_audio();
  const auto judged = load();
  EXPECT_THAT(judged.invalid_reasons, testing::IsEmpty());
  EXPECT_TRUE(judged.valid);
  EXPECT_EQ(measured().calls.completed, 1'000U);
  EXPECT_EQ(measured().health.start_lateness.count(), 1'000U) << "one a call";
  EXPECT_EQ(measured().media.send_lateness.count(),
            measured().media.packets_sent + callee_.context.media.packets_sent())
    << "one a packet, of either side";
}

uint64_t longer_than_40_ms(const report::histogram& times) {
  return times.count() - times.count_at_most(40'000);
}

/// 25 arrivals were due, 23 of them more than 20 ms before, and seven were before the rest had been
/// made up for: what they took counts from then.
TEST_F(run_verdict_test, calls_that_are_started_late) {
  stall(1'005ms, 250ms);
  EXPECT_INVALID(load(),
                 "calls were started late: 30 of 1,000 by more than 20 ms, bound 1 %, worst "
                 "245.0 ms");
  const auto& m = measured();
  EXPECT_EQ(m.calls.started, 1'000U);
  for (const auto* times : {&m.times.setup, &m.times.srd, &m.times.ttr}) {
    EXPECT_EQ(times->count(), 1'000U);
    EXPECT_EQ(times->min(), 20'000U);
    EXPECT_EQ(times->max(), 265'000U);
    EXPECT_EQ(longer_than_40_ms(*times), 32U)
      << "the 30 from when they were due, and two whose answer waited";
  }
}

TEST_F(run_verdict_test, times_of_other_requests_begin_when_they_were_due) {
  for (const auto flow : {load_flow::options, load_flow::register_}) {
    SCOPED_TRACE(static_cast<int>(flow));
    plan_.flow = flow;
    finished_.reset();
    stall(world_.elapsed() + 1'005ms, 250ms);
    EXPECT_INVALID(load(), "calls were started late: ");
    const auto& m = measured();
    const auto& times = flow == load_flow::options ? m.times.options : m.times.rrd;
    EXPECT_EQ(times.count(), 1'000U);
    EXPECT_EQ(longer_than_40_ms(times), 32U);
  }
}

/// Lag is known to a quarter of an octave.
TEST_F(run_verdict_test, a_lane_that_stands_still_for_long) {
  stall(1'005ms, 2'500ms);
  EXPECT_INVALID(load(), "lanes stood still for 2.1 s, ");
}

TEST_F(run_verdict_test, a_lane_that_stands_still_often) {
  for (int i = 0; i < 60; ++i)
    stall(1s + i * 100ms, 30ms);
  EXPECT_INVALID(load(), "lanes stood still for 1.");
  EXPECT_LT(measured().health.lane_lag.max(), 31'000U);
}

TEST_F(run_verdict_test, a_lane_that_is_overloaded_all_the_time) {
  lag(1s, 9s, 25ms);
  EXPECT_INVALID(load(), "lanes were overloaded in ");
  EXPECT_EQ(measured().calls.missed_by_limit, 0U);
}

/// What was due more than a second before is left out and counted; the rest is placed late, no more
/// than four times as fast as it was due, not all at once.
TEST_F(run_verdict_test, arrivals_that_are_missed) {
  const invite_times invites{caller_};
  stall(1'005ms, 1'500ms);
  EXPECT_INVALID(load(), "calls were not started because the generator could not keep up");
  const auto& calls = measured().calls;
  EXPECT_EQ(calls.offered, 1'000U);
  EXPECT_EQ(calls.started + calls.missed_by_generator, 1'000U);
  EXPECT_GE(calls.missed_by_generator, 45U);
  EXPECT_LT(calls.missed_by_generator, 75U);
  EXPECT_EQ(invites.all.size(), calls.started);
  EXPECT_EQ(invites.between(1'005ms, 2'505ms), 0U) << "a burst after the stall";
  for (size_t i = 1; i < invites.all.size(); ++i)
    EXPECT_GE(invites.all[i] - invites.all[i - 1], 1ms) << "two at once, call " << i;
  EXPECT_LE(invites.between(2'500ms, 2'600ms), 41U) << "a burst after the stall";
}

TEST_F(run_verdict_test, packets_that_are_sent_late) {
  with_audio();
  plan_.length = 2s;
  stall(3'005ms, 250ms);
  EXPECT_INVALID(load(), "media packets were sent late: ");
  EXPECT_GE(measured().media.send_lateness.max(), 230'000U);
}

TEST_F(run_verdict_test, datagrams_lost_at_sockets_of_its_own) {
  with_audio();
  plan_.arrivals.calls = 20;
  world_.at(200ms, [this] { // as what comes to a socket whose buffer is full
    auto socket =
      world_.lane().open_datagram(lane::endpoint::parse("10.0.0.1", 7'000).value(), nobody_, {});
    (*socket)->send(lane::endpoint::parse("255.255.255.255", 9).value(), "x");
  });
  EXPECT_INVALID(load(), "1 datagram was lost at the generator's own sockets");
}

TEST_F(run_verdict_test, calls_without_a_port_of_its_own) {
  with_audio();
  plan_.arrivals.calls = 3;
  take_all_ports(caller_);
  EXPECT_INVALID(load(), "3 calls were not made for want of the generator's own: room, ports");
  EXPECT_EQ(measured().calls.failures.at(failure_cause::media_setup), 3U);
}

TEST_F(run_verdict_test, calls_that_its_own_answering_side_has_no_port_for) {
  with_audio();
  plan_.arrivals.calls = 3;
  take_all_ports(callee_);
  EXPECT_INVALID(load(), "3 calls were not made for want of the generator's own: room, ports");
  EXPECT_EQ(measured().health.own_refusals, 3U);
}

/// Late just as they come to the answering side: where it is its own, that is no failure of
/// another's.
TEST_F(run_verdict_test, calls_that_its_own_answering_side_refuses_under_load) {
  plan_.arrivals.calls = 20;
  lag(201ms, 212ms, 1s);
  EXPECT_INVALID(load(), "1 call was not made for want of the generator's own: room, ports");
  EXPECT_EQ(measured().calls.failures.at(failure_cause::from_status(503)), 1U);
}

TEST_F(run_verdict_test, a_part_that_an_error_ends) {
  world_.at(3s, [this] {
    caf::anon_send_exit(generator_, caf::exit_reason::kill);
    generator_ = nullptr;
  });
  EXPECT_INVALID(load(), "1 part of the generator ended by an error within");
}

/// A step that dials digits which the target does not have: an exception within the call.
TEST_F(run_verdict_test, calls_that_an_error_ends) {
  plan_.arrivals.calls = 2;
  manner_.steps = {{100ms, call_step::kind::dial, 7}};
  EXPECT_INVALID(load(), "2 calls ended by an error within the generator");
}

// -- answer ----------------------------------------------------------------------------

TEST_F(run_verdict_test, answering_nothing_is_wrong_where_nothing_is) {
  with_audio();
  EXPECT_THAT(answer(20).invalid_reasons, testing::IsEmpty());
}

TEST_F(run_verdict_test, answering_calls_refused_under_load) {
  lag(101ms, 112ms, 1s);
  EXPECT_INVALID(answer(3), " given up by an overloaded lane of the generator");
}

TEST_F(run_verdict_test, answering_calls_without_a_port) {
  with_audio();
  take_all_ports(callee_);
  EXPECT_INVALID(answer(3), "3 calls were not made for want of the generator's own: room, ports");
}

TEST_F(run_verdict_test, answering_lane_that_stands_still) {
  stall(305ms, 2'500ms);
  EXPECT_INVALID(answer(3), "lanes stood still for 2.1 s, ");
}

TEST_F(run_verdict_test, answering_lane_that_is_overloaded_all_the_time) {
  lag(200ms, 900ms, 25ms);
  EXPECT_INVALID(answer(60), "lanes were overloaded in ");
}

TEST_F(run_verdict_test, answering_packets_that_are_sent_late) {
  with_audio();
  stall(505ms, 250ms);
  EXPECT_INVALID(answer(40), "media packets were sent late: ");
}

TEST_F(run_verdict_test, answering_datagrams_lost_at_its_own_sockets) {
  world_.at(200ms, [this] {
    auto socket =
      world_.lane().open_datagram(lane::endpoint::parse("10.0.0.2", 7'000).value(), nobody_, {});
    (*socket)->send(lane::endpoint::parse("255.255.255.255", 9).value(), "x");
  });
  EXPECT_INVALID(answer(3), "1 datagram was lost at the generator's own sockets");
}

// -- what else a run's figures rest on ---------------------------------------------------

TEST_F(run_verdict_test, calls_last_as_long_as_was_asked_for) {
  plan_.arrivals.calls = 300;
  plan_.length = 9s;
  EXPECT_TRUE(load().valid);
  EXPECT_EQ(measured().times.call_length.min(), 9'000'000U);
  EXPECT_EQ(measured().times.call_length.max(), 9'000'000U);
}

TEST_F(run_verdict_test, drawn_lengths_have_the_mean_that_was_asked_for) {
  using shape = scenario::drawn_duration::shape;
  plan_.arrivals.calls = 400;
  plan_.length = {shape::uniform, 9s, 11s};
  EXPECT_TRUE(load().valid);
  // Five standard errors: 2 s / sqrt(12) / sqrt(400).
  EXPECT_NEAR(measured().times.call_length.mean(), 10e6, 0.145e6);
  EXPECT_LE(measured().times.call_length.max(), 11'000'000U);
  EXPECT_GE(measured().times.call_length.min(), 9'000'000U);
}

/// The embedded engine's figures are part of the run's.
TEST_F(run_verdict_test, what_its_answering_side_measured_is_counted_once) {
  with_audio();
  plan_.arrivals.calls = 50;
  (void)load();
  const auto& m = measured();
  EXPECT_EQ(m.media.received.streams, 50U);
  EXPECT_EQ(m.media.sent.streams, 50U);
  EXPECT_EQ(m.media.sent.received, m.media.packets_sent) << "each packet was heard, once";
  EXPECT_NEAR(static_cast<double>(m.media.packets_sent), 50 * 25, 100);
  EXPECT_EQ(m.media.sent.lost, 0U);
}

} // namespace
} // namespace jackfield
