#include "engine/policy/queue_desk.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/policy/names.hpp"
#include "tests/policy/desk_doubles.hpp"

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<uint64_t> numbers(const std::vector<call_id>& calls) {
  std::vector<uint64_t> all;
  all.reserve(calls.size());
  for (const auto call : calls)
    all.push_back(static_cast<uint64_t>(call));
  return all;
}

std::vector<uint64_t> overflows(const queue_actions& out, overflow_reason why) {
  std::vector<uint64_t> all;
  for (const auto& o : all_of<overflowed>(out)) {
    EXPECT_EQ(o.why, why) << to_string(o.why);
    all.push_back(static_cast<uint64_t>(o.call));
  }
  return all;
}

join_refusal refusal(queue_double& q, uint64_t call) {
  const auto joined = q.desk.join(q.now, {call_id{call}, 0, {}, q.now}, q.out);
  EXPECT_FALSE(joined) << "it was let in";
  return joined ? join_refusal{} : joined.error();
}

// --- who is next ---

TEST(queue_order, is_by_priority_and_then_by_joined_time) {
  queue_double q;
  q.join(1);
  q.after(1s);
  q.join(2, 5);
  q.after(1s);
  q.join(3, 5);
  EXPECT_THAT(numbers(q.desk.line()), ElementsAre(2, 3, 1));
  EXPECT_EQ(q.desk.position(call_id{3}), 2U);
  EXPECT_EQ(q.desk.position(call_id{9}), std::nullopt);
  q.member(1);
  q.bid_for();
  EXPECT_EQ(q.call_of(1), 2U);
}

TEST(queue_order, lets_a_low_priority_age_where_waiting_is_worth_something) {
  queue_rules r;
  r.priority_worth = 10s;
  queue_double q{r};
  q.join(1, 0);
  q.after(25s);
  q.join(2, 2); // worth 20 s: not enough
  q.join(3, 3); // worth 30 s
  EXPECT_THAT(numbers(q.desk.line()), ElementsAre(3, 1, 2));
}

TEST(queue_order, bears_any_priority) {
  queue_rules r;
  r.priority_worth = 24h;
  queue_double q{r};
  q.join(1, INT32_MIN);
  q.join(2, INT32_MAX);
  q.join(3, 0);
  EXPECT_THAT(numbers(q.desk.line()), ElementsAre(2, 3, 1));
}

TEST(queue_order, gives_a_place_back_to_who_comes_again) {
  queue_double q;
  const auto early = q.now;
  q.after(1min);
  q.join(1);
  q.after(1min);
  ASSERT_TRUE(q.desk.join(q.now, {call_id{2}, 0, {}, early}, q.out));
  EXPECT_THAT(numbers(q.desk.line()), ElementsAre(2, 1));
  EXPECT_EQ(q.desk.longest_wait(q.now), 1min) << "it did not wait while it was away";
}

TEST(queue_order, follows_a_priority_that_changes) {
  queue_double q;
  q.join(1);
  q.join(2);
  EXPECT_TRUE(q.desk.set_priority(q.now, call_id{2}, 1, q.out));
  EXPECT_FALSE(q.desk.set_priority(q.now, call_id{3}, 1, q.out));
  EXPECT_THAT(numbers(q.desk.line()), ElementsAre(2, 1));
}

TEST(queue, does_not_hold_up_callers_behind_one_that_is_offered) {
  queue_double q;
  q.member(1);
  q.member(2);
  q.join(1);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
  q.grant(1); // and rings
  q.join(2);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
}

