#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/centre/centre_keeping.hpp"
#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/centre_world.hpp"
#include "tests/actors/crash_points.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using kind = centre_event::kind;
using wish = agent_wish::kind;

/// A contact centre that keeps its state, with the queue "support" and agents whose telephones are
/// registered over UDP; callers; and what comes after a crash of the centre's process.
struct kept_centre {
  explicit kept_centre(std::vector<std::pair<std::string, policy::agent_rules>> who,
                       lane::duration answers_after = 100ms, bool begins = true)
      : agents(std::move(who)), world(7), callers(world.add_site("10.0.0.1")),
        centre(&world.add_site("10.0.0.2")) {
    auto music = std::make_shared<audio_settings>();
    music->source = audio::source_spec{};
    plan.queues.push_back({"support", {"100"}, {}, std::move(music), {}});
    for (size_t i = 0; i < agents.size(); ++i) {
      plan.agents.push_back({agents[i].first, agents[i].second, true});
      plan.queues.front().members.push_back({i, {0, static_cast<uint32_t>(i), {}}, 0});
    }
    world.keep_calls(*centre, store, storage::begin_run(store, {}).value());
    world.serve(*centre, plan, bridging());
    for (size_t i = 0; i < agents.size(); ++i) {
      auto& phone = world.add_site("10.0.1." + std::to_string(i + 1));
      phones.push_back(&phone);
      auto manner = answer_manner_of(phone);
      add_audio(manner);
      manner.answer_after = answers_after;
      world.answer(phone, manner);
      users.push_back(world.register_phone(phone, *centre, agents[i].first));
    }
    if (begins)
      world.pass(1s);
  }

  [[nodiscard]] std::shared_ptr<const bridge_manner> bridging() const {
    sdp::media_capabilities can;
    can.rtcp_mux = true;
    static constexpr std::array codecs{audio::codec::pcmu};
    describe_codecs(can, codecs);
    accept_any_protection(can);
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    listens->silence_limit = 30s;
    auto made = std::make_shared<bridge_manner>();
    made->media =
      std::make_shared<sdp::offer_template>(centre->context.media.address().address(), can);
    made->audio = std::move(listens);
    return made;
  }

  void call(const std::string& from, lane::duration length) {
    auto manner = manner_between(callers, centre->target());
    add_audio(manner, callers);
    auto target = std::make_shared<call_target>();
    target->uri = "sip:100@10.0.0.2";
    target->from = "<sip:" + from + "@10.0.0.1>";
    last = world.call(callers, std::make_shared<const call_manner>(manner), target, length);
  }
  void tell(size_t agent, wish what, const std::string& reason = {}) {
    lane::tell(world.lane(), caf::actor_cast<caf::strong_actor_ptr>(world.centre().agents[agent]),
               agent_wish{what, reason});
  }

  /// The process is killed; the next one, at its place, has what the store had by then.
  void crash() {
    left = std::make_unique<storage::memory_store>(store);
    world.crash_centre(*centre);
    seen = world.events().size();
  }
  void restart() {
    centre = &world.add_site("10.0.0.2");
    world.serve_again({centre}, *left, plan, bridging());
  }

  /// Since the last crash.
  [[nodiscard]] std::vector<centre_event> events(kind what) const {
    std::vector<centre_event> some;
    for (size_t i = seen; i < world.events().size(); ++i)
      if (world.events()[i].what == what)
        some.push_back(world.events()[i]);
    return some;
  }
  [[nodiscard]] std::string state_of(const std::string& agent) const {
    std::string now = "logged_out";
    for (const auto& e : events(kind::agent_state))
      if (e.agent == agent)
        now = e.detail;
    return now;
  }
  [[nodiscard]] storage::agent_record kept_of(const std::string& agent) const {
    return storage::read_centre(left ? *left : store).value().agents.at(agent);
  }
  [[nodiscard]] policy::queue_figures figures() {
    const auto f = storage::read_centre(left ? *left : store).value().queues.at("support");
    policy::queue_figures out;
    out.offered = f.offered;
    out.answered = f.answered;
    out.abandoned = f.abandoned;
    out.withdrawn = f.withdrawn;
    return out;
  }
  /// Records of callers' legs, in the order of their ends.
  [[nodiscard]] std::vector<storage::call_ended> records() const {
    std::vector<storage::call_ended> all;
    EXPECT_TRUE(
      (left ? *left : store)
        .scan(storage::keyspace::events, {}, {}, [&](std::string_view, std::string_view value) {
          const auto event = storage::unpack_event(value).value();
          const auto* call = std::get_if<storage::call_ended>(&event.what);
          if (call != nullptr && call->queueing)
            all.push_back(*call);
          return true;
        }));
    return all;
  }
  [[nodiscard]] size_t up_at_peers() {
    size_t sum = callers.context.router.legs().size();
    for (auto* each : phones)
      sum += each->context.router.legs().size() - 1; // its user
    return sum;
  }

