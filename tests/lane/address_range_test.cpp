#include "engine/lane/address_range.hpp"

#include <gtest/gtest.h>

namespace jackfield::lane {
namespace {

bool within(const char* range, const char* address) {
  const auto made = address_range::parse(range);
  EXPECT_TRUE(made) << range;
  return made && made->contains(endpoint::parse(address, 5060).value());
}

TEST(address_range, holds_what_begins_with_its_bits) {
  EXPECT_TRUE(within("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(within("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(within("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(within("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(within("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(within("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(within("0.0.0.0/0", "203.0.113.9"));
  EXPECT_TRUE(within("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(within("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(address_range, sec_32_a_mapped_address_is_the_one_that_it_means) {
  EXPECT_TRUE(within("192.0.2.0/24", "::ffff:192.0.2.7"));
  EXPECT_TRUE(within("::ffff:192.0.2.0/120", "192.0.2.7"));
  EXPECT_FALSE(within("::ffff:192.0.2.0/120", "192.0.3.7"));
  EXPECT_FALSE(within("::/0", "192.0.2.7")) << "of IPv6 alone";
  EXPECT_FALSE(within("0.0.0.0/0", "2001:db8::1")) << "of IPv4 alone";
}

TEST(address_range, takes_nothing_that_is_not_clear) {
  for (const auto* text : {"", "example.com", "192.0.2", "127.1", "192.0.2.1/33", "192.0.2.1/",
                           "192.0.2.1/-1", "192.0.2.1/24", "192.0.2.0/24 ", "192.0.2.0/2x",
                           "::ffff:192.0.2.0/24", "2001:db8::/129", "192.0.2.0/4294967296"})
    EXPECT_FALSE(address_range::parse(text)) << text;
  EXPECT_FALSE(address_range{endpoint{}}.contains(endpoint{}));
}

} // namespace
} // namespace jackfield::lane
