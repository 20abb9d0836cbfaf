#include "actors/live/live_day.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/live/plain_queue.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using simulation::call_end;
using simulation::distribution;

TEST(live_day, every_caller_is_served) {
  played_day day{3};
  day.plan.queues[0].wrap_up = distribution::constant(0ms);
  day.come(every(2ms, 30));
  plain_queue queue{3};
  day.script = queue.script();
  day.play();
  EXPECT_EQ(day.counts().offered, 30U);
  EXPECT_EQ(day.counts().answered, 30U);
  EXPECT_EQ(day.ended(call_end::served), 30U);
  EXPECT_EQ(day.result.came, 30U);
  EXPECT_EQ(day.result.matched, 30U);
  EXPECT_EQ(day.result.in_order + day.result.strangers + day.result.unregistered, 0U);
  EXPECT_FALSE(day.result.cut);
  EXPECT_EQ(day.told.placed.size(), 30U);
  EXPECT_EQ(day.told.hung_up.size(), 30U) << "each once";
  day.expect_sums();
  std::map<uint32_t, simulation::duration> until;
  std::ranges::sort(day.result.calls, {}, &simulation::call_outcome::answered);
  for (const auto& call : day.result.calls) {
    ASSERT_TRUE(call.agent && call.answered);
    EXPECT_GE(*call.answered, call.came);
    EXPECT_GE(call.ended - *call.answered, 5ms) << "it talks as long as it was to";
    EXPECT_GE(*call.answered, until[*call.agent]) << "agent " << *call.agent << " has another";
    until[*call.agent] = call.ended;
  }
}

TEST(live_day, callers_that_are_not_shown_are_served_in_their_order) {
  played_day day{2};
  day.come(every(1ms, 20));
  plain_queue queue{2};
  queue.shows_callers = false;
  day.script = queue.script();
  day.play();
  EXPECT_EQ(day.counts().answered, 20U);
  EXPECT_EQ(day.ended(call_end::served), 20U);
  EXPECT_EQ(day.result.in_order, 20U);
  EXPECT_EQ(day.result.matched, 0U);
  day.expect_sums();
}

TEST(live_day, who_is_not_answered_is_refused) {
  played_day day{1};
  day.come(every(1ms, 3));
  day.script.on_placed = [](stand_in& pbx, uint64_t ticket) { pbx.gone(ticket); };
  day.play();
  EXPECT_EQ(day.counts().refused, 3U);
  EXPECT_EQ(day.counts().offered, 0U);
  EXPECT_EQ(day.ended(call_end::refused), 3U);
  EXPECT_TRUE(day.told.hung_up.empty()) << "nobody is there any more";
  day.expect_sums();
}

TEST(live_day, who_is_sent_away_while_it_waits_overflowed) {
  played_day day{1};
  day.come(every(1ms, 2));
  day.script.on_placed = [](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    pbx.after(2ms, [&pbx, ticket] { pbx.gone(ticket, true); });
  };
  day.play();
  EXPECT_EQ(day.counts().offered, 2U);
  EXPECT_EQ(day.counts().overflowed, 2U);
  EXPECT_EQ(day.counts().refused, 0U);
  EXPECT_EQ(day.ended(call_end::overflowed), 2U);
  day.expect_sums();
}

TEST(live_day, who_was_rung_for_was_let_in_though_the_pbx_never_answers) {
  played_day day{1};
  day.come(every(1ms, 1));
  day.script.on_placed = [](stand_in& pbx, uint64_t ticket) {
    const auto call = pbx.ring(0, ticket);
    pbx.after(2ms, [&pbx, ticket, call] {
      pbx.free(0, call);
      pbx.gone(ticket);
    });
  };
  day.play();
  EXPECT_EQ(day.counts().offered, 1U);
  EXPECT_EQ(day.counts().overflowed, 1U);
  EXPECT_EQ(day.counts().refused, 0U) << "it is in no two counts";
  day.expect_sums();
}

TEST(live_day, a_talk_that_ends_on_the_callers_side_before_its_time) {
  played_day day{1};
  day.plan.queues[0].talk = distribution::constant(10s);
  day.come(every(1ms, 1));
  day.script.on_placed = [](stand_in& pbx, uint64_t ticket) {
    const auto call = pbx.connect(0, ticket);
    pbx.gone(ticket, true);
    pbx.free(0, call);
  };
  day.play();
  EXPECT_EQ(day.counts().answered, 1U);
  EXPECT_EQ(day.ended(call_end::agent_failed), 1U);
  EXPECT_LT(day.result.calls.at(0).ended, 10s);
  day.expect_sums();
}

