#include "storage/told_events.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "storage/verification.hpp"

namespace jackfield::storage {
namespace {

using testing::HasSubstr;

told_event event(uint64_t number) {
  return {"call.entered", "{\"seq\":" + std::to_string(number) + "}"};
}

void put(memory_store& into, uint64_t first, uint64_t last) {
  for (auto number = first; number <= last; ++number) {
    batch b;
    put_told_event(b, number, event(number));
    ASSERT_TRUE(into.write(b, durability::async));
  }
}

TEST(told_events, come_back_with_every_field_and_with_none) {
  EXPECT_EQ(unpack_told_event(pack(event(1))).value(), event(1));
  EXPECT_EQ(unpack_told_event(pack(told_event{})).value(), told_event{});
  const webhook_record record{1, 2, UINT64_MAX};
  EXPECT_EQ(unpack_webhook(pack(record)).value(), record);
  EXPECT_EQ(unpack_webhook(pack(webhook_record{})).value(), webhook_record{});
  for (const auto& bytes : {std::string{}, std::string{"\x01\xff"}, std::string{"\x02"}}) {
    EXPECT_FALSE(unpack_told_event(bytes)) << testing::PrintToString(bytes);
    EXPECT_FALSE(unpack_webhook(bytes)) << testing::PrintToString(bytes);
  }
}

TEST(told_events, are_read_in_their_order_with_webhooks) {
  memory_store store;
  EXPECT_EQ(read_told(store).value().last, 0U);
  put(store, 1, 300);
  batch b;
  b.put(keyspace::meta, "format", "1");
  b.put(keyspace::meta, webhook_key("crm"), pack(webhook_record{7, 0, 1}));
  ASSERT_TRUE(store.write(b, durability::async));
  const auto all = read_told(store).value();
  EXPECT_EQ(all.last, 300U);
  ASSERT_EQ(all.events.size(), 300U);
  EXPECT_EQ(all.events.front(), event(1));
  EXPECT_EQ(all.events.back(), event(300));
  EXPECT_EQ(all.webhooks.at("crm"), (webhook_record{7, 0, 1}));
  EXPECT_TRUE(verify(store).value().sound());
}

TEST(told_events, are_the_last_ones_without_a_gap) {
  memory_store store;
  put(store, 1, 3);
  put(store, 5, 6); // 4 could not be written
  const auto all = read_told(store).value();
  EXPECT_EQ(all.last, 6U);
  ASSERT_EQ(all.events.size(), 2U);
  EXPECT_EQ(all.events.front(), event(5));
}

TEST(told_events, have_no_number_that_a_webhook_has_seen_already) {
  memory_store store;
  put(store, 1, 3);
  batch b;
  b.put(keyspace::meta, webhook_key("crm"), pack(webhook_record{9, 0, 1}));
  ASSERT_TRUE(store.write(b, durability::async));
  const auto all = read_told(store).value();
  EXPECT_EQ(all.last, 9U);
  EXPECT_TRUE(all.events.empty());
}

TEST(told_events, are_kept_for_a_while) {
  memory_store store;
  put(store, 1, kept_told_events + 2);
  const auto all = read_told(store).value();
  EXPECT_EQ(all.events.size(), kept_told_events);
  EXPECT_EQ(all.events.front(), event(3));
}

TEST(told_events, that_are_damaged_are_found) {
  for (const auto& [key, what] :
       {std::pair{told_key(3), "told event 3: "}, std::pair{webhook_key("crm"), "webhook crm: "},
        std::pair{std::string{"told/x"}, "has not its form"}}) {
    memory_store store;
    batch b;
    b.put(keyspace::meta, key, "\x01\xff");
    ASSERT_TRUE(store.write(b, durability::async));
    const auto found = verify(store).value();
    ASSERT_EQ(found.findings.size(), 1U);
    EXPECT_THAT(found.findings.front().to_string(), HasSubstr(what));
    const auto read = read_told(store);
    ASSERT_FALSE(read) << what;
    EXPECT_EQ(read.error().kind, fault_kind::corrupt);
  }
}

} // namespace
} // namespace jackfield::storage
