#include "engine/sip/uri.hpp"

#include <gtest/gtest.h>

#include <string>

namespace jackfield::sip {

TEST(uri, is_split_into_its_parts) {
  auto u =
    uri::parse("sip:al%20ice;x:se%3acret@[2001:db8::1]:5070;Transport=TCP;lr?subject=a&to=b");
  ASSERT_TRUE(u);
  EXPECT_EQ(u->kind(), scheme::sip);
  EXPECT_EQ(u->user(), "al%20ice;x");
  EXPECT_EQ(u->password(), "se%3acret");
  EXPECT_EQ(u->host(), "2001:db8::1");
  EXPECT_TRUE(u->host_is_ipv6());
  EXPECT_EQ(u->port(), 5070);
  EXPECT_EQ(u->parameter("transport"), "TCP");
  EXPECT_EQ(u->parameter("lr"), "");
  EXPECT_TRUE(u->is_loose());
  EXPECT_FALSE(u->parameter("maddr"));
  EXPECT_EQ(u->headers(), "subject=a&to=b");
}

TEST(uri, schemes_are_told_apart) {
  EXPECT_EQ(uri::parse("SIPS:a@b")->kind(), scheme::sips);
  EXPECT_EQ(uri::parse("tel:+1-201-555;ext=1")->kind(), scheme::tel);
  EXPECT_EQ(uri::parse("tel:+1-201-555;ext=1")->user(), "+1-201-555");
  EXPECT_EQ(uri::parse("soap.beep://192.0.2.103:3002")->kind(), scheme::other);
  EXPECT_EQ(uri::parse("urn:service:sos")->opaque(), "service:sos");
}

TEST(uri, malformed_ones_are_refused) {
  for (auto text : {"",
                    "sip",
                    "sip:",
                    ":a",
                    "1sip:a",
                    "sip:@b",
                    "sip:a@",
                    "sip:a@b:",
                    "sip:a@b:0",
                    "sip:a@b:65536",
                    "sip:a@b:5x",
                    "sip:a b@c",
                    "sip:a%4@b",
                    "sip:a%zz@b",
                    "sip:a@b;",
                    "sip:a@b;;c",
                    "sip:a@b;x;",
                    "sip:a@b;x=y;?c=d",
                    "sip:a@b?",
                    "sip:a@b?c",
                    "sip:a@b?=d",
                    "sip:2001:db8::10",
                    "sip:[2001:db8:::1]",
                    "sip:[]",
                    "sip:[::1",
                    "sip:[::1]x",
                    "sip:a@b@c",
                    "sip:<a@b>",
                    "sip:a@b c",
                    "tel:",
                    "tel:;a=b",
                    "name:a b"})
    EXPECT_FALSE(uri::parse(text)) << text;
}

TEST(uri, ipv6_addresses_are_checked) {
  for (auto good : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "2001:db8::192.0.2.1", "::ffff:1.2.3.4",
                    "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"})
    EXPECT_TRUE(is_ipv6(good)) << good;
  for (auto bad : {"", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::",
                   "g::", "::1.2.3", "::1.2.3.256", "1.2.3.4", "1:", ":1", "1:2:3:4:5:6:7:1.2.3.4",
                   "2001:db8:::192.0.2.1", "1:2:3:4:5:6:7:8::", "::1.2.3.4:5"})
    EXPECT_FALSE(is_ipv6(bad)) << bad;
  EXPECT_TRUE(is_ipv4("192.0.2.1"));
  for (auto bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.", "256.1.1.1", "1..2.3", "0001.2.3.4"})
    EXPECT_FALSE(is_ipv4(bad)) << bad;
}

/// What stands behind it in a message is none of it.
TEST(uri, ipv6_addresses_end_where_their_text_ends) {
  for (const std::string_view text :
       {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:1.2.3.45", "::ffff:1.2.3.4:5"})
    for (size_t n = 0; n <= text.size(); ++n)
      EXPECT_EQ(is_ipv6(text.substr(0, n)), is_ipv6(std::string{text.substr(0, n)}))
        << text.substr(0, n);
}

TEST(uri, escapes_are_decoded_once) {
  EXPECT_EQ(unescape("%2541"), "%41");
  EXPECT_EQ(unescape("a%00b"), std::string("a\0b", 3));
  EXPECT_EQ(unescape("%4%"), "%4%");
  std::string every;
  for (int c = 0; c < 256; ++c)
    every += static_cast<char>(c);
  EXPECT_EQ(unescape(escape_user(every)), every);
  EXPECT_TRUE(uri::parse("sip:" + escape_user(every) + "@a"));
}

TEST(uri, equivalence_is_that_of_rfc_3261_19_1_4) {
  auto same = [](std::string_view a, std::string_view b) {
    auto left = uri::parse(a);
    auto right = uri::parse(b);
    EXPECT_TRUE(left && right) << a << ' ' << b;
    EXPECT_EQ(equivalent(*left, *right), equivalent(*right, *left));
    return equivalent(*left, *right);
  };
  EXPECT_TRUE(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                   "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
  EXPECT_TRUE(same("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                   "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
  EXPECT_FALSE(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
  EXPECT_FALSE(same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
  EXPECT_FALSE(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
  EXPECT_FALSE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
  EXPECT_FALSE(same("sip:a%3bb@c", "sip:a;b@c"));
  EXPECT_FALSE(same("sip:a@b", "sips:a@b"));
  EXPECT_TRUE(same("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::0:1]"));
  EXPECT_TRUE(same("tel:+1-201-555-0123", "tel:+1(201)5550123"));
  EXPECT_FALSE(same("tel:+1;a=b", "tel:+1"));
}

} // namespace jackfield::sip
