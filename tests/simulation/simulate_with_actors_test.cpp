#include "actors/simulation/simulate_with_actors.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

constexpr policy::skill_id german{1};
constexpr policy::skill_id billing{2};

queue_plan queue_named(std::string name, double per_second, policy::strategy picks) {
  queue_plan queue;
  queue.name = std::move(name);
  queue.arrivals = arrival_plan::steady(per_second);
  queue.rules.picks = picks;
  queue.rules.ring_time = 15s;
  queue.rules.join_needs = policy::attendance::logged_in;
  queue.talk = distribution::lognormal(2min, 0.8);
  queue.patience = distribution::exponential(3min);
  return queue;
}

/// Three queues and what can happen in them: skills of which less is wanted as a caller waits,
/// tiers, overflow, wrap-up that is drawn and that is not, phones that are not answered and that
/// fail, patience, redials, shifts that end, breaks.
centre_plan a_busy_centre() {
  centre_plan plan;
  plan.queues.push_back(queue_named("sales", 0.20, policy::strategy::longest_idle));
  plan.queues.push_back(queue_named("support", 0.25, policy::strategy::fewest_calls));
  plan.queues.push_back(queue_named("help", 0.10, policy::strategy::random));
  auto& sales = plan.queues[0];
  auto& support = plan.queues[1];
  auto& help = plan.queues[2];
  sales.rules.max_wait = 2min;
  sales.rules.overflow_to.max_wait = "help";
  sales.rules.overflow_to.no_agents = "help";
  sales.wrap_up = distribution::exponential(20s);
  sales.priority = 1;
  support.rules.wants = {{german, 60}};
  support.rules.skill_steps = {{20s, german, 30, false}, {60s, german, 0, true}};
  support.rules.most_waiting = 20;
  support.rules.overflow_to.shrunk = "help";
  support.wrap_up = distribution::constant(15s);
  support.redials = {0.3, distribution::exponential(2min), 2};
  help.rules.tiers = {{0s, 0}, {30s, 1}};
  help.talk = distribution::exponential(90s);
  for (uint32_t i = 0; i < 70; ++i) {
    agent_plan agent;
    agent.name = "agent" + std::to_string(i);
    const policy::membership part{
      static_cast<uint16_t>(i % 2), i, {{german, static_cast<uint8_t>(20 + i)}, {billing, 50}}};
    agent.queues.push_back({i % 3, static_cast<int32_t>(i % 2), part});
    if (i % 4 == 0)
      agent.queues.push_back({(i + 1) % 3, 1, part});
    agent.no_answer = i % 5 == 0 ? 0.1 : 0.02;
    agent.answers_after = distribution::exponential(3s);
    agent.rules.most_unanswered = i % 7 == 0 ? 3 : 0;
    if (i % 6 == 0) {
      for (int day = 0; day < 40; ++day) {
        agent.shifts.push_back({24h * day + 6h, 24h * day + 22h});
        agent.breaks.push_back({{24h * day + 12h, 24h * day + 12h + 30min}, "lunch"});
      }
    }
    if (i % 9 == 1)
      agent.failures = failure_plan{distribution::exponential(3h), distribution::exponential(5min)};
    plan.agents.push_back(std::move(agent));
  }
  return plan;
}

std::string text_of(const call_outcome& c) {
  return std::to_string(c.number) + "." + std::to_string(c.attempt) + " queue " +
         std::to_string(c.queue) + " agent " + (c.agent ? std::to_string(*c.agent) : "none") +
         " came " + std::to_string(c.came.count()) + " answered " +
         (c.answered ? std::to_string(c.answered->count()) : "never") + " ended " +
         std::to_string(c.ended.count()) + " how " + std::to_string(static_cast<int>(c.how));
}

class twins : public testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(seeds, twins, testing::Range<uint64_t>(1, 11));

