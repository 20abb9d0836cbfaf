// A contact centre is changed while it works: what is new is in force at once, and calls that are
// up do not notice. FS#1968: fifteen seconds until a reload is in force. AST#1006, #607, #1255:
// wrap-up is lost by one.

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/actors/centre_story.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

class reloads : public testing::TestWithParam<uint64_t> {
protected:
  reloads() : story_(GetParam()) {}

  void remove_member(size_t queue, size_t agent) {
    std::erase_if(story_.plan().queues[queue].members,
                  [agent](const auto& each) { return each.agent == agent; });
  }
  void add_member(size_t queue, size_t agent) {
    story_.plan().queues[queue].members.push_back(
      {agent, {0, static_cast<uint32_t>(agent), {}}, 0});
  }
  centre_story story_;
};

INSTANTIATE_TEST_SUITE_P(seeds, reloads, testing::Range<uint64_t>(1, 7));

TEST_P(reloads, fs_1968_are_in_force_at_once) {
  story_.add_queue("support");
  const auto alice = story_.add_agent("alice", {}, {{.answer_after = 1s}});
  story_.begin();
  story_.call(60s);
  story_.pass(10s);
  EXPECT_TRUE(story_.events(kind::offered).empty()) << "nobody serves it";
  add_member(0, alice);
  story_.reload();
  EXPECT_EQ(story_.events(kind::offered).size(), 1U);
  story_.pass(20s);
  EXPECT_EQ(story_.state_of(alice), "in_call");
  story_.plan().queues[0].rules.max_wait = 1s; // and not of who talks
  story_.reload();
  story_.pass(2min);
  EXPECT_EQ(story_.events(kind::completed).size(), 1U);
  story_.expect_sound();
  story_.expect_no_leg();
}

TEST_P(reloads, ast_1006_leave_a_call_and_its_wrap_up_alone) {
  story_.add_queue("support");
  const auto alice = story_.add_agent("alice", {0}, {{.answer_after = 1s}}, {.wrap_up = 30s});
  story_.begin();
  story_.call(20s);
  story_.pass(8s);
  ASSERT_EQ(story_.state_of(alice), "in_call");
  story_.plan().agents[alice].rules.wrap_up = 20s;
  story_.plan().queues[0].rules.picks = policy::strategy::round_robin;
  story_.reload();
  story_.pass(20s);
  ASSERT_EQ(story_.state_of(alice), "wrap_up");
  const auto until = story_.ask(alice).until;
  story_.plan().agents[alice].rules.wrap_up = 0s;
  story_.reload();
  EXPECT_EQ(story_.ask(alice).until, until);
  EXPECT_EQ(story_.state_of(alice), "wrap_up");
  story_.pass(30s);
  EXPECT_EQ(story_.state_of(alice), "ready");
  story_.expect_all_serve({alice}); // who does not wrap up any more
  EXPECT_EQ(story_.state_of(alice), "ready");
  story_.expect_sound();
}

TEST_P(reloads, that_end_a_membership_in_mid_offer_put_the_caller_back) {
  story_.add_queue("support");
  story_.add_queue("sales");
  const auto alice = story_.add_agent("alice", {0, 1}, {{.answer_after = 60s}});
  story_.begin();
  story_.call(100s);
  story_.pass(5s);
  ASSERT_EQ(story_.state_of(alice), "offered");
  remove_member(0, alice);
  story_.reload();
  EXPECT_EQ(story_.state_of(alice), "ready") << "and not resting: it is no fault of hers";
  story_.pass(5s);
  EXPECT_EQ(story_.up(0), 0U) << "the phone rings on";
  EXPECT_EQ(story_.queues().front().waiting, 1U);
  add_member(0, alice);
  story_.reload();
  EXPECT_EQ(story_.events(kind::offered).size(), 2U);
  story_.pass(4min);
  story_.expect_sound();
  story_.expect_no_leg();
}

TEST_P(reloads, that_end_a_membership_in_mid_call_let_it_go_on) {
  story_.add_queue("support");
  story_.add_queue("sales");
  const auto alice = story_.add_agent("alice", {0, 1}, {{.answer_after = 1s}}, {.wrap_up = 5s});
  story_.begin();
  story_.call(30s);
  story_.pass(8s);
  ASSERT_EQ(story_.state_of(alice), "in_call");
  remove_member(0, alice);
  story_.reload();
  story_.pass(10s);
  EXPECT_EQ(story_.state_of(alice), "in_call");
  story_.pass(60s);
  EXPECT_EQ(story_.events(kind::completed).size(), 1U);
  EXPECT_EQ(story_.events(kind::completed).front().queue, "support");
  story_.expect_all_serve({alice}, "sales");
  story_.expect_sound();
}

