// What users of other queues have complained of, as far as it is decided here. FS#n is an issue of
// signalwire/freeswitch, AST#n of asterisk/asterisk, OS#n of OpenSIPS/opensips.

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policy/desk_doubles.hpp"

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// FS#1968: fifteen seconds until a reload was in force.
TEST(complaints, fs_1968_a_reload_is_in_force_at_once) {
  queue_rules r;
  r.tiers = {{0s, 0}};
  r.skips_empty_tiers = false;
  queue_double q{r};
  q.member(1, {1, 0, {}});
  q.join(1);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  r.tiers = {{0s, 1}};
  q.desk.set_rules(q.now, r, q.out);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
}

// FS#1062: callers and agents stay in Trying and Receiving.
TEST(complaints, fs_1062_every_state_on_the_way_has_an_end) {
  queue_double q;
  q.member(1);
  q.join(1);
  q.bid_for();
  EXPECT_NE(q.desk.next_deadline(), never) << "a bid";
  q.grant(1);
  EXPECT_NE(q.desk.next_deadline(), never) << "an offer";
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  EXPECT_NE(a.desk.state_until(), never) << "reserved";
  a.offer_from(1, 1);
  EXPECT_NE(a.desk.state_until(), never) << "offered";
  a.phone(1, 1, ring_result::answered);
  EXPECT_NE(a.desk.state_until(), never) << "answered";
}

// FS#1973: answered callers still listed hours later.
TEST(complaints, fs_1973_an_answered_caller_is_gone) {
  queue_double q;
  q.member(1);
  q.join(1);
  q.bid_for();
  q.take(1);
  EXPECT_EQ(q.desk.waiting(), 0U);
  EXPECT_EQ(q.desk.bids(), 0U);
  EXPECT_FALSE(q.desk.leave(q.now, call_id{1}, leave_reason::hung_up, q.out));
  EXPECT_EQ(q.desk.next_deadline(), never);
}

// FS#2529: the agent's phone rings on after the caller hung up.
TEST(complaints, fs_2529_a_caller_that_hangs_up_takes_the_ringing_with_it) {
  queue_double q;
  q.member(1);
  q.join(1);
  q.bid_for();
  q.grant(1);
  const auto offered = all_of<to_agent<offer>>(q.out).at(0).what;
  q.out.clear();
  q.desk.leave(q.now, call_id{1}, leave_reason::hung_up, q.out);
  const auto gone = all_of<to_agent<withdrawal>>(q.out);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].what.id, offered.id);

  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.withdraw(1, 1);
  EXPECT_EQ(all_of<stop_ringing>(a.out).size(), 1U);
  EXPECT_EQ(a.desk.state(), agent_state::ready) << "and does not rest for it";
}

// The same where the caller hangs up before the agent's grant has come.
TEST(complaints, fs_2529_a_grant_for_a_caller_that_is_gone_rings_nobody) {
  queue_double q;
  q.member(1);
  q.join(1);
  q.bid_for();
  q.desk.leave(q.now, call_id{1}, leave_reason::hung_up, q.out);
  q.out.clear();
  q.grant(1);
  EXPECT_THAT(all_of<to_agent<offer>>(q.out), IsEmpty());
  EXPECT_EQ(q.desk.bids(), 0U);
}

// FS PR#1221: top-down goes back to the first agent for ever, and callers are stranded.
TEST(complaints, fs_1221_top_down_goes_on_to_the_next_agent) {
  queue_rules r;
  r.picks = strategy::top_down;
  queue_double q{r};
  for (uint64_t agent = 1; agent <= 3; ++agent)
    q.member(agent, {0, static_cast<uint32_t>(agent), {}});
  q.join(1);
  for (uint64_t agent = 1; agent <= 3; ++agent) {
    EXPECT_THAT(q.bid_for(), ElementsAre(agent));
    q.grant(agent);
    q.outcome(agent, offer_result::no_answer);
  }
  EXPECT_EQ(q.desk.waiting(), 1U);
}

// FS PR#800: an agent whose status changes while it is offered is called in a fast loop.
TEST(complaints, fs_800_an_agent_that_refuses_is_not_called_in_a_loop) {
  agent_rules r;
  r.after_rejected = 0s;
  agent_double a{r};
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.desk.pause(a.now, "tea", a.out);
  a.desk.unpause(a.now, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::offered);
  a.phone(1, 1, ring_result::rejected);
  EXPECT_EQ(a.desk.state(), agent_state::resting);
  EXPECT_GE(a.desk.state_until() - a.now, 1s);
}

// An agent that says it is available and refuses all the same, as no desk of ours does.
TEST(complaints, fs_800_an_agent_that_contradicts_itself_is_left_alone) {
  queue_double q;
  q.member(1);
  q.join(1);
  q.bid_for();
  const auto refused = bid_answer{bid_id{1}, bid_verdict::unavailable, q.status(1)};
  q.desk.on_bid_answer(q.now, refused, q.out);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  q.after(q.desk.rules().silent_rest);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
}

// FS#2540: ring-all leaves agents Reserved.
TEST(complaints, fs_2540_ring_all_frees_all_whom_it_reserved) {
  queue_rules r;
  r.picks = strategy::ring_all;
  queue_double q{r};
  for (uint64_t agent = 1; agent <= 4; ++agent)
    q.member(agent);
  q.join(1);
  q.bid_for();
  q.grant(1);
  q.grant(2);
  q.grant(3); // 4's grant is on its way
  q.outcome(1, offer_result::answered);
  EXPECT_EQ(all_of<to_agent<withdrawal>>(q.out).size(), 3U);
  q.out.clear();
  q.grant(4);
  EXPECT_THAT(all_of<to_agent<offer>>(q.out), IsEmpty());
  EXPECT_EQ(all_of<to_agent<withdrawal>>(q.out).size(), 1U);
  EXPECT_EQ(q.desk.bids(), 0U);
}

