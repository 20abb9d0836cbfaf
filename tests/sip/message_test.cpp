#include "engine/sip/message.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "engine/sip/message_writer.hpp"
#include "tests/sip/samples.hpp"

namespace jackfield::sip {

namespace {

using tests::invite;
using tests::ok;
using tests::with;

class message_parse : public testing::Test {
protected:
  void expect_fault(const std::string& text, int status, bool datagram = true) {
    EXPECT_EQ(m_.parse(text, datagram), parse_verdict::faulty) << text.substr(0, 400);
    EXPECT_EQ(m_.fault().status, status) << m_.fault().cause;
  }

  message m_;
};

} // namespace

TEST_F(message_parse, reads_what_routing_needs_of_a_request) {
  ASSERT_EQ(m_.parse(invite), parse_verdict::good) << m_.fault().cause;
  EXPECT_TRUE(m_.is_request());
  EXPECT_EQ(m_.request_method(), method::invite);
  EXPECT_EQ(m_.request_uri(), "sip:bob@biloxi.example.com");
  EXPECT_EQ(m_.via().transport, "UDP");
  EXPECT_EQ(m_.via().host, "client.atlanta.example.com");
  EXPECT_EQ(m_.via().port, 5060);
  EXPECT_EQ(m_.via().branch, "z9hG4bK74bf9");
  EXPECT_FALSE(m_.via().has_rport);
  EXPECT_EQ(m_.from_tag(), "9fxced76sl");
  EXPECT_EQ(m_.to_tag(), "");
  EXPECT_EQ(m_.call_id(), "3848276298220188511@atlanta.example.com");
  EXPECT_EQ(m_.cseq_number(), 1U);
  EXPECT_EQ(m_.cseq_method(), method::invite);
  EXPECT_EQ(m_.max_forwards(), 70U);
  EXPECT_EQ(m_.body().size(), 151U);
  EXPECT_TRUE(m_.answerable());
}

TEST_F(message_parse, reads_compact_names_any_case_folds_and_space_before_the_colon) {
  ASSERT_EQ(m_.parse(ok), parse_verdict::good) << m_.fault().cause;
  EXPECT_EQ(m_.status(), 200);
  EXPECT_EQ(m_.reason_phrase(), "OK");
  EXPECT_TRUE(m_.via().has_rport);
  EXPECT_EQ(m_.to_tag(), "8321234356");
  EXPECT_EQ(m_.fields()[1].name, "RECORD-ROUTE");
  std::vector<std::string> routes;
  m_.each_value(header::record_route, [&](std::string_view v) {
    routes.emplace_back(v);
    return true;
  });
  EXPECT_EQ(routes,
            (std::vector<std::string>{"<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"}));
  EXPECT_EQ(m_.find("x-TRACE"), "a, \"b, c\"");
  EXPECT_FALSE(m_.find("x-none"));
}

TEST_F(message_parse, knows_every_name_that_it_lists) {
  for (int i = 1; i < static_cast<int>(header::count_); ++i) {
    auto id = static_cast<header>(i);
    if (id == header::via)
      continue;
    std::string name(to_string(id));
    for (char& c : name)
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const auto text = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n" + name + ": 1\r\n\r\n";
    static_cast<void>(m_.parse(text));
    EXPECT_TRUE(m_.has(id)) << name;
    EXPECT_EQ(m_.first(id), "1") << name;
  }
}

TEST_F(message_parse, keeps_its_table_from_one_message_to_the_next) {
  ASSERT_EQ(m_.parse(invite), parse_verdict::good);
  const auto* table = m_.fields().data();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(m_.parse(i % 2 == 0 ? ok : invite), parse_verdict::good);
    ASSERT_EQ(m_.fields().data(), table);
  }
  EXPECT_EQ(m_.status(), 0);
  EXPECT_EQ(m_.to_tag(), "");
}

TEST_F(message_parse, knows_nothing_of_the_message_before) {
  ASSERT_EQ(m_.parse(with(invite, "CSeq: 1 ", "CSeq: 4711 ")), parse_verdict::good);
  ASSERT_EQ(m_.cseq_number(), 4711U);
  expect_fault(with(invite, "CSeq: 1 INVITE\r\n", ""), 400);
  EXPECT_EQ(m_.cseq_number(), 0U);
  EXPECT_EQ(m_.cseq_method(), method::unknown);
}

