#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/actors/forking_proxy.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t seeds = 8; // a sanitizer costs ten times the time
#else
constexpr uint64_t seeds = 100;
#endif

/// Losses come in bursts of three, two datagrams of a hundred come twice, and most overtake others.
lane::sim_link bad_path() {
  lane::sim_link link;
  link.delay = 40ms;
  link.jitter = 20ms;
  link.loss = 0.1;
  link.burst = 3;
  link.duplication = 0.02;
  return link;
}

/// What one run of calls is made of.
struct ordeal {
  uint64_t calls = 1000;
  double rate = 100;
  lane::sim_link link = bad_path();
  transport::protocol protocol = transport::protocol::udp;
  bool audio = false;
  int refuse_with = 0;
  lane::duration callee_length{}; ///< the callee hangs up after this; zero: never
  lane::duration ring{};          ///< from INVITE to 200
  bool delayed_offer = false;
  uint64_t limit = UINT64_MAX;
  lane::duration drain_at{}; ///< zero: never
  lane::duration abort_at{};
};

struct verdict {
  uint64_t digest = 0;
  report::run_metrics caller;
  report::run_metrics callee;
};

constexpr lane::duration longest_call = 3s;

/// Runs the calls and expects of them what must be true whatever happened to their messages.
verdict run(uint64_t seed, const ordeal& o) {
  sim_world world{seed, o.link};
  auto& from = world.add_site("10.0.0.1", o.protocol);
  auto& to = world.add_site("10.0.0.2", o.protocol);
  auto answers = answer_manner_of(to);
  auto manner = manner_between(from, to.target());
  if (o.audio) {
    add_audio(answers);
    add_audio(manner, from);
  }
  answers.refuse_with = o.refuse_with;
  answers.length = o.callee_length;
  answers.answer_after = o.ring;
  manner.delayed_offer = o.delayed_offer;
  world.answer(to, answers);
  auto plan = std::make_shared<load_plan>();
  plan->arrivals.phases = {{o.rate, o.rate, std::nullopt}};
  plan->arrivals.poisson = true;
  plan->arrivals.calls = o.calls;
  plan->seed = seed;
  plan->limit = o.limit;
  plan->length = {call_length::shape::uniform, 0s, longest_call};
  plan->targets = {target_of(to.address)};
  plan->call_lines = true;
  world.run_load(from, plan, std::make_shared<const call_manner>(manner));
  const auto tell_at = [&](lane::duration when, auto what) {
    if (when > 0s)
      world.at(when, [&world, what] {
        lane::tell(world.lane(), caf::actor_cast<caf::strong_actor_ptr>(world.load()), what);
      });
  };
  tell_at(o.drain_at, load_drain{});
  tell_at(o.abort_at, load_abort{});

  // Poisson arrivals take about calls / rate; no call outlives its length and three transactions.
  const auto arrivals = lane::duration{
    std::chrono::seconds{static_cast<int>(2 * static_cast<double>(o.calls) / o.rate + 1)}};
  const sip::timer_values timers;
  EXPECT_TRUE(
    world.run_until_finished(arrivals + o.ring + longest_call + 3 * timers.transaction_limit()))
    << "a call is stuck";
  world.expect_nothing_left();
  world.ask_for_metrics();
  verdict out{world.lane().event_digest(), world.metrics_of(0), world.metrics_of(1)};

  const auto& calls = out.caller.calls;
  EXPECT_EQ(calls.offered, calls.started + calls.missed());
  EXPECT_EQ(calls.started, calls.completed + calls.failed);
  EXPECT_EQ(calls.current, 0U);
  EXPECT_EQ(calls.missed_by_generator, 0U);
  EXPECT_LE(calls.peak, o.limit);
  EXPECT_EQ(
    static_cast<uint64_t>(std::count(world.heard().lines.begin(), world.heard().lines.end(), '\n')),
    calls.started);
  const auto& served = out.callee.calls;
  EXPECT_EQ(served.started, served.completed + served.failed);
  EXPECT_EQ(served.current, 0U);
  EXPECT_LE(served.offered, calls.started) << "one INVITE made two calls";
  EXPECT_LE(calls.answered, served.answered);
  EXPECT_EQ(out.caller.malformed + out.callee.malformed, 0U);
  return out;
}

