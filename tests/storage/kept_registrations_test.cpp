#include "storage/kept_registrations.hpp"

#include <gtest/gtest.h>

#include "storage/kept_bindings.hpp"
#include "storage/memory_store.hpp"
#include "storage/overview.hpp"
#include "tests/storage/sample_records.hpp"

namespace jackfield::storage {
namespace {

class kept_registrations : public testing::Test {
protected:
  void put(keyspace space, std::string key, std::string value) {
    batch b;
    b.put(space, std::move(key), std::move(value));
    ASSERT_TRUE(store_.write(b, durability::async));
  }
  void put_user(const call_key& key) {
    put(keyspace::registrations, registration_key(key), pack(sample_registration()));
  }
  std::vector<call_key> keys() {
    std::vector<call_key> all;
    const auto read = interrupted_registrations(store_).value();
    for (const auto& one : read) {
      EXPECT_EQ(one.record, sample_registration());
      all.push_back(one.key);
    }
    return all;
  }

  memory_store store_;
};

TEST_F(kept_registrations, and_the_bindings_of_a_registrar_are_told_apart) {
  put(keyspace::registrations, bindings_key("zoe@example.com"), pack(sample_bindings()));
  put(keyspace::registrations, bindings_key("r"), pack(sample_bindings()));
  put_user({2, 3});
  put_user({1, 4});
  EXPECT_EQ(keys(), (std::vector<call_key>{{1, 4}, {2, 3}}));
  const auto bindings = read_bindings(store_).value();
  ASSERT_EQ(bindings.size(), 2U);
  EXPECT_EQ(bindings[0].address, "r");
  EXPECT_EQ(bindings[1].record, sample_bindings());
}

TEST_F(kept_registrations, are_erased_one_by_one) {
  put(keyspace::registrations, bindings_key("zoe@example.com"), pack(sample_bindings()));
  for (uint64_t number = 0; number < 3; ++number)
    put_user({1, number});
  ASSERT_TRUE(erase_registrations(store_, {{1, 0}, {1, 2}}));
  EXPECT_EQ(keys(), (std::vector<call_key>{{1, 1}}));
  EXPECT_EQ(read_bindings(store_).value().size(), 1U);
}

TEST_F(kept_registrations, that_cannot_be_read_are_named) {
  put(keyspace::registrations, registration_key({1, 4}), "x");
  const auto read = interrupted_registrations(store_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, fault_kind::corrupt);
  EXPECT_EQ(read.error().why.place, "registration 1-4");
}

TEST_F(kept_registrations, are_counted_for_their_run_and_found_by_their_key) {
  put(keyspace::runs, run_key(1), pack(sample_run()));
  put(keyspace::registrations, bindings_key("zoe@example.com"), pack(sample_bindings()));
  put_user({1, 4});
  put_user({1, 5});
  EXPECT_EQ(overview(store_).value().at(0).registrations, 2U);
  EXPECT_EQ(find_registration(store_, {1, 5}).value(), sample_registration());
  EXPECT_EQ(find_registration(store_, {1, 6}).value(), std::nullopt);
}

} // namespace
} // namespace jackfield::storage