/// A queue whose agents' breaks begin and end each half minute: just when who did not answer a call
/// that came to it after a break has rested, for the 20 s of the phone and 10 s more.
centre_plan a_centre_by_the_clock() {
  centre_plan plan;
  auto& queue = plan.queues.emplace_back();
  queue.name = "support";
  queue.arrivals.per_interval.assign(4, 800);
  queue.rules.ring_time = 20s;
  queue.talk = distribution::lognormal(300s, 0.9);
  queue.wrap_up = distribution::exponential(45s);
  queue.patience = distribution::exponential(240s);
  for (uint32_t i = 0; i < 160; ++i) {
    auto& agent = plan.agents.emplace_back();
    agent.name = "agent" + std::to_string(i);
    agent.queues.push_back({});
    agent.no_answer = 0.1;
    agent.answers_after = distribution::exponential(3s);
    agent.shifts = {{0s, 2h}};
    agent.breaks = {{{20min + i * 30s, 35min + i * 30s}, "tea"}};
  }
  return plan;
}

/// What plans a centre decides as what serves it.
TEST_P(twins, policies_and_actors_give_each_call_the_same_beginning_agent_and_end) {
  const auto plan = a_busy_centre();
  ASSERT_TRUE(plan.check()) << plan.check().error().to_string();
  simulation_options options;
  options.seed = GetParam();
  options.calls = 100'000;
  options.interval = 1h;
  std::vector<call_outcome> policies;
  std::vector<call_outcome> actors;
  const auto planned =
    simulate(plan, options, [&](const call_outcome& each) { policies.push_back(each); });
  const auto served =
    simulate_with_actors(plan, options, [&](const call_outcome& each) { actors.push_back(each); });
  ASSERT_TRUE(planned);
  ASSERT_TRUE(served);
  ASSERT_GE(policies.size(), 100'000U);
  EXPECT_EQ(policies.size(), actors.size());
  for (size_t i = 0; i < std::min(policies.size(), actors.size()); ++i)
    ASSERT_EQ(text_of(policies[i]), text_of(actors[i]))
      << "call " << i << " of those that are over";
  EXPECT_EQ(planned->all, served->all);
  EXPECT_EQ(planned->staff, served->staff);
  EXPECT_EQ(planned->measured, served->measured);
  // Everything that is in the plan happened.
  const auto& all = planned->all;
  EXPECT_GT(all.answered, 60'000U);
  EXPECT_GT(all.abandoned, 1'000U);
  EXPECT_GT(all.had_to_wait, 10'000U);
  for (const auto how : {call_end::served, call_end::agent_failed, call_end::abandoned})
    EXPECT_GT(std::ranges::count(policies, how, &call_outcome::how), 10) << static_cast<int>(how);
  EXPECT_GT(std::ranges::count_if(policies, [](const auto& c) { return c.attempt > 0; }), 100);
  EXPECT_GT(std::ranges::count_if(
              policies, [](const auto& c) { return c.queue == 2 && c.how == call_end::served; }),
            1'000);
}

TEST_P(twins, take_what_falls_on_one_time_in_the_same_order) {
  const auto plan = a_centre_by_the_clock();
  ASSERT_TRUE(plan.check()) << plan.check().error().to_string();
  simulation_options options;
  options.seed = GetParam();
  options.interval = 1h;
  std::vector<std::string> policies;
  std::vector<std::string> actors;
  const auto planned =
    simulate(plan, options, [&](const auto& each) { policies.push_back(text_of(each)); });
  const auto served =
    simulate_with_actors(plan, options, [&](const auto& each) { actors.push_back(text_of(each)); });
  ASSERT_TRUE(planned && served);
  ASSERT_GE(policies.size(), 2'500U);
  EXPECT_EQ(policies.size(), actors.size());
  for (size_t i = 0; i < std::min(policies.size(), actors.size()); ++i)
    ASSERT_EQ(policies[i], actors[i]) << "call " << i << " of those that are over";
  EXPECT_EQ(planned->all, served->all);
  EXPECT_EQ(planned->staff, served->staff);
}

} // namespace
} // namespace jackfield::simulation
