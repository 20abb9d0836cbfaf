#include "engine/simulation/simulate.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

queue_plan queue_at(std::string name, std::vector<duration> times, duration talk = 60s) {
  queue_plan queue;
  queue.name = std::move(name);
  queue.arrivals.times = std::make_shared<const std::vector<duration>>(std::move(times));
  queue.talk = distribution::constant(talk);
  return queue;
}

agent_plan agent_of(std::string name, std::initializer_list<uint32_t> queues) {
  agent_plan agent;
  agent.name = std::move(name);
  for (const auto queue : queues)
    agent.queues.push_back({queue, 0, {}});
  return agent;
}

struct played {
  simulation_figures figures;
  std::vector<call_outcome> calls; ///< by number, then attempt

  [[nodiscard]] const call_outcome& call(uint64_t number, uint32_t attempt = 0) const {
    const auto at = std::ranges::find_if(
      calls, [&](const auto& c) { return c.number == number && c.attempt == attempt; });
    EXPECT_NE(at, calls.end()) << "no call " << number << ", attempt " << attempt;
    return *at;
  }
};

played play(const centre_plan& plan, simulation_options options = {}) {
  EXPECT_TRUE(plan.check()) << plan.check().error().to_string();
  played all;
  all.figures =
    simulate(plan, options, [&](const call_outcome& each) { all.calls.push_back(each); });
  std::ranges::sort(all.calls, {}, [](const auto& c) { return std::pair{c.number, c.attempt}; });
  return all;
}

TEST(simulate, serves_callers_in_order) {
  centre_plan plan;
  plan.queues = {queue_at("a", {10s, 20s, 30s})};
  plan.agents = {agent_of("x", {0})};
  const auto all = play(plan);
  ASSERT_EQ(all.calls.size(), 3U);
  const call_outcome second{2, 0, 20s, 0, 0, 70s, 130s, call_end::served};
  EXPECT_EQ(all.calls[1], second);
  EXPECT_EQ(all.call(3).answered, 130s);
  const auto& c = all.figures.all;
  EXPECT_EQ(c.offered, 3U);
  EXPECT_EQ(c.answered, 3U);
  EXPECT_EQ(c.had_to_wait, 2U);
  EXPECT_EQ(c.answered_within, 1U); // 0 s, 50 s and 100 s
  EXPECT_DOUBLE_EQ(*c.asa(), 50);
  EXPECT_EQ(c.longest_wait, 100s);
  EXPECT_DOUBLE_EQ(*c.aht(), 60);
  EXPECT_EQ(all.figures.queues[0].counts, c);
  EXPECT_EQ(all.figures.queues[0].answered_waits.max(), 100'000'000U);
}

TEST(simulate, counts_agents_time_by_what_they_do) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s, 100s}, 60s)};
  plan.queues[0].wrap_up = distribution::constant(20s);
  plan.agents = {agent_of("x", {0})};
  plan.agents[0].shifts = {{0s, 1000s}};
  plan.agents[0].breaks = {{{500s, 700s}, "lunch"}};
  const auto all = play(plan);
  const auto& staff = all.figures.staff;
  EXPECT_EQ(staff.of(policy::agent_state::in_call), 120s);
  EXPECT_EQ(staff.of(policy::agent_state::wrap_up), 40s);
  EXPECT_EQ(staff.of(policy::agent_state::paused), 200s);
  EXPECT_EQ(staff.staffed(), 800s);
  EXPECT_DOUBLE_EQ(*staff.occupancy(), 0.2);
  EXPECT_EQ(all.figures.measured, 1000s);
  EXPECT_DOUBLE_EQ(*all.figures.all.aht(), 80);
}

TEST(simulate, has_callers_hang_up_when_their_patience_is_over) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s, 10s, 12s}, 60s)};
  plan.queues[0].patience = distribution::constant(15s);
  plan.agents = {agent_of("x", {0})};
  const auto all = play(plan);
  EXPECT_EQ(all.call(2).how, call_end::abandoned);
  EXPECT_EQ(all.call(2).ended, 25s);
  EXPECT_FALSE(all.call(2).answered);
  const auto& c = all.figures.all;
  EXPECT_EQ(c.abandoned, 2U);
  EXPECT_EQ(c.abandoned_within, 2U);
  EXPECT_DOUBLE_EQ(*c.share_abandoned(), 2 / 3.);
  const auto levels = *c.levels();
  EXPECT_DOUBLE_EQ(levels.abandoned_negative, 1 / 3.);
  EXPECT_DOUBLE_EQ(levels.abandoned_ignored, 1);
  EXPECT_DOUBLE_EQ(levels.abandoned_positive, 1);
}

