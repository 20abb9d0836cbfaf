// What users of other queues have complained of, each on a whole centre in simulated time, over a
// path that loses, doubles and reorders. FS#n is an issue of signalwire/freeswitch, AST#n of
// asterisk/asterisk, OS#n of OpenSIPS/opensips, JB#n of jambonz/jambonz-feature-server.
//
//   FS#2458  calls and agents stuck at 20 calls/s        here
//   FS#1968  a reload is in force after 15 s             centre_reload_test.cpp
//   FS#1641  what distributes is dead                    centre_crash_test.cpp
//   FS#1062  agents on WebRTC stay Receiving for ever    here
//   FS#1973  answered callers are listed hours later     here
//   FS#2529, kazoo-acdc todo: a call to nobody rings on  here
//   FS#1221, FS#800  stranded callers, fast INVITE loops here
//   FS#2540, FS#152, fusionpbx#2831: agents Reserved, or available without a phone   here
//   FS#695, AST#1962, #1946, #1611: deadlocks of those who ask   here
//   AST#176  two agents answer one call                  here
//   AST#1557 one that gives up takes all others along    here
//   AST#1736, #1741  double counts at 2,000 queues       centre_scale_test.cpp
//   AST#1973, #2029  floods of states with thousands of members   centre_scale_test.cpp
//   AST#1006, #607, #1255  wrap-up lost at a reload      here and centre_reload_test.cpp
//   OS#2530, OS#3123, OS#2679  in a call for ever; free agents not seen   here
//   JB#1363  the agent does not learn who calls          here
//   VICIdial LAGGED  paused for a page that was late     here
//
// What a desk alone decides is in tests/policy/known_complaints_test.cpp, too; counters and pauses
// over a restart (qpanel#113, AST#66) are the journal's. One node is no cluster (FS#1674, OS#2920).

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/actors/centre_story.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

/// By seed.
class complaints : public testing::TestWithParam<uint64_t> {
protected:
  [[nodiscard]] uint64_t seed() const { return GetParam(); }
  /// Different in each run, and the same for each seed.
  [[nodiscard]] lane::duration some_time(uint64_t of, lane::duration least, lane::duration most) {
    const auto steps = (of * 2654435761U + seed() * 40503U) % 1000;
    return least + (most - least) * static_cast<int64_t>(steps) / 1000;
  }
  std::vector<size_t> add_agents(centre_story& story, size_t many,
                                 const centre_story::phone_manner& phone,
                                 const policy::agent_rules& rules = {}) {
    std::vector<size_t> all;
    for (size_t i = 0; i < many; ++i)
      all.push_back(story.add_agent(fmt::format("agent{}", i), {0}, {phone}, rules));
    return all;
  }
};

INSTANTIATE_TEST_SUITE_P(seeds, complaints, testing::Range<uint64_t>(1, 7));

TEST_P(complaints, fs_2458_at_twenty_calls_a_second_nobody_is_stuck) {
  centre_story story{seed()};
  story.add_queue("support", {.max_wait = 60s});
  const auto agents = add_agents(story, 60, {.answer_after = 1s}, {.wrap_up = 1s});
  story.begin();
  for (int i = 0; i < 400; ++i)
    story.at(20s + i * 50ms, [&, i] { story.call(some_time(i, 2s, 20s)); });
  story.pass(3min);
  EXPECT_GT(story.events(kind::connected).size(), 200U);
  story.expect_all_serve(agents);
  story.expect_sound();
  story.expect_no_leg();
}

TEST_P(complaints, fs_1062_of_agents_on_websockets_that_vanish_none_is_receiving_for_ever) {
  centre_story story{seed()};
  story.add_queue("support", {.ring_time = 10s, .max_wait = 2min});
  std::vector<size_t> agents;
  for (size_t i = 0; i < 5; ++i)
    agents.push_back(story.add_agent(fmt::format("agent{}", i), {0},
                                     {{.answer_after = 2s, .over = transport::protocol::ws}},
                                     {.wrap_up = 2s}));
  story.begin();
  for (int i = 0; i < 40; ++i)
    story.at(20s + i * 3s, [&, i] { story.call(some_time(i, 5s, 30s)); });
  // Pages are closed, hosts lost and connections cut while phones ring, and in calls.
  story.at(33s + some_time(1, 0s, 3s), [&] { story.lose_phone(0); });
  story.at(45s + some_time(2, 0s, 3s), [&] { story.cut(1, true); });
  story.at(2min + some_time(3, 0s, 3s), [&] {
    story.cut(1, false);
    story.add_phone("agent1", {.answer_after = 2s, .over = transport::protocol::ws});
  });
  story.at(60s + some_time(4, 0s, 3s), [&] { story.cut(2, true); });
  story.at(62s + some_time(4, 0s, 3s), [&] { story.cut(2, false); });
  story.pass(6min);
  for (const auto agent : agents) {
    const auto is = story.ask(agent).state;
    EXPECT_TRUE(is == policy::agent_state::ready || is == policy::agent_state::unreachable)
      << agent << " is " << story.state_of(agent);
  }
  EXPECT_EQ(story.state_of(0), "unreachable") << "its host is gone";
  story.expect_all_serve({1, 2, 3, 4});
  story.expect_sound();
}

