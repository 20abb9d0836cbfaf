#include "actors/load/run_history.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr uint64_t run = 7;

storage::wall_time at(lane::duration passed) {
  return storage::wall_time{1'700'000'000s} + passed;
}

storage::event_record ended(uint64_t number, lane::duration from, lane::duration to,
                            uint64_t of_run = run) {
  storage::call_ended call;
  call.call = {of_run, number};
  call.started = at(from);
  call.answered = at(from + 1ms);
  call.ended = at(to);
  call.status = 200;
  return {at(to), call};
}

storage::interrupted_call left(uint64_t number, lane::duration from) {
  storage::interrupted_call call;
  call.key = {run, number};
  call.record.started = at(from);
  return call;
}

/// What is read of these events and the calls that a crash left, of which the even ones go on.
std::shared_ptr<const run_history> read(const std::vector<storage::event_record>& events,
                                        const std::vector<storage::interrupted_call>& under_way,
                                        unsigned lanes = 1) {
  storage::memory_store store;
  storage::batch writes;
  for (size_t i = 0; i < events.size(); ++i)
    writes.put(storage::keyspace::events, storage::event_key(i + 1), storage::pack(events[i]));
  EXPECT_TRUE(store.write(writes, storage::durability::async));
  load_plan plan;
  plan.arrivals.calls = 100;
  plan.arrivals.phases = {{100, 100, 1h}};
  return read_history(store, run, plan, lanes, under_way,
                      [](const auto& call) { return call.key.number % 2 == 0; })
    .value();
}

TEST(run_history, has_as_many_calls_at_once_as_there_were) {
  const storage::event_record began{at(0ms), storage::run_started{run}};
  // One after the other, the next from the very moment on when the one before has ended.
  const auto in_turn =
    read({began, ended(0, 0ms, 100ms), ended(1, 100ms, 200ms), ended(2, 200ms, 300ms)}, {});
  EXPECT_EQ(in_turn->metrics.calls.peak, 1U);
  const auto together = read({began, ended(1, 10ms, 150ms), ended(0, 0ms, 160ms),
                              ended(9, 0ms, 160ms, run + 1), ended(2, 155ms, 250ms)},
                             {left(3, 20ms), left(4, 240ms)});
  EXPECT_EQ(together->metrics.calls.peak, 3U) << "those that were left count, too";
  EXPECT_EQ(together->metrics.calls.current, 0U);
  EXPECT_THAT(together->made, ElementsAre(0, 1, 2, 3, 4));
}

TEST(run_history, has_the_calls_that_every_lane_missed) {
  const auto told = [](uint32_t lane, uint64_t next, uint64_t by_limit, uint64_t by_generator) {
    return storage::event_record{at(1s),
                                 storage::run_progress{run, lane, next, by_limit, by_generator}};
  };
  const auto history = read({{at(0ms), storage::run_started{run}},
                             told(0, 10, 3, 1),
                             told(1, 11, 20, 0),
                             ended(2, 0ms, 100ms),
                             told(0, 30, 5, 2)},
                            {}, 2);
  const auto& calls = history->metrics.calls;
  EXPECT_EQ(calls.missed_by_limit, 25U) << "what each lane told last";
  EXPECT_EQ(calls.missed_by_generator, 2U);
  EXPECT_EQ(calls.started, 1U);
  EXPECT_EQ(calls.offered, 28U) << "missed or made, all were offered";
}

} // namespace
} // namespace jackfield
