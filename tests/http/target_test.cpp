#include "app/http/target.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(target, is_taken_apart_and_decoded) {
  const auto made = target::parse("/v1/queues/b%C3%BCro%2F7?limit=3&after=a%26b");
  ASSERT_TRUE(made);
  EXPECT_THAT(made->path, ElementsAre("v1", "queues", "b\xc3\xbcro/7"));
  EXPECT_THAT(made->query, ElementsAre(Pair("limit", "3"), Pair("after", "a&b")));
}

TEST(target, keeps_parts_that_are_empty) {
  EXPECT_THAT(target::parse("/")->path, ElementsAre(""));
  EXPECT_THAT(target::parse("/v1/")->path, ElementsAre("v1", ""));
  EXPECT_THAT(target::parse("//v1")->path, ElementsAre("", "v1"));
}

TEST(target, dots_lead_nowhere_else) {
  EXPECT_THAT(target::parse("/healthz/../v1")->path, ElementsAre("healthz", "..", "v1"));
}

TEST(target, what_is_none_is_400) {
  for (const std::string text : {"", "*", "v1", "http://127.0.0.1/v1", "/v1#x", "/%", "/%4", "/%4g",
                                 "/a%00", "/a%0d%0a", "/a%7f", "/a%c2%85", "/a%e2%80%a8", "/%ff",
                                 "/%c0%af", "/%ed%a0%80", "/a?b=%0a", "/a?%0a=b"}) {
    const auto made = target::parse(text);
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().status, 400u) << text;
  }
  EXPECT_FALSE(target::parse("/" + std::string(2048, 'a')));
  EXPECT_TRUE(target::parse("/" + std::string(2047, 'a')));
  std::string deep;
  for (int i = 0; i < 17; ++i)
    deep += "/a";
  EXPECT_FALSE(target::parse(deep));
}

TEST(plain_text, has_no_control_characters) {
  EXPECT_TRUE(is_plain_text(""));
  EXPECT_TRUE(is_plain_text("lunch \"><img src=x> %n \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const std::string_view text :
       {std::string_view{"a\r\nb"}, std::string_view{"\0", 1}, std::string_view{"\t"},
        std::string_view{"\x7f"}, std::string_view{"\xc2\x80"}, std::string_view{"\xe2\x80\xa9"},
        std::string_view{"\xf5\x80\x80\x80"}, std::string_view{"\xe2\x82"},
        std::string_view{"\xe0\x80\x80"}})
    EXPECT_FALSE(is_plain_text(text)) << testing::PrintToString(text);
}

TEST(query, numbers_have_bounds) {
  const auto made = target::parse("/?limit=1000");
  query_reader query{*made};
  EXPECT_EQ(query.number("limit", 1, 1000), 1000u);
  EXPECT_EQ(query.number("after", 0, 10), std::nullopt);
  EXPECT_FALSE(query.finish());
  for (const std::string said :
       {"0", "1001", "-1", "+1", "1x", "", "1.0", "99999999999999999999"}) {
    const auto wrong = target::parse("/?limit=" + said);
    query_reader reader{*wrong};
    EXPECT_EQ(reader.number("limit", 1, 1000), std::nullopt) << said;
    const auto fault = reader.finish();
    ASSERT_TRUE(fault) << said;
    EXPECT_EQ(fault->status, 400u);
    EXPECT_THAT(fault->body, HasSubstr("\"field\":\"limit\""));
  }
}

TEST(query, what_nobody_asked_for_is_named) {
  const auto made = target::parse("/?limit=1&colour=red");
  query_reader query{*made};
  (void)query.number("limit", 1, 10);
  EXPECT_THAT(query.finish()->body, HasSubstr("\"field\":\"colour\""));
  const auto twice = target::parse("/?limit=1&limit=2");
  query_reader other{*twice};
  (void)other.number("limit", 1, 10);
  EXPECT_THAT(other.finish()->body, HasSubstr("\"field\":\"limit\""));
}

} // namespace
} // namespace jackfield::http