  std::vector<std::pair<std::string, policy::agent_rules>> agents;
  storage::memory_store store;
  std::unique_ptr<storage::memory_store> left;
  centre_world world;
  sim_site& callers;
  sim_site* centre;
  centre_plan plan;
  std::vector<sim_site*> phones;
  std::vector<caf::strong_actor_ptr> users;
  caf::strong_actor_ptr last;
  size_t seen = 0;
};

double seconds(lane::duration d) {
  return std::chrono::duration<double>(d).count();
}

TEST(kept_centre, a_call_has_one_record_with_its_queue_and_who_took_it) {
  kept_centre k{{{"alice", {}}}};
  k.call("bob", 10s);
  k.world.pass(1s);
  const auto up = storage::interrupted_calls(k.store).value();
  ASSERT_EQ(up.size(), 2U) << "the caller's leg and the agent's";
  const auto& caller = up[up[0].record.incoming ? 0 : 1].record;
  ASSERT_TRUE(caller.queueing);
  EXPECT_EQ(caller.queueing->queue, "support");
  EXPECT_EQ(caller.queueing->agent, "alice");
  EXPECT_TRUE(caller.queueing->since);
  EXPECT_TRUE(caller.queueing->taken);
  k.world.pass(20s);
  const auto all = k.records();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].cause, "");
  EXPECT_EQ(all[0].from, "sip:bob@10.0.0.1");
  const auto& queueing = *all[0].queueing;
  EXPECT_EQ(queueing.left, "answered");
  EXPECT_EQ(queueing.agent, "alice");
  EXPECT_NEAR(seconds(queueing.waited(all[0].ended)), 0.1, 0.02);
  EXPECT_NEAR(seconds(queueing.talked(all[0].ended)), 9.9, 0.02);
  EXPECT_TRUE(storage::interrupted_calls(k.store).value().empty());
}

TEST(kept_centre, a_caller_who_goes_or_is_sent_away_is_recorded_as_such) {
  kept_centre k{{{"alice", {}}}};
  k.tell(0, wish::pause, "lunch");
  k.call("bob", 5s);
  k.world.pass(10s);
  ASSERT_EQ(k.records().size(), 1U);
  EXPECT_EQ(k.records()[0].queueing->left, "abandoned");
  EXPECT_EQ(k.records()[0].queueing->agent, "");
  EXPECT_NEAR(seconds(k.records()[0].queueing->waited(k.records()[0].ended)), 5, 0.02);
  EXPECT_EQ(k.records()[0].cause, "") << "a call that went as such calls do";
}

TEST(kept_centre, agents_states_survive_a_crash) {
  kept_centre k{{{"alice", {}}, {"bob", {}}, {"carol", {.wrap_up = 60s}}, {"dave", {}}}};
  k.tell(1, wish::pause, "lunch");
  k.tell(3, wish::log_out);
  k.tell(0, wish::pause);
  k.call("caller", 3s); // carol's alone
  k.world.pass(4s);
  k.tell(0, wish::unpause);
  k.world.pass(20s);
  EXPECT_EQ(k.kept_of("carol").answered_calls, 1U);
  std::map<std::string, storage::agent_record> before;
  for (const auto* const name : {"alice", "bob", "carol", "dave"})
    before.emplace(name, k.kept_of(name));
  const auto deadline = before.at("carol").wrap_up_until;
  ASSERT_TRUE(deadline);
  k.crash();
  k.world.pass(7s);
  k.restart();
  k.world.pass(1s);
  EXPECT_EQ(k.state_of("alice"), "ready");
  EXPECT_EQ(k.state_of("bob"), "paused");
  EXPECT_EQ(k.state_of("carol"), "wrap_up");
  EXPECT_EQ(k.state_of("dave"), "logged_out")
    << "its phone is registered as before, and it was out";
  for (const auto& [name, was] : before)
    EXPECT_EQ(k.kept_of(name), was) << name;
  const auto paused = k.events(kind::agent_state);
  EXPECT_TRUE(std::ranges::any_of(
    paused, [](const auto& e) { return e.agent == "bob" && e.reason == "lunch"; }));
  k.world.pass(60s);
  const auto changes = k.events(kind::agent_state);
  const auto done = std::ranges::find_if(
    changes, [](const auto& e) { return e.agent == "carol" && e.from == "wrap_up"; });
  ASSERT_NE(done, changes.end());
  EXPECT_EQ(done->detail, "ready");
  EXPECT_LT(std::chrono::abs(done->at - *deadline), 1ms) << "not a wrap-up begun anew";
}