TEST(live_day, a_talk_that_ends_on_the_agents_side_before_its_time) {
  played_day day{1};
  day.plan.queues[0].talk = distribution::constant(10s);
  day.come(every(1ms, 2));
  std::deque<uint64_t> waiting;
  const auto serve = [&](stand_in& pbx) {
    pbx.free(0, pbx.connect(0, waiting.front()));
    waiting.pop_front();
  };
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    waiting.push_back(ticket);
    if (ticket == 1)
      serve(pbx);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.gone(ticket, true);
    if (!waiting.empty()) // the agent has the next
      serve(pbx);
    else
      pbx.after(5ms, [&] {
        if (!waiting.empty())
          serve(pbx);
      });
  };
  day.play();
  EXPECT_EQ(day.told.hung_up, (std::vector<uint64_t>{1, 2})) << "its caller hangs up";
  EXPECT_EQ(day.counts().answered, 2U);
  EXPECT_EQ(day.ended(call_end::agent_failed), 2U);
  day.expect_sums();
}

TEST(live_day, patience_ends) {
  played_day day{1};
  day.plan.queues[0].patience = distribution::constant(5ms);
  day.come(every(1ms, 4));
  day.script.on_placed = [](stand_in& pbx, uint64_t ticket) { pbx.answered(ticket); };
  day.play();
  EXPECT_EQ(day.counts().offered, 4U);
  EXPECT_EQ(day.counts().abandoned, 4U);
  EXPECT_EQ(day.told.hung_up, (std::vector<uint64_t>{1, 2, 3, 4}));
  for (const auto& call : day.result.calls)
    EXPECT_GE(call.ended - call.came, 5ms);
  day.expect_sums();
}

TEST(live_day, patience_that_ends_before_the_pbx_said_anything) {
  played_day day{1};
  day.plan.queues[0].patience = distribution::constant(2ms);
  day.come(every(1ms, 1));
  day.script.on_placed = [](stand_in& /*pbx*/, uint64_t /*ticket*/) {};
  day.play();
  EXPECT_EQ(day.counts().offered, 1U) << "it was not refused";
  EXPECT_EQ(day.counts().abandoned, 1U);
  day.expect_sums();
}

TEST(live_day, an_answer_that_comes_as_the_caller_hangs_up_is_none) {
  played_day day{1};
  day.plan.queues[0].patience = distribution::constant(2ms);
  day.come(every(1ms, 1));
  caf::actor_id call = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) { call = pbx.ring(0, ticket); };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.talks(0, call);
    pbx.answered(ticket);
    pbx.free(0, call);
    pbx.gone(ticket, true);
  };
  day.play();
  EXPECT_EQ(day.counts().abandoned, 1U);
  EXPECT_EQ(day.counts().answered, 0U);
  day.expect_sums();
}

TEST(live_day, who_is_refused_redials) {
  played_day day{1};
  auto& redials = day.plan.queues[0].redials;
  redials.share = 1;
  redials.after = distribution::constant(2ms);
  redials.most = 3;
  day.come(every(1ms, 2));
  day.script.on_placed = [](stand_in& pbx, uint64_t ticket) { pbx.gone(ticket); };
  day.play();
  EXPECT_EQ(day.result.came, 8U) << "each attempt is a caller to the PBX";
  EXPECT_EQ(std::set(day.told.placed.begin(), day.told.placed.end()).size(), 8U)
    << "with a caller ID of its own";
  EXPECT_EQ(day.counts().refused, 8U);
  EXPECT_EQ(day.result.calls.back().attempt, 3U);
  day.expect_sums();
}

TEST(live_day, a_redial_before_the_former_call_is_quite_over) {
  played_day day{1};
  auto& queue = day.plan.queues[0];
  queue.patience = distribution::constant(2ms);
  queue.redials.share = 1;
  queue.redials.after = distribution::constant(1ms);
  queue.redials.most = 1;
  day.come(every(1ms, 1));
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    if (ticket == 2)
      pbx.gone(1, true);
  };
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    if (ticket == 2)
      pbx.gone(2, true);
  };
  day.play();
  EXPECT_EQ(day.counts().abandoned, 2U);
  EXPECT_EQ(day.counts().overflowed, 0U) << "the end of the first is not the second's";
  day.expect_sums();
}

