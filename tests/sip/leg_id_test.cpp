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

} // namespace
} // namespace jackfield::sip