TEST(simulate, has_some_call_again) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s, 10s}, 60s)};
  plan.queues[0].patience = distribution::constant(15s);
  plan.queues[0].redials = {1, distribution::constant(20s), 2};
  plan.agents = {agent_of("x", {0})};
  const auto all = play(plan);
  EXPECT_EQ(all.call(2, 0).ended, 25s);
  EXPECT_EQ(all.call(2, 1).came, 45s);
  EXPECT_EQ(all.call(2, 1).how, call_end::served);
  EXPECT_EQ(all.call(2, 1).answered, 60s);
  EXPECT_EQ(all.figures.all.offered, 3U);
  // Not for ever.
  plan.agents[0].shifts = {{1h, 2h}};
  const auto nobody = play(plan);
  EXPECT_EQ(nobody.call(2, 2).how, call_end::abandoned);
  EXPECT_EQ(nobody.calls.size(), 6U);
}

TEST(simulate, rings_on_where_an_agent_does_not_answer) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s}, 60s)};
  plan.queues[0].rules.ring_time = 12s;
  plan.agents = {agent_of("deaf", {0}), agent_of("slow", {0})};
  plan.agents[0].no_answer = 1;
  plan.agents[1].answers_after = distribution::constant(3s);
  const auto all = play(plan);
  EXPECT_EQ(all.call(1).agent, 1U);
  EXPECT_EQ(all.call(1).answered, 15s);
  // It was rung at once: it had not to wait for somebody to be free.
  EXPECT_EQ(all.figures.all.had_to_wait, 0U);
  // Whoever takes longer than the phone rings has not answered.
  plan.agents[1].answers_after = distribution::constant(12s);
  plan.agents[0].no_answer = 0;
  plan.agents[0].shifts = {{1min, 2min}};
  EXPECT_EQ(play(plan).call(1).agent, 0U);
}

TEST(simulate, keeps_to_shifts) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s, 590s, 650s}, 60s)};
  plan.agents = {agent_of("early", {0}), agent_of("late", {0})};
  plan.agents[0].shifts = {{100s, 600s}};
  plan.agents[1].shifts = {{700s, 900s}};
  const auto all = play(plan);
  EXPECT_EQ(all.call(1).answered, 100s);
  EXPECT_EQ(all.call(2).agent, 0U);
  EXPECT_EQ(all.call(2).ended, 650s) << "a shift's end cuts no call";
  EXPECT_EQ(all.call(3).answered, 700s);
  EXPECT_EQ(all.call(3).agent, 1U);
}

TEST(simulate, says_who_waits_still_when_nobody_comes) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s, 700s}, 60s)};
  plan.agents = {agent_of("x", {0})};
  plan.agents[0].shifts = {{0s, 600s}};
  plan.agents[0].failures =
    failure_plan{distribution::constant(1h), distribution::constant(1h)}; // for ever, by itself
  const auto all = play(plan);
  EXPECT_EQ(all.call(2).how, call_end::still_waiting);
  EXPECT_EQ(all.figures.all.waiting, 1U);
}

TEST(simulate, ends_the_call_of_an_agent_whose_phone_fails) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s, 20s}, 60s)};
  plan.agents = {agent_of("x", {0})};
  plan.agents[0].failures = failure_plan{distribution::constant(50s), distribution::constant(100s)};
  const auto all = play(plan);
  EXPECT_EQ(all.call(1).how, call_end::agent_failed);
  EXPECT_EQ(all.call(1).ended, 50s);
  EXPECT_EQ(all.call(2).answered, 150s) << "once it is back";
}

TEST(simulate, brings_callers_to_agents_with_their_skills) {
  const policy::skill_id french{1};
  centre_plan plan;
  plan.queues = {queue_at("french", {0s, 1s}, 60s)};
  plan.queues[0].rules.wants = {{french, 50}};
  plan.agents = {agent_of("none", {0}), agent_of("little", {0}), agent_of("well", {0})};
  plan.agents[1].queues[0].as.skills = {{french, 20}};
  plan.agents[2].queues[0].as.skills = {{french, 90}};
  const auto strict = play(plan);
  EXPECT_EQ(strict.call(1).agent, 2U);
  EXPECT_EQ(strict.call(2).answered, 60s) << "waits for the one who can";
  plan.queues[0].rules.skill_steps = {{10s, {}, 30, false}};
  const auto content_with_less = play(plan);
  EXPECT_EQ(content_with_less.call(2).agent, 1U);
  EXPECT_EQ(content_with_less.call(2).answered, 11s);
}