TEST_F(message_parse, keeps_no_line_that_is_no_field) {
  ASSERT_EQ(m_.parse(invite), parse_verdict::good);
  const auto fields = m_.fields().size();
  for (const auto* line : {"Subject\r\n", "Subject (no colon)\r\n", "@: x\r\n"}) {
    expect_fault(with(invite, "CSeq: ", std::string{line} + "CSeq: "), 400);
    EXPECT_EQ(m_.fields().size(), fields) << line;
    EXPECT_FALSE(m_.has(header::subject)) << line;
    EXPECT_TRUE(m_.answerable()) << "what comes after it is read all the same: " << line;
  }
}

TEST_F(message_parse, tells_keep_alives_and_garbage) {
  for (auto text : {"", "\r\n", "\r\n\r\n", "\n"})
    EXPECT_EQ(m_.parse(text), parse_verdict::keep_alive);
  for (auto text : {"hello", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nx", "INVITE\r\n\r\n",
                    "SIP/2.0\r\n\r\n", ": \r\n\r\n"})
    EXPECT_EQ(m_.parse(text), parse_verdict::garbage) << text;
  EXPECT_EQ(m_.parse(std::string("\0\0\0\0", 4)), parse_verdict::garbage);
  EXPECT_EQ(m_.parse("\r\n\r\n" + invite), parse_verdict::good);
}

TEST_F(message_parse, refuses_lines_that_do_not_end_in_crlf) {
  std::string text;
  for (char c : invite)
    if (c != '\r')
      text += c;
  expect_fault(text, 400);
  EXPECT_TRUE(m_.answerable());
  expect_fault(with(invite, "\r\n\r\n", "\r\n"), 400);
}

TEST_F(message_parse, refuses_what_is_missing_repeated_or_out_of_range) {
  for (auto line : {"To: Bob <sip:bob@biloxi.example.com>\r\n", "CSeq: 1 INVITE\r\n",
                    "Call-ID: 3848276298220188511@atlanta.example.com\r\n",
                    "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"}) {
    expect_fault(with(invite, line, ""), 400);
    EXPECT_FALSE(m_.answerable());
    expect_fault(with(invite, line, std::string(line) + line), 400);
    EXPECT_TRUE(m_.answerable());
  }
  for (auto forwards : {"256", "-1", "+1", "", "1 2", "99999999999999999999"})
    expect_fault(with(invite, "Max-Forwards: 70", std::string("Max-Forwards: ") + forwards), 400);
  for (auto cseq :
       {"4294967296 INVITE", "1", "INVITE", "1INVITE", "1 BYE", "1 INVITE x", "-1 INVITE"})
    expect_fault(with(invite, "CSeq: 1 INVITE", std::string("CSeq: ") + cseq), 400);
  EXPECT_EQ(m_.parse(with(invite, "CSeq: 1 ", "CSeq: 4294967295 \t ")), parse_verdict::good);
  EXPECT_EQ(m_.parse(with(invite, "Max-Forwards: 70\r\n", "")), parse_verdict::good);
}

