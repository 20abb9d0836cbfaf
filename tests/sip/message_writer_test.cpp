#include "engine/sip/message_writer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/sip/samples.hpp"

namespace jackfield::sip {

namespace {

using tests::invite;
using tests::ok;
using tests::with;

std::string answer(const std::string& request, int status, std::string_view tag = {},
                   const packet_source& source = {}) {
  message m;
  EXPECT_EQ(m.parse(request), parse_verdict::good) << m.fault().cause;
  std::string text;
  message_writer out(text);
  out.response_head(m, status, {}, tag, source);
  out.end();
  return text;
}

} // namespace

TEST(message_writer, an_answer_copies_what_it_must) {
  EXPECT_EQ(answer(invite, 200, "77"),
            "SIP/2.0 200 OK\r\n"
            "Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\r\n"
            "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
            "To: Bob <sip:bob@biloxi.example.com>;tag=77\r\n"
            "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
            "CSeq: 1 INVITE\r\n"
            "Content-Length: 0\r\n\r\n");
  auto tagged = with(invite, "biloxi.example.com>\r\n", "biloxi.example.com>;tag=1\r\n");
  EXPECT_NE(answer(tagged, 200, "77").find(";tag=1\r\n"), std::string::npos);
  EXPECT_EQ(answer(invite, 100).find("example.com>;tag=\r"), std::string::npos);
}

TEST(message_writer, record_route_goes_where_a_dialog_may_come_of_it) {
  auto routed = with(invite, "To:", "Record-Route: <sip:p;lr>,\r\n <sip:q;lr>\r\nTo:");
  for (int status : {180, 183, 200})
    EXPECT_NE(answer(routed, status).find("Record-Route: <sip:p;lr>, <sip:q;lr>\r\n"),
              std::string::npos);
  for (int status : {100, 302, 486, 600})
    EXPECT_EQ(answer(routed, status).find("Record-Route"), std::string::npos);
}

TEST(message_writer, the_top_via_says_where_the_request_came_from) {
  const packet_source source{"198.51.100.7", 4711};
  const std::string via = "Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9";
  struct row {
    std::string asked, answered;
  };
  for (const auto& [asked, answered] :
       {row{via, via + ";received=198.51.100.7"},
        row{via + ";rport", via + ";received=198.51.100.7;rport=4711"},
        row{via + ";received=203.0.113.1;rport=9", via + ";received=198.51.100.7;rport=4711"},
        row{"v: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1",
            "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1"},
        row{"v: SIP/2.0/UDP 198.51.100.7;rport;branch=z9hG4bK1;x=y",
            "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1;x=y;received=198.51.100.7;rport=4711"},
        row{"v: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n ;rport, SIP/2.0/TCP b",
            "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1;received=198.51.100.7;rport=4711, "
            "SIP/2.0/TCP b"}}) {
    auto text = answer(with(invite, via, asked), 200, "1", source);
    EXPECT_NE(text.find("\r\n" + answered + "\r\n"), std::string::npos) << text;
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good);
  }
  EXPECT_NE(answer(invite, 200, {}, {"2001:db8::1", 1}).find(";received=2001:db8::1\r\n"),
            std::string::npos);
}

/// Parse, print all fields, parse again: nothing of it changes.
TEST(message_writer, what_is_printed_parses_to_the_same) {
  auto samples = tests::sip_samples("rfc-callflows");
  samples.push_back({"invite", invite, {}, {}});
  samples.push_back({"ok", ok, {}, {}});
  for (const auto& folder : {"rfc4475", "rfc5118"})
    for (auto& sample : tests::sip_samples(folder))
      samples.push_back(sample);
  message before;
  message after;
  size_t good = 0;
  for (const auto& sample : samples) {
    if (before.parse(sample.text) != parse_verdict::good)
      continue;
    ++good;
    std::string text;
    message_writer out(text);
    if (before.is_request())
      out.request_line(before.method_name(), before.request_uri());
    else
      out.status_line(before.status(), before.reason_phrase());
    for (const auto& field : before.fields())
      if (field.id != header::content_length && field.id != header::content_type)
        out.field(field.name, field.value);
    if (before.body().empty())
      out.end();
    else
      out.end(before.has(header::content_type) ? before.first(header::content_type) : "a/b",
              before.body());
    // A NUL in a quoted pair is replaced, as in all values.
    if (sample.name == "intmeth.dat")
      continue;
    ASSERT_EQ(after.parse(text, false), parse_verdict::good) << text << after.fault().cause;
    EXPECT_EQ(after.method_name(), before.method_name());
    EXPECT_EQ(after.status(), before.status());
    EXPECT_EQ(after.request_uri(), before.request_uri());
    EXPECT_EQ(after.via().branch, before.via().branch);
    EXPECT_EQ(after.via().port, before.via().port);
    EXPECT_EQ(after.from_tag(), before.from_tag());
    EXPECT_EQ(after.to_tag(), before.to_tag());
    EXPECT_EQ(after.call_id(), before.call_id());
    EXPECT_EQ(after.cseq_number(), before.cseq_number());
    EXPECT_EQ(after.body(), before.body());
    for (const auto& field : before.fields())
      EXPECT_TRUE(after.find(field.name) || field.id == header::content_type ||
                  field.id == header::content_length)
        << field.name;
  }
  EXPECT_GE(good, 2U);
}

TEST(message_writer, values_cannot_begin_a_line) {
  for (std::string_view value : {std::string_view("a\r\nInjected: 1"), std::string_view("a\nb"),
                                 std::string_view("a\rb"), std::string_view("a\0b", 3)}) {
    EXPECT_FALSE(is_safe_value(value));
    std::string text;
    message_writer out(text);
    out.request_line("INVITE", value);
    out.field("X", value);
    out.field(header::subject, value);
    out.cseq(1, value);
    out.status_line(200, value);
    size_t lines = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      EXPECT_NE(text[i], '\0');
      if (text[i] == '\r' || text[i] == '\n') {
        EXPECT_TRUE((text[i] == '\r' && text[i + 1] == '\n') || text[i - 1] == '\r');
      }
      lines += text[i] == '\n' ? 1 : 0;
    }
    EXPECT_EQ(lines, 5U);
  }
  EXPECT_TRUE(is_safe_value("\xc3\xa9\t%0d%0a"));
}

TEST(message_writer, a_body_may_be_printed_in_place) {
  for (size_t size : {0U, 1U, 9U, 10U, 99'999U}) {
    std::string text = "before";
    message_writer out(text);
    auto opened = out.open_body("text/plain");
    text.append(size, 'x');
    out.close_body(opened);
    message m;
    auto request =
      with(invite, "Content-Type: application/sdp\r\nContent-Length: 151\r\n\r\n", text.substr(6));
    request.resize(request.size() - 151);
    message_limits limits;
    limits.message_bytes = limits.body_bytes = 1'000'000;
    ASSERT_EQ(m.parse(request, false, limits), parse_verdict::good) << m.fault().cause;
    EXPECT_EQ(m.body().size(), size);
  }
}

TEST(reason_phrase, is_there_for_every_status) {
  for (int status = 100; status < 700; ++status)
    EXPECT_FALSE(reason_phrase(status).empty());
  EXPECT_EQ(reason_phrase(487), "Request Terminated");
  EXPECT_EQ(reason_phrase(299), "Success");
}

} // namespace jackfield::sip
