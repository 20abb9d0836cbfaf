#include "engine/policy/agent_desk.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/policy/names.hpp"
#include "tests/policy/desk_doubles.hpp"

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

agent_rules wrapping_up(duration d) {
  agent_rules r;
  r.wrap_up = d;
  return r;
}

// --- rounds ---

TEST(agent_round, ends_when_all_have_answered_and_the_best_bid_wins) {
  struct round_case {
    const char* why;
    int32_t queue_priority; // of queue 2
    int32_t call_priority;  // of its call; queue 1's is 5
    duration waited;        // by its call; queue 1's 10 s
    uint32_t winner;
  };
  for (const auto& c :
       {round_case{"the queue's priority", 1, 0, 0s, 2}, round_case{"then the call's", 0, 6, 0s, 2},
        round_case{"then the wait", 0, 5, 11s, 2}, round_case{"a shorter wait", 0, 5, 9s, 1},
        round_case{"a lower call", 0, 4, 1h, 1}, round_case{"a lower queue", -1, 9, 1h, 1}}) {
    agent_double a{{}, 3};
    a.desk.add_queue(a.now, queue_id{2}, c.queue_priority, a.out);
    a.log_in();
    const auto r = a.round();
    a.bid_from(1, 1, 5, 10s, r);
    a.bid_from(2, 1, c.call_priority, c.waited, r);
    EXPECT_THAT(a.verdicts(), IsEmpty()) << "queue 3 has not answered";
    EXPECT_TRUE(a.desk.soliciting());
    a.desk.on_no_bid(a.now, {queue_id{3}, r}, a.out);
    EXPECT_EQ(a.desk.serves(), queue_id{c.winner}) << c.why;
    EXPECT_THAT(a.verdicts(), ElementsAre(bid_verdict::granted, bid_verdict::outbid)) << c.why;
  }
}

TEST(agent_round, does_not_wait_for_a_queue_that_never_answers) {
  agent_rules r;
  r.solicit_bound = 50ms;
  agent_double a{r, 2};
  a.log_in();
  a.bid_from(1, 1, 0, 0s, a.round());
  a.after(49ms);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  a.after(1ms);
  EXPECT_EQ(a.desk.state(), agent_state::reserved);
}

TEST(agent_round, is_over_with_a_pause_and_its_bids_are_refused) {
  agent_double a{{}, 2};
  a.log_in();
  a.bid_from(1, 1, 0, 0s, a.round());
  a.desk.pause(a.now, "tea", a.out);
  EXPECT_THAT(a.verdicts(), ElementsAre(bid_verdict::unavailable));
  EXPECT_EQ(all_of<to_queue<bid_answer>>(a.out)[0].what.status.now, presence::paused)
    << "a queue that takes it for available would bid again";
  EXPECT_EQ(a.desk.next_deadline(), never);
}

TEST(agent_round, lets_a_queue_withdraw) {
  agent_double a{{}, 2};
  a.log_in();
  const auto r = a.round();
  a.bid_from(1, 1, 0, 0s, r);
  a.withdraw(1, 1);
  a.desk.on_no_bid(a.now, {queue_id{2}, r}, a.out);
  EXPECT_THAT(a.verdicts(), ElementsAre(bid_verdict::withdrawn));
  EXPECT_EQ(a.desk.state(), agent_state::ready);
}

TEST(agent_round, takes_no_answer_to_an_older_one) {
  agent_double a{{}, 1};
  a.log_in();
  const auto old = a.round();
  a.desk.pause(a.now, "tea", a.out);
  a.desk.unpause(a.now, a.out);
  a.desk.on_no_bid(a.now, {queue_id{1}, old}, a.out);
  EXPECT_TRUE(a.desk.soliciting());
}

// --- reservations ---

TEST(agent, grants_a_bid_at_once_when_ready_and_no_second_one) {
  agent_double a{{}, 2};
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.bid_from(2, 1);
  EXPECT_THAT(a.verdicts(), ElementsAre(bid_verdict::granted, bid_verdict::reserved));
  EXPECT_EQ(a.desk.serves(), queue_id{1});
}

