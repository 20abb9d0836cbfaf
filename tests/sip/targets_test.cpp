#include "engine/sip/targets.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

constexpr size_t most_targets = 16;

/// What a 302 with these Contact values leads to, after an INVITE to "sip:a@b".
std::vector<request_target> redirected(const std::string& contacts) {
  const auto text =
    "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\n"
    "To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: " +
    contacts + "\r\nContent-Length: 0\r\n\r\n";
  message m;
  EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause;
  std::vector<request_target> targets{{"sip:a@b", {}}};
  const bool any = insert_redirect_targets(m, targets, 0, most_targets);
  EXPECT_EQ(any, targets.size() > 1);
  targets.erase(targets.begin());
  return targets;
}

TEST(redirect_target, is_the_uri_without_headers_and_method) {
  struct row {
    std::string contact, uri, headers;
  };
  for (const auto& r : {
         row{"<sip:x@h>", "sip:x@h", ""},
         row{"<sip:x@h?Subject=hi%20there&X-Foo=b%20r>", "sip:x@h",
             "Subject: hi there\r\nX-Foo: b r\r\n"},
         row{"<sip:x@h:5070;transport=tcp;method=INVITE;lr?priority=urgent>",
             "sip:x@h:5070;transport=tcp;lr", "priority: urgent\r\n"},
         row{"<sip:x@[::1];METHOD=invite>", "sip:x@[::1]", ""},
         row{"<sips:x:y@h;ttl=1>", "sips:x:y@h;ttl=1", ""},
       }) {
    const auto targets = redirected(r.contact);
    ASSERT_EQ(targets.size(), 1U) << r.contact;
    EXPECT_EQ(targets[0].uri, r.uri);
    EXPECT_EQ(targets[0].headers, r.headers);
  }
}

// RFC 3261 §19.1.5: a stranger does not write who calls whom, which way, and with what.
TEST(redirect_target, has_no_header_that_does_harm) {
  for (const auto* header :
       {"Call-ID=evil", "Via=evil", "From=%3Csip:x%40y%3E", "Route=%3Csip:x%40y%3Blr%3E", "CSeq=9",
        "Contact=%3Csip:x%40y%3E", "body=hello", "Authorization=x",
        "P-Asserted-Identity=%3Csip:x%40y%3E", "Content-Length=0", "Require=x",
        "X-A=b%0D%0AVia:%20evil", "X-%0D%0AVia=evil", "X-=b", "Subject="}) {
    const auto targets = redirected(std::string{"<sip:x@h?"} + header + ">");
    ASSERT_EQ(targets.size(), 1U) << header;
    EXPECT_EQ(targets[0].uri, "sip:x@h") << header;
    EXPECT_EQ(targets[0].headers, "") << header;
  }
  const auto targets = redirected("<sip:x@h?X-A=" + std::string(1'100, 'a') + "&X-B=b>");
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].headers, "X-B: b\r\n");
}

TEST(redirect_target, for_another_method_is_not_followed) {
  const auto targets = redirected("<sip:x@h;method=REGISTER>, <sip:y@h>");
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].uri, "sip:y@h");
}

TEST(redirect_target, is_one_of_as_many_as_may_be_kept) {
  std::string contacts;
  for (size_t n = 1; n <= most_targets + 4; ++n) {
    contacts += (n == 1 ? "<sip:x" : ", <sip:x") + std::to_string(n) + "@h>";
    EXPECT_EQ(redirected(contacts).size(), std::min(n, most_targets));
  }
}

TEST(redirect_target, that_was_tried_is_not_tried_again) {
  EXPECT_TRUE(redirected("<sip:a@b;method=INVITE?Subject=x>").empty());
  EXPECT_EQ(redirected("<sip:x@h?Subject=a>, <sip:x@h?Subject=b>").size(), 1U);
}

} // namespace
} // namespace jackfield::sip