TEST(simulate, sends_callers_on_to_another_queue) {
  centre_plan plan;
  plan.queues = {queue_at("first", {0s, 1s, 2s}, 600s), queue_at("second", {}, 30s)};
  plan.queues[0].rules.max_wait = 20s;
  plan.queues[0].rules.overflow_to.max_wait = "second";
  plan.agents = {agent_of("x", {0}), agent_of("y", {1})};
  const auto all = play(plan);
  EXPECT_EQ(all.call(2).queue, 1U);
  EXPECT_EQ(all.call(2).agent, 1U);
  EXPECT_EQ(all.call(2).answered, 21s);
  EXPECT_EQ(all.call(2).ended, 51s) << "talks as one of that queue";
  EXPECT_EQ(all.call(3).answered, 51s);
  const auto& first = all.figures.queues[0].counts;
  const auto& second = all.figures.queues[1].counts;
  EXPECT_EQ(first.offered, 3U);
  EXPECT_EQ(first.overflowed, 2U);
  EXPECT_EQ(second.offered, 2U);
  EXPECT_EQ(second.answered, 2U);
  EXPECT_EQ(all.figures.all.offered, 3U) << "each caller once";
  EXPECT_EQ(all.figures.all.answered, 3U);
  EXPECT_EQ(all.figures.all.overflowed, 0U);
  EXPECT_EQ(all.figures.all.longest_wait, 49s) << "since it came, not since it came to this queue";
}

TEST(simulate, turns_away_who_is_not_let_in) {
  centre_plan plan;
  plan.queues = {queue_at("a", {0s, 1s, 2s}, 60s), queue_at("b", {}, 60s)};
  plan.queues[0].rules.most_waiting = 1;
  plan.agents = {agent_of("x", {0})};
  const auto refused = play(plan);
  EXPECT_EQ(refused.call(3).how, call_end::refused);
  EXPECT_EQ(refused.figures.all.refused, 1U);
  EXPECT_EQ(refused.figures.all.offered, 2U);
  // To a queue that sends it back, and so on: not for ever.
  plan.queues[0].rules.overflow_to.shrunk = "b";
  plan.queues[1].rules.open = false;
  plan.queues[1].rules.overflow_to.closed = "a";
  const auto round = play(plan);
  EXPECT_EQ(round.call(3).how, call_end::refused);
  EXPECT_EQ(round.figures.all.refused, 1U);
}

/// Three queues, skills, overflow, wrap-up, breaks, no-answers, redials, failures and a peak.
centre_plan busy_day() {
  centre_plan plan;
  for (const auto* name : {"sales", "support", "billing"}) {
    auto& queue = plan.queues.emplace_back();
    queue.name = name;
    queue.arrivals.interval = 30min;
    queue.arrivals.per_interval = {20, 60, 90, 60, 50, 30};
    queue.talk = distribution::lognormal(200s, 0.8);
    queue.wrap_up = distribution::exponential(20s);
    queue.patience = distribution::weibull(180s, 1.3);
    queue.redials.share = 0.3;
    queue.rules.max_wait = 90s;
  }
  plan.queues[0].rules.overflow_to.max_wait = "support";
  plan.queues[2].rules.most_waiting = 5;
  plan.queues[2].rules.wants = {{policy::skill_id{1}, 50}};
  plan.queues[2].rules.skill_steps = {{60s, {}, 0, true}};
  for (uint32_t i = 0; i < 24; ++i) {
    auto& agent = plan.agents.emplace_back(agent_of("agent " + std::to_string(i), {i % 3}));
    if (i % 4 == 0)
      agent.queues.push_back({(i + 1) % 3, 0, {}});
    for (auto& part : agent.queues)
      part.as.skills = {{policy::skill_id{1}, static_cast<uint8_t>(20 + 10 * (i % 8))}};
    agent.answers_after = distribution::exponential(4s);
    agent.no_answer = 0.05;
    agent.shifts = {{i % 2 == 0 ? duration{0min} : duration{15min}, 190min}};
    agent.breaks = {{{60min + i * 1min, 75min + i * 1min}, "break"}};
    if (i % 5 == 0)
      agent.failures = failure_plan{distribution::exponential(1h), distribution::constant(40s)};
  }
  return plan;
}

TEST(simulate, is_the_same_for_the_same_seed) {
  const auto plan = busy_day();
  const auto one = play(plan, {.seed = 3});
  const auto again = play(plan, {.seed = 3});
  EXPECT_EQ(one.calls, again.calls);
  EXPECT_EQ(one.figures.all, again.figures.all);
  EXPECT_EQ(one.figures.staff, again.figures.staff);
  EXPECT_NE(play(plan, {.seed = 4}).calls, one.calls);
}

