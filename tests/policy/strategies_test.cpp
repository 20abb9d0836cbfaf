#include <map>
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
using testing::IsEmpty;
using testing::UnorderedElementsAre;

queue_rules picking(strategy s) {
  queue_rules r;
  r.picks = s;
  return r;
}

struct strategy_case {
  strategy picks;
  /// Who is bid for by six callers, one after the other, each agent being available again as soon
  /// as its call is taken, and a second later.
  std::vector<uint64_t> picked;
};

class strategies : public testing::TestWithParam<strategy_case> {};

// Agents 1 .. 3, available since a second after each other, with talk times 30, 10 and 20 s, calls
// 1, 3 and 2, and positions 3, 2, 1.
TEST_P(strategies, pick_in_their_order) {
  queue_double q{picking(GetParam().picks)};
  for (uint64_t agent = 1; agent <= 3; ++agent) {
    q.status(agent).talk_time = std::vector{0s, 30s, 10s, 20s}[agent];
    q.status(agent).answered_calls = std::vector<uint64_t>{0, 1, 3, 2}[agent];
    q.member(agent, {0, static_cast<uint32_t>(4 - agent), {}});
    q.after(1s);
  }
  std::vector<uint64_t> picked;
  for (uint64_t call = 1; call <= 6; ++call) {
    ASSERT_TRUE(q.join(call));
    const auto agents = q.bid_for();
    ASSERT_EQ(agents.size(), 1U);
    picked.push_back(agents.front());
    q.take(agents.front());
    q.status(agents.front()).talk_time += 8s;
    ++q.status(agents.front()).answered_calls;
    q.after(1s);
    q.available(agents.front());
  }
  EXPECT_EQ(picked, GetParam().picked) << to_string(GetParam().picks);
}

INSTANTIATE_TEST_SUITE_P(
  each, strategies,
  testing::Values(strategy_case{strategy::longest_idle, {1, 2, 3, 1, 2, 3}},
                  strategy_case{strategy::round_robin, {3, 2, 1, 3, 2, 1}},
                  strategy_case{strategy::top_down, {3, 3, 3, 3, 3, 3}},
                  strategy_case{strategy::least_talk_time, {2, 2, 3, 2, 3, 1}},
                  // 1, 3, 2 calls: agent 1 to 2; then 3 by its position, then 1, ...
                  strategy_case{strategy::fewest_calls, {1, 3, 1, 3, 2, 1}}));

TEST(strategy_ring_all, bids_for_all_and_the_first_to_answer_has_the_call) {
  queue_double q{picking(strategy::ring_all)};
  for (uint64_t agent = 1; agent <= 3; ++agent)
    q.member(agent);
  q.join(1);
  EXPECT_THAT(q.bid_for(), ElementsAre(1, 2, 3));
  q.grant(1);
  q.grant(2);
  q.grant(3);
  EXPECT_EQ(all_of<to_agent<offer>>(q.out).size(), 3U);
  q.out.clear();
  q.outcome(2, offer_result::answered);
  const auto gone = all_of<assigned>(q.out);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].agent, agent_id{2});
  std::vector<uint64_t> withdrawn;
  for (const auto& w : all_of<to_agent<withdrawal>>(q.out)) {
    EXPECT_EQ(w.what.why, withdrawal_reason::answered_elsewhere);
    withdrawn.push_back(static_cast<uint64_t>(w.agent));
  }
  EXPECT_THAT(withdrawn, UnorderedElementsAre(1, 3));
  // AST#176: a call answered by two agents. The second has been too slow.
  q.out.clear();
  q.outcome(3, offer_result::answered);
  EXPECT_THAT(all_of<assigned>(q.out), IsEmpty());
  EXPECT_EQ(all_of<to_agent<withdrawal>>(q.out).size(), 1U);
}

TEST(strategy_ring_all, rings_who_becomes_available_meanwhile) {
  queue_double q{picking(strategy::ring_all)};
  q.member(1);
  q.join(1);
  q.bid_for();
  q.grant(1);
  q.member(2);
  EXPECT_THAT(q.bid_for(), ElementsAre(2));
  EXPECT_EQ(q.call_of(2), 1U);
}

TEST(strategy_random, picks_each_alike_and_again_with_its_seed) {
  const auto draw = [](uint64_t seed) {
    queue_double q{picking(strategy::random), seed};
    for (uint64_t agent = 1; agent <= 4; ++agent)
      q.member(agent);
    std::vector<uint64_t> picked;
    for (uint64_t call = 1; call <= 4000; ++call) {
      q.join(call);
      picked.push_back(q.bid_for().at(0));
      q.take(picked.back());
      q.available(picked.back());
    }
    return picked;
  };
  const auto once = draw(5);
  EXPECT_EQ(once, draw(5));
  EXPECT_NE(once, draw(6));
  std::map<uint64_t, int> counts;
  for (const auto agent : once)
    ++counts[agent];
  for (const auto& [agent, count] : counts)
    EXPECT_NEAR(count, 1000, 140) << "agent " << agent; // 5 standard deviations
}

TEST(strategies_with_skills, look_on_in_their_order) {
  for (const auto s : {strategy::longest_idle, strategy::round_robin, strategy::random,
                       strategy::top_down, strategy::ring_all}) {
    queue_double q{picking(s)};
    q.member(1, {0, 1, {{skill_id{1}, 80}}});
    q.member(2, {0, 2, {{skill_id{2}, 40}}});
    q.member(3, {0, 3, {{skill_id{2}, 80}}});
    q.join(1, 0, {{skill_id{2}, 50}});
    EXPECT_THAT(q.bid_for(), ElementsAre(3)) << to_string(s);
  }
}

TEST(strategy_round_robin, goes_on_after_a_restart) {
  queue_double q{picking(strategy::round_robin)};
  for (uint64_t agent = 1; agent <= 3; ++agent)
    q.member(agent);
  q.join(1);
  EXPECT_THAT(q.bid_for(), ElementsAre(1));
  q.take(1);
  queue_double again{picking(strategy::round_robin)};
  again.desk.restore(again.now, q.desk.snapshot(), again.out);
  for (uint64_t agent = 1; agent <= 3; ++agent)
    again.available(agent);
  again.bid_for();
  again.join(2);
  EXPECT_THAT(again.bid_for(), ElementsAre(2));
}

TEST(strategy_names, are_read_as_they_are_written) {
  for (int i = 0; i <= static_cast<int>(strategy::random); ++i)
    EXPECT_EQ(strategy_of(to_string(static_cast<strategy>(i))), static_cast<strategy>(i));
  EXPECT_EQ(strategy_of("linear"), std::nullopt);
}

} // namespace
} // namespace jackfield::policy
