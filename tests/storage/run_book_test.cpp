#include "storage/run_book.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/commit_log.hpp"
#include "storage/memory_store.hpp"
#include "tests/storage/sample_records.hpp"

namespace jackfield::storage {
namespace {

using testing::ElementsAre;
using testing::Optional;

run_record run_at(int64_t second) {
  run_record run;
  run.command = "jackfield load";
  run.kind = "load";
  run.started = sample_time(second);
  return run;
}

std::optional<run_record> run_in(const store& s, uint64_t number) {
  const auto bytes = s.read(keyspace::runs, run_key(number));
  if (!bytes || !*bytes)
    return std::nullopt;
  const auto run = unpack_run(**bytes);
  return run ? std::optional{*run} : std::nullopt;
}

std::vector<event_record> events(const store& s) {
  std::vector<event_record> all;
  uint64_t expected = 0;
  EXPECT_TRUE(s.scan(keyspace::events, {}, {}, [&](std::string_view key, std::string_view value) {
    EXPECT_THAT(number_of_key(key), Optional(++expected)) << "numbers rise without a gap";
    all.push_back(unpack_event(value).value_or(event_record{}));
    return true;
  }));
  return all;
}

/// What is left of calls: how often each ended, and how.
std::map<call_key, std::vector<std::string>> ends(const store& s) {
  std::map<call_key, std::vector<std::string>> all;
  for (const auto& event : events(s))
    if (const auto* end = std::get_if<call_ended>(&event.what))
      all[end->call].push_back(end->cause);
  return all;
}

size_t under_way(const store& s) {
  size_t count = 0;
  EXPECT_TRUE(s.scan(keyspace::calls, {}, {}, [&](std::string_view, std::string_view) {
    ++count;
    return true;
  }));
  return count;
}

void begin_call(store& s, call_key key, bool answered) {
  call_record call;
  call.call_id = "id of " + key.text();
  call.from = "sip:alice@example.com";
  call.to = "sip:bob@example.com";
  call.started = sample_time(10);
  if (answered)
    call.answered = sample_time(200);
  batch one;
  one.put(keyspace::calls, key_of(key), pack(call));
  ASSERT_TRUE(s.write(one, durability::async));
}

/// A store whose writes fail from the given one on.
class store_that_fails final : public store {
public:
  store_that_fails(store& s, size_t good) : store_(s), good_(good) {}

  outcome<void> write(const batch& writes, durability how) override {
    if (good_ == 0)
      return fail(fault_kind::disk_full, "here", "no space");
    --good_;
    return store_.write(writes, how);
  }
  [[nodiscard]] outcome<std::optional<std::string>> read(keyspace space,
                                                         std::string_view key) const override {
    return store_.read(space, key);
  }
  outcome<void> scan(keyspace space, std::string_view first, std::string_view end,
                     const visitor& visit) const override {
    return store_.scan(space, first, end, visit);
  }
  [[nodiscard]] outcome<std::optional<std::string>> last_key(keyspace space) const override {
    return store_.last_key(space);
  }

private:
  store& store_;
  size_t good_;
};

TEST(run_book, writes_down_when_runs_begin_and_end) {
  memory_store s;
  EXPECT_EQ(begin_run(s, run_at(1)).value_or(0), 1U);
  EXPECT_EQ(begin_run(s, run_at(2)).value_or(0), 2U);
  EXPECT_THAT(run_in(s, 1), Optional(run_at(1)));
  ASSERT_TRUE(end_run(s, 1, sample_time(9), "signal"));
  auto ended = run_at(1);
  ended.ended = sample_time(9);
  ended.ended_by = "signal";
  EXPECT_THAT(run_in(s, 1), Optional(ended));
  EXPECT_THAT(run_in(s, 2), Optional(run_at(2))) << "the other goes on";
  EXPECT_THAT(events(s), ElementsAre(event_record{sample_time(1), run_started{1}},
                                     event_record{sample_time(2), run_started{2}},
                                     event_record{sample_time(9), run_ended{1, "signal"}}));
  EXPECT_EQ(s.durable_writes(), 3U);
}

TEST(run_book, a_run_that_was_cut_off_can_go_on) {
  memory_store s;
  const auto begin = [&](std::string kind, int64_t at) {
    run_record run;
    run.kind = std::move(kind);
    run.started = sample_time(at);
    return begin_run(s, run).value();
  };
  EXPECT_FALSE(last_open_run(s, "load").value());
  begin("load", 1);
  const auto second = begin("load", 2);
  begin("answer", 3);
  const auto open = last_open_run(s, "load").value();
  ASSERT_TRUE(open);
  EXPECT_EQ(open->number, second);
  EXPECT_EQ(open->record.started, sample_time(2));
  EXPECT_EQ(close_interrupted(s, nullptr, second).value().runs, 2U) << "but for that";
  EXPECT_EQ(resume_run(s, second, sample_time(9)).value(), second);
  const auto again = read_run(s, second).value();
  EXPECT_EQ(again.resumed, 1U);
  EXPECT_FALSE(again.ended);
  EXPECT_EQ(events(s).back(), (event_record{sample_time(9), run_resumed{second}}));
  EXPECT_TRUE(end_run(s, second, sample_time(10), ""));
  EXPECT_FALSE(last_open_run(s, "load").value());
}

TEST(run_book, tells_that_a_run_is_gone) {
  memory_store s;
  const auto ended = end_run(s, 7, sample_time(9), "");
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, fault_kind::corrupt);
  EXPECT_EQ(ended.error().why.place, "run 7");
}

TEST(run_book, closes_nothing_where_all_runs_have_ended) {
  memory_store s;
  ASSERT_TRUE(begin_run(s, run_at(1)));
  ASSERT_TRUE(end_run(s, 1, sample_time(2), ""));
  const auto closed = close_interrupted(s);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->runs, 0U);
  EXPECT_EQ(s.writes(), 2U);
  memory_store empty;
  EXPECT_EQ(close_interrupted(empty)->runs, 0U);
}