TEST_P(complaints, fs_1973_no_caller_is_listed_after_its_end) {
  centre_story story{seed()};
  story.add_queue("support", {.max_wait = 20s});
  const auto agents = add_agents(story, 4, {.answer_after = 1s});
  story.begin();
  for (int i = 0; i < 60; ++i)
    story.at(20s + i * 300ms, [&, i] { story.call(some_time(i, 500ms, 25s)); });
  story.pass(2min);
  ASSERT_EQ(story.queues().size(), 1U);
  EXPECT_EQ(story.queues().front().waiting, 0U);
  EXPECT_EQ(story.queues().front().longest_wait, 0s);
  EXPECT_EQ(story.queues().front().available, agents.size());
  story.expect_all_serve(agents);
  story.expect_sound();
  story.expect_no_leg();
}

// At each moment of an offer: before it rings, while it does, as it is answered.
TEST_P(complaints, fs_2529_a_caller_who_goes_in_mid_offer_leaves_no_call_to_nobody) {
  centre_story story{seed()};
  story.add_queue("support");
  const auto agents = add_agents(story, 3, {.answer_after = 400ms});
  story.begin();
  for (int i = 0; i < 80; ++i)
    story.at(20s + i * 1s, [&, i] { story.call(i * 10ms); });
  story.pass(3min);
  for (size_t i = 0; i < agents.size(); ++i)
    EXPECT_EQ(story.up(i), 0U) << "phone " << i;
  EXPECT_GT(story.events(kind::abandoned).size(), 10U);
  EXPECT_GT(story.events(kind::connected).size(), 10U);
  story.expect_all_serve(agents);
  story.expect_sound();
  story.expect_no_leg();
}

TEST_P(complaints, fs_1221_top_down_strands_nobody_where_the_first_do_not_answer) {
  centre_story story{seed()};
  story.add_queue("support", {.picks = policy::strategy::top_down, .ring_time = 3s});
  story.add_agent("silent", {0}, {{.answer_after = 10min}}, {.after_no_answer = 5s});
  story.add_agent("refuses", {0}, {{.refuse_with = 603}}, {.after_rejected = 5s});
  story.add_agent("busy", {0}, {{.refuse_with = 486}}, {.after_busy = 5s});
  story.add_agent("carol", {0}, {{.answer_after = 1s}});
  story.begin();
  for (int i = 0; i < 10; ++i)
    story.at(20s + i * 6s, [&] { story.call(30s); });
  story.pass(4min);
  for (const auto& e : story.events(kind::connected))
    EXPECT_EQ(e.agent, "carol");
  EXPECT_GE(story.events(kind::connected).size(), 3U);
  story.expect_sound();
  story.expect_all_serve({3});
}

TEST_P(complaints, fs_800_an_agent_whose_status_changes_in_mid_offer_is_not_called_in_a_loop) {
  centre_story story{seed()};
  story.add_queue("support", {.ring_time = 5s});
  const auto alice = story.add_agent("alice", {0}, {{.answer_after = 10min}},
                                     {.after_rejected = 0s, .after_no_answer = 0s});
  story.begin();
  story.call(60s);
  for (int i = 0; i < 200; ++i)
    story.at(12s + i * 200ms, [&, i] {
      const bool even = i % 2 == 0;
      story.wish(alice, even ? agent_wish::kind::pause : agent_wish::kind::unpause, "tea");
    });
  story.pass(2min);
  EXPECT_GE(story.rung(0), 2U);
  EXPECT_LE(story.rung(0), 12U) << "a ring of 5 s and a rest of 1 s each, for a minute";
  story.expect_sound();
}

TEST_P(complaints, fs_2540_ring_all_leaves_nobody_reserved) {
  centre_story story{seed()};
  story.add_queue("support", {.picks = policy::strategy::ring_all, .ring_time = 5s});
  std::vector<size_t> agents;
  for (size_t i = 0; i < 6; ++i)
    agents.push_back(
      story.add_agent(fmt::format("agent{}", i), {0}, {{.answer_after = some_time(i, 200ms, 2s)}}));
  story.begin();
  for (int i = 0; i < 40; ++i)
    story.at(20s + i * 2s, [&, i] { story.call(some_time(i, 100ms, 8s)); });
  story.pass(3min);
  for (const auto agent : agents)
    EXPECT_EQ(story.state_of(agent), "ready");
  for (size_t i = 0; i < agents.size(); ++i)
    EXPECT_EQ(story.up(i), 0U) << "phone " << i;
  story.expect_all_serve(agents);
  story.expect_sound();
  story.expect_no_leg();
}

