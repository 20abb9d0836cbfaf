#include <map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/live/live_day.hpp"
#include "engine/simulation/call_samples.hpp"
#include "tests/live/plain_queue.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using policy::agent_state;
using simulation::call_end;
using simulation::distribution;

TEST(live_phones, a_strangers_call_keeps_an_agent_busy) {
  played_day day{1};
  day.come({0ms, 200ms});
  caf::actor_id call = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    if (ticket == 1) {
      pbx.gone(ticket); // so that it is nobody's turn
      call = pbx.ring(0, "4930123456");
      pbx.talks(0, call);
      return;
    }
    pbx.free(0, call);
    call = pbx.connect(0, ticket);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.free(0, call);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_EQ(day.result.strangers, 1U);
  EXPECT_EQ(day.result.matched, 1U);
  EXPECT_EQ(day.counts().answered, 1U);
  EXPECT_EQ(day.counts().had_to_wait, 1U) << "the only agent was busy when it came";
  day.expect_sums();
}

TEST(live_phones, a_phone_that_rings_for_a_caller_who_has_gone_rings_for_no_other) {
  played_day day{1};
  day.come({0ms, 1ms});
  caf::actor_id call = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    if (ticket == 1) {
      pbx.gone(1);
      return;
    }
    pbx.answered(2);
    const auto late = pbx.connect(0, 1);
    pbx.free(0, late);
    call = pbx.connect(0, 2);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.free(0, call);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_EQ(day.ended(call_end::refused), 1U);
  EXPECT_EQ(day.ended(call_end::served), 1U);
  EXPECT_EQ(day.result.matched, 2U);
  EXPECT_EQ(day.result.in_order + day.result.strangers, 0U);
  day.expect_sums();
}

TEST(live_phones, who_answers_first_of_all_that_ring_has_the_caller) {
  played_day day{3};
  day.come(every(1ms, 1));
  caf::actor_id calls[3] = {};
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    for (size_t user = 0; user < 3; ++user)
      calls[user] = pbx.ring(user, ticket);
    pbx.talks(1, calls[1]);
    pbx.answered(ticket);
    pbx.talks(2, calls[2]); // at the same moment: the PBX hangs up there
    pbx.free(0, calls[0]);  // and cancels there
    pbx.free(2, calls[2]);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.free(1, calls[1]);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_EQ(day.result.matched, 3U) << "offers";
  EXPECT_EQ(day.counts().answered, 1U);
  EXPECT_EQ(day.ended(call_end::served), 1U);
  EXPECT_EQ(day.result.calls.at(0).agent, 1U);
  EXPECT_EQ(day.counts().had_to_wait, 0U);
  day.expect_sums();
}

TEST(live_phones, one_phone_that_stops_leaves_a_caller_that_another_rings_for) {
  played_day day{3};
  day.come({0ms, 5ms});
  caf::actor_id both[2] = {};
  caf::actor_id other = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    if (ticket == 1) { // two ring, one of them stops
      both[0] = pbx.ring(0, ticket);
      both[1] = pbx.ring(1, ticket);
      pbx.free(0, both[0]);
      return;
    }
    other = pbx.ring(2, "anonymous"); // for the second: the first has a phone
    pbx.talks(2, other);
    pbx.talks(1, both[1]);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.free(ticket == 1 ? 1 : 2, ticket == 1 ? both[1] : other);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_EQ(day.ended(call_end::served), 2U);
  std::map<uint64_t, uint32_t> agents;
  for (const auto& call : day.result.calls)
    agents[call.number] = call.agent.value_or(99);
  EXPECT_EQ(agents, (std::map<uint64_t, uint32_t>{{1, 1}, {2, 2}}));
  EXPECT_EQ(day.counts().had_to_wait, 0U);
  day.expect_sums();
}

TEST(live_phones, a_phone_that_rings_in_vain_is_free_again) {
  played_day day{1};
  day.come({0ms, 200ms});
  caf::actor_id call = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    if (ticket == 1) {
      call = pbx.ring(0, ticket);
      pbx.after(2ms, [&pbx] { pbx.gone(1, true); });
      pbx.free(0, call);
      return;
    }
    call = pbx.connect(0, ticket);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.free(0, call);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_EQ(day.counts().overflowed, 1U);
  EXPECT_EQ(day.counts().answered, 1U);
  EXPECT_EQ(day.counts().had_to_wait, 0U) << "it was free when the second came";
  day.expect_sums();
}

TEST(live_phones, a_caller_for_whom_a_phone_rang_in_vain_is_due_again) {
  played_day day{2};
  day.come(every(1ms, 1));
  caf::actor_id call = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    pbx.free(0, pbx.ring(0, "anonymous"));
    call = pbx.ring(1, "anonymous");
    pbx.talks(1, call);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.free(1, call);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_EQ(day.result.in_order, 2U);
  EXPECT_EQ(day.result.strangers, 0U);
  EXPECT_EQ(day.ended(call_end::served), 1U);
  day.expect_sums();
}

TEST(live_phones, wrap_up_keeps_an_agent_from_being_free) {
  played_day day{1};
  day.plan.queues[0].talk = distribution::constant(1ms);
  day.plan.queues[0].wrap_up = distribution::constant(10s);
  day.come({0ms, 200ms});
  caf::actor_id call = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    call = pbx.connect(0, ticket); // a PBX that does not keep it
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.talks(0, call); // late
    pbx.free(0, call);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_LT(day.result.figures.measured, 10s) << "nobody waits for the end of the last wrap-up";
  EXPECT_EQ(day.counts().answered, 2U);
  EXPECT_EQ(day.counts().had_to_wait, 1U);
  EXPECT_GT(day.result.figures.staff.of(agent_state::wrap_up), 0ms);
  EXPECT_EQ(day.counts().handling, 20s + day.result.figures.staff.of(agent_state::in_call));
  day.expect_sums();
}

TEST(live_answers, are_those_of_the_plan) {
  played_day day{3};
  day.plan.agents[1].no_answer = 1;
  day.plan.agents[2].answers_after = distribution::exponential(2s);
  const auto answers = live_answers(day.plan, 7);
  EXPECT_EQ(answers(0, 0).what, answer_plan::kind::answer);
  EXPECT_EQ(answers(0, 0).after, 0s);
  EXPECT_EQ(answers(1, 5).what, answer_plan::kind::ring);
  EXPECT_GT(answers(1, 5).after, 10min);
  const simulation::call_samples samples{day.plan, 7};
  for (uint64_t n = 0; n < 20; ++n) {
    EXPECT_EQ(answers(2, n).after, samples.answer(2, n));
    EXPECT_TRUE(answers(2, n).may_be_given_up);
  }
}

} // namespace
} // namespace jackfield