TEST(queue, answers_each_round_once) {
  queue_double q;
  q.desk.put_member(q.now, agent_id{1}, {}, q.out);
  EXPECT_EQ(all_of<ask_status>(q.out).size(), 1U);
  const agent_status ready{agent_id{1}, 5, presence::available, q.now, 0, {}};
  q.desk.on_status(q.now, ready, round_id{3}, q.out);
  ASSERT_EQ(all_of<to_agent<no_bid>>(q.out).size(), 1U);
  EXPECT_EQ(all_of<to_agent<no_bid>>(q.out)[0].what.round, round_id{3});
  q.out.clear();
  q.desk.on_status(q.now, {agent_id{1}, 6, presence::busy, {}, 0, {}}, no_round, q.out);
  q.join(1);
  q.desk.on_status(q.now, {agent_id{1}, 7, presence::available, q.now, 0, {}}, round_id{4}, q.out);
  EXPECT_THAT(all_of<to_agent<no_bid>>(q.out), IsEmpty());
  ASSERT_EQ(all_of<to_agent<bid>>(q.out).size(), 1U);
  EXPECT_EQ(all_of<to_agent<bid>>(q.out)[0].what.round, round_id{4});
  q.out.clear();
  // One that is no member must not wait for us.
  q.desk.on_status(q.now, {agent_id{2}, 1, presence::available, q.now, 0, {}}, round_id{9}, q.out);
  EXPECT_EQ(all_of<to_agent<no_bid>>(q.out).size(), 1U);
}

TEST(queue, believes_the_newest_status) {
  queue_double q;
  q.desk.put_member(q.now, agent_id{1}, {}, q.out);
  q.desk.on_status(q.now, {agent_id{1}, 8, presence::paused, {}, 0, {}}, no_round, q.out);
  q.desk.on_status(q.now, {agent_id{1}, 7, presence::available, q.now, 0, {}}, no_round, q.out);
  EXPECT_EQ(q.desk.available(), 0U) << "an older one overtook it";
}

// --- skills and tiers ---

TEST(queue_skills, widen_over_time_and_are_dropped) {
  queue_rules r;
  r.skill_steps = {{10s, {}, 20, false}, {20s, skill_id{1}, 20, false}, {30s, {}, 0, true}};
  queue_double q{r};
  q.member(1, {0, 0, {{skill_id{1}, 60}}});
  q.member(2, {0, 0, {{skill_id{1}, 40}}});
  q.member(3);
  q.join(1, 0, {{skill_id{1}, 80}});
  q.join(2, 0, {{skill_id{1}, 80}});
  q.join(3, 0, {{skill_id{1}, 80}});
  q.after(9s);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  q.after(1s);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
  EXPECT_EQ(q.call_of(1), 1U);
  q.grant(1);
  q.after(10s);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
  EXPECT_EQ(q.call_of(2), 2U);
  q.grant(2);
  q.after(10s);
  EXPECT_THAT(q.bid_for(), ElementsAre(3));
  EXPECT_EQ(q.call_of(3), 3U);
}

TEST(queue_skills, of_the_rules_are_those_of_who_brings_none) {
  queue_rules r;
  r.wants = {{skill_id{1}, 50}};
  queue_double q{r};
  q.member(1, {0, 0, {{skill_id{2}, 90}}});
  q.join(1);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  q.join(2, 0, {{skill_id{2}, 60}});
  EXPECT_THAT(q.bid_for(), ElementsAre(1)) << "who brings its own";
  EXPECT_EQ(q.call_of(1), 2U);
  EXPECT_TRUE(q.desk.snapshot().line.at(0).wants.empty()) << "the rules are the configuration's";
  r.wants = {{skill_id{3}, 1}};
  q.desk.set_rules(q.now, r, q.out);
  q.member(2, {0, 1, {{skill_id{1}, 90}}});
  EXPECT_THAT(q.bid_for(), IsEmpty()) << "who waits is to have what they say now";
  queue_double again{r};
  again.desk.restore(again.now, q.desk.snapshot(), again.out);
  again.member(3, {0, 2, {{skill_id{3}, 5}}});
  EXPECT_THAT(again.bid_for(), ElementsAre(3));
}

TEST(queue_skills, let_an_agent_pass_by_those_that_it_cannot_serve) {
  queue_double q;
  q.join(1, 9, {{skill_id{1}, 1}});
  q.join(2);
  q.member(1);
  q.bid_for();
  EXPECT_EQ(q.call_of(1), 2U);
}

