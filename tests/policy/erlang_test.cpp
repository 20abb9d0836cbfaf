// The figures are those of tables computed apart from this code, by the recurrences in rational
// or 40-digit arithmetic, as far as the tables print them.

#include "engine/policy/erlang.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;

erlang_demand demand(double per_hour, duration handling, uint32_t agents, duration within = 20s) {
  return {per_hour / 3600, handling, agents, within};
}

/// The same when printed with so many decimals; the table may have cut, not rounded.
#define EXPECT_PRINTED(actual, printed, last_digit) EXPECT_NEAR(actual, printed, 0.6 * (last_digit))

struct c_row {
  double per_hour;
  duration handling;
  uint32_t agents;
  double load, p_wait, asa, asa_digit, level, occupancy, waiting, waiting_digit;
};

TEST(erlang, c_is_as_in_the_table) {
  const c_row rows[] = {
    {200, 180s, 11, 10, .6821, 122.78, .01, .3896, .9091, 6.821, .001},
    {200, 180s, 12, 10, .4494, 40.44, .01, .6402, .8333, 2.247, .001},
    {200, 180s, 14, 10, .1741, 7.836, .001, .8884, .7143, .4353, .0001},
    {360, 240s, 28, 24, .3331, 19.99, .01, .7613, .8571, 1.999, .001},
    {1000, 300s, 90, 83.3333, .3673, 16.53, .01, .7645, .9259, 4.591, .001},
    {6000, 300s, 520, 500, .2748, 4.121, .001, .9276, .9615, 6.869, .001},
    {60000, 300s, 5050, 5000, .3682, 2.209, .001, .9869, .9901, 36.82, .01},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.agents);
    const auto d = demand(row.per_hour, row.handling, row.agents);
    EXPECT_NEAR(d.offered_load(), row.load, 1e-4);
    const auto f = erlang_c(d);
    ASSERT_TRUE(f) << f.error().to_string();
    EXPECT_PRINTED(f->p_wait, row.p_wait, 1e-4);
    EXPECT_PRINTED(f->mean_wait, row.asa, row.asa_digit);
    EXPECT_EQ(f->mean_answered, f->mean_wait);
    EXPECT_PRINTED(f->within.abandoned_negative, row.level, 1e-4);
    EXPECT_PRINTED(f->occupancy, row.occupancy, 1e-4);
    EXPECT_PRINTED(f->waiting, row.waiting, row.waiting_digit);
    EXPECT_EQ(f->abandoned, 0);
  }
}

struct a_row {
  double per_hour;
  duration handling;
  uint32_t agents;
  duration patience;
  double p_wait, abandoned, wait, wait_digit, asa, asa_digit, level, occupancy;
};

TEST(erlang, a_is_as_in_the_table) {
  const a_row rows[] = {
    {200, 180s, 14, 300s, .1453, .0140, 4.195, .001, 3.878, .001, .9168, .7043},
    {200, 180s, 11, 120s, .3828, .0942, 11.30, .01, 9.783, .001, .7422, .8235},
    {200, 180s, 8, 60s, .6252, .2784, 16.70, .01, 14.07, .01, .5276, .9021},
    {1000, 300s, 84, 120s, .3828, .0494, 5.925, .001, 5.570, .001, .8473, .9431},
    {1000, 300s, 75, 120s, .6849, .1193, 14.32, .01, 14.06, .01, .6110, .9785},
    {6000, 300s, 500, 180s, .4432, .0201, 3.619, .001, 3.559, .001, .9564, .9799},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.agents);
    const auto f = erlang_a(demand(row.per_hour, row.handling, row.agents), row.patience);
    ASSERT_TRUE(f) << f.error().to_string();
    EXPECT_PRINTED(f->p_wait, row.p_wait, 1e-4);
    EXPECT_PRINTED(f->abandoned, row.abandoned, 1e-4);
    EXPECT_PRINTED(f->mean_wait, row.wait, row.wait_digit);
    EXPECT_PRINTED(f->mean_answered, row.asa, row.asa_digit);
    EXPECT_PRINTED(f->within.abandoned_negative, row.level, 1e-4);
    EXPECT_PRINTED(f->occupancy, row.occupancy, 1e-4);
  }
}