/// So that whoever sent it can see from the answer's reason what to mend.
TEST_F(message_parse, says_which_field_is_at_fault_and_how) {
  struct row {
    std::string_view name;
    std::string_view good;
    std::string_view bad;
    std::string_view malformed;
    std::string_view repeated;
  };
  const std::string other = invite;
  for (const auto& r :
       {row{"Via", {}, "SIP/2.0/UDP a;;", "malformed Via", {}},
        row{"From", "<sip:a@b>;tag=1", "<sip:a", "malformed From", "repeated From"},
        row{"To", "<sip:a@b>", "<sip:a", "malformed To", "repeated To"},
        row{"Call-ID", "c", "a b", "malformed Call-ID", "repeated Call-ID"},
        row{"CSeq", "1 INVITE", "INVITE", "malformed CSeq", "repeated CSeq"},
        row{"Max-Forwards", "7", "256", "Max-Forwards outside 0..255", "repeated Max-Forwards"},
        row{"Content-Length", "0", "x", "malformed Content-Length", "repeated Content-Length"},
        row{"Content-Type", "a/b", {}, {}, "repeated Content-Type"},
        row{"Contact", {}, "<sip:a", "quote or bracket without an end", {}},
        row{"Route", {}, "<sip:a", "quote or bracket without an end", {}},
        row{"Record-Route", {}, "\"sip:a", "quote or bracket without an end", {}}}) {
    const auto line = [&](std::string_view value) {
      return std::string{r.name}.append(": ").append(value).append("\r\n");
    };
    // The first of its name, but for its value, is the sample's.
    const auto at = other.find("\r\n" + std::string{r.name} + ":");
    const auto first = at == std::string::npos ? at : at + 2;
    const auto behind = first == std::string::npos ? other.find("\r\n") + 2 : first;
    const auto size = first == std::string::npos ? 0 : other.find("\r\n", first) + 2 - first;
    if (!r.malformed.empty()) {
      expect_fault(std::string{other}.replace(behind, size, line(r.bad)), 400);
      EXPECT_EQ(m_.fault().cause, r.malformed);
    }
    if (!r.repeated.empty()) {
      expect_fault(std::string{other}.replace(behind, size, line(r.good) + line(r.good)), 400);
      EXPECT_EQ(m_.fault().cause, r.repeated);
    }
  }
}

TEST_F(message_parse, refuses_a_malformed_start_line) {
  expect_fault(with(invite, "SIP/2.0\r\n", "SIP/3.0\r\n"), 505);
  expect_fault(with(invite, "SIP/2.0\r\n", "SIP/2\r\n"), 400);
  // RFC 3261 §25.1: no version of SIP at all, so there is none to be unknown.
  for (auto version : {"ABC/2.0", "HTTP/1.1", "SIPS/2.0"})
    expect_fault(with(invite, "SIP/2.0\r\n", std::string(version) + "\r\n"), 400);
  expect_fault(with(invite, " SIP/2.0\r\n", "\r\n"), 400);
  for (auto uri : {"sip:bob@b%2", "sip:b ob@b", "<sip:bob@b>", "bob", ":bob", "sip:", "sip:a\x01"})
    expect_fault(with(invite, "sip:bob@biloxi.example.com", uri), 400);
  EXPECT_EQ(m_.parse(with(invite, "SIP/2.0\r\n", "sip/2.0\r\n")), parse_verdict::good);
  for (auto status : {"700", "99", "2000", "20", "abc", ""})
    EXPECT_EQ(m_.parse(with(ok, "200 OK", std::string(status) + " OK")), parse_verdict::faulty);
  EXPECT_FALSE(m_.answerable());
}

TEST_F(message_parse, an_ack_is_never_answered) {
  auto ack = with(with(invite, "INVITE sip", "ACK sip"), "1 INVITE", "2 ACK");
  ASSERT_EQ(m_.parse(ack), parse_verdict::good);
  EXPECT_FALSE(m_.answerable());
}

TEST_F(message_parse, bounds_a_body) {
  message_limits limits;
  limits.body_bytes = 150;
  EXPECT_EQ(m_.parse(invite, true, limits), parse_verdict::faulty);
  EXPECT_EQ(m_.fault().status, 413);
  limits = {};
  limits.message_bytes = 100;
  EXPECT_EQ(m_.parse(invite, true, limits), parse_verdict::faulty);
  EXPECT_EQ(m_.fault().status, 513);
  EXPECT_TRUE(m_.answerable());
}