TEST(agent, is_freed_by_the_lease_and_keeps_its_place_among_the_idle) {
  agent_rules r;
  r.reservation_lease = 5s;
  agent_double a{r};
  a.log_in_and_be_ready();
  const auto since = a.desk.status().available_since;
  a.after(10s);
  a.bid_from(1, 1);
  a.after(5s);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  EXPECT_THAT(a.outcomes(), ElementsAre(offer_result::not_reserved));
  EXPECT_EQ(a.desk.status().available_since, since);
  a.out.clear();
  a.offer_from(1, 1); // what crossed it
  EXPECT_THAT(all_of<start_ringing>(a.out), IsEmpty());
  EXPECT_THAT(a.outcomes(), ElementsAre(offer_result::not_reserved));
}

TEST(agent, ignores_what_is_out_of_date) {
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.withdraw(1, 1);
  a.no_bids();
  a.bid_from(1, 2);
  a.offer_from(1, 2);
  a.out.clear();
  a.withdraw(1, 1);
  a.phone(1, 1, ring_result::answered);
  a.withdraw(2, 2); // another queue's
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  EXPECT_THAT(a.out, IsEmpty());
  EXPECT_EQ(a.desk.state(), agent_state::offered);
}

TEST(agent, tells_who_was_given_to_it_too_late) {
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.phone(1, 1, ring_result::answered);
  a.after(agent_rules{}.reservation_lease);
  EXPECT_EQ(all_of<stop_ringing>(a.out).size(), 1U);
  a.out.clear();
  a.assign(1, 1);
  EXPECT_THAT(all_of<connected>(a.out), IsEmpty());
  EXPECT_THAT(a.outcomes(), ElementsAre(offer_result::not_reserved));
}

TEST(agent, that_answered_one_offer_is_not_connected_by_the_assignment_of_another) {
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 2);
  a.offer_from(1, 2);
  a.phone(1, 2, ring_result::answered);
  a.out.clear();
  a.assign(1, 1);
  EXPECT_THAT(all_of<connected>(a.out), IsEmpty());
  EXPECT_THAT(a.outcomes(), ElementsAre(offer_result::not_reserved));
  EXPECT_EQ(a.desk.state(), agent_state::answered);
}

TEST(agent, goes_through_a_call_and_wraps_up) {
  agent_double a{wrapping_up(30s)};
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.after(3s);
  a.phone(1, 1, ring_result::answered);
  EXPECT_EQ(a.desk.state(), agent_state::answered);
  a.assign(1, 1);
  a.after(60s);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  EXPECT_EQ(a.desk.state_until(), a.now + 30s);
  std::vector<agent_state> states;
  for (const auto& s : all_of<state_changed>(a.out))
    states.push_back(s.to);
  EXPECT_THAT(states,
              ElementsAre(agent_state::reserved, agent_state::offered, agent_state::answered,
                          agent_state::in_call, agent_state::wrap_up));
  a.after(30s);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  EXPECT_EQ(a.desk.status().answered_calls, 1U);
  EXPECT_EQ(a.desk.status().talk_time, 60s);
  EXPECT_EQ(a.desk.status().available_since, a.now);
}

