#include "engine/sip/request_check.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/sip/samples.hpp"

namespace jackfield::sip {

namespace {

using tests::invite;
using tests::ok;
using tests::with;

/// 0 where the request can be acted on.
int check(const std::string& text, const capabilities& able = {}) {
  static message m;
  EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause << '\n' << text;
  auto refusal = check_request(m, able);
  return refusal ? refusal->status : 0;
}

std::string with_line(const std::string& line) {
  return with(invite, "To:", line + "\r\nTo:");
}

const std::string registration = "REGISTER sip:example.com SIP/2.0\r\n"
                                 "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
                                 "From: <sip:a@example.com>;tag=1\r\n"
                                 "To: <sip:a@example.com>\r\n"
                                 "Call-ID: 1\r\n"
                                 "CSeq: 1 REGISTER\r\n"
                                 "Contact: <sip:a@b>\r\n"
                                 "\r\n";

} // namespace

TEST(check_request, takes_what_is_supported) {
  EXPECT_EQ(check(invite), 0);
  EXPECT_EQ(check(registration), 0);
  EXPECT_EQ(check(with(invite, "sip:bob", "sips:bob")), 0);
  EXPECT_EQ(check(with_line("Accept: application/sdp;level=1, text/html")), 0);
  EXPECT_EQ(check(with_line("Accept: */*")), 0);
  EXPECT_EQ(check(with_line("Accept: application/*;q=0.1")), 0);
  EXPECT_EQ(check(with_line("Content-Disposition: x;handling=optional")), 0);
  EXPECT_EQ(check(with_line("Content-Encoding: identity")), 0);
}

TEST(check_request, refuses_in_the_order_of_rfc_3261_8_2) {
  EXPECT_EQ(check(with(invite, "sip:bob", "tel:bob")), 416);
  EXPECT_EQ(check(with(invite, "sip:bob@biloxi.example.com", "sip:bob@biloxi?a=b")), 400);
  EXPECT_EQ(check(with(invite, "sip:bob@biloxi.example.com", "sip:2001:db8::10")), 400);
  capabilities plain;
  plain.sips = false;
  EXPECT_EQ(check(with(invite, "sip:bob", "sips:bob"), plain), 416);
  EXPECT_EQ(check(with_line("Require: 100rel")), 420);
  capabilities reliable;
  reliable.extensions = {"100rel"};
  EXPECT_EQ(check(with_line("Require: 100REL"), reliable), 0);
  EXPECT_EQ(check(with(invite, "application/sdp", "application/unknown")), 415);
  EXPECT_EQ(check(with(invite, "application/sdp", "nonsense")), 400);
  EXPECT_EQ(check(with(invite, "Content-Type: application/sdp\r\n", "")), 400);
  EXPECT_EQ(check(with_line("Content-Encoding: gzip")), 415);
  EXPECT_EQ(check(with_line("Accept: text/html")), 406);
  EXPECT_EQ(check(with_line("Accept:")), 406);
  const auto options = with(with(with_line("Accept: text/html"), "INVITE sip", "OPTIONS sip"),
                            "1 INVITE", "1 OPTIONS");
  EXPECT_EQ(check(options), 0) << "its 200 need not have a body (RFC 3261 §11.2)";
  capabilities caller;
  caller.methods = {method::bye};
  EXPECT_EQ(check(invite, caller), 405);
  EXPECT_EQ(check(with(with(invite, "INVITE sip", "NEW sip"), "1 INVITE", "1 NEW")), 501);
}

TEST(check_request, contacts_are_checked) {
  const std::string contact = "Contact: <sip:alice@client.atlanta.example.com;transport=udp>\r\n";
  EXPECT_EQ(check(with(invite, contact, "")), 400);
  EXPECT_EQ(check(with(invite, contact, "Contact: %\r\n")), 400);
  EXPECT_EQ(check(with(invite, contact, "Contact: *\r\n")), 400);
  EXPECT_EQ(check(with(invite, contact, contact + contact)), 400);
  EXPECT_EQ(check(with(invite, contact, "Contact: sip:a@b?c=d\r\n")), 400);
  EXPECT_EQ(check(with(registration, "<sip:a@b>", "*")), 400);
  EXPECT_EQ(check(with(registration, "<sip:a@b>", "*\r\nExpires: 0")), 0);
  EXPECT_EQ(check(with(registration, "<sip:a@b>", "*\r\nExpires: 1")), 400);
  EXPECT_EQ(check(with(registration, "<sip:a@b>", "*, <sip:a@b>\r\nExpires: 0")), 400);
  EXPECT_EQ(check(with(registration, "Contact: <sip:a@b>\r\n", "")), 0);
}

TEST(check_request, ack_and_cancel_are_not_refused_for_what_they_require) {
  auto ack = with(with(with_line("Require: x"), "INVITE sip", "ACK sip"), "1 INVITE", "1 ACK");
  EXPECT_EQ(check(ack), 0);
  auto cancel =
    with(with(with_line("Require: x"), "INVITE sip", "CANCEL sip"), "1 INVITE", "1 CANCEL");
  EXPECT_EQ(check(cancel), 0);
}

TEST(check_request, a_multipart_body_needs_one_part_that_is_understood) {
  auto body = [](const std::string& type, const std::string& text) {
    return invite.substr(0, invite.find("Content-Type")) + "Content-Type: " + type +
           "\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  };
  const std::string mixed = "multipart/mixed;boundary=b";
  EXPECT_EQ(check(body(mixed, "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n")), 0);
  EXPECT_EQ(check(body(mixed, "--b\r\nContent-Type: text/plain\r\n\r\nv=0\r\n--b--\r\n")), 415);
  EXPECT_EQ(check(body(mixed, "--b\n\nv=0\n--b--\n")), 400);
  EXPECT_EQ(
    check(body(mixed, "--b\r\nContent-Type: text/plain\r\n"
                      "Content-Disposition: render;handling=optional\r\n\r\nhi\r\n--b--\r\n")),
    0)
    << "nothing in it has to be understood";
}

TEST(check_request, a_response_for_another_is_told_from_ours) {
  message m;
  ASSERT_EQ(m.parse(ok), parse_verdict::good);
  EXPECT_FALSE(is_misrouted(m));
  const auto two_fields = with(ok, "f:", "v: SIP/2.0/UDP b\r\nf:");
  ASSERT_EQ(m.parse(two_fields), parse_verdict::good);
  EXPECT_TRUE(is_misrouted(m));
  const auto two_values = with(ok, "rport=5060", "rport=5060, SIP/2.0/UDP b");
  ASSERT_EQ(m.parse(two_values), parse_verdict::good);
  EXPECT_TRUE(is_misrouted(m));
}

} // namespace jackfield::sip