/// A response that says the same twice, as some B2BUAs do, is taken; one that contradicts itself is
/// not, nor is a request.
TEST_F(message_parse, takes_what_a_response_says_twice) {
  const std::string head = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n";
  const std::string fields[] = {
    "From: <sip:a@b>;tag=1\r\n", "To: <sip:a@b>;tag=2\r\n", "Call-ID: c\r\n",
    "CSeq: 1 INVITE\r\n",        "Content-Length: 0\r\n",   "Content-Type: application/sdp\r\n"};
  const std::string others[] = {
    "From: <sip:a@b>;tag=9\r\n", "To: <sip:a@b>;tag=9\r\n", "Call-ID: d\r\n",
    "CSeq: 2 INVITE\r\n",        "Content-Length: 1\r\n",   "Content-Type: text/plain\r\n"};
  std::string all;
  for (const auto& field : fields)
    all += field;
  for (size_t i = 0; i < std::size(fields); ++i) {
    const auto same = head + all + fields[i] + "\r\n";
    EXPECT_EQ(m_.parse(same), parse_verdict::good) << fields[i] << m_.fault().cause;
    const auto other = head + all + others[i] + "\r\n";
    EXPECT_EQ(m_.parse(other), parse_verdict::faulty) << others[i];
    const auto request = "INVITE sip:a@b SIP/2.0\r\n" + head.substr(16) + all + fields[i] + "\r\n";
    EXPECT_EQ(m_.parse(request), parse_verdict::faulty) << fields[i];
  }
}

// RFC 3261 §21.5.7; over a stream the rest of it need not have come.
TEST_F(message_parse, is_too_large_by_what_it_announces) {
  const auto text = with(invite, "Content-Length: 151", "Content-Length: 70000");
  EXPECT_EQ(m_.parse(text, false), parse_verdict::faulty);
  EXPECT_EQ(m_.fault().status, 513);
  EXPECT_TRUE(m_.answerable());
  EXPECT_EQ(m_.parse(text, true), parse_verdict::faulty);
  EXPECT_EQ(m_.fault().status, 400) << "of a datagram that is all there is (RFC 3261 §18.3)";
}

// -- Rows of the security notes ---------------------------------------------------------

TEST(sec_01, numbers_are_digits_within_their_field) {
  message m;
  for (auto length : {"-1", "+151", "0x97", "151 1", "2147483648", "4294967296", "1e3", "152",
                      "18446744073709551767", "99999999999999999999999999", "", " ", "15\r\n 1"}) {
    auto text = with(invite, "Content-Length: 151", std::string("Content-Length: ") + length);
    EXPECT_EQ(m.parse(text), parse_verdict::faulty) << length;
    EXPECT_EQ(m.fault().status, 400);
    EXPECT_EQ(m.parse(text, false), parse_verdict::faulty) << length;
  }
  auto twice = with(invite, "Content-Length: 151\r\n", "Content-Length: 151\r\nl: 151\r\n");
  EXPECT_EQ(m.parse(twice), parse_verdict::faulty);
  auto none = with(invite, "Content-Length: 151\r\n", "");
  EXPECT_EQ(m.parse(none), parse_verdict::good);
  EXPECT_EQ(m.body().size(), 151U);
  EXPECT_EQ(m.parse(none, false), parse_verdict::faulty);
  EXPECT_EQ(m.parse(with(invite, "151", "0000000151")), parse_verdict::good);
}

TEST(sec_02, every_header_repeated_is_bounded) {
  message m;
  for (int i = 0; i < static_cast<int>(header::count_); ++i) {
    auto id = static_cast<header>(i);
    std::string name(id == header::other ? "X-Other" : to_string(id));
    std::string value = id == header::via            ? "SIP/2.0/UDP a;branch=z9hG4bKa"
                        : id == header::content_type ? "application/sdp"
                                                     : "<sip:a@b>";
    for (size_t count : {1U, 2U, 16U, 17U, 33U, 71U, 255U, 257U, 1'000U, 10'000U}) {
      std::string lines;
      for (size_t n = 0; n < count; ++n)
        lines += name + ": " + value + "\r\n";
      message_limits limits;
      limits.message_bytes = 1'000'000;
      auto verdict =
        m.parse(with(invite, "Max-Forwards: 70\r\n", "Max-Forwards: 70\r\n" + lines), true, limits);
      EXPECT_NE(verdict, parse_verdict::garbage) << name;
      EXPECT_LE(m.fields().size(), limits.headers + static_cast<size_t>(header::count_));
      if (count > limits.headers) {
        EXPECT_EQ(m.fault().status, 400) << name << ' ' << count;
        EXPECT_TRUE(m.answerable()) << name;
      }
    }
  }
}