TEST(run_book, closes_the_calls_of_a_run_that_was_cut_off) {
  memory_store s;
  ASSERT_TRUE(begin_run(s, run_at(100)));
  begin_call(s, {1, 0}, false);
  begin_call(s, {1, 1}, true);
  const auto closed = close_interrupted(s);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->runs, 1U);
  EXPECT_EQ(closed->indeterminate, 1U);
  EXPECT_EQ(closed->answered, 1U);
  EXPECT_EQ(under_way(s), 0U);

  call_ended attempt;
  attempt.call = {1, 0};
  attempt.call_id = "id of 1-0";
  attempt.from = "sip:alice@example.com";
  attempt.to = "sip:bob@example.com";
  attempt.started = sample_time(10);
  attempt.ended = sample_time(100); // the last that the store heard of
  attempt.cause = "indeterminate";
  auto up = attempt;
  up.call = {1, 1};
  up.call_id = "id of 1-1";
  up.answered = sample_time(200);
  up.ended = sample_time(200); // not before its own answer
  up.cause = "engine_restart";
  up.status = 200;
  EXPECT_THAT(events(s), ElementsAre(event_record{sample_time(100), run_started{1}},
                                     event_record{sample_time(100), attempt},
                                     event_record{sample_time(200), up},
                                     event_record{sample_time(100), run_ended{1, "crash"}}));
  EXPECT_EQ(run_in(s, 1)->ended_by, run_record::crashed);
  EXPECT_EQ(close_interrupted(s)->runs, 0U) << "once is enough";
}

TEST(run_book, closes_each_run_of_several_with_its_own_calls) {
  memory_store s;
  ASSERT_TRUE(begin_run(s, run_at(1)));
  ASSERT_TRUE(begin_run(s, run_at(2)));
  ASSERT_TRUE(begin_run(s, run_at(3)));
  ASSERT_TRUE(end_run(s, 2, sample_time(4), ""));
  begin_call(s, {1, UINT64_MAX}, false);
  begin_call(s, {3, 0}, true);
  const auto closed = close_interrupted(s);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->runs, 2U);
  EXPECT_THAT(ends(s),
              ElementsAre(testing::Pair(call_key{1, UINT64_MAX}, ElementsAre("indeterminate")),
                          testing::Pair(call_key{3, 0}, ElementsAre("engine_restart"))));
  EXPECT_EQ(run_in(s, 2)->ended_by, "");
}

TEST(run_book, closes_every_call_once_wherever_it_is_cut_off_itself) {
  constexpr uint64_t calls = 2500; // three batches, of a thousand at most
  for (size_t good = 0;; ++good) {
    memory_store s;
    ASSERT_TRUE(begin_run(s, run_at(1)));
    for (uint64_t i = 0; i < calls; ++i)
      begin_call(s, {1, i}, i % 2 == 0);
    store_that_fails failing{s, good};
    const auto cut = close_interrupted(failing);
    if (!cut) {
      EXPECT_EQ(cut.error().kind, fault_kind::disk_full);
      s.lose(memory_store::crash::process);
      ASSERT_TRUE(close_interrupted(s));
    }
    const auto all = ends(s);
    EXPECT_EQ(all.size(), calls) << "after " << good << " writes";
    for (const auto& [key, causes] : all)
      EXPECT_THAT(causes, ElementsAre(key.number % 2 == 0 ? "engine_restart" : "indeterminate"));
    EXPECT_EQ(under_way(s), 0U);
    EXPECT_EQ(run_in(s, 1)->ended_by, run_record::crashed);
    if (cut) {
      EXPECT_EQ(good, 4U) << "three batches, and the run's own end";
      break;
    }
  }
}

TEST(run_book, says_which_run_has_a_call_that_cannot_be_read) {
  memory_store s;
  ASSERT_TRUE(begin_run(s, run_at(1)));
  batch odd;
  odd.put(keyspace::calls, key_of({1, 5}), "garbage");
  ASSERT_TRUE(s.write(odd, durability::async));
  const auto closed = close_interrupted(s);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().kind, fault_kind::corrupt);
  EXPECT_EQ(closed.error().why.place, "a call of run 1");
  EXPECT_EQ(under_way(s), 1U) << "it is still there";
}

} // namespace
} // namespace jackfield::storage
