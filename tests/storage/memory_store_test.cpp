#include "storage/memory_store.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::storage {
namespace {

std::string keys(const memory_store& s) {
  std::string all;
  EXPECT_TRUE(s.scan(keyspace::events, {}, {}, [&](std::string_view key, std::string_view) {
    all += key;
    return true;
  }));
  return all;
}

outcome<void> put(memory_store& s, std::string key, durability how) {
  batch one;
  one.put(keyspace::events, std::move(key), "");
  return s.write(one, how);
}

TEST(memory_store, keeps_all_that_was_acknowledged_when_the_process_ends) {
  memory_store s;
  ASSERT_TRUE(put(s, "1", durability::durable));
  ASSERT_TRUE(put(s, "2", durability::async));
  s.lose(memory_store::crash::process);
  EXPECT_EQ(keys(s), "12");
}

TEST(memory_store, loses_what_came_after_the_last_durable_write_with_the_power) {
  memory_store s;
  ASSERT_TRUE(put(s, "1", durability::async));
  ASSERT_TRUE(put(s, "2", durability::durable));
  ASSERT_TRUE(put(s, "3", durability::async));
  s.lose(memory_store::crash::power);
  EXPECT_EQ(keys(s), "12") << "a durable write takes those before it along";
  ASSERT_TRUE(put(s, "4", durability::async));
  s.lose(memory_store::crash::power);
  EXPECT_EQ(keys(s), "12");
}

TEST(memory_store, fails_writes_as_told_and_keeps_none_of_them) {
  memory_store s;
  ASSERT_TRUE(put(s, "1", durability::async));
  s.fail_writes(fault{fault_kind::disk_full, {"here", "no space"}});
  const auto refused = put(s, "2", durability::durable);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, fault_kind::disk_full);
  EXPECT_EQ(refused.error().why.place, "here");
  EXPECT_EQ(keys(s), "1");
  s.fail_writes(std::nullopt);
  ASSERT_TRUE(put(s, "3", durability::durable));
  EXPECT_EQ(keys(s), "13");
  EXPECT_EQ(s.writes(), 2U);
  EXPECT_EQ(s.durable_writes(), 1U);
}

TEST(memory_store, writes_again_after_a_crash) {
  memory_store s;
  s.fail_writes(fault{fault_kind::disk_full, {"here", "no space"}});
  s.lose(memory_store::crash::power);
  EXPECT_TRUE(put(s, "1", durability::async));
}

} // namespace
} // namespace jackfield::storage
