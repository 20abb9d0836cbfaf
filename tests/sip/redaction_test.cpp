#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/sip/redaction.hpp"
#include "tests/guarded_bytes.hpp"
#include "tests/sip/samples.hpp"

namespace jackfield::sip {
namespace {

using testing::HasSubstr;
using testing::Not;

struct pair_of_texts {
  const char* name;
  std::string given;
  std::string expected;
};

class redaction_of : public testing::TestWithParam<pair_of_texts> {};

TEST_P(redaction_of, text) {
  const tests::guarded_bytes behind{GetParam().given};
  EXPECT_EQ(redacted(behind.view()), GetParam().expected);
  const tests::guarded_bytes before{GetParam().given, tests::guarded_bytes::guard::before};
  EXPECT_EQ(redacted(before.view()), GetParam().expected);
}

const std::vector<pair_of_texts> cases = {
  {"nothing", "", ""},
  {"plain_headers", "Via: SIP/2.0/UDP a:5060;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n\r\n",
   "Via: SIP/2.0/UDP a:5060;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n\r\n"},
  {"digest",
   "Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", "
   "response=\"deadbeef\", algorithm=MD5, cnonce=\"c\", opaque=\"o\", qop=auth, nc=00000001\r\n",
   "Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", "
   "response=\"***\", algorithm=MD5, cnonce=\"c\", opaque=\"o\", qop=auth, nc=00000001\r\n"},
  {"digest_of_a_proxy_in_any_case",
   "PROXY-authorization : dIGEST RESPONSE = \"s\" ,nonce=\"n\"\r\n",
   "PROXY-authorization : dIGEST RESPONSE = \"***\" ,nonce=\"n\"\r\n"},
  {"digest_over_folded_lines",
   "Authorization: Digest\r\n username=\"b\",\r\n\tresponse=\r\n \"s\"\r\nTo: x",
   "Authorization: Digest\r\n username=\"b\",\r\n\tresponse=\r\n \"***\"\r\nTo: x"},
  {"response_without_quotes", "Authorization: Digest response=deadbeef,nonce=n",
   "Authorization: Digest response=***,nonce=n"},
  {"several_credentials",
   "Authorization: Digest response=\"s\"\r\nAuthorization: Basic Ym9iOnB3\r\n"
   "Proxy-Authorization: Bearer abc.def\r\nAuthorization: Digest response=\"t\"\r\n",
   "Authorization: Digest response=\"***\"\r\nAuthorization: Basic ***\r\n"
   "Proxy-Authorization: Bearer ***\r\nAuthorization: Digest response=\"***\"\r\n"},
  {"several_credentials_in_a_line",
   "Authorization: Digest nonce=\"n\", Basic Ym9iOnB3, response=\"s\"",
   "Authorization: Digest nonce=\"n\", ***, response=\"***\""},
  {"credentials_without_a_scheme", "Authorization: Ym9iOnB3\r\n", "Authorization: ***\r\n"},
  {"unknown_scheme", "Authorization: hunter2 hunter3\r\n", "Authorization: ***\r\n"},
  {"unknown_parameter", "Authorization: Digest x-pin=\"1234\", nonce=n",
   "Authorization: Digest x-pin=\"***\", nonce=n"},
  {"quote_that_does_not_end", "Authorization: Digest username=\"bob, response=deadbeef\r\nTo: x",
   "Authorization: Digest username=***\r\nTo: x"},
  {"quote_that_swallows",
   "Authorization: Digest username=\"bob, response=deadbeef, nonce=\"n\"\r\n",
   "Authorization: Digest username=\"***\"***\r\n"},
  {"comma_that_lacks", "Authorization: Digest nonce=\"n\" response=\"s\"\r\n",
   "Authorization: Digest nonce=\"n\" ***\r\n"},
  {"lone_cr_in_credentials", "Authorization: Digest nonce=n,\rresponse=s\r\nTo: x",
   "Authorization: Digest nonce=n,\rresponse=***\r\nTo: x"},
  {"header_behind_a_lone_cr", "To: x\rAuthorization: Basic s\n",
   "To: x\rAuthorization: Basic ***\n"},
  {"indented_header", "INVITE sip:a SIP/2.0\r\n Authorization: Basic s\r\n",
   "INVITE sip:a SIP/2.0\r\n Authorization: Basic ***\r\n"},
  {"challenge",
   "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5, ik=\"00\", "
   "ck=\"11\"\r\n",
   "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5, ik=\"***\", "
   "ck=\"***\"\r\n"},
  {"two_challenges_in_a_line",
   "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", Digest realm=\"b\", nonce=\"m\", "
   "qop=\"auth\"",
   "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", Digest realm=\"b\", nonce=\"m\", "
   "qop=\"auth\""},
  {"authentication_info", "Authentication-Info: qop=auth, rspauth=\"s\", nextnonce=\"n\"\r\n",
   "Authentication-Info: qop=auth, rspauth=\"***\", nextnonce=\"n\"\r\n"},
  {"identity", "Identity: eyJ.abc.def;info=<https://x>\r\ny: eyJ\r\nTo: x",
   "Identity: ***\r\ny: ***\r\nTo: x"},
  {"folded_identity", "Identity: eyJ\r\n abc\r\n\tdef\r\nTo: x", "Identity: ***\r\nTo: x"},
  {"named_after_a_secret",
   "X-Auth-Token: abc\r\nCookie: a=b\r\nX-API-Key: k\r\nP-Media-Authorization: 00\r\n",
   "X-Auth-Token: ***\r\nCookie: ***\r\nX-API-Key: ***\r\nP-Media-Authorization: ***\r\n"},
  {"password_of_the_request_uri", "INVITE sip:bob:pw@h:5060;x=y SIP/2.0\r\n",
   "INVITE sip:bob:***@h:5060;x=y SIP/2.0\r\n"},
  {"passwords_of_uris",
   "To: \"a:b\" <SIPS:bob:p,w;x?y@h>\r\nf: sip:bob:pw@h;tag=1\r\nRoute: <sip:p:5060;lr>, "
   "<sip:a:b@c>",
   "To: \"a:b\" <SIPS:bob:***@h>\r\nf: sip:bob:***@h;tag=1\r\nRoute: <sip:p:5060;lr>, "
   "<sip:a:***@c>"},
  {"password_with_an_at", "To: <sip:bob:p@ss@h;a=b@c>", "To: <sip:bob:***@h;a=b@c>"},
  {"uri_without_a_password", "m: <sip:bob@h:5060>\r\nContact: <sip:[2001:db8::1]:5060>",
   "m: <sip:bob@h:5060>\r\nContact: <sip:[2001:db8::1]:5060>"},
  {"password_of_a_web_address", "Call-Info: <https://u:pw@h/p>", "Call-Info: <https://u:***@h/p>"},
  {"header_within_a_uri", "Refer-To: <sip:a@h?Subject=x&Authorization=Digest%20s&Replaces=y>",
   "Refer-To: <sip:a@h?Subject=x&Authorization=***&Replaces=y>"},
  {"sdes",
   "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY+/=|2^20|1:4 UNENCRYPTED_SRTCP\r\n"
   "a=CRYPTO:2 X INLINE:K;inline:L\r\n",
   "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:4 UNENCRYPTED_SRTCP\r\n"
   "a=CRYPTO:2 X INLINE:***;inline:***\r\n"},
  {"ice", "a=ice-ufrag:u\r\na=ice-pwd:secret\r\na=fingerprint:sha-256 00:11\r\n",
   "a=ice-ufrag:u\r\na=ice-pwd:***\r\na=fingerprint:sha-256 00:11\r\n"},
  {"other_keys", "k=clear:pw\nk=prompt\na=key-mgmt:mikey AQAF\n",
   "k=clear:***\nk=prompt\na=key-mgmt:mikey ***\n"},
  {"digits_relayed", "Content-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n",
   "Content-Type: application/dtmf-relay\r\n\r\nSignal=***\r\nDuration=160\r\n"},
  {"digits_alone", "c: application/DTMF\r\n\r\n5", "c: application/DTMF\r\n\r\n***"},
  {"digits_without_a_type", "\r\n\r\nSignal= 5\r\n", "\r\n\r\nSignal= ***\r\n"},
  {"digits_in_a_part",
   "Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\nContent-Type: application/dtmf\r\n\r\n"
   "12\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n",
   "Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\nContent-Type: application/dtmf\r\n\r\n"
   "***\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"},
  {"digits_of_kpml",
   "Content-Type: application/kpml-response+xml\r\n\r\n<kpml-response code=\"200\" "
   "digits=\"1234\"/>",
   "Content-Type: application/kpml-response+xml\r\n\r\n<kpml-response code=\"200\" "
   "digits=\"***\"/>"},
  {"digits_of_kpml_in_a_line_that_looks_like_a_header",
   "Content-Type: application/kpml-response+xml\r\n\r\n<kpml-response\r\n"
   "  xmlns:k=\"urn:x\" digits=\"1234\"/>",
   "Content-Type: application/kpml-response+xml\r\n\r\n<kpml-response\r\n"
   "  xmlns:k=\"urn:x\" digits=\"***\"/>"},
  {"digits_that_a_header_speaks_of", "Subject: digits=\"1234\"\r\n\r\n",
   "Subject: digits=\"1234\"\r\n\r\n"},
  {"a_message_within_a_body",
   "c: message/sipfrag\r\n\r\nSIP/2.0 200 OK\r\nAuthorization: Basic s\r\n",
   "c: message/sipfrag\r\n\r\nSIP/2.0 200 OK\r\nAuthorization: Basic ***\r\n"},
  {"bytes_that_are_no_text", std::string("\0\xff:\r\nAuthorization:\0s", 21),
   std::string("\0\xff:\r\nAuthorization:***", 22)},
};

INSTANTIATE_TEST_SUITE_P(a, redaction_of, testing::ValuesIn(cases),
                         [](const auto& c) { return std::string{c.param.name}; });

TEST(redaction, of_any_part_of_a_message_stays_within_it) {
  for (const auto& c : cases)
    for (size_t n = 0; n < c.given.size(); ++n) {
      const tests::guarded_bytes bytes{std::string_view{c.given}.substr(0, n)};
      (void)redacted(bytes.view());
    }
}

TEST(redaction, appends) {
  std::string to = "before ";
  append_redacted(to, "To: x");
  EXPECT_EQ(to, "before To: x");
}

TEST(redaction, of_what_repeats_is_done_in_one_pass) {
  // Each is quadratic where every mark is followed to the line's end.
  for (const std::string piece : {"sip:", "sip:a@", "sip:a@;", "sip:a:b@;", "?Authorization=", "\"",
                                  "inline:", "a=b,", "digits=\"", "Digest "}) {
    std::string text = "Content-Type: application/kpml\r\n\r\nAuthorization: Digest ";
    for (int copies = 0; copies < 2; ++copies) {
      while (text.size() < 4'000'000)
        text += piece;
      EXPECT_LE(redacted(text).size(), 4 * text.size()) << piece;
      text = "a=crypto ";
    }
  }
}

class redaction_of_torture : public tests::sip_sample_test {};

TEST_P(redaction_of_torture, shows_no_response) {
  const auto text = redacted(GetParam().text);
  for (auto at = text.find("response=\""); at != std::string::npos;
       at = text.find("response=\"", at + 1))
    EXPECT_THAT(text.substr(at, 13), HasSubstr("***"));
  EXPECT_THAT(text, Not(HasSubstr("42ce3cef44b22f50c6a6071bc8")));
}

INSTANTIATE_TEST_SUITE_P(rfc4475, redaction_of_torture,
                         testing::ValuesIn(tests::sip_samples_or_absent("rfc4475")),
                         tests::sample_name{});
INSTANTIATE_TEST_SUITE_P(callflows, redaction_of_torture,
                         testing::ValuesIn(tests::sip_samples_or_absent("rfc-callflows")),
                         tests::sample_name{});

} // namespace
} // namespace jackfield::sip
