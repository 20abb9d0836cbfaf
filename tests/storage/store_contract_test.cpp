#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"
#include "tests/storage/scratch.hpp"

namespace jackfield::storage {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::Optional;
using testing::Pair;

constexpr auto space = keyspace::calls;

struct in_memory {
  std::unique_ptr<store> made = std::make_unique<memory_store>();
};

struct in_directory {
  in_directory() {
    auto opened = rocks_store::open(directory / "state");
    EXPECT_TRUE(opened) << opened.error().why.to_string();
    if (opened)
      made = std::move(*opened);
  }
  scratch directory;
  std::unique_ptr<store> made;
};

/// What every store does.
template <class Kind>
class store_contract : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(kind_.made); }

  store& s() { return *kind_.made; }

  void put(std::string key, std::string value) {
    batch one;
    one.put(space, std::move(key), std::move(value));
    write(one);
  }
  void write(const batch& all, durability how = durability::async) {
    const auto written = s().write(all, how);
    ASSERT_TRUE(written) << written.error().why.to_string();
  }
  std::optional<std::string> value_of(keyspace where, std::string_view key) {
    auto value = s().read(where, key);
    EXPECT_TRUE(value) << value.error().why.to_string();
    return value ? *value : std::nullopt;
  }
  std::vector<std::pair<std::string, std::string>> seen(std::string_view first,
                                                        std::string_view end) {
    std::vector<std::pair<std::string, std::string>> all;
    const auto scanned = s().scan(space, first, end, [&](std::string_view k, std::string_view v) {
      all.emplace_back(k, v);
      return true;
    });
    EXPECT_TRUE(scanned) << scanned.error().why.to_string();
    return all;
  }

private:
  Kind kind_;
};

using kinds = testing::Types<in_memory, in_directory>;
class kind_names {
public:
  template <class Kind>
  static std::string GetName(int /*index*/) { // NOLINT(readability-identifier-naming)
    return std::is_same_v<Kind, in_memory> ? "memory" : "rocks";
  }
};
TYPED_TEST_SUITE(store_contract, kinds, kind_names);

TYPED_TEST(store_contract, gives_back_what_was_put_under_its_keyspace_alone) {
  batch all;
  for (size_t i = 1; i < keyspaces; ++i)
    all.put(static_cast<keyspace>(i), "key", "of " + std::to_string(i));
  this->write(all, durability::durable);
  for (size_t i = 1; i < keyspaces; ++i)
    EXPECT_THAT(this->value_of(static_cast<keyspace>(i), "key"),
                Optional("of " + std::to_string(i)));
  EXPECT_EQ(this->value_of(keyspace::meta, "key"), std::nullopt);
  EXPECT_EQ(this->value_of(space, "ke"), std::nullopt);
  EXPECT_EQ(this->value_of(space, "key "), std::nullopt);
}

TYPED_TEST(store_contract, tells_an_empty_value_from_none) {
  this->put("there", "");
  EXPECT_THAT(this->value_of(space, "there"), Optional(""s));
  EXPECT_EQ(this->value_of(space, "not there"), std::nullopt);
}

TYPED_TEST(store_contract, keeps_keys_and_values_of_any_bytes) {
  const auto key = "\x00\xff\x00 k"s;
  const auto value = "\x00\xfe\r\n\x00"s;
  this->put(key, value);
  EXPECT_THAT(this->value_of(space, key), Optional(value));
  EXPECT_THAT(this->seen({}, {}), ElementsAre(Pair(key, value)));
}