TEST(queue_tiers, open_after_a_wait) {
  queue_rules r;
  r.tiers = {{0s, 1}, {15s, 2}};
  queue_double q{r};
  q.member(1, {1, 0, {}});
  q.member(2, {2, 0, {}});
  q.join(1);
  EXPECT_THAT(q.bid_for(), ElementsAre(1)) << "the lower one first";
  q.grant(1);
  q.join(2);
  q.after(14s);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  q.after(1s);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
}

TEST(queue_tiers, are_passed_over_where_nobody_is_logged_in) {
  queue_rules r;
  r.tiers = {{0s, 1}, {15s, 2}, {30s, 3}};
  queue_double q{r};
  q.member(1, {1, 0, {}});
  q.say(1, presence::paused);
  q.member(3, {3, 0, {}});
  q.join(1);
  EXPECT_THAT(q.bid_for(), IsEmpty()) << "agent 1 may come back";
  q.say(1, presence::away);
  EXPECT_THAT(q.bid_for(), ElementsAre(3));
  r.skips_empty_tiers = false;
  queue_double strict{r};
  strict.member(3, {3, 0, {}});
  strict.join(1);
  strict.after(29s);
  EXPECT_THAT(strict.bid_for(), IsEmpty());
  strict.after(1s);
  EXPECT_THAT(strict.bid_for(), ElementsAre(3));
}

// --- bids and offers ---

TEST(queue_bid, goes_to_the_next_agent_when_it_is_refused) {
  queue_double q;
  q.member(1);
  q.after(1s);
  q.member(2);
  q.join(1);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
  q.answer_bid(1, bid_verdict::outbid);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
}

TEST(queue_bid, has_a_lease_and_its_agent_is_left_alone) {
  queue_rules r;
  r.answer_lease = 2s;
  r.silent_rest = 10s;
  queue_double q{r};
  q.member(1);
  q.join(1);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
  q.after(2s);
  ASSERT_EQ(all_of<to_agent<withdrawal>>(q.out).size(), 1U);
  EXPECT_EQ(all_of<to_agent<withdrawal>>(q.out)[0].what.why, withdrawal_reason::lease_over);
  EXPECT_EQ(q.desk.bids(), 0U);
  q.after(9s);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  q.after(1s);
  EXPECT_THAT(q.bid_for(), ElementsAre(1)) << "it is tried again in the end";
}

TEST(queue_bid, that_is_granted_too_late_is_withdrawn_again) {
  queue_double q;
  q.member(1);
  q.join(1);
  q.bid_for();
  q.after(2s);
  q.out.clear();
  q.grant(1);
  EXPECT_EQ(all_of<to_agent<withdrawal>>(q.out).size(), 1U);
  EXPECT_THAT(all_of<to_agent<offer>>(q.out), IsEmpty());
}

TEST(queue_offer, that_nobody_reports_on_ends) {
  queue_rules r;
  r.ring_time = 20s;
  r.answer_lease = 2s;
  queue_double q{r};
  q.member(1);
  q.member(2);
  q.join(1);
  q.bid_for();
  q.grant(1);
  q.out.clear();
  q.after(21s);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  q.after(1s);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
}

TEST(queue_offer, that_is_not_taken_leaves_the_caller_in_its_place) {
  for (const auto result : {offer_result::rejected, offer_result::no_answer, offer_result::busy,
                            offer_result::unreachable, offer_result::not_reserved}) {
    queue_double q;
    q.member(1);
    q.join(1);
    q.join(2);
    q.bid_for();
    q.grant(1);
    q.outcome(1, result);
    EXPECT_THAT(numbers(q.desk.line()), ElementsAre(1, 2)) << to_string(result);
    q.available(1);
    q.bid_for();
    EXPECT_EQ(q.call_of(1), 1U) << to_string(result);
  }
}