TEST(sec_02, comma_separated_values_are_bounded_as_lines_are) {
  message m;
  auto list = [](size_t count, const std::string& value) {
    std::string text = value;
    for (size_t n = 1; n < count; ++n)
      text += "," + value;
    return text;
  };
  struct row {
    std::string name, value;
    size_t most;
  };
  for (const auto& r : {row{"Route", "<sip:a;lr>", 32}, row{"Record-Route", "<sip:a;lr>", 32},
                        row{"Via", "SIP/2.0/UDP a", 69}}) {
    auto text = [&](size_t count) {
      return with(invite, "To:", r.name + ": " + list(count, r.value) + "\r\nTo:");
    };
    EXPECT_EQ(m.parse(text(r.most)), parse_verdict::good) << r.name << m.fault().cause;
    EXPECT_EQ(m.parse(text(r.most + 1)), parse_verdict::faulty) << r.name;
  }
}

// A registrar's 200 lists all bindings, in whatever form.
TEST(sec_02, contacts_are_bounded_by_bytes) {
  message m;
  for (const auto* between : {"\r\nContact: ", ","}) {
    std::string contacts = "Contact: <sip:a0@b>";
    for (int i = 1; i < 200; ++i)
      contacts += between + ("<sip:a" + std::to_string(i) + "@b>");
    const auto response =
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\n"
      "To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n" +
      contacts + "\r\nContent-Length: 0\r\n\r\n";
    ASSERT_EQ(m.parse(response), parse_verdict::good) << m.fault().cause;
    int found = 0;
    m.each_value(header::contact, [&](std::string_view) { return ++found > 0; });
    EXPECT_EQ(found, 200);
  }
}

TEST(sec_02, what_a_response_has_over_the_bound_is_left_out) {
  message m;
  std::string lines;
  for (int i = 0; i < 1000; ++i)
    lines += "X-Other: " + std::to_string(i) + "\r\n";
  const auto response =
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n" + lines +
    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:x@y>\r\nContent-Length: 0\r\n\r\n";
  ASSERT_EQ(m.parse(response), parse_verdict::good) << m.fault().cause;
  EXPECT_EQ(m.first(header::contact), "<sip:x@y>");
  EXPECT_LE(m.fields().size(), message_limits{}.headers + static_cast<size_t>(header::count_));
}

TEST(sec_30, a_field_is_known_in_all_its_forms) {
  message m;
  for (auto line : {"P-Asserted-Identity: <sip:x@y>", "p-asserted-identity:<sip:x@y>",
                    "P-ASSERTED-IDENTITY \t : <sip:x@y>", "P-Asserted-Identity:\r\n <sip:x@y>"}) {
    const auto text = with(invite, "To:", std::string(line) + "\r\nTo:");
    ASSERT_EQ(m.parse(text), parse_verdict::good);
    EXPECT_EQ(m.first(header::p_asserted_identity), "<sip:x@y>") << line;
  }
  // What only looks like it is no field at all, or another's continuation.
  for (auto line : {"P-Asserted-Identity\r\n : <sip:x@y>", "P-Asserted-\tIdentity: <sip:x@y>",
                    "\x01P-Asserted-Identity: <sip:x@y>"}) {
    auto verdict = m.parse(with(invite, "To:", std::string(line) + "\r\nTo:"));
    EXPECT_TRUE(verdict == parse_verdict::faulty || m.has(header::p_asserted_identity)) << line;
  }
}

TEST(next_value, does_not_split_at_commas_in_quotes_and_brackets) {
  std::string_view rest = R"( "a, \", b" <sip:x,y> , <sip:a,b>;p="c,d" ,, e, )";
  std::vector<std::string_view> values;
  while (!rest.empty())
    values.push_back(next_value(rest));
  EXPECT_EQ(values, (std::vector<std::string_view>{R"("a, \", b" <sip:x,y>)",
                                                   R"(<sip:a,b>;p="c,d")", "", "e", ""}));
}

TEST(method_names, are_read_and_printed_with_their_case) {
  for (int i = 1; i <= static_cast<int>(method::publish); ++i)
    EXPECT_EQ(parse_method(to_string(static_cast<method>(i))), static_cast<method>(i));
  for (auto name : {"", "invite", "INVITEX", "INVIT", "RE%47ISTER", "INFOO", "MESSAGES", "PRACH"})
    EXPECT_EQ(parse_method(name), method::unknown) << name;
}

} // namespace jackfield::sip