/// Runs twice; the two must be the same.
verdict run_twice(uint64_t seed, const ordeal& o) {
  const auto first = run(seed, o);
  const auto second = run(seed, o);
  EXPECT_EQ(first.digest, second.digest) << "seed " << seed << " is not reproducible";
  EXPECT_EQ(first.caller.calls.completed, second.caller.calls.completed);
  return first;
}

class seeds_test : public testing::TestWithParam<uint64_t> {};

TEST_P(seeds_test, thousand_calls_on_a_bad_path) {
  const auto out = run_twice(GetParam(), {});
  EXPECT_EQ(out.caller.calls.offered, 1000U);
  EXPECT_EQ(out.caller.calls.answered, 1000U);
  // Bursts end after so many datagrams, not after a time: once the other calls are over, one burst
  // may swallow every answer to the last call's BYE. That call says so; no other may fail.
  const auto& calls = out.caller.calls;
  if (calls.failed > 0) {
    EXPECT_THAT(calls.failures, testing::ElementsAre(testing::Pair(
                                  report::failure_cause{report::failure_cause::bye_timeout}, 1U)));
  }
  EXPECT_GE(calls.completed, 999U);
  EXPECT_GT(out.caller.retransmissions, 0U);
}

INSTANTIATE_TEST_SUITE_P(all, seeds_test, testing::Range<uint64_t>(1, seeds + 1));

/// Kinds of calls that are rarer; fewer of each.
class ordeals_test : public testing::TestWithParam<uint64_t> {};

TEST_P(ordeals_test, media_streams) {
  ordeal o;
  o.calls = 50;
  o.rate = 25;
  o.audio = true;
  const auto out = run_twice(GetParam(), o);
  EXPECT_EQ(out.caller.calls.completed, 50U);
  EXPECT_GT(out.caller.media.received.received, 1000U);
  EXPECT_GT(out.caller.media.received.lost, 0U);
}

TEST_P(ordeals_test, tcp) {
  ordeal o;
  o.calls = 200;
  o.protocol = transport::protocol::tcp;
  const auto out = run_twice(GetParam(), o);
  EXPECT_EQ(out.caller.calls.completed, 200U);
}

TEST_P(ordeals_test, refusals) {
  ordeal o;
  o.calls = 200;
  o.refuse_with = 486;
  const auto out = run_twice(GetParam(), o);
  EXPECT_EQ(out.caller.calls.failures.at(report::failure_cause::from_status(486)), 200U);
}

TEST_P(ordeals_test, both_hang_up) {
  ordeal o;
  o.calls = 200;
  o.callee_length = longest_call / 2;
  const auto out = run_twice(GetParam(), o);
  EXPECT_EQ(out.caller.calls.answered, 200U);
}

TEST_P(ordeals_test, ringing_and_delayed_offers) {
  ordeal o;
  o.calls = 200;
  o.ring = 1s;
  o.delayed_offer = true;
  const auto out = run_twice(GetParam(), o);
  EXPECT_EQ(out.caller.calls.completed, 200U);
}

TEST_P(ordeals_test, limited) {
  ordeal o;
  o.calls = 200;
  o.limit = 20;
  const auto out = run_twice(GetParam(), o);
  EXPECT_GT(out.caller.calls.missed_by_limit, 0U);
}

TEST_P(ordeals_test, drained) {
  ordeal o;
  o.calls = 200;
  o.ring = 500ms;
  o.drain_at = 1s;
  const auto out = run_twice(GetParam(), o);
  EXPECT_LT(out.caller.calls.offered, 200U);
  // The last call alone may have all its BYEs lost in one burst.
  EXPECT_GE(out.caller.calls.completed + 2, out.caller.calls.started);
}

