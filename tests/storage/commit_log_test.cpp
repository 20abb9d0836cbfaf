#include "storage/commit_log.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "storage/records.hpp"

namespace jackfield::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

change with_event(std::string event, durability how = durability::async) {
  change c;
  c.events.push_back(std::move(event));
  c.how = how;
  return c;
}

std::vector<std::pair<uint64_t, std::string>> events(const store& s) {
  std::vector<std::pair<uint64_t, std::string>> all;
  EXPECT_TRUE(s.scan(keyspace::events, {}, {}, [&](std::string_view key, std::string_view value) {
    all.emplace_back(number_of_key(key).value_or(0), value);
    return true;
  }));
  return all;
}

TEST(commit_log, numbers_events_from_one_and_goes_on_where_it_ended) {
  memory_store s;
  {
    auto log = commit_log::begin(s);
    ASSERT_TRUE(log);
    EXPECT_EQ(log->next_event(), 1U);
    log->add(with_event("a"));
    log->add(with_event("b"));
    ASSERT_TRUE(log->commit());
    EXPECT_TRUE(log->pending().empty());
  }
  auto log = commit_log::begin(s);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->next_event(), 3U);
  log->add(with_event("c"));
  ASSERT_TRUE(log->commit());
  EXPECT_THAT(events(s), ElementsAre(Pair(1, "a"), Pair(2, "b"), Pair(3, "c")));
}

TEST(commit_log, goes_on_above_one_byte_of_numbers) {
  memory_store s;
  auto log = commit_log::begin(s);
  for (int i = 0; i < 300; ++i)
    log->add(with_event("e"));
  ASSERT_TRUE(log->commit());
  EXPECT_EQ(commit_log::begin(s)->next_event(), 301U);
}

TEST(commit_log, writes_what_was_added_in_one_batch) {
  memory_store s;
  auto log = commit_log::begin(s);
  change c = with_event("began");
  c.writes.put(keyspace::calls, "call", "under way");
  EXPECT_EQ(c.bytes(), 18U);
  log->add(std::move(c));
  change d = with_event("ended");
  d.writes.erase(keyspace::calls, "call");
  log->add(std::move(d));
  ASSERT_TRUE(log->commit());
  EXPECT_EQ(s.writes(), 1U);
  EXPECT_EQ(*s.last_key(keyspace::calls), std::nullopt) << "writes keep their order";
  EXPECT_THAT(events(s), ElementsAre(Pair(1, "began"), Pair(2, "ended")));
}

TEST(commit_log, writes_nothing_where_nothing_was_added) {
  memory_store s;
  auto log = commit_log::begin(s);
  ASSERT_TRUE(log->commit());
  log->add({});
  ASSERT_TRUE(log->commit());
  EXPECT_EQ(s.writes(), 0U);
}

TEST(commit_log, is_durable_if_one_of_its_changes_was_to_be) {
  memory_store s;
  auto log = commit_log::begin(s);
  log->add(with_event("a", durability::durable));
  log->add(with_event("b", durability::async));
  ASSERT_TRUE(log->commit());
  EXPECT_EQ(s.durable_writes(), 1U);
  log->add(with_event("c", durability::async));
  ASSERT_TRUE(log->commit());
  EXPECT_EQ(s.durable_writes(), 1U) << "the next commit is its own";
  EXPECT_EQ(s.writes(), 2U);
}

TEST(commit_log, repeats_what_failed_with_the_same_numbers_before_what_came_later) {
  memory_store s;
  auto log = commit_log::begin(s);
  log->add(with_event("a"));
  log->add(with_event("b", durability::durable));
  s.fail_writes(fault{fault_kind::disk_full, {"here", "no space"}});
  for (int i = 0; i < 2; ++i) {
    const auto failed = log->commit();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, fault_kind::disk_full);
    EXPECT_FALSE(log->pending().empty());
  }
  EXPECT_THAT(events(s), IsEmpty());
  log->add(with_event("c"));
  s.fail_writes(std::nullopt);
  ASSERT_TRUE(log->commit());
  EXPECT_THAT(events(s), ElementsAre(Pair(1, "a"), Pair(2, "b"), Pair(3, "c")));
  EXPECT_EQ(s.durable_writes(), 1U);
  EXPECT_EQ(log->next_event(), 4U);
}

TEST(commit_log, refuses_a_store_whose_last_event_has_no_number) {
  memory_store s;
  batch odd;
  odd.put(keyspace::events, "odd", "");
  ASSERT_TRUE(s.write(odd, durability::async));
  const auto log = commit_log::begin(s);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().kind, fault_kind::corrupt);
}

} // namespace
} // namespace jackfield::storage