// fusionpbx#2831, FS#152: an agent whose registration is gone stays available.
TEST(complaints, fs_152_an_unregistered_agent_is_not_available) {
  agent_double a;
  a.log_in_and_be_ready();
  a.desk.set_reachable(a.now, false, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::unreachable);
  EXPECT_EQ(all_of<status_to_queue>(a.out).back().what.now, presence::away);
  a.bid_from(1, 1);
  EXPECT_THAT(a.verdicts(), ElementsAre(bid_verdict::unavailable));
  a.desk.set_reachable(a.now, true, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
}

// AST#176: a call is answered by two agents; the one that was not assigned is let go.
TEST(complaints, ast_176_of_two_that_answer_one_has_the_call) {
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.phone(1, 1, ring_result::answered);
  EXPECT_THAT(all_of<connected>(a.out), IsEmpty()) << "the queue has not said so";
  a.withdraw(1, 1);
  EXPECT_EQ(all_of<stop_ringing>(a.out).size(), 1U) << "its leg is hung up";
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  EXPECT_EQ(a.desk.status().answered_calls, 0U);
}

// AST#1557: one agent that gives up takes all the other ringing phones with it.
TEST(complaints, ast_1557_one_that_rejects_leaves_the_others_ringing) {
  queue_rules r;
  r.picks = strategy::ring_all;
  queue_double q{r};
  q.member(1);
  q.member(2);
  q.join(1);
  q.bid_for();
  q.grant(1);
  q.grant(2);
  q.out.clear();
  q.outcome(1, offer_result::rejected);
  EXPECT_THAT(q.out, IsEmpty());
  q.outcome(2, offer_result::answered);
  EXPECT_EQ(all_of<assigned>(q.out).size(), 1U);
}

// AST#1736: calls of an agent in several queues are counted twice.
TEST(complaints, ast_1736_a_call_counts_once_whatever_the_number_of_queues) {
  agent_double a{{}, 3};
  a.log_in_and_be_ready();
  a.talk(2, 1);
  a.assign(2, 1); // again
  a.after(10s);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  EXPECT_EQ(a.desk.status().answered_calls, 1U);
  EXPECT_EQ(a.desk.status().talk_time, 10s);
  for (const auto& s : all_of<status_to_queue>(a.out)) {
    EXPECT_LE(s.what.answered_calls, 1U);
  }
}

// AST#1006, #607, #1255: wrap-up is lost at a reload.
TEST(complaints, ast_1006_wrap_up_survives_a_reload) {
  agent_rules r;
  r.wrap_up = 30s;
  agent_double a{r};
  a.log_in_and_be_ready();
  a.talk(1, 1);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  r.wrap_up = 0s;
  a.desk.set_rules(r);
  a.desk.add_queue(a.now, queue_id{1}, 5, a.out);
  a.after(29s);
  EXPECT_EQ(a.desk.state(), agent_state::wrap_up);
  a.after(1s);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
}

// app_queue's idle time in a metric of its own turns round after 11.6 days.
TEST(complaints, longest_idle_holds_after_a_month) {
  queue_double q;
  q.member(1);
  q.after(30 * 24h);
  q.member(2);
  q.after(1s);
  q.join(1);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
}

// OS#2679: a free agent is not seen until the last one's wrap-up is over.
TEST(complaints, os_2679_each_agent_wraps_up_by_itself) {
  queue_double q;
  q.member(1);
  q.member(2);
  q.say(1, presence::busy);
  q.say(2, presence::busy);
  q.join(1);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  q.available(2);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
}

// OS#2530: agents in a call for ever, as a call's end was missed or came twice.
TEST(complaints, os_2530_an_end_that_comes_before_the_assignment_frees_the_agent) {
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.phone(1, 1, ring_result::answered);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  a.assign(1, 1);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  EXPECT_THAT(all_of<connected>(a.out), IsEmpty());
}

TEST(complaints, os_2530_an_end_that_crosses_the_assignment_frees_the_agent) {
  agent_double a{{.wrap_up = 5s}};
  a.log_in_and_be_ready();
  a.talk(1, 1);
  a.phone(1, 1, ring_result::answered); // again
  EXPECT_EQ(a.desk.state(), agent_state::in_call);
  a.phone(1, 2, ring_result::caller_gone); // of another bid
  EXPECT_EQ(a.desk.state(), agent_state::in_call);
  a.phone(1, 1, ring_result::caller_gone); // said before the call was connected
  EXPECT_EQ(a.desk.state(), agent_state::wrap_up);
  a.after(5s);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
}

// JB#1363: the agent is not told who the caller is.
TEST(complaints, jb_1363_an_assignment_names_both_and_the_wait) {
  queue_double q;
  q.join(1);
  q.after(12s);
  q.member(1);
  q.bid_for();
  q.take(1);
  const auto done = all_of<assigned>(q.out);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].agent, agent_id{1});
  EXPECT_EQ(done[0].what.call, call_id{1});
  EXPECT_EQ(done[0].waited, 12s);
}

// qpanel#113, AST#66: counters and the reason of a pause are lost at a restart.
TEST(complaints, ast_66_a_pause_keeps_its_reason_over_a_restart) {
  agent_double a;
  a.log_in_and_be_ready();
  a.desk.pause(a.now, "training", a.out);
  agent_desk again{agent_id{7}, {}};
  agent_actions out;
  again.restore(a.now, a.desk.snapshot(), out);
  EXPECT_EQ(again.state(), agent_state::paused);
  EXPECT_EQ(all_of<state_changed>(out).back().reason, "training");
}

} // namespace
} // namespace jackfield::policy