TYPED_TEST(store_contract, scans_in_the_order_of_unsigned_bytes_within_its_bounds) {
  for (const auto& key : {"\xff"s, "b"s, "a"s, "\x80"s, "ab"s, "\x00"s, "c"s})
    this->put(key, "of " + key);
  const auto keys = [this](std::string_view first, std::string_view end) {
    std::vector<std::string> all;
    for (const auto& [key, value] : this->seen(first, end)) {
      EXPECT_EQ(value, "of " + key);
      all.push_back(key);
    }
    return all;
  };
  EXPECT_THAT(keys({}, {}), ElementsAre("\x00"s, "a", "ab", "b", "c", "\x80", "\xff"));
  EXPECT_THAT(keys("a", "b"), ElementsAre("a", "ab")) << "the first is in, the end is not";
  EXPECT_THAT(keys("aa", {}), ElementsAre("ab", "b", "c", "\x80", "\xff"));
  EXPECT_THAT(keys("b", "b"), ElementsAre());
  EXPECT_THAT(keys("c", "b"), ElementsAre());
  EXPECT_THAT(keys("\xff\x01", {}), ElementsAre());
}

TYPED_TEST(store_contract, scans_until_the_visitor_has_enough) {
  for (const auto* key : {"1", "2", "3", "4"})
    this->put(key, "");
  std::string met;
  ASSERT_TRUE(this->s().scan(space, {}, {}, [&](std::string_view key, std::string_view) {
    met += key;
    return met.size() < 2;
  }));
  EXPECT_EQ(met, "12");
}

TYPED_TEST(store_contract, shows_a_scan_one_moment_whatever_its_visitor_writes) {
  for (const auto* key : {"1", "3", "5"})
    this->put(key, "old");
  std::string met;
  ASSERT_TRUE(this->s().scan(space, {}, {}, [&](std::string_view key, std::string_view value) {
    EXPECT_EQ(value, "old") << key;
    met += key;
    batch change;
    change.erase(space, "3");
    change.put(space, "5", "new");
    change.put(space, "4", "new");
    change.put(space, "9", "new");
    this->write(change);
    return true;
  }));
  EXPECT_EQ(met, "135");
  EXPECT_THAT(this->seen({}, {}),
              ElementsAre(Pair("1", "old"), Pair("4", "new"), Pair("5", "new"), Pair("9", "new")));
}

TYPED_TEST(store_contract, knows_the_last_key_of_a_keyspace) {
  const auto last = [this](keyspace where) {
    auto key = this->s().last_key(where);
    EXPECT_TRUE(key);
    return key ? *key : std::nullopt;
  };
  EXPECT_EQ(last(space), std::nullopt);
  this->put("a", "");
  this->put("\xf0", "");
  this->put("b", "");
  EXPECT_THAT(last(space), Optional("\xf0"s));
  EXPECT_EQ(last(keyspace::events), std::nullopt);
  batch erased;
  erased.erase(space, "\xf0");
  this->write(erased);
  EXPECT_THAT(last(space), Optional("b"s));
}

TYPED_TEST(store_contract, takes_a_batch_in_its_order) {
  batch all;
  all.put(space, "put then erased", "1");
  all.erase(space, "put then erased");
  all.erase(space, "erased then put");
  all.put(space, "erased then put", "1");
  all.put(space, "put twice", "1");
  all.put(space, "put twice", "2");
  all.erase(space, "never there");
  this->write(all);
  EXPECT_THAT(this->seen({}, {}),
              ElementsAre(Pair("erased then put", "1"), Pair("put twice", "2")));
}

TYPED_TEST(store_contract, takes_batches_that_were_put_together_and_empty_ones) {
  batch first;
  first.put(space, "a", "1");
  batch second;
  second.put(space, "a", "2");
  second.put(space, "b", "2");
  first.append(std::move(second));
  EXPECT_EQ(first.bytes(), 6U);
  this->write(first);
  this->write(batch{}, durability::durable);
  EXPECT_THAT(this->seen({}, {}), ElementsAre(Pair("a", "2"), Pair("b", "2")));
}

TYPED_TEST(store_contract, keeps_large_values) {
  std::string large(3 << 20U, '\0');
  for (size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>(i * 2654435761U >> 13U);
  this->put("large", large);
  EXPECT_TRUE(this->value_of(space, "large") == large);
}

} // namespace
} // namespace jackfield::storage