TEST(agent, has_the_wrap_up_of_the_queue_and_may_end_it) {
  agent_double a{wrapping_up(30s)};
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.desk.on_offer(a.now, {queue_id{1}, bid_id{1}, call_id{101}, a.now + 20s, 5s}, a.out);
  a.phone(1, 1, ring_result::answered);
  a.assign(1, 1);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  EXPECT_EQ(a.desk.state_until(), a.now + 5s);
  a.desk.end_wrap_up(a.now, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
}

// --- offers that are not taken ---

TEST(agent, rests_after_each_kind_of_missed_offer) {
  struct rest_case {
    ring_result result;
    duration rest;
  };
  agent_rules r;
  r.after_rejected = 2s;
  r.after_busy = 3s;
  r.after_no_answer = 4s;
  r.after_unreachable = 0s; // the least there is
  for (const auto& c :
       {rest_case{ring_result::rejected, 2s}, rest_case{ring_result::busy, 3s},
        rest_case{ring_result::no_answer, 4s}, rest_case{ring_result::unreachable, 1s}}) {
    agent_double a{r};
    a.log_in_and_be_ready();
    a.bid_from(1, 1);
    a.offer_from(1, 1);
    a.phone(1, 1, c.result);
    EXPECT_EQ(a.desk.state(), agent_state::resting);
    EXPECT_EQ(a.desk.state_until(), a.now + c.rest);
    a.bid_from(1, 2);
    EXPECT_EQ(a.verdicts().back(), bid_verdict::unavailable);
    a.after(c.rest);
    EXPECT_EQ(a.desk.state(), agent_state::ready);
  }
}

TEST(agent, is_paused_after_so_many_unanswered_offers_in_a_row) {
  agent_rules r;
  r.most_unanswered = 2;
  agent_double a{r};
  a.log_in();
  const auto miss = [&a](uint64_t id) {
    a.no_bids();
    a.bid_from(1, id);
    a.offer_from(1, id);
    a.after(agent_double::ring); // its phone says nothing
  };
  miss(1);
  EXPECT_EQ(all_of<stop_ringing>(a.out).size(), 1U);
  EXPECT_THAT(a.outcomes(), ElementsAre(offer_result::no_answer));
  a.after(10s);
  a.no_bids();
  a.talk(1, 2); // begins anew
  a.desk.on_call_ended(a.now, call_id{102}, a.out);
  miss(3);
  a.after(10s);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  miss(4);
  EXPECT_EQ(a.desk.state(), agent_state::paused);
  EXPECT_EQ(a.desk.pause_reason(), "no answer");
}

// --- its person and its phone ---

TEST(agent, that_pauses_in_a_call_is_paused_after_wrap_up) {
  agent_double a{wrapping_up(10s)};
  a.log_in_and_be_ready();
  a.talk(1, 1);
  a.desk.pause(a.now, "lunch", a.out);
  EXPECT_EQ(a.desk.state(), agent_state::in_call);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::wrap_up);
  a.after(10s);
  EXPECT_EQ(a.desk.state(), agent_state::paused);
  EXPECT_EQ(all_of<state_changed>(a.out).back().reason, "lunch");
  a.desk.unpause(a.now, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
}

TEST(agent, that_logs_out_while_it_is_offered_stops_ringing) {
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.desk.log_out(a.now, a.out);
  EXPECT_EQ(all_of<stop_ringing>(a.out).size(), 1U);
  EXPECT_THAT(a.outcomes(), ElementsAre(offer_result::unreachable));
  EXPECT_EQ(a.desk.state(), agent_state::logged_out);
}

TEST(agent, that_logs_out_in_a_call_is_out_after_it) {
  agent_double a{wrapping_up(10s)};
  a.log_in_and_be_ready();
  a.talk(1, 1);
  a.desk.log_out(a.now, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::in_call);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::logged_out);
  EXPECT_EQ(a.desk.next_deadline(), never);
}

TEST(agent, with_a_call_of_its_own_is_busy_until_the_last_one_ends) {
  agent_double a;
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.desk.on_direct_call(a.now, call_id{1}, a.out);
  EXPECT_THAT(a.outcomes(), ElementsAre(offer_result::not_reserved)) << "it is given back";
  a.desk.on_direct_call(a.now, call_id{2}, a.out);
  a.desk.on_direct_call_ended(a.now, call_id{1}, a.out);
  a.desk.on_direct_call_ended(a.now, call_id{1}, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::in_call);
  a.desk.on_direct_call_ended(a.now, call_id{2}, a.out);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
}

