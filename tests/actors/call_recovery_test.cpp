#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/crash_points.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using storage::keyspace;

/// Counts INVITEs that come to a site: copies of one have its branch.
class invite_count final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    if (direction != wire_direction::received || !bytes.starts_with("INVITE "))
      return;
    const auto at = bytes.find("branch=") + 7;
    branches_.emplace(bytes.substr(at, bytes.find_first_of(";\r", at) - at));
    const auto id = bytes.find("\r\nCall-ID: ") + 11;
    calls_.emplace(bytes.substr(id, bytes.find('\r', id) - id));
  }
  std::set<std::string> branches_, calls_;
};

/// A calling engine that is killed after so many events of its run, and another that starts in its
/// place, with what the store has.
struct crashed_run {
  explicit crashed_run(uint64_t calls, transport::protocol p = transport::protocol::udp)
      : world(11, link()), caller(world.add_site("10.0.0.1", p)),
        callee(world.add_site("10.0.0.2", p)) {
    callee.context.router.set_tap(&invites);
    auto manner = answer_manner_of(callee);
    manner.answer_after = 40ms; // some are in the air
    world.answer(callee, manner);
    run = storage::begin_run(store, {}).value();
    world.keep_calls(caller, store, run);
    auto plan = std::make_shared<load_plan>();
    plan->arrivals.calls = calls;
    plan->arrivals.poisson = true;
    plan->arrivals.phases = {{400, 400, 1h}};
    plan->length.mean = 200ms;
    plan->targets = {target_of(callee.address)};
    world.run_load(caller, plan,
                   std::make_shared<const call_manner>(manner_between(caller, callee.target())));
  }
  ~crashed_run() { callee.context.router.set_tap(nullptr); }

  static lane::sim_link link() {
    lane::sim_link made;
    made.delay = 10ms;
    made.jitter = 3ms;
    return made;
  }

  bool play(size_t events) { return play_events(world, events); }

  /// The next process, after the crash of `site`, with a copy of the store as that left it.
  sim_site& restart(sim_site& site, storage::memory_store& now) {
    world.crash(site);
    auto& next = world.add_site("10.0.0.1", site.protocol);
    EXPECT_TRUE(storage::close_interrupted(now, [](const auto&) { return false; }));
    world.keep_calls(next, now, storage::begin_run(now, {}).value());
    world.recover(next, now);
    return next;
  }

  storage::memory_store store;
  invite_count invites;
  sim_world world;
  sim_site& caller;
  sim_site& callee;
  uint64_t run = 0;
};

struct finished {
  std::map<storage::call_key, std::string> causes;
  size_t records = 0;
  size_t under_way = 0;
};

finished finished_in(const storage::store& s) {
  finished f;
  EXPECT_TRUE(s.scan(keyspace::events, {}, {}, [&](std::string_view, std::string_view value) {
    const auto event = storage::unpack_event(value).value();
    if (const auto* call = std::get_if<storage::call_ended>(&event.what)) {
      f.causes[call->call] = call->cause;
      ++f.records;
    }
    return true;
  }));
  EXPECT_TRUE(s.scan(keyspace::calls, {}, {}, [&](std::string_view, std::string_view) {
    ++f.under_way;
    return true;
  }));
  return f;
}

/// What must be so once a crash has been dealt with.
void expect_all_ended(crashed_run& r, const storage::store& s, size_t event) {
  ASSERT_TRUE(r.world.heard().recovered) << "stuck after event " << event;
  const auto f = finished_in(s);
  ASSERT_EQ(f.under_way, 0U) << "after event " << event;
  ASSERT_EQ(f.records, f.causes.size()) << "a record is doubled after event " << event;
  ASSERT_GE(f.records, r.invites.calls_.size()) << "a record is lost after event " << event;
  ASSERT_EQ(r.invites.branches_.size(), r.invites.calls_.size())
    << "an attempt was made twice after event " << event;
  ASSERT_EQ(r.callee.context.router.legs().size(), 0U)
    << "a call is left up at the peer after event " << event;
}

constexpr size_t stride = crash_stride(1, 23);

TEST(call_recovery, whenever_it_is_killed_the_next_process_ends_what_it_left) {
  size_t crashes = 0;
  for (size_t event = 1;; event += stride) {
    crashed_run r{200};
    if (!r.play(event))
      break;
    ++crashes;
    storage::memory_store left{r.store};
    r.restart(r.caller, left);
    r.world.pass(2min);
    expect_all_ended(r, left, event);
    if (HasFatalFailure())
      return;
  }
  EXPECT_GT(crashes * stride, 1000U) << "events, the whole run";
}

TEST(call_recovery, a_second_crash_while_it_recovers_changes_nothing) {
  size_t crashes = 0;
  for (size_t event = 100; event < 900; event += 97)
    for (size_t second = 1; second < 60; second += 13) {
      crashed_run r{200};
      ASSERT_TRUE(r.play(event));
      storage::memory_store after_first{r.store};
      auto& next = r.restart(r.caller, after_first);
      for (size_t i = 0; i < second && r.world.lane().step(); ++i)
        ;
      storage::memory_store after_second{after_first};
      r.world.heard().recovered.reset();
      r.restart(next, after_second);
      r.world.pass(2min);
      ++crashes;
      expect_all_ended(r, after_second, event);
      if (HasFatalFailure())
        return;
    }
  EXPECT_EQ(crashes, 45U);
}