// pyworkforce's own tests: 100 calls in half an hour, 180 s, 14 agents.
TEST(erlang, gives_what_pyworkforce_gives) {
  const auto c = erlang_c(demand(200, 180s, 14, 19'800ms));
  ASSERT_TRUE(c);
  EXPECT_NEAR(c->p_wait, .17413193, 1e-8);
  EXPECT_NEAR(c->within.abandoned_negative, .8883, 1e-3);
  const auto a = erlang_a(demand(200, 180s, 14, 20s), 300s);
  ASSERT_TRUE(a);
  EXPECT_NEAR(a->p_wait, .145260114296361, 1e-13);
  EXPECT_NEAR(a->abandoned, .0139837441224089, 1e-13);
  EXPECT_NEAR(a->mean_wait, 4.19512323672268, 1e-11);
  EXPECT_NEAR(a->occupancy, .704297, 1e-6);
}

TEST(erlang, holds_at_fifty_thousand_agents) {
  EXPECT_NEAR(erlang_b(50'000, 50'000), .00355977420153609, 1e-15);
  EXPECT_NEAR(erlang_b(49'000, 50'000), 7.07444390131294e-8, 1e-19);
  const auto c = erlang_c(demand(599'000, 300s, 50'000));
  ASSERT_TRUE(c);
  EXPECT_NEAR(c->p_wait, .607627446890016, 1e-10);
  EXPECT_NEAR(c->mean_wait, 2.18745880880406, 1e-9);
  EXPECT_NEAR(c->within.abandoned_negative, .997650960815771, 1e-10);
  const auto a = erlang_a(demand(600'000, 300s, 50'000), 180s);
  ASSERT_TRUE(a);
  EXPECT_NEAR(a->p_wait, .437162192460333, 1e-10);
  EXPECT_NEAR(a->abandoned, .0020107332633258, 1e-12);
  EXPECT_NEAR(a->mean_wait, .361931987398644, 1e-9);
  // A tenth too many callers: all wait, a tenth hangs up.
  const auto over = erlang_a(demand(660'000, 300s, 50'000), 60s);
  ASSERT_TRUE(over);
  EXPECT_NEAR(over->p_wait, 1, 1e-12);
  EXPECT_NEAR(over->abandoned, 1 / 11., 1e-10);
  EXPECT_NEAR(over->mean_wait, 60 / 11., 1e-8);
  // A tenth too few: nobody waits, and no number is below nothing.
  const auto under = erlang_a(demand(540'000, 300s, 50'000), 60s);
  ASSERT_TRUE(under);
  EXPECT_NEAR(under->p_wait / 7.00624080148934e-119, 1, 1e-8);
  EXPECT_EQ(erlang_b(1000, 50'000), 0);
  EXPECT_EQ(erlang_a(demand(10, 300s, 50'000), 60s)->p_wait, 0);
}

TEST(erlang, b_is_the_share_of_calls_lost) {
  EXPECT_EQ(erlang_b(10, 0), 1);
  EXPECT_NEAR(erlang_b(10, 14), .0568191433865209, 1e-15);
  EXPECT_EQ(erlang_b(0, 3), 0);
}

TEST(erlang, a_becomes_c_where_nobody_ever_gives_up) {
  const auto d = demand(200, 180s, 12);
  const auto c = erlang_c(d);
  const auto a = erlang_a(d, std::chrono::hours{100'000});
  ASSERT_TRUE(a && c);
  EXPECT_NEAR(a->p_wait, c->p_wait, 1e-4);
  EXPECT_NEAR(a->mean_answered, c->mean_answered, 1e-2);
  EXPECT_NEAR(a->within.abandoned_negative, c->within.abandoned_negative, 1e-4);
}

TEST(erlang, knows_the_three_service_levels_apart) {
  const auto f = erlang_a(demand(200, 180s, 11), 120s);
  ASSERT_TRUE(f);
  const auto& s = f->within;
  EXPECT_LT(s.abandoned_negative, s.abandoned_ignored);
  EXPECT_LT(s.abandoned_ignored, s.abandoned_positive);
  // Who hung up within T is what the first and the last differ by, and what the second leaves out.
  const double left = s.abandoned_positive - s.abandoned_negative;
  EXPECT_NEAR(s.abandoned_ignored, s.abandoned_negative / (1 - left), 1e-12);
  EXPECT_LT(left, f->abandoned);
  // With all the time in the world all are served or gone.
  const auto ever = erlang_a(demand(200, 180s, 11, 10h), 120s);
  ASSERT_TRUE(ever);
  EXPECT_NEAR(ever->within.abandoned_negative, 1 - f->abandoned, 1e-10);
  EXPECT_NEAR(ever->within.abandoned_positive, 1, 1e-10);
  // And with none, those who find an agent free.
  const auto at_once = erlang_a(demand(200, 180s, 11, 0s), 120s);
  ASSERT_TRUE(at_once);
  EXPECT_NEAR(at_once->within.abandoned_negative, 1 - f->p_wait, 1e-12);
}

TEST(erlang, says_what_cannot_be) {
  EXPECT_EQ(erlang_c(demand(200, 180s, 10)).error().to_string(),
            "agents: the line would grow for ever, expected more than 10");
  EXPECT_EQ(erlang_c(demand(209, 180s, 9)).error().cause,
            "the line would grow for ever, expected more than 10");
  EXPECT_FALSE(erlang_c(demand(0, 180s, 10)));
  EXPECT_FALSE(erlang_c(demand(NAN, 180s, 10)));
  EXPECT_FALSE(erlang_c(demand(200, 0s, 10)));
  EXPECT_FALSE(erlang_c(demand(200, 180s, 0)));
  EXPECT_FALSE(erlang_a(demand(200, 180s, 10), 0s));
  EXPECT_FALSE(erlang_a(demand(200, 180s, 10, -1s), 60s));
}

TEST(erlang, relaxes_the_slower_the_nearer_it_is_to_its_bound) {
  const auto of = [](uint32_t agents, std::optional<duration> patience = {}) {
    return erlang_relaxation(demand(200, 180s, agents), patience);
  };
  EXPECT_NEAR(std::chrono::duration<double>(*of(11)).count(), 7555.7, .1);
  EXPECT_LT(*of(14), *of(12));
  EXPECT_FALSE(of(10)) << "of no steady state";
  EXPECT_EQ(of(10, 300s), 300s);
  EXPECT_EQ(of(8, 60s), 180s);
}

} // namespace
} // namespace jackfield::policy