TEST_P(reloads, that_take_an_agent_away_let_its_call_go_on) {
  story_.add_queue("support");
  story_.add_agent("alice", {0}, {{.answer_after = 1s}}, {.wrap_up = 5s});
  const auto carol = story_.add_agent("carol", {}, {{.answer_after = 1s}});
  story_.begin();
  story_.call(40s);
  story_.pass(8s);
  ASSERT_EQ(story_.state_of(0), "in_call");
  auto& plan = story_.plan();
  plan.queues[0].members.clear();
  add_member(0, carol - 1);
  plan.agents.erase(plan.agents.begin());
  story_.reload();
  story_.call(30s);
  story_.pass(10s);
  EXPECT_TRUE(story_.events(kind::completed).empty());
  ASSERT_EQ(story_.events(kind::connected).size(), 2U);
  EXPECT_EQ(story_.events(kind::connected).back().agent, "carol");
  story_.pass(2min);
  const auto states = story_.events(kind::agent_state);
  const auto last =
    std::find_if(states.rbegin(), states.rend(), [](const auto& e) { return e.agent == "alice"; });
  ASSERT_NE(last, states.rend());
  EXPECT_EQ(last->detail, "logged_out") << "with the end of her call";
  const auto rung = story_.rung(0);
  for (int i = 0; i < 4; ++i)
    story_.call(5s);
  story_.pass(2min);
  EXPECT_EQ(story_.rung(0), rung);
  story_.expect_sound();
}

TEST_P(reloads, that_take_a_queue_away_serve_who_waits_there) {
  story_.add_queue("support");
  story_.add_queue("sales");
  const auto alice = story_.add_agent("alice", {0, 1}, {{.answer_after = 1s}});
  story_.begin();
  for (int i = 0; i < 3; ++i) { // one talks, two wait
    story_.call(1min, "sales");
    story_.pass(5s);
  }
  auto& plan = story_.plan();
  const auto sales = plan.queues.back();
  plan.queues.pop_back();
  story_.reload();
  story_.call(10s, "sales"); // nobody is called so
  story_.pass(10s);
  EXPECT_EQ(story_.events(kind::entered).size(), 3U);
  story_.pass(3min);
  EXPECT_GE(story_.events(kind::connected).size(), 2U);
  plan.queues.push_back(sales);
  story_.reload();
  story_.expect_all_serve({alice}, "sales");
  EXPECT_EQ(story_.queues().back().figures.offered, 1U) << "it is another";
  story_.expect_no_leg();
}

TEST_P(reloads, that_add_a_queue_and_an_agent_find_its_phone_registered) {
  story_.add_queue("support");
  story_.begin();
  story_.add_phone("dave", {.answer_after = 1s}); // a user like any other
  story_.pass(10s);
  story_.add_queue("sales");
  const auto dave = story_.add_agent("dave", {1}, {});
  story_.reload();
  EXPECT_EQ(story_.state_of(dave), "ready");
  story_.expect_all_serve({dave}, "sales");
  story_.expect_sound();
}

// Members come and go, rules change, a queue and agents appear and leave, all the time.
TEST_P(reloads, in_the_middle_of_everything_leave_nobody_stuck) {
  story_.add_queue("support", {.ring_time = 4s, .max_wait = 40s});
  story_.add_queue("sales", {.picks = policy::strategy::ring_all, .max_wait = 40s});
  for (size_t i = 0; i < 4; ++i)
    story_.add_agent(fmt::format("agent{}", i), {0, 1}, {{.answer_after = 300ms + i * 700ms}},
                     {.wrap_up = 1s});
  story_.begin();
  for (int i = 0; i < 160; ++i)
    story_.at(20s + i * 600ms, [this, i] {
      story_.call(1s + i * 7 % 12 * 500ms, i % 3 == 0 ? "sales" : i % 3 == 1 ? "support" : "fair");
    });
  for (int i = 0; i < 120; ++i)
    story_.at(20s + i * 803ms, [this, i] {
      auto& plan = story_.plan();
      const auto agent = static_cast<size_t>(i) % 4;
      const auto queue = static_cast<size_t>(i / 4) % 2;
      remove_member(queue, agent);
      if (i / 8 % 2 == 1)
        add_member(queue, agent);
      plan.queues[0].rules.picks =
        i % 2 == 0 ? policy::strategy::longest_idle : policy::strategy::ring_all;
      const bool has_fair = plan.queues.size() == 3;
      if (i % 10 == 0 && has_fair)
        plan.queues.pop_back();
      else if (i % 10 == 0)
        story_.add_queue("fair", {.max_wait = 20s});
      if (plan.queues.size() == 3 && i % 3 == 0) {
        remove_member(2, agent);
        add_member(2, agent);
      }
      story_.reload();
    });
  story_.pass(4min);
  auto& plan = story_.plan();
  plan.queues.resize(2);
  for (size_t agent = 0; agent < 4; ++agent) {
    remove_member(0, agent);
    add_member(0, agent);
  }
  story_.reload();
  story_.pass(1min);
  EXPECT_GT(story_.events(kind::connected).size(), 20U);
  story_.expect_all_serve({0, 1, 2, 3});
  story_.expect_sound();
  story_.expect_no_leg();
}

} // namespace
} // namespace jackfield