TEST(live_day, who_comes_and_finds_nobody_free_has_to_wait) {
  played_day day{1};
  day.plan.queues[0].talk = distribution::constant(20ms);
  day.come({0ms, 0ms});
  plain_queue queue{1};
  day.script = queue.script();
  day.play();
  EXPECT_EQ(day.counts().answered, 2U);
  EXPECT_EQ(day.counts().had_to_wait, 1U);
  day.expect_sums();
}

TEST(live_day, what_comes_late_or_twice_does_no_harm) {
  played_day day{2};
  day.come(every(3ms, 10));
  std::map<uint64_t, caf::actor_id> calls;
  caf::actor_id before = 0;
  day.script.on_placed = [&](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    pbx.answered(ticket);
    pbx.answered(12'345);
    pbx.gone(12'345);
    pbx.free(ticket % 2, before);
    pbx.free(0, 77);
    pbx.talks(1, 77);
    pbx.free(9, 77); // agents whom the plan has not
    pbx.talks(9, 77);
    pbx.ring(9, ticket);
    const auto call = pbx.ring(ticket % 2, ticket);
    pbx.talks(ticket % 2, before);
    pbx.talks(ticket % 2, call);
    pbx.talks(ticket % 2, call);
    calls[ticket] = call;
  };
  day.plan.queues[0].talk = distribution::constant(1ms);
  day.script.on_hung_up = [&](stand_in& pbx, uint64_t ticket) {
    pbx.talks(ticket % 2, calls[ticket]); // after it was over
    for (int times = 0; times < 2; ++times) {
      pbx.free(ticket % 2, calls[ticket]);
      pbx.gone(ticket, true);
    }
    before = calls[ticket];
  };
  day.play();
  EXPECT_EQ(day.counts().offered, 10U);
  EXPECT_EQ(day.result.came, 10U);
  day.expect_sums();
}

TEST(live_day, is_cut_at_once_wherever_it_is) {
  for (int at = 1; at < 120; ++at) {
    played_day day{2};
    day.plan.queues[0].patience = distribution::constant(7ms);
    day.plan.queues[0].talk = distribution::constant(3ms);
    day.come(every(1ms, 20));
    plain_queue queue{1}; // the other never answers
    day.script = queue.script();
    int polls = 0;
    day.cut = [&] { return ++polls >= at; };
    day.play();
    ASSERT_EQ(day.result.cut, polls >= at) << at;
    EXPECT_LE(day.result.came, 20U);
    EXPECT_LT(day.result.figures.measured, 1h) << "cut at " << at;
    EXPECT_LT(day.counts().longest_wait, 1h) << "cut at " << at;
    const auto& c = day.counts();
    EXPECT_EQ(c.offered, c.answered + c.abandoned + c.overflowed + c.waiting) << "cut at " << at;
    EXPECT_EQ(c.offered, day.result.came) << "nobody is refused; cut at " << at;
  }
}

TEST(live_day, ends_when_somebody_of_those_who_play_it_is_lost) {
  played_day day{1};
  day.come(every(1ms, 3));
  day.script.on_placed = [](stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    if (ticket == 2)
      pbx.quit(caf::exit_reason::unhandled_exception);
  };
  day.play();
  EXPECT_TRUE(day.result.lost);
  EXPECT_TRUE(day.result.cut);
  EXPECT_GE(day.counts().waiting, 2U);
}

TEST(live_day, counts_registrations_that_were_lost_meanwhile) {
  played_day day{1};
  day.come(every(1ms, 2));
  plain_queue queue{1};
  day.script = queue.script();
  day.script.on_placed = [serve = day.script.on_placed](stand_in& pbx, uint64_t ticket) {
    pbx.unregistered();
    serve(pbx, ticket);
  };
  day.play();
  EXPECT_EQ(day.result.unregistered, 2U);
  EXPECT_EQ(day.counts().answered, 2U);
}

TEST(live_day, tells_how_it_goes) {
  played_day day{1};
  day.plan.queues[0].talk = distribution::constant(150ms);
  day.come({0ms, 0ms, 0ms});
  plain_queue queue{1};
  day.script = queue.script();
  size_t most_waiting = 0;
  bool talked = false;
  day.tell = [&](const live_progress& at) {
    most_waiting = std::max(most_waiting, at.waiting);
    talked = talked || (at.talking == 1 && at.ready == 0);
  };
  day.play();
  EXPECT_EQ(day.counts().answered, 3U);
  EXPECT_GE(most_waiting, 1U);
  EXPECT_TRUE(talked);
}

} // namespace
} // namespace jackfield
