#include "app/serving/embedded_centre.hpp"

#include <chrono>
#include <string>

#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/simulation/single_queue.hpp"
#include "tests/serving/callers.hpp"
#include "tests/serving/phones.hpp"

namespace jackfield::app {
namespace {

using namespace std::chrono_literals;
using tests::callers;
using tests::phones;
using transport::protocol;

simulation::centre_plan one_queue(uint32_t agents) {
  simulation::single_queue queue;
  queue.calls_per_second = 1;
  queue.agents = agents;
  queue.talk = simulation::distribution::constant(1s);
  queue.answer_within = 5s;
  return queue.plan();
}

std::unique_ptr<embedded_centre> started(const simulation::centre_plan& plan,
                                         protocol agents = protocol::udp) {
  embedded_centre::settings how;
  how.agents = agents;
  how.lanes = 2;
  how.user_agent = "test";
  return embedded_centre::start(plan, how).value();
}

/// Asks until it is so.
template <class Condition>
void wait_until(embedded_centre& centre, const Condition& holds, size_t queue = 0) {
  while (!holds(centre.ask_queues().at(queue)))
    ASSERT_EQ(centre.fault(), std::nullopt);
}

auto so_many_available(size_t wanted) {
  return [wanted](const queue_state& queue) { return queue.available == wanted; };
}
auto so_many_answered(uint64_t wanted) {
  return [wanted](const queue_state& queue) { return queue.figures.answered == wanted; };
}

class embedded_centre_of : public testing::TestWithParam<protocol> {};

TEST_P(embedded_centre_of, its_agents_take_calls_that_it_counts) {
  const auto centre = started(one_queue(2), GetParam());
  ASSERT_EQ(centre->agents().size(), 2U);
  phones agents{centre->registrar(), GetParam(), centre->agents(), centre->trusted_pem()};
  ASSERT_EQ(agents.failure(), std::nullopt);
  wait_until(*centre, so_many_available(2));
  callers caller{centre->number(), protocol::udp, 1};
  wait_until(*centre, so_many_answered(1));
  caller.hang_up();
  EXPECT_EQ(caller.counts().answered, 1U);
  wait_until(*centre, so_many_available(2));

  const auto counted = centre->stop();
  ASSERT_TRUE(counted) << counted.error().to_string();
  EXPECT_EQ(counted->calls, 1U);
  EXPECT_EQ(counted->refused, 0U);
  ASSERT_EQ(counted->queues.size(), 1U);
  const auto& figures = counted->queues.front().figures;
  EXPECT_EQ(figures.offered, 1U);
  EXPECT_EQ(figures.answered, 1U);
  EXPECT_EQ(figures.abandoned, 0U);
}

INSTANTIATE_TEST_SUITE_P(agents_over, embedded_centre_of,
                         testing::Values(protocol::udp, protocol::wss), [](const auto& with) {
                           return with.param == protocol::udp ? "udp" : "wss";
                         });

TEST(embedded_centre, stopped_hangs_up_who_talks_and_who_waits) {
  const auto centre = started(one_queue(1));
  phones agents{centre->registrar(), protocol::udp, centre->agents()};
  ASSERT_EQ(agents.failure(), std::nullopt);
  wait_until(*centre, so_many_available(1));
  callers all{centre->number(), protocol::udp, 2};
  wait_until(*centre, [](const queue_state& queue) {
    return queue.figures.answered == 1 && queue.waiting == 1;
  });

  const auto counted = centre->stop();
  ASSERT_TRUE(counted) << counted.error().to_string();
  EXPECT_EQ(all.counts().current, 0U) << "both were hung up";
  const auto& figures = counted->queues.front().figures;
  EXPECT_EQ(counted->calls, 2U);
  EXPECT_EQ(figures.offered, 2U);
  EXPECT_EQ(figures.answered, 1U);
  EXPECT_EQ(counted->queues.front().waiting, 0U);
}

TEST(embedded_centre, ends_with_calls_that_are_up) {
  auto centre = started(one_queue(1));
  phones agents{centre->registrar(), protocol::udp, centre->agents()};
  ASSERT_EQ(agents.failure(), std::nullopt);
  wait_until(*centre, so_many_available(1));
  const callers all{centre->number(), protocol::udp, 3};
  wait_until(*centre, [](const queue_state& queue) {
    return queue.figures.answered == 1 && queue.waiting == 2;
  });
  centre = nullptr;
}

TEST(embedded_centre, says_what_an_error_ended) {
  const auto centre = started(one_queue(1));
  EXPECT_EQ(centre->fault(), std::nullopt);
  caf::anon_send_exit(centre->actors().queues.front(), caf::exit_reason::kill);
  std::optional<std::string> fault;
  while (!fault)
    fault = centre->fault();
  EXPECT_EQ(fault, "an error ended the queue \"queue\": exit_reason(kill)");
  EXPECT_TRUE(centre->ask_queues().empty());
  const auto counted = centre->stop();
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().to_string(), "the contact centre: " + *fault);
  EXPECT_EQ(centre->fault(), fault);
}

TEST(embedded_centre, has_queues_by_their_numbers_with_the_rules_of_the_plan) {
  auto plan = one_queue(2);
  plan.queues.push_back(plan.queues.front());
  plan.queues.back().name = "other \"queue\"";
  plan.queues.back().rules.most_waiting = 1;
  plan.queues.back().rules.service_level_within = 1h;
  plan.queues.back().wrap_up = simulation::distribution::constant(24h);
  plan.agents.back().queues = {{1, 0, {}}};
  const auto centre = started(plan);
  phones agents{centre->registrar(), protocol::udp, centre->agents()};
  ASSERT_EQ(agents.failure(), std::nullopt);
  wait_until(*centre, so_many_available(1), 0);
  wait_until(*centre, so_many_available(1), 1);
  callers caller{centre->number(1), protocol::udp, 1};
  wait_until(*centre, so_many_answered(1), 1);
  caller.hang_up();
  EXPECT_EQ(caller.counts().answered, 1U);
  callers more{centre->number(1), protocol::udp, 2};
  wait_until(
    *centre,
    [](const queue_state& queue) {
      return queue.figures.refused == 1 && queue.waiting == 1 && queue.available == 0;
    },
    1);

  const auto counted = centre->stop();
  ASSERT_TRUE(counted) << counted.error().to_string();
  ASSERT_EQ(counted->queues.size(), 2U);
  EXPECT_EQ(counted->queues[0].figures.offered, 0U);
  EXPECT_EQ(counted->queues[1].name, "other \"queue\"");
  EXPECT_EQ(counted->queues[1].figures.answered, 1U);
  EXPECT_EQ(counted->queues[1].figures.answered_within, 1U);
  EXPECT_EQ(counted->queues[1].figures.refused, 1U);
}

TEST(embedded_centre, lets_nobody_register_with_another_password) {
  const auto centre = started(one_queue(1));
  const auto wrong = scenario::user_table::parse("wrong", "user,password\nagent-1,guessed\n");
  phones agent{centre->registrar(), protocol::udp, wrong.value()};
  EXPECT_EQ(agent.failure(), "authentication failed");
  EXPECT_EQ(centre->ask_queues().front().logged_in, 0U);
  EXPECT_TRUE(centre->stop());
}

TEST(embedded_centre, draws_a_password_for_each_agent) {
  const auto one = started(one_queue(2));
  const auto other = started(one_queue(2));
  const auto first = std::string{*one->agents().field(0, "password")};
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(first, *one->agents().field(1, "password"));
  EXPECT_NE(first, *other->agents().field(0, "password"));
  EXPECT_EQ(*one->agents().field(1, "user"), "agent-2");
}

TEST(embedded_centre, is_known_by_its_certificate_alone) {
  const auto centre = started(one_queue(1), protocol::wss);
  const auto other = started(one_queue(1), protocol::wss);
  EXPECT_THAT(centre->registrar(), testing::EndsWith(";transport=wss"));
  for (const auto& not_its_own : {std::string{}, other->trusted_pem()}) {
    phones strangers{centre->registrar(), protocol::wss, centre->agents(), not_its_own};
    EXPECT_EQ(strangers.failure(), "TLS handshake or certificate rejected");
  }
  phones agents{centre->registrar(), protocol::wss, centre->agents(), centre->trusted_pem()};
  EXPECT_EQ(agents.failure(), std::nullopt);
}

TEST(embedded_centre, over_udp_has_no_certificate) {
  EXPECT_EQ(started(one_queue(1))->trusted_pem(), "");
}

TEST(embedded_centre, refuses_what_it_would_not_play_as_it_is_planned) {
  const auto fault_of = [](const simulation::centre_plan& plan) {
    const auto made = embedded_centre::start(plan, {});
    return made ? std::string{"it started"} : made.error().to_string();
  };
  auto plan = one_queue(1);
  plan.queues.front().wrap_up = simulation::distribution::exponential(5s);
  EXPECT_EQ(fault_of(plan), "queue: has a wrap-up that is drawn, expected a constant one");
  plan = one_queue(1);
  plan.queues.front().priority = 2;
  EXPECT_EQ(fault_of(plan), "queue: has callers of priority 2, expected 0");
  plan = one_queue(1);
  plan.queues.push_back(plan.queues.front());
  EXPECT_EQ(fault_of(plan), "queue: is the name of two queues, expected one of that name");
  EXPECT_EQ(fault_of({}), "queues: expected 1 to 1000");
}

} // namespace
} // namespace jackfield::app