TEST(kept_centre, who_is_idle_for_longest_is_so_after_a_crash) {
  kept_centre k{{{"alice", {}}, {"bob", {}}}};
  k.call("first", 2s); // alice's, who is registered first
  k.world.pass(5s);
  ASSERT_EQ(k.events(kind::completed).size(), 1U);
  const auto took = k.events(kind::completed)[0].agent;
  k.crash();
  k.restart();
  k.world.pass(1s);
  k.call("second", 2s);
  k.world.pass(5s);
  ASSERT_EQ(k.events(kind::completed).size(), 1U);
  EXPECT_NE(k.events(kind::completed)[0].agent, took);
}

TEST(kept_centre, callers_wait_on_in_their_places_after_a_crash) {
  kept_centre k{{{"alice", {}}}};
  k.tell(0, wish::pause, "lunch");
  for (const auto* const name : {"one", "two", "three"}) {
    k.call(name, 60s);
    k.world.pass(2s);
  }
  k.crash();
  k.world.pass(1s);
  k.restart();
  k.world.pass(2s);
  ASSERT_TRUE(k.world.resumed());
  EXPECT_EQ(k.world.resumed()->resumed, 3U);
  EXPECT_EQ(k.world.resumed()->lost, 0U);
  EXPECT_EQ(k.up_at_peers(), 3U);
  k.call("four", 60s);
  k.world.pass(2s);
  k.tell(0, wish::unpause);
  k.world.pass(5min);
  const auto connected = k.events(kind::connected);
  ASSERT_EQ(connected.size(), 4U);
  std::vector<std::string> order;
  order.reserve(connected.size());
  for (const auto& each : connected)
    order.push_back(each.from);
  EXPECT_THAT(order, ElementsAre("sip:one@10.0.0.1", "sip:two@10.0.0.1", "sip:three@10.0.0.1",
                                 "sip:four@10.0.0.1"));
  EXPECT_NEAR(seconds(connected[0].waited), 11.1, 0.02) << "the time before the crash counts";
  const auto all = k.records();
  ASSERT_EQ(all.size(), 4U);
  for (const auto& each : all) {
    EXPECT_EQ(each.queueing->left, "answered");
    EXPECT_EQ(each.cause, "");
  }
  EXPECT_EQ(k.figures().offered, 4U);
  EXPECT_EQ(k.figures().answered, 4U);
  EXPECT_EQ(k.figures().withdrawn, 0U);
  for (const auto& call : k.world.heard().calls)
    EXPECT_FALSE(call.failure.failed()) << call.failure.text();
  EXPECT_EQ(k.up_at_peers(), 0U);
}

TEST(kept_centre, a_caller_who_is_gone_after_a_crash_leaves_the_line_with_a_record) {
  kept_centre k{{{"alice", {}}}};
  k.tell(0, wish::pause, "lunch");
  k.call("one", 3s); // hangs up while nobody listens
  k.world.pass(1s);
  k.call("two", 60s);
  k.world.pass(1s);
  k.crash();
  k.world.pass(1min); // also BYE is given up by then
  k.restart();
  k.world.pass(1min);
  ASSERT_TRUE(k.world.resumed());
  EXPECT_EQ(k.world.resumed()->lost, 2U) << "both hung up meanwhile";
  const auto all = k.records();
  ASSERT_EQ(all.size(), 2U);
  for (const auto& each : all) {
    EXPECT_EQ(each.cause, "engine_restart");
    EXPECT_EQ(each.queueing->left, "engine_restart");
    EXPECT_EQ(each.queueing->agent, "");
  }
  EXPECT_EQ(k.events(kind::abandoned).size(), 2U);
  EXPECT_EQ(k.figures().offered, 2U);
  EXPECT_EQ(k.figures().withdrawn, 2U);
  k.tell(0, wish::unpause);
  k.call("three", 5s);
  k.world.pass(10s);
  ASSERT_EQ(k.events(kind::completed).size(), 1U) << "nobody rang for who has gone";
}

constexpr size_t stride = crash_stride(5, 211);

