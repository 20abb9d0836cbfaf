#include "engine/sip/fields.hpp"

#include <gtest/gtest.h>

#include <string>

#include "engine/sip/multipart.hpp"

namespace jackfield::sip {

TEST(parse_uint, takes_digits_up_to_the_limit) {
  EXPECT_EQ(parse_uint("0", 0), 0U);
  EXPECT_EQ(parse_uint("00065535", 65'535), 65'535U);
  EXPECT_EQ(parse_uint("18446744073709551615", UINT64_MAX), UINT64_MAX);
  for (auto text : {"", "65536", "-1", "+1", " 1", "1 ", "0x1", "1.", "184467440737095516160"})
    EXPECT_FALSE(parse_uint(text, 65'535)) << text;
  EXPECT_FALSE(parse_uint("18446744073709551616", UINT64_MAX));
  EXPECT_FALSE(parse_uint("1", 0));
}

TEST(name_addr, forms_of_rfc_3261_20_10) {
  auto quoted =
    parse_name_addr(R"("Alice \"A\", <x>" <sip:a@b;lr?h=1> ; tag=77 ;q=0.25;expires=60)");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(unquote(quoted->display_name), R"(Alice "A", <x>)");
  EXPECT_EQ(quoted->uri, "sip:a@b;lr?h=1");
  EXPECT_EQ(quoted->tag, "77");
  EXPECT_EQ(quoted->q(), 250);
  EXPECT_EQ(quoted->expires(), 60U);

  auto bare = parse_name_addr("sip:a@b;tag=1;x=\"y;z\"");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->uri, "sip:a@b");
  EXPECT_EQ(bare->parameter("X"), "y;z");

  auto touching = parse_name_addr("caller<sip:a@b>;tag=323");
  ASSERT_TRUE(touching);
  EXPECT_EQ(touching->display_name, "caller");
  EXPECT_TRUE(parse_name_addr("*")->is_star());
  EXPECT_EQ(parse_name_addr("<sip:a>;q=7")->q(), 1000);
  EXPECT_EQ(parse_name_addr("<sip:a>;q=1.0")->q(), 1000);
  EXPECT_EQ(parse_name_addr("<sip:a>;q=0")->q(), 0);
  EXPECT_FALSE(parse_name_addr("<sip:a>;expires=-1")->expires());
  EXPECT_FALSE(parse_name_addr("<sip:a>;expires=4294967296")->expires());

  for (auto text : {"", "x", "<sip:a", "\"a <sip:b>", "\"a\" sip:b", "<>", "a, b <sip:c>",
                    "<sip:a>x", "<sip:a>;;", "<sip:a>;", "<sip:a>;tag=", "<sip:a>;tag=1;tag=2",
                    "<sip:a>, <sip:b>", "\"", "\"\\", "<sip:a>;x=\"y"})
    EXPECT_FALSE(parse_name_addr(text)) << text;
}

TEST(via, forms_of_rfc_3261_20_42) {
  auto v = parse_via("SIP / 2.0\r\n / UDP\t[2001:db8::9]: 5061;rport = 7;branch=z9hG4bKa; "
                     "received=[2001:db8::1];ttl=3;maddr=[ff02::1];x=\"y\"");
  ASSERT_TRUE(v);
  EXPECT_EQ(v->transport, "UDP");
  EXPECT_EQ(v->host, "2001:db8::9");
  EXPECT_EQ(v->port, 5061);
  EXPECT_EQ(v->branch, "z9hG4bKa");
  EXPECT_EQ(v->received, "2001:db8::1");
  EXPECT_EQ(v->maddr, "ff02::1");
  EXPECT_EQ(v->ttl, 3);
  EXPECT_TRUE(v->has_rport);
  EXPECT_EQ(v->rport, 7);
  for (auto text : {"",
                    "SIP/2.0/UDP",
                    "SIP/2.0/UDP ",
                    "SIP/2.0 a",
                    "HTTP/2.0/UDP a",
                    "SIP/3.0/UDP a",
                    "SIP/2.0/UDP a:0",
                    "SIP/2.0/UDP a:65536",
                    "SIP/2.0/UDP a:",
                    "SIP/2.0/UDP a;;",
                    "SIP/2.0/UDP a;branch=",
                    "SIP/2.0/UDP a;branch",
                    "SIP/2.0/UDP a;branch=a;branch=b",
                    "SIP/2.0/UDP a;ttl=256",
                    "SIP/2.0/UDP a;rport=x",
                    "SIP/2.0/UDP [::1",
                    "SIP/2.0/UDP a b",
                    "SIP/2.0/UDP [::1;received=[::2]",
                    "SIP/2.0/UDP [a.example]",
                    "SIP/2.0/UDP []",
                    "SIP/2.0/UDP a, SIP/2.0/UDP b"})
    EXPECT_FALSE(parse_via(text)) << text;
}

TEST(fields, other_values) {
  EXPECT_EQ(parse_cseq("7 \t OPTIONS")->what, method::options);
  EXPECT_EQ(parse_cseq("7 NEW")->method_name, "NEW");
  EXPECT_FALSE(parse_cseq("7"));
  EXPECT_EQ(parse_retry_after("18000;duration=3600"), 18'000U);
  EXPECT_EQ(parse_retry_after("120 (I'm in a meeting)"), 120U);
  EXPECT_FALSE(parse_retry_after("soon"));
  auto type = parse_media_type("Multipart/Mixed ; boundary=\"a b\" ; x=y");
  ASSERT_TRUE(type);
  EXPECT_TRUE(type->is("multipart/mixed"));
  EXPECT_EQ(type->parameter("Boundary"), "a b");
  for (auto text : {"", "text", "text/", "/plain", "text/plain;", "text/plain x", "text/plain;a="})
    EXPECT_FALSE(parse_media_type(text)) << text;
  EXPECT_EQ(parameter("<sip:a;tag=no>;x=\";tag=no\";TAG=yes", "tag"), "yes");
  EXPECT_EQ(parameter("a;lr;b", "lr"), "");
  EXPECT_FALSE(parameter("a;b", "lr"));
}

TEST(sec_04, parts_are_split_and_may_hold_anything) {
  using namespace std::string_view_literals;
  constexpr auto body =
    "preamble\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--bad\r\n\0\n\r"
    "\r\n--b \r\n\r\nsecond\r\n--b--\r\nepilogue"sv;
  auto parts = split_multipart("multipart/mixed;boundary=b", body);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].content_type, "application/sdp");
  EXPECT_EQ((*parts)[0].body, "v=0\r\n--bad\r\n\0\n\r"sv);
  EXPECT_EQ((*parts)[1].content_type, "text/plain");
  EXPECT_EQ((*parts)[1].body, "second");
}

TEST(sec_04, malformed_bodies_are_refused) {
  constexpr std::string_view type = "multipart/mixed;boundary=b";
  for (auto body : {"", "--b", "--b\r\n", "--b--", "--b--\r\n", "x", "--b\r\n\r\nx",
                    "--b\r\n\r\nx\r\n--b", "--b\n\nx\n--b--\n", "--b\r\nA: b\n\nx\r\n--b--",
                    "--b\r\nA: b\n\r\n\r\nx\r\n--b--", "--b\r\nA: b\nC: d\r\n\r\nx\r\n--b--",
                    "--b\r\nno field\r\n\r\nx\r\n--b--", "--b\r\nA: b\r\n--c--"})
    EXPECT_FALSE(split_multipart(type, body)) << body;
  constexpr auto good = "--b\r\n\r\nx\r\n--b--\r\n";
  EXPECT_TRUE(split_multipart(type, good));
  for (auto bad_type : {"multipart/mixed", "multipart/mixed;boundary=", "text/plain;boundary=b",
                        "multipart/mixed;boundary=\"\"", "multipart/mixed;boundary=\"b \"",
                        "multipart/mixed;boundary=\"b\r\n\"", ""})
    EXPECT_FALSE(split_multipart(bad_type, good)) << bad_type;
  EXPECT_FALSE(split_multipart("multipart/mixed;boundary=" + std::string(71, 'b'), good));
}

TEST(sec_04, parts_and_depth_are_bounded) {
  auto body = [](size_t parts) {
    std::string text;
    for (size_t i = 0; i < parts; ++i)
      text += "--b\r\n\r\nx\r\n";
    return text + "--b--\r\n";
  };
  EXPECT_TRUE(split_multipart("multipart/mixed;boundary=b", body(16)));
  EXPECT_FALSE(split_multipart("multipart/mixed;boundary=b", body(17)));
  EXPECT_FALSE(split_multipart("multipart/mixed;boundary=b", body(100'000)));

  std::string nested = "x";
  std::string type = "text/plain";
  for (size_t depth = 1; depth <= 50; ++depth) {
    std::string boundary = "b" + std::to_string(depth);
    nested = "--" + boundary + "\r\nContent-Type: " + type + "\r\n\r\n" + nested + "\r\n--" +
             boundary + "--\r\n";
    type = "multipart/mixed;boundary=" + boundary;
    EXPECT_EQ(split_multipart(type, nested).has_value(), depth <= 2) << depth;
  }
}

} // namespace jackfield::sip