TEST(queue_offer, ends_with_a_member_that_is_removed) {
  queue_double q;
  q.member(1);
  q.member(2);
  q.join(1);
  q.bid_for();
  q.grant(1);
  q.desk.remove_member(q.now, agent_id{1}, q.out);
  EXPECT_EQ(all_of<to_agent<withdrawal>>(q.out).size(), 1U);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
  EXPECT_EQ(q.desk.members(), 1U);
}

// --- who is let in, who is sent on ---

TEST(queue_join, is_refused_with_a_reason) {
  queue_rules r;
  r.most_waiting = 1;
  queue_double full{r};
  full.join(1);
  EXPECT_EQ(refusal(full, 1), join_refusal::already_waiting);
  EXPECT_EQ(refusal(full, 2), join_refusal::full);
  EXPECT_EQ(full.desk.figures().refused, 1U) << "who waits already is not counted again";

  r = {};
  r.join_needs = attendance::working;
  queue_double empty{r};
  EXPECT_EQ(refusal(empty, 1), join_refusal::nobody_logged_in);
  empty.desk.put_member(empty.now, agent_id{1}, {}, empty.out);
  EXPECT_TRUE(empty.join(1)) << "its status is still on its way";
  empty.say(1, presence::paused);
  EXPECT_EQ(refusal(empty, 2), join_refusal::nobody_working);
  empty.say(1, presence::busy);
  EXPECT_TRUE(empty.join(2));

  r = {};
  r.open = false;
  queue_double closed{r};
  EXPECT_EQ(refusal(closed, 1), join_refusal::closed);
}

TEST(queue_join, is_refused_where_the_wait_would_be_too_long) {
  queue_rules r;
  r.most_expected_wait = 25s;
  queue_double q{r};
  for (uint64_t call = 1; call <= 4; ++call)
    ASSERT_TRUE(q.join(call)) << "nothing is known yet";
  for (uint64_t n = 1; n <= 2; ++n) { // one each 10 s
    q.after(10s);
    q.status(1).agent = agent_id{1};
    n == 1 ? q.member(1) : q.available(1);
    q.bid_for();
    q.take(1);
  }
  EXPECT_EQ(q.desk.expected_wait(q.now, 2), 20s);
  EXPECT_EQ(refusal(q, 9), join_refusal::wait_too_long);
  ASSERT_TRUE(q.desk.leave(q.now, call_id{4}, leave_reason::hung_up, q.out));
  EXPECT_TRUE(q.join(9));
}

TEST(queue_overflow, comes_at_the_longest_wait_but_not_while_it_rings) {
  queue_rules r;
  r.max_wait = 30s;
  r.ring_time = 20s;
  r.overflow_to.max_wait = "voicemail";
  queue_double q{r};
  q.join(1);
  q.join(2);
  q.after(29s);
  q.member(1);
  q.bid_for();
  q.grant(1);
  q.after(1s);
  EXPECT_THAT(overflows(q.out, overflow_reason::max_wait), ElementsAre(2));
  EXPECT_EQ(all_of<overflowed>(q.out)[0].to, "voicemail");
  EXPECT_EQ(all_of<overflowed>(q.out)[0].waited, 30s);
  q.out.clear();
  q.outcome(1, offer_result::rejected);
  EXPECT_THAT(overflows(q.out, overflow_reason::max_wait), ElementsAre(1));
  EXPECT_EQ(q.desk.figures().overflowed, 2U);
}

TEST(queue_overflow, comes_when_nobody_is_there_any_more) {
  queue_rules r;
  r.stay_needs = attendance::working;
  r.without_agents = 10s;
  queue_double q{r};
  q.member(1);
  q.say(1, presence::busy);
  q.join(1);
  q.say(1, presence::paused);
  q.after(9s);
  q.say(1, presence::busy); // just in time
  q.after(9s);
  q.say(1, presence::away);
  q.after(9s);
  EXPECT_THAT(overflows(q.out, overflow_reason::no_agents), IsEmpty());
  q.after(1s);
  EXPECT_THAT(overflows(q.out, overflow_reason::no_agents), ElementsAre(1));
}

