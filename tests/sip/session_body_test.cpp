#include "engine/sip/session_body.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

const std::string sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";

struct said {
  explicit said(const std::string& headers, const std::string& body)
      : text("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
             "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
             "Contact: <sip:a@b>\r\n" +
             headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body) {
    EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause;
    found = session_body_of(m);
  }
  std::string text;
  message m;
  session_body found;
};

std::string part(const std::string& headers, const std::string& body) {
  return "--b 1\r\n" + headers + "\r\n" + body + "\r\n";
}

TEST(session_body, is_a_description_as_it_stands) {
  EXPECT_EQ(said("Content-Type: application/sdp\r\n", sdp).found.text, sdp);
  EXPECT_EQ(said("c: Application/SDP;charset=utf-8\r\n", sdp).found.text, sdp);
  EXPECT_EQ(said("", "").found.text, "");
}

// RFC 5621 §3: ISUP of a gateway, a caller's place, beside it.
TEST(session_body, is_the_part_that_describes_the_session) {
  const auto isup = part("Content-Type: application/isup;version=itu-t92+\r\n"
                         "Content-Disposition: signal;handling=optional\r\n",
                         std::string{"\x01\0\x60", 3});
  const auto pidf =
    part("Content-Type: application/pidf+xml\r\nContent-ID: <a@b>\r\n", "<presence/>");
  const auto session = part("Content-Type: application/sdp\r\n", sdp);
  for (const auto& parts : {isup + session, session + isup, pidf + isup + session}) {
    const said s{"Content-Type: Multipart/Mixed ; Boundary=\"b 1\"\r\n", parts + "--b 1--\r\n"};
    EXPECT_EQ(s.found.text, sdp);
    EXPECT_EQ(s.found.content_type, "application/sdp");
  }
  EXPECT_EQ(said("Content-Type: multipart/mixed;boundary=\"b 1\"\r\n", isup + "--b 1--").found.text,
            "")
    << "nothing in it has to be understood";
  EXPECT_NE(said("Content-Type: multipart/mixed;boundary=\"b 1\"\r\n", pidf + "--b 1--").found.text,
            "");
  const auto packed =
    part("Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n", "djA=");
  EXPECT_NE(
    said("Content-Type: multipart/mixed;boundary=\"b 1\"\r\n", packed + "--b 1--").found.text,
    "djA=");
}

TEST(session_body, of_another_kind_is_none_where_it_is_optional) {
  EXPECT_EQ(
    said("Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n", "hi")
      .found.text,
    "");
  EXPECT_EQ(said("Content-Type: text/plain\r\n", "hi").found.text, "hi");
  EXPECT_EQ(
    said("Content-Type: application/sdp\r\nContent-Disposition: session;handling=optional\r\n", sdp)
      .found.text,
    sdp);
  EXPECT_EQ(said("Content-Type: multipart/mixed;boundary=b\r\n", "no parts").found.text,
            "no parts");
}

} // namespace
} // namespace jackfield::sip