TEST_P(complaints, fs_152_an_agent_without_a_phone_is_not_available) {
  centre_story story{seed()};
  story.add_queue("support", {.ring_time = 5s});
  const auto alice =
    story.add_agent("alice", {0}, {{.answer_after = 1s, .over = transport::protocol::ws}});
  story.begin();
  EXPECT_EQ(story.queues().front().available, 1U);
  story.close_page(0);
  story.pass(5s);
  EXPECT_EQ(story.state_of(alice), "unreachable");
  EXPECT_EQ(story.queues().front().available, 0U);
  story.call(5s);
  story.pass(1min);
  EXPECT_TRUE(story.events(kind::offered).empty());
  story.add_phone("alice", {.answer_after = 1s, .over = transport::protocol::ws});
  story.pass(5s);
  story.expect_all_serve({alice});
  story.expect_sound();
}

// Asterisk answers and ACKs both. Here both phones are answered within the path's delay.
TEST_P(complaints, ast_176_of_two_agents_who_answer_one_call_one_has_it) {
  centre_story story{seed()};
  story.add_queue("support", {.picks = policy::strategy::ring_all});
  const std::vector agents{story.add_agent("alice", {0}, {{.answer_after = 1s}}),
                           story.add_agent("carol", {0}, {{.answer_after = 1s}})};
  story.begin();
  for (int i = 0; i < 30; ++i)
    story.at(20s + i * 12s, [&] { story.call(6s); });
  story.at(25s, [&] {
    EXPECT_EQ(story.events(kind::connected).size(), 1U);
    EXPECT_EQ(story.up(0) + story.up(1), 1U) << "the other's leg is hung up";
  });
  story.pass(8min);
  EXPECT_GE(story.events(kind::connected).size(), 25U);
  story.expect_all_serve(agents);
  story.expect_sound();
  story.expect_no_leg();
}

TEST_P(complaints, ast_1557_one_that_gives_up_leaves_the_others_ringing) {
  centre_story story{seed()};
  story.add_queue("support", {.picks = policy::strategy::ring_all, .ring_time = 20s});
  story.add_agent("alice", {0}, {{.refuse_with = 603}}, {.after_rejected = 60s});
  story.add_agent("carol", {0}, {{.answer_after = 5s}});
  story.add_agent("dave", {0}, {{.answer_after = 9s}});
  story.begin();
  story.call(20s);
  story.pass(4s);
  EXPECT_EQ(story.events(kind::not_taken).size(), 1U);
  EXPECT_EQ(story.state_of(1), "offered");
  EXPECT_EQ(story.state_of(2), "offered");
  story.pass(60s);
  ASSERT_EQ(story.events(kind::connected).size(), 1U);
  EXPECT_EQ(story.events(kind::connected).front().agent, "carol");
  EXPECT_EQ(story.rung(1), 1U);
  EXPECT_EQ(story.rung(2), 1U);
  story.expect_sound();
}

// Its page is loaded anew in the middle of it.
TEST_P(complaints, ast_1006_wrap_up_outlives_the_page_that_it_began_on) {
  centre_story story{seed()};
  story.add_queue("support");
  const centre_story::phone_manner page{.answer_after = 1s, .over = transport::protocol::ws};
  const auto alice = story.add_agent("alice", {0}, {page}, {.wrap_up = 30s});
  story.begin();
  story.call(10s);
  story.pass(15s);
  ASSERT_EQ(story.state_of(alice), "wrap_up");
  const auto until = story.ask(alice).until;
  story.close_page(0);
  story.pass(1s);
  story.add_phone("alice", page);
  story.pass(5s);
  EXPECT_EQ(story.state_of(alice), "wrap_up");
  EXPECT_EQ(story.ask(alice).until, until);
  story.pass(30s);
  EXPECT_EQ(story.state_of(alice), "ready");
  story.expect_all_serve({alice});
  story.expect_sound();
}