TEST(kept_centre, whenever_it_is_killed_no_record_is_lost_nobody_left_up_and_no_agent_stuck) {
  size_t crashes = 0, waiting = 0, talking = 0, resumed = 0;
  for (size_t event = 1;; event += stride) {
    kept_centre k{{{"alice", {.wrap_up = 200ms}}, {"bob", {.wrap_up = 200ms}}}, 50ms, false};
    constexpr size_t calls = 6;
    for (size_t i = 0; i < calls; ++i)
      k.world.at(200ms + i * 70ms, [&k, i] { k.call("caller" + std::to_string(i), 600ms); });
    for (size_t i = 0; i < event && k.world.heard().calls.size() < calls; ++i)
      ASSERT_TRUE(k.world.lane().step());
    if (k.world.heard().calls.size() == calls)
      break;
    ++crashes;
    k.crash();
    const auto up = storage::interrupted_calls(*k.left).value();
    size_t taken = 0;
    for (const auto& call : up) {
      waiting += waits_on(call.record);
      taken += call.record.queueing && call.record.queueing->taken;
    }
    talking += taken;
    k.restart();
    k.world.pass(4min);
    ASSERT_TRUE(k.world.resumed()) << "after event " << event;
    resumed += std::min<size_t>(k.events(kind::resumed).size(), taken);
    ASSERT_LE(k.events(kind::resumed).size(), taken) << "after event " << event;
    ASSERT_EQ(k.up_at_peers(), 0U) << "after event " << event;
    ASSERT_TRUE(storage::interrupted_calls(*k.left).value().empty()) << "after event " << event;
    std::map<std::string, size_t> of;
    for (const auto& call : k.records())
      ASSERT_EQ(++of[call.call_id], 1U) << call.call_id << " after event " << event;
    for (const auto& call : k.world.heard().calls) {
      const auto id = call.leg.text();
      if (call.status == 200) {
        ASSERT_EQ(of[std::string(id.data(), id.size())], 1U) << "lost, after event " << event;
      }
    }
    for (size_t i = 0; i < 2; ++i) // two at once: both agents answer
      k.call("late" + std::to_string(i), 5s);
    k.world.pass(1min);
    const auto done = k.events(kind::completed);
    ASSERT_GE(done.size(), 2U) << "after event " << event;
    ASSERT_NE(done[done.size() - 1].agent, done[done.size() - 2].agent) << "after event " << event;
  }
  EXPECT_GT(crashes * stride, 1000U) << "events, the whole run";
  EXPECT_GT(waiting, 5U);
  EXPECT_GT(talking, 5U);
  EXPECT_GT(resumed * 2, talking) << "most of those that agents had";
}

// -- by themselves -----------------------------------------------------------------------

TEST(centre_keeping, times_of_an_agent_are_those_of_the_world_for_a_process_with_another_clock) {
  const two_clocks first{lane::time_point{1000s}, storage::wall_time{50'000s}};
  const two_clocks second{lane::time_point{3s}, storage::wall_time{50'020s}};
  policy::agent_snapshot agent;
  agent.logged_in = true;
  agent.available_since = lane::time_point{990s};
  agent.wrap_up_until = lane::time_point{1030s};
  agent.rest_until = lane::time_point{1040s};
  const auto kept = record_of(agent, true, first);
  EXPECT_EQ(kept.wrap_up_until, storage::wall_time{50'030s});
  const auto next = snapshot_of(kept, {}, second.wall, second);
  EXPECT_EQ(next.wrap_up_until, lane::time_point{13s});
  EXPECT_EQ(next.rest_until, lane::time_point{23s});
  EXPECT_EQ(next.available_since, lane::time_point{-27s});
  EXPECT_FALSE(next.reachable) << "until its phone is known to be registered";
}

TEST(centre_keeping, an_agents_call_is_over_with_the_process) {
  const two_clocks clocks{lane::time_point{1000s}, storage::wall_time{50'000s}};
  storage::agent_record kept;
  kept.logged_in = true;
  kept.call_since = storage::wall_time{49'000s};
  kept.call_wrap_up = 20s;
  kept.talk_time = 5s;
  auto next = snapshot_of(kept, {}, storage::wall_time{49'100s}, clocks);
  EXPECT_FALSE(next.call);
  EXPECT_EQ(next.talk_time, 105s) << "as long as that was heard of";
  EXPECT_EQ(next.wrap_up_until, lane::time_point{1020s});
  kept.log_out_pending = true;
  EXPECT_EQ(snapshot_of(kept, {}, storage::wall_time{0s}, clocks).wrap_up_until, policy::never);
  EXPECT_EQ(snapshot_of(kept, {}, storage::wall_time{0s}, clocks).talk_time, 5s);
  kept.log_out_pending = false;
  kept.call_since.reset();
  kept.direct_call = true;
  policy::agent_rules rules;
  rules.wrap_up_direct = 7s;
  EXPECT_EQ(snapshot_of(kept, rules, {}, clocks).wrap_up_until, lane::time_point{1007s});
}

TEST(centre_keeping, a_queues_figures_add_up_whoever_returns) {
  storage::queue_record kept;
  kept.offered = 10;
  kept.answered = 5;
  kept.abandoned = 1;
  const auto waits = [](const policy::queue_figures& f) {
    return f.offered - f.answered - f.abandoned - f.overflowed - f.withdrawn;
  };
  for (const uint64_t returning : {0, 3, 4, 6}) // 4 waited, as the record has it
    EXPECT_EQ(waits(snapshot_of(kept, returning).figures), returning);
}

} // namespace
} // namespace jackfield