TEST_P(ordeals_test, aborted) {
  ordeal o;
  o.calls = 200;
  o.ring = 500ms;
  o.abort_at = 1500ms;
  o.audio = true;
  const auto out = run_twice(GetParam(), o);
  EXPECT_LT(out.caller.calls.offered, 200U);
  EXPECT_GT(out.caller.calls.failures.at(report::failure_cause::stopped), 0U);
}

/// Calls told to end at any moment, also before they began; to one callee or, over a proxy that
/// forks, to two of which either may answer first.
uint64_t run_cancels(uint64_t seed, bool forked, int second_refuses_with = 0) {
  constexpr int calls = 1000;
  sim_world world{seed, bad_path()};
  auto& from = world.add_site("10.0.0.1");
  auto& first = world.add_site("10.0.0.2");
  auto& second = world.add_site("10.0.0.3");
  auto answers = answer_manner_of(first);
  answers.answer_after = 500ms;
  world.answer(first, answers);
  answers.answer_after = 520ms;
  answers.refuse_with = second_refuses_with;
  world.answer(second, answers);
  forking_proxy proxy{world.lane(), "10.0.0.9", from.address, {first.address, second.address}};
  const transport::target to{transport::protocol::udp, forked ? proxy.address() : first.address};
  const auto manner = std::make_shared<const call_manner>(manner_between(from, to));
  const auto target = target_of(to.remote);
  lane::sim_random random{seed};
  for (int i = 0; i < calls; ++i) {
    const auto begin = std::chrono::milliseconds{10 * i};
    const auto end = begin + std::chrono::milliseconds{random.below(2000)};
    const auto length = std::chrono::milliseconds{random.below(1000)};
    world.at(begin, [&, end, length] {
      auto call = world.call(from, manner, target, length);
      world.at(end, [&world, call] { lane::tell(world.lane(), call, hang_up{}); });
    });
  }
  world.pass(10s + 3 * sip::timer_values{}.transaction_limit());
  EXPECT_EQ(world.heard().calls.size(), static_cast<size_t>(calls)) << "a call is stuck";
  world.expect_nothing_left();
  world.ask_for_metrics();
  std::map<sip::end_cause, int> ends;
  for (const auto& call : world.heard().calls)
    ++ends[call.cause];
  EXPECT_GT(ends[sip::end_cause::local_bye], 50);
  EXPECT_GT(ends[sip::end_cause::cancelled], 50);
  for (const unsigned callee : {1U, 2U}) {
    const auto& c = world.metrics_of(callee).calls;
    EXPECT_EQ(c.started, c.completed + c.failed);
    EXPECT_EQ(c.current, 0U);
    // Whatever was answered was hung up, by whoever did not want it too.
    EXPECT_EQ(c.answered, c.completed);
  }
  return world.lane().event_digest();
}

TEST_P(ordeals_test, cancels) {
  EXPECT_EQ(run_cancels(GetParam(), false), run_cancels(GetParam(), false));
}

TEST_P(ordeals_test, forks) {
  EXPECT_EQ(run_cancels(GetParam(), true), run_cancels(GetParam(), true));
}

TEST_P(ordeals_test, forks_of_which_one_refuses) {
  EXPECT_EQ(run_cancels(GetParam(), true, 603), run_cancels(GetParam(), true, 603));
}

INSTANTIATE_TEST_SUITE_P(all, ordeals_test, testing::Range<uint64_t>(1, seeds / 8 + 1));

TEST(seeds, differ) {
  std::set<uint64_t> digests;
  ordeal o;
  o.calls = 10;
  for (uint64_t seed = 1; seed <= seeds; ++seed)
    digests.insert(run(seed, o).digest);
  EXPECT_EQ(digests.size(), seeds);
  std::cout << "1,000 calls are run under " << seeds << " seeds"
            << (seeds < 100 ? " (100 without sanitizers)" : "") << "\n";
}

} // namespace
} // namespace jackfield
