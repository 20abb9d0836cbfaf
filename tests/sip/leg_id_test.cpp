#include "engine/sip/leg_id.hpp"

#include <gtest/gtest.h>

#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;

TEST(leg_id, text_and_back) {
  for (auto id : {leg_id{}, leg_id{255, leg_id::max_slot, UINT32_MAX, UINT64_MAX}, test_id(77)}) {
    auto text = id.text();
    EXPECT_EQ(leg_id::parse(view(text)), id);
    branch_id b{id, 0xdeadbeef};
    auto branch = b.text();
    EXPECT_EQ(branch_id::parse(view(branch)), b);
  }
  std::string text{view(test_id(1).text())};
  EXPECT_FALSE(leg_id::parse(text.substr(1)));
  EXPECT_FALSE(leg_id::parse(text + "a"));
  EXPECT_FALSE(leg_id::parse("A" + text.substr(1)));
  EXPECT_FALSE(leg_id::parse(text.substr(0, 25) + "b"));        // unused bits
  EXPECT_FALSE(branch_id::parse("z9hG4bK" + text + "7777777")); // counter over 32 bits
}

/// A branch that looks like ours and is not must lead to no leg.
TEST(branch_id, is_of_our_letters_alone) {
  const std::string good{view(branch_id{test_id(1), 0x01234567}.text())};
  ASSERT_TRUE(branch_id::parse(good));
  for (size_t i = 0; i < good.size(); ++i)
    for (const char c : {'*', '1', '8', '`', '{', '~', '\0', '\xff'}) {
      auto bad = good;
      bad[i] = c;
      EXPECT_FALSE(branch_id::parse(bad)) << bad;
    }
  EXPECT_FALSE(branch_id::parse(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(branch_id::parse(good + "a"));
}

} // namespace
} // namespace jackfield::sip
