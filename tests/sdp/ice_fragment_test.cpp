#include "engine/sdp/ice_fragment.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::sdp {
namespace {

constexpr std::string_view host = "1 1 UDP 2130706432 192.0.2.1 5000 typ host";
constexpr std::string_view reflexive =
  "2 1 UDP 1694498816 198.51.100.7 5001 typ srflx raddr 192.0.2.1 rport 5000";

std::string with_candidates(std::size_t count) {
  std::string text{
    "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\nm=audio 9 RTP/AVP 0\r\n"};
  for (std::size_t i = 0; i < count; ++i) {
    text.append("a=candidate:").append(host).append("\r\n");
  }
  return text;
}

TEST(ice_fragment, is_read_as_it_was_printed) {
  ice_fragment::stream told{
    "8hhY", "asd88fgpdd777uzjYhagZg", "a1", {std::string(host), std::string(reflexive)}, true};
  auto read = parse_ice_fragment(print_ice_fragment(told));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_THAT(read->streams, testing::ElementsAre(told));
  told.complete = false;
  told.mid.clear();
  read = parse_ice_fragment(print_ice_fragment(told));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->streams, testing::ElementsAre(told));
}

TEST(ice_fragment, tells_m_lines_apart) {
  const auto read = parse_ice_fragment("a=ice-options:trickle\n"
                                       "a=ice-pwd:asd88fgpdd777uzjYhagZg\n"
                                       "a=ice-ufrag:8hhY\n"
                                       "a=group:BUNDLE 0 1\n"
                                       "m=audio 9 RTP/AVP 0\n"
                                       "a=mid:0\n"
                                       "a=candidate:" +
                                       std::string(host) +
                                       "\n"
                                       "a=rtcp-mux\n"
                                       "m=video 9 RTP/AVP 96\n"
                                       "a=ice-ufrag:other\n"
                                       "a=ice-pwd:anotherpasswordof22chars\n"
                                       "a=mid:1\n"
                                       "a=end-of-candidates\n");
  ASSERT_TRUE(read) << read.error().to_string();
  ASSERT_EQ(read->streams.size(), 2U);
  const ice_fragment::stream first{
    "8hhY", "asd88fgpdd777uzjYhagZg", "0", {std::string(host)}, false};
  const ice_fragment::stream second{"other", "anotherpasswordof22chars", "1", {}, true};
  EXPECT_EQ(read->streams[0], first);
  EXPECT_EQ(read->streams[1], second);
}

TEST(ice_fragment, may_say_of_all_m_lines_that_no_more_follow) {
  const std::string_view head{
    "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=end-of-candidates\r\n"};
  for (const std::string_view tail : {"", "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"}) {
    const auto read = parse_ice_fragment(std::string(head).append(tail));
    ASSERT_TRUE(read) << read.error().to_string();
    ASSERT_EQ(read->streams.size(), 1U);
    EXPECT_TRUE(read->streams[0].complete);
  }
}

TEST(ice_fragment, what_is_none_is_refused) {
  for (const std::string_view text :
       {"", "hello", "a=ice-ufrag:8hhY\r\n", "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n",
        "a=ice-ufrag:8hhY\r\na=ice-pwd:\r\n", "a=ice-ufrag:8hhY\r\nx\r\n"}) {
    const auto read = parse_ice_fragment(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().place, "ice fragment");
  }
}

TEST(ice_fragment, is_bounded) {
  EXPECT_TRUE(parse_ice_fragment(with_candidates(ice_fragment::max_candidates)));
  EXPECT_FALSE(parse_ice_fragment(with_candidates(ice_fragment::max_candidates + 1)));
  auto text = with_candidates(1);
  text.append("a=x:").append(ice_fragment::max_bytes, 'x');
  EXPECT_FALSE(parse_ice_fragment(text));
  text = with_candidates(1);
  for (std::size_t i = 1; i < ice_fragment::max_streams; ++i) {
    text.append("m=audio 9 RTP/AVP 0\r\n");
  }
  EXPECT_TRUE(parse_ice_fragment(text));
  EXPECT_FALSE(parse_ice_fragment(text + "m=audio 9 RTP/AVP 0\r\n"));
}

TEST(ice_fragment, is_about_one_generation_of_one_m_line) {
  const ice_fragment::stream told{"8hhY", "asd88fgpdd777uzjYhagZg", "0", {}, false};
  ice_description described;
  described.ufrag = told.ufrag;
  described.pwd = told.pwd;
  EXPECT_TRUE(is_about(told, described));
  described.mid = "0";
  EXPECT_TRUE(is_about(told, described));
  described.mid = "1";
  EXPECT_FALSE(is_about(told, described));
  described.mid = "0";
  described.pwd += "x";
  EXPECT_FALSE(is_about(told, described));
  described.pwd = told.pwd;
  described.ufrag = "next";
  EXPECT_FALSE(is_about(told, described));
}

} // namespace
} // namespace jackfield::sdp