TEST(simulate, loses_nobody_on_a_busy_day) {
  const auto plan = busy_day();
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    const auto all = play(plan, {.seed = seed, .interval = 30min});
    std::map<call_end, uint64_t> ends;
    std::map<uint32_t, duration> busy_until;
    auto by_answer = all.calls;
    std::erase_if(by_answer, [](const auto& c) { return !c.answered; });
    std::ranges::sort(by_answer, {}, &call_outcome::answered);
    for (const auto& c : by_answer) {
      EXPECT_GE(*c.answered, busy_until[*c.agent]) << "an agent talks to two callers";
      busy_until[*c.agent] = c.ended;
      const auto& agent = plan.agents[*c.agent];
      EXPECT_GE(*c.answered, agent.shifts[0].from) << "before its shift";
      // What rings when a break begins may be answered still.
      const auto ring_time = plan.queues[c.queue].rules.ring_time;
      EXPECT_TRUE(*c.answered < agent.breaks[0].when.from + ring_time ||
                  *c.answered >= agent.breaks[0].when.to)
        << "in its break";
      EXPECT_TRUE(
        std::ranges::any_of(agent.queues, [&](const auto& part) { return part.queue == c.queue; }))
        << "is no member";
    }
    for (const auto& c : all.calls)
      ++ends[c.how];
    const auto& sum = all.figures.all;
    EXPECT_EQ(sum.offered, sum.answered + sum.abandoned + sum.overflowed + sum.waiting);
    EXPECT_EQ(sum.answered, ends[call_end::served] + ends[call_end::agent_failed]);
    EXPECT_EQ(sum.abandoned, ends[call_end::abandoned]);
    EXPECT_EQ(sum.waiting, ends[call_end::still_waiting]);
    EXPECT_EQ(sum.overflowed + sum.refused, ends[call_end::overflowed] + ends[call_end::refused]);
    for (const auto how : {call_end::served, call_end::abandoned, call_end::overflowed,
                           call_end::refused, call_end::agent_failed})
      EXPECT_GT(ends[how], 0U) << "nothing of kind " << static_cast<int>(how) << " was tried";
    // What is told by intervals is all that there was.
    std::vector<service_counts> queues(3);
    staff_time staff;
    for (const auto& interval : all.figures.intervals) {
      staff += interval.staff;
      for (size_t q = 0; q < queues.size(); ++q)
        queues[q] += interval.queues[q];
    }
    EXPECT_EQ(staff, all.figures.staff);
    for (size_t q = 0; q < queues.size(); ++q) {
      const auto& counts = all.figures.queues[q].counts;
      EXPECT_EQ(queues[q], counts);
      EXPECT_EQ(counts.offered,
                counts.answered + counts.abandoned + counts.overflowed + counts.waiting);
    }
  }
}

TEST(simulate, has_the_same_callers_whoever_serves_them) {
  auto plan = busy_day();
  for (auto& queue : plan.queues)
    queue.redials.share = 0;
  const auto some = play(plan);
  plan.agents.resize(12);
  const auto fewer = play(plan);
  ASSERT_EQ(some.calls.size(), fewer.calls.size());
  size_t both = 0;
  for (size_t i = 0; i < some.calls.size(); ++i) {
    const auto& a = some.calls[i];
    const auto& b = fewer.calls[i];
    EXPECT_EQ(a.came, b.came);
    if (a.how != call_end::served || b.how != call_end::served || a.queue != b.queue)
      continue;
    EXPECT_EQ(a.ended - *a.answered, b.ended - *b.answered) << "talks for another time";
    ++both;
  }
  EXPECT_GT(both, 100U);
}

TEST(simulate, leaves_out_what_warms_up) {
  centre_plan plan;
  plan.queues = {queue_at("a", {})};
  plan.queues[0].arrivals = arrival_plan::steady(0.1);
  plan.agents = {agent_of("x", {0}), agent_of("y", {0}), agent_of("z", {0}), agent_of("w", {0}),
                 agent_of("v", {0}), agent_of("u", {0}), agent_of("t", {0})};
  const auto all = play(plan, {.seed = 1, .warm_up = 50, .calls = 100});
  EXPECT_EQ(all.calls.size(), 150U) << "they are told";
  EXPECT_EQ(all.figures.all.offered, 100U) << "and not counted";
  EXPECT_EQ(all.figures.measured, all.call(150).came - all.call(51).came);
  duration time{};
  for (const auto each : all.figures.staff.in)
    time += each;
  EXPECT_EQ(time, 7 * all.figures.measured);
}

} // namespace
} // namespace jackfield::simulation