TEST(queue_reload, sends_on_who_stands_behind_the_new_end) {
  queue_double q;
  for (uint64_t call = 1; call <= 4; ++call)
    q.join(call);
  auto r = q.desk.rules();
  r.most_waiting = 2;
  q.desk.set_rules(q.now, r, q.out);
  EXPECT_THAT(overflows(q.out, overflow_reason::shrunk), ElementsAre(3, 4));
  q.out.clear();
  r.open = false;
  r.drains = true;
  q.desk.set_rules(q.now, r, q.out);
  EXPECT_THAT(all_of<overflowed>(q.out), IsEmpty());
  r.drains = false;
  q.desk.set_rules(q.now, r, q.out);
  EXPECT_THAT(overflows(q.out, overflow_reason::closed), ElementsAre(1, 2));
  EXPECT_EQ(q.desk.next_deadline(), never);
}

TEST(queue_reload, is_in_force_for_those_who_wait) {
  queue_double q;
  q.member(1, {0, 0, {}});
  q.join(1, 0, {{skill_id{1}, 1}});
  q.after(20s);
  EXPECT_THAT(q.bid_for(), IsEmpty());
  auto r = q.desk.rules();
  r.skill_steps = {{15s, {}, 0, true}};
  q.desk.set_rules(q.now, r, q.out);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
}

// --- what callers are told ---

TEST(queue_announcement, tells_position_and_expected_wait_at_its_times) {
  queue_rules r;
  r.announce_first = 5s;
  r.announce_every = 30s;
  queue_double q{r};
  q.join(1);
  q.join(2);
  q.after(5s);
  auto told = all_of<announce>(q.out);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].call, call_id{2});
  EXPECT_EQ(told[1].position, 2U);
  EXPECT_EQ(told[1].expected_wait, std::nullopt);
  q.after(5s);
  q.member(1);
  q.bid_for();
  q.take(1);
  q.out.clear();
  q.after(25s);
  told = all_of<announce>(q.out);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].position, 1U);
  // One departure after 10 s; the interval that runs, 25 s, counts as the second already.
  EXPECT_EQ(told[0].expected_wait, 17500ms);
}

TEST(wait_estimate, is_position_times_the_smoothed_interval) {
  wait_estimate e;
  time_point now{1h};
  EXPECT_EQ(e.at(now, 1), std::nullopt);
  e.departed(now); // found a free agent: says nothing
  EXPECT_EQ(e.at(now, 1), std::nullopt);
  e.begin(now);
  for (int i = 0; i < 8; ++i)
    e.departed(now += 10s);
  EXPECT_EQ(e.at(now, 3), 30s);
  e.departed(now += 2s); // 10 - 8/8
  EXPECT_EQ(e.at(now, 1), 9s);
  e.end();
  e.begin(now += 1h);
  EXPECT_EQ(e.at(now, 1), 9s) << "an idle hour is no interval";
  EXPECT_EQ(e.at(now + 17s, 1), 10s) << "it has come to a stand";
}

// --- a restart ---

TEST(queue_snapshot, keeps_places_figures_and_numbers) {
  queue_rules r;
  r.max_wait = 100s;
  queue_double q{r};
  q.member(1);
  q.join(1);
  q.bid_for();
  q.take(1);
  q.join(2);
  q.after(10s);
  q.join(3, 4, {{skill_id{1}, 30}});
  q.available(1);
  q.bid_for(); // 2 is bid for: it will wait again
  const auto kept = q.desk.snapshot();

  queue_double again{r};
  again.now = q.now + 5s;
  again.desk.restore(again.now, moved(kept, 5s), again.out);
  EXPECT_THAT(numbers(again.desk.line()), ElementsAre(3, 2));
  EXPECT_EQ(all_of<ask_status>(again.out).size(), 1U);
  EXPECT_EQ(again.desk.longest_wait(again.now), 10s) << "moved by the time that was lost";
  EXPECT_EQ(again.desk.figures(), q.desk.figures());
  again.available(1);
  again.bid_for();
  EXPECT_EQ(again.call_of(1), 2U);
  const auto after = again.desk.snapshot();
  EXPECT_GT(after.last_bid, kept.last_bid + 1) << "a bid after the snapshot has this number, too";
  again.out.clear();
  again.after(90s);
  EXPECT_THAT(overflows(again.out, overflow_reason::max_wait), ElementsAre(2))
    << "its wait began before";
}