// The agent's BYE never comes: its page is gone, or its host is.
TEST_P(complaints, os_2530_no_agent_is_in_a_call_for_ever) {
  centre_story story{seed()};
  story.callers_speak();
  story.add_queue("support", {.max_wait = 60s});
  const std::vector agents{
    story.add_agent("alice", {0},
                    {{.answer_after = 1s, .over = transport::protocol::ws, .audio = true}}),
    story.add_agent("carol", {0}, {{.answer_after = 1s, .audio = true}}),
    story.add_agent("dave", {0}, {{.answer_after = 1s, .audio = true}})};
  story.begin();
  for (int i = 0; i < 3; ++i)
    story.call(10min);
  story.pass(10s);
  for (const auto agent : agents)
    EXPECT_EQ(story.state_of(agent), "in_call");
  story.close_page(0);
  story.lose_phone(1);
  story.cut(2, true); // and nothing says so
  story.pass(2min);
  for (const auto agent : agents)
    EXPECT_NE(story.state_of(agent), "in_call") << agent;
  EXPECT_EQ(story.events(kind::completed).size(), 3U) << "no caller is left in silence";
  story.cut(2, false);
  story.pass(40s);
  story.add_phone("alice", {.answer_after = 1s, .over = transport::protocol::ws});
  story.pass(20s);
  story.expect_all_serve({0, 2});
  story.expect_sound();
}

TEST_P(complaints, os_2679_who_is_free_is_seen_before_the_last_wrap_up_is_over) {
  centre_story story{seed()};
  story.add_queue("support");
  story.add_agent("slow", {0}, {{.answer_after = 500ms}}, {.wrap_up = 2min});
  story.add_agent("quick", {0}, {{.answer_after = 500ms}}, {.wrap_up = 5s});
  story.begin();
  story.call(5s);
  story.call(5s);
  story.pass(7s);
  story.call(30s); // both wrap up
  story.pass(20s);
  const auto connected = story.events(kind::connected);
  ASSERT_EQ(connected.size(), 3U);
  EXPECT_EQ(connected.back().agent, "quick");
  EXPECT_LT(connected.back().waited, 12s);
  story.pass(3min);
  story.expect_sound();
}

TEST_P(complaints, jb_1363_the_agent_learns_who_calls_and_how_long_he_waited) {
  centre_story story{seed()};
  story.add_queue("support");
  const auto alice = story.add_agent("alice", {0}, {{.answer_after = 1s}});
  story.begin();
  story.wish(alice, agent_wish::kind::pause, "tea");
  story.call(60s, "support", "mrs.smith");
  story.pass(20s);
  story.wish(alice, agent_wish::kind::unpause);
  story.pass(8s);
  ASSERT_EQ(story.events(kind::connected).size(), 1U);
  const auto taken = story.events(kind::connected).front();
  EXPECT_EQ(taken.agent, "alice");
  EXPECT_EQ(taken.queue, "support");
  EXPECT_EQ(taken.from, "sip:mrs.smith@10.0.0.1");
  EXPECT_EQ(taken.call_id, story.events(kind::entered).front().call_id);
  EXPECT_GT(taken.waited, 20s);
  EXPECT_LT(taken.waited, 25s);
  story.pass(3min);
  story.expect_sound();
}

// A page that is late for some seconds was never away.
TEST_P(complaints, vicidial_lagged_a_page_that_is_late_pauses_nobody) {
  centre_story story{seed()};
  story.add_queue("support", {.ring_time = 30s});
  const auto alice = story.add_agent(
    "alice", {0}, {{.answer_after = 1s, .over = transport::protocol::ws}}, {.most_unanswered = 1});
  story.begin();
  story.cut(0, true);
  story.call(60s);
  story.pass(5s);
  EXPECT_EQ(story.state_of(alice), "offered") << "its connection may come back";
  story.cut(0, false);
  story.pass(20s); // what was sent is sent again, ever more rarely
  EXPECT_EQ(story.state_of(alice), "in_call");
  story.pass(3min);
  EXPECT_EQ(story.state_of(alice), "ready");
  story.expect_all_serve({alice});
  story.expect_sound();
}

// Who asks all the time holds up nobody, and is answered always.
TEST_P(complaints, ast_1962_who_asks_for_states_holds_up_nobody) {
  centre_story story{seed()};
  story.add_queue("support", {.max_wait = 60s});
  const auto agents = add_agents(story, 10, {.answer_after = 1s}, {.wrap_up = 1s});
  size_t answers = 0;
  for (int i = 0; i < 1000; ++i)
    story.at(10ms + i * 100ms, [&, i] {
      // Before the first phone is registered, too.
      answers += story.queues().size();
      answers += story.ask(agents[static_cast<size_t>(i) % agents.size()]).name.empty() ? 0 : 1;
    });
  story.begin();
  for (int i = 0; i < 150; ++i)
    story.at(12s + i * 500ms, [&, i] { story.call(some_time(i, 1s, 10s)); });
  story.pass(3min);
  EXPECT_EQ(answers, 2000U);
  EXPECT_GT(story.events(kind::connected).size(), 100U);
  story.expect_all_serve(agents);
  story.expect_sound();
}

} // namespace
} // namespace jackfield