TEST(call_recovery, calls_that_were_up_are_hung_up_and_attempts_taken_back) {
  for (const auto p : {transport::protocol::udp, transport::protocol::tcp}) {
    crashed_run r{100, p};
    ASSERT_TRUE(r.play(300));
    storage::memory_store left{r.store};
    size_t up = 0, in_air = 0;
    const auto under_way = storage::interrupted_calls(left);
    ASSERT_TRUE(under_way);
    for (const auto& call : *under_way)
      ++(call.record.answered ? up : in_air);
    ASSERT_GT(up, 0U);
    ASSERT_GT(in_air, 0U);
    r.restart(r.caller, left);
    r.world.pass(2min);
    ASSERT_TRUE(r.world.heard().recovered);
    const auto& counts = *r.world.heard().recovered;
    const auto of = [&](parting how) { return counts.at(static_cast<size_t>(how)); };
    EXPECT_EQ(of(parting::hung_up) + of(parting::gone), up);
    EXPECT_EQ(of(parting::taken_back) + of(parting::unreachable), in_air);
    std::map<std::string, size_t> causes;
    for (const auto& [call, cause] : finished_in(left).causes)
      ++causes[cause];
    EXPECT_EQ(causes["engine_restart"], up);
    EXPECT_EQ(causes["indeterminate"], in_air);
  }
}

/// `parting`: who says nothing may never have heard of the attempt; who answers it after all is
/// hung up, and so it is taken back.
TEST(call_recovery, an_attempt_is_taken_back_where_its_peer_says_anything) {
  for (const bool answers : {false, true}) {
    SCOPED_TRACE(answers ? "answers" : "says nothing");
    storage::memory_store store;
    sim_world world{11};
    auto& caller = world.add_site("10.0.0.1");
    raw_peer callee{world.lane(), "10.0.0.2"};
    const raw_media media{world.lane(), "10.1.0.2"};
    const auto run = storage::begin_run(store, {}).value();
    world.keep_calls(caller, store, run);
    auto plan = std::make_shared<load_plan>();
    plan->arrivals.calls = 1;
    plan->arrivals.phases = {{10, 10, 1h}};
    plan->targets = {target_of(callee.address())};
    world.run_load(caller, plan,
                   std::make_shared<const call_manner>(manner_between(
                     caller, transport::target{transport::protocol::udp, callee.address()})));
    world.pass(300ms);
    const auto invite = callee.last("INVITE ");
    ASSERT_FALSE(invite.empty());
    storage::memory_store left{store};
    world.crash(caller);
    callee.on_message = [&](const std::string& m) {
      if (!answers)
        return;
      if (m.starts_with("BYE ")) {
        callee.answer(m, 200);
      } else if (m.starts_with("CANCEL ")) { // they cross
        callee.answer(m, 200);
        callee.answer(invite, 200, {}, media.description("inactive"));
      } else if (m.starts_with("INVITE ")) {
        callee.answer(m, 180);
      }
    };
    auto& next = world.add_site("10.0.0.1");
    EXPECT_TRUE(storage::close_interrupted(left, [](const auto&) { return false; }));
    world.keep_calls(next, left, storage::begin_run(left, {}).value());
    world.recover(next, left);
    world.pass(2min);
    ASSERT_TRUE(world.heard().recovered);
    const auto of = [&](parting how) {
      return world.heard().recovered->at(static_cast<size_t>(how));
    };
    EXPECT_EQ(of(parting::taken_back), answers ? 1U : 0U);
    EXPECT_EQ(of(parting::unreachable), answers ? 0U : 1U);
    EXPECT_EQ(callee.count("BYE "), answers ? 1U : 0U);
    EXPECT_EQ(finished_in(left).under_way, 0U);
  }
}

/// As a network has it that loses the first BYE, and a crash before it comes again: the peer has to
/// be one that still asks for its ACK, or nobody would end the call.
TEST(call_recovery, a_second_crash_while_a_bye_is_lost_leaves_no_call_up) {
  storage::memory_store store;
  sim_world world{11};
  auto* caller = &world.add_site("10.0.0.1");
  raw_peer callee{world.lane(), "10.0.0.2"};
  const raw_media media{world.lane(), "10.1.0.2"};
  world.keep_calls(*caller, store, storage::begin_run(store, {}).value());
  auto plan = std::make_shared<load_plan>();
  plan->arrivals.calls = 1;
  plan->arrivals.phases = {{10, 10, 1h}};
  plan->targets = {target_of(callee.address())};
  world.run_load(*caller, plan,
                 std::make_shared<const call_manner>(manner_between(
                   *caller, transport::target{transport::protocol::udp, callee.address()})));
  world.pass(300ms);
  const auto invite = callee.last("INVITE ");
  ASSERT_FALSE(invite.empty());
  bool up = true;
  callee.on_message = [&](const std::string& m) {
    if (m.starts_with("CANCEL ")) { // it has answered: a 2xx until its ACK, and nothing else
      callee.answer(m, 200);
      if (callee.count("ACK ") == 0)
        callee.answer(invite, 200, {}, media.description("inactive"));
    } else if (m.starts_with("BYE ") && callee.count("BYE ") > 1) {
      up = false;
      callee.answer(m, 200);
    }
  };
  storage::memory_store left{store};
  for (const auto time : {lane::duration{200ms}, lane::duration{2min}}) {
    world.crash(*caller);
    caller = &world.add_site("10.0.0.1");
    EXPECT_TRUE(storage::close_interrupted(left, [](const auto&) { return false; }));
    world.keep_calls(*caller, left, storage::begin_run(left, {}).value());
    world.recover(*caller, left);
    world.pass(time);
    EXPECT_GE(callee.count("BYE "), 1U);
  }
  EXPECT_FALSE(up) << "it was ACKed, and its BYE never came";
  EXPECT_EQ(callee.count("ACK "), 1U);
  ASSERT_TRUE(world.heard().recovered);
  EXPECT_EQ(finished_in(left).under_way, 0U);
}

} // namespace
} // namespace jackfield