TEST(queue_snapshot, without_its_line_takes_callers_back_one_by_one_in_their_places) {
  queue_rules r;
  r.max_wait = 100s;
  r.join_needs = attendance::logged_in; // whoever had come in is not turned away
  queue_double q{r};
  q.member(1);
  q.say(1, presence::paused);
  q.join(1);
  q.after(10s);
  q.join(2);
  q.join(3, 4);
  q.say(1, presence::away);
  const auto line = q.desk.snapshot().line;
  ASSERT_EQ(line.size(), 3U);
  auto kept = q.desk.totals();
  EXPECT_TRUE(kept.line.empty());
  EXPECT_TRUE(kept.members.empty());

  queue_double again{r};
  again.now = q.now + 5s;
  again.desk.restore(again.now, kept, again.out);
  EXPECT_EQ(again.desk.waiting(), 0U);
  for (const size_t i : {2, 0, 1, 1}) // the last one again: nothing
    again.desk.take_back(again.now, line[i], again.out);
  EXPECT_THAT(numbers(again.desk.line()), ElementsAre(3, 1, 2));
  EXPECT_EQ(again.desk.figures(), q.desk.figures()) << "they had been counted";
  EXPECT_EQ(again.desk.longest_wait(again.now), 15s);
  again.desk.leave(again.now, call_id{1}, leave_reason::withdrawn, again.out);
  EXPECT_EQ(again.desk.figures().withdrawn, 1U);
  EXPECT_EQ(again.desk.figures().longest_wait, 15s);
  again.out.clear();
  again.after(95s);
  EXPECT_THAT(overflows(again.out, overflow_reason::max_wait), UnorderedElementsAre(2, 3))
    << "their wait began before";
  EXPECT_EQ(again.desk.waiting(), 0U);
}

TEST(queue_rules, say_what_is_out_of_range) {
  queue_rules r;
  EXPECT_TRUE(r.check("support"));
  r.ring_time = 0s;
  EXPECT_EQ(r.check("support").error().to_string(),
            "support: ring_time leaves no time, expected more than 0");
  r = {};
  r.max_wait = -1s;
  EXPECT_THAT(r.check("support").error().cause, HasSubstr("max_wait"));
  r = {};
  r.tiers = {{10s, 0}, {0s, 1}};
  EXPECT_THAT(r.check("support").error().cause, HasSubstr("tiers"));
  r = {};
  r.announce_every = 10ms;
  EXPECT_THAT(r.check("support").error().cause, HasSubstr("announce_every"));
}

TEST(queue_figures, have_three_service_levels) {
  queue_figures f;
  EXPECT_EQ(f.service_level_of_answered(), std::nullopt);
  f.offered = 10;
  f.count_answered(5s, 20s);
  f.count_answered(20s, 20s); // within
  f.count_answered(35s, 20s);
  f.count_abandoned(10s, 20s);
  f.count_abandoned(60s, 20s);
  f.count_overflowed(90s);
  f.count_withdrawn(1s);
  EXPECT_DOUBLE_EQ(*f.service_level_of_answered(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(*f.service_level_of_ended(), 3.0 / 5);
  EXPECT_DOUBLE_EQ(*f.service_level_of_offered(), 2.0 / 10);
  EXPECT_EQ(f.mean_answered_wait(), 20s);
  EXPECT_EQ(f.mean_abandoned_wait(), 35s);
  EXPECT_EQ(f.longest_wait, 90s);
  auto twice = f;
  twice += f;
  EXPECT_EQ(twice.answered, 6U);
  EXPECT_EQ(twice.mean_answered_wait(), 20s);
}

} // namespace
} // namespace jackfield::policy