TEST(agent, is_freed_when_its_queue_goes) {
  agent_double a{{}, 2};
  a.log_in_and_be_ready();
  a.bid_from(1, 1);
  a.offer_from(1, 1);
  a.desk.remove_queue(a.now, queue_id{1}, a.out);
  EXPECT_EQ(all_of<stop_ringing>(a.out).size(), 1U);
  EXPECT_EQ(a.desk.state(), agent_state::ready);
  a.out.clear();
  a.bid_from(1, 2);
  EXPECT_THAT(a.verdicts(), ElementsAre(bid_verdict::not_member));
}

TEST(agent, is_away_to_a_queue_that_it_left_and_that_is_news) {
  agent_double a{{}, 2};
  a.log_in_and_be_ready();
  const auto before = a.desk.status().version;
  a.desk.remove_queue(a.now, queue_id{1}, a.out);
  a.bid_from(1, 1);
  const auto answers = all_of<to_queue<bid_answer>>(a.out);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].what.status.now, presence::away);
  EXPECT_GT(answers[0].what.status.version, before) << "or the queue goes on bidding";
}

TEST(agent_snapshot, keeps_wrap_up_pause_and_counters) {
  agent_double a{wrapping_up(30s)};
  a.log_in_and_be_ready();
  a.talk(1, 1);
  a.after(60s);
  a.desk.on_call_ended(a.now, call_id{101}, a.out);
  a.desk.pause(a.now, "lunch", a.out);
  const auto kept = a.desk.snapshot();

  agent_desk again{agent_id{7}, wrapping_up(99s)};
  agent_actions out;
  again.restore(a.now + 10s, moved(kept, 0s), out);
  again.add_queue(a.now + 10s, queue_id{1}, 0, out);
  EXPECT_EQ(again.state(), agent_state::wrap_up);
  EXPECT_EQ(again.state_until(), a.now + 30s) << "as it was, whatever the rules say now";
  EXPECT_EQ(again.status().talk_time, 60s);
  EXPECT_GT(again.status().version, a.desk.status().version);
  again.on_time(a.now + 30s, out);
  EXPECT_EQ(again.state(), agent_state::paused);
  EXPECT_EQ(again.pause_reason(), "lunch");
}

TEST(agent_snapshot, keeps_a_call) {
  agent_double a;
  a.log_in_and_be_ready();
  a.talk(1, 1);
  agent_desk again{agent_id{7}, {}};
  agent_actions out;
  again.restore(a.now, moved(a.desk.snapshot(), 5s), out);
  EXPECT_EQ(again.state(), agent_state::in_call);
  again.on_call_ended(a.now + 65s, call_id{101}, out);
  EXPECT_EQ(again.state(), agent_state::ready);
  EXPECT_EQ(again.status().talk_time, 60s);
}

TEST(agent_snapshot, of_who_has_no_phone_yet_keeps_its_place_among_the_idle) {
  agent_double a;
  a.log_in_and_be_ready();
  const auto since = a.desk.status().available_since;
  auto kept = a.desk.snapshot();
  kept.reachable = false;
  agent_desk again{agent_id{7}, {}};
  agent_actions out;
  again.restore(a.now + 10s, kept, out);
  EXPECT_EQ(again.state(), agent_state::unreachable);
  again.regain(a.now + 20s, out);
  EXPECT_EQ(again.state(), agent_state::ready);
  EXPECT_EQ(again.status().available_since, since);
  again.set_reachable(a.now + 30s, false, out);
  again.set_reachable(a.now + 40s, true, out);
  EXPECT_EQ(again.status().available_since, a.now + 40s) << "as ever";
}

TEST(agent_rules, say_what_is_out_of_range) {
  agent_rules r;
  EXPECT_TRUE(r.check("anna"));
  r.after_busy = -1s;
  EXPECT_EQ(r.check("anna").error().to_string(),
            "anna: after_busy is negative, expected 0 or more");
  r = {};
  r.solicit_bound = 0s;
  EXPECT_FALSE(r.check("anna"));
}

} // namespace
} // namespace jackfield::policy
