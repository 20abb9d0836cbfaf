#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "engine/sip/message.hpp"
#include "engine/sip/multipart.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/stream_framer.hpp"
#include "engine/sip/uri.hpp"
#include "tests/sip/samples.hpp"

namespace jackfield::sip {

namespace {

using tests::sip_sample;

/// What the engine does with a message: accepts it (0), answers it with a status, or drops it.
struct outcome {
  static constexpr int dropped = -1;

  parse_verdict parsed = parse_verdict::garbage;
  int status = 0;
  std::string lines;
};

outcome judge(message& m, std::string_view text, const capabilities& able, bool datagram = true) {
  outcome made;
  made.parsed = m.parse(text, datagram);
  if (made.parsed == parse_verdict::faulty)
    made.status = m.answerable() ? m.fault().status : outcome::dropped;
  else if (made.parsed != parse_verdict::good)
    made.status = outcome::dropped;
  else if (m.is_response())
    made.status = is_misrouted(m) ? outcome::dropped : 0;
  else if (auto refusal = check_request(m, able)) {
    made.status = refusal->status;
    made.lines = refusal->lines;
  }
  return made;
}

capabilities user_agent() {
  return {};
}

/// Who the row of the table speaks of, where it is not a user agent.
capabilities receiver(const std::string& name) {
  capabilities able;
  if (name == "unksm2.dat" || name.starts_with("cparam") || name == "regescrt.dat" ||
      name == "escnull.dat" || name == "dblreq.dat" || name == "regbadct.dat")
    able.acts_as = capabilities::role::registrar;
  if (name == "regaut01.dat")
    able.methods = {method::invite, method::ack, method::bye, method::cancel, method::options};
  return able;
}

} // namespace

// -- RFC 4475 ---------------------------------------------------------------------

class rfc4475 : public tests::sip_sample_test {};

TEST_P(rfc4475, is_judged_as_its_table_says) {
  const auto& sample = GetParam();
  // The statuses that the table words; 0 for what is acted on.
  static const std::map<std::string, std::set<int>> answers = {
    {"wsinv.dat", {0}},
    {"intmeth.dat", {501}},
    {"esc01.dat", {0}},
    {"escnull.dat", {0}},
    {"esc02.dat", {501}},
    {"lwsdisp.dat", {0}},
    {"longreq.dat", {0}},
    {"dblreq.dat", {0}},
    {"semiuri.dat", {0}},
    {"transports.dat", {0}},
    {"mpart01.dat", {405}}, // MESSAGE is none of a telephone's methods
    {"unreason.dat", {0}},
    {"noreason.dat", {0}},
    {"badinv01.dat", {400}},
    {"clerr.dat", {400}},
    {"ncl.dat", {400}},
    {"scalar02.dat", {400}},
    {"scalarlg.dat", {outcome::dropped}},
    {"quotbal.dat", {400}},
    {"ltgtruri.dat", {400}},
    {"lwsruri.dat", {400}},
    {"lwsstart.dat", {400}},
    {"trws.dat", {400}},
    {"escruri.dat", {400}},
    {"baddate.dat", {0}},
    {"regbadct.dat", {400}},
    {"badaspec.dat", {0, 400}},
    {"baddn.dat", {400}},
    {"badvers.dat", {505}},
    {"mismatch01.dat", {400}},
    {"mismatch02.dat", {501}},
    {"bigcode.dat", {outcome::dropped}},
    {"badbranch.dat", {400}},
    {"insuf.dat", {400, outcome::dropped}}, // nothing to build an answer from
    {"unkscm.dat", {416}},
    {"novelsc.dat", {416}},
    {"unksm2.dat", {400}},
    {"bext01.dat", {420}},
    {"invut.dat", {415}},
    {"regaut01.dat", {405}},
    {"multi01.dat", {400}},
    {"mcl01.dat", {400}},
    {"bcast.dat", {outcome::dropped}},
    {"zeromf.dat", {0}},
    {"cparam01.dat", {0}},
    {"cparam02.dat", {0}},
    {"regescrt.dat", {0}},
    {"sdp01.dat", {406}},
    {"inv2543.dat", {0}},
    {"test.dat", {400, outcome::dropped}},
  };
  message m;
  auto made = judge(m, sample.text, receiver(sample.name));
  if (sample.verdict == "MUST_PARSE") {
    EXPECT_EQ(made.parsed, parse_verdict::good) << m.fault().cause;
  } else if (sample.verdict == "MUST_REJECT") {
    EXPECT_NE(made.parsed, parse_verdict::good);
  }
  auto wanted = answers.find(sample.name);
  ASSERT_NE(wanted, answers.end());
  EXPECT_TRUE(wanted->second.contains(made.status))
    << made.status << ' ' << m.fault().cause << "; the table: " << sample.expected;
}

TEST_P(rfc4475, is_judged_on_a_stream_as_in_a_datagram_or_ends_the_stream) {
  const auto& sample = GetParam();
  message m;
  auto datagram = judge(m, sample.text, receiver(sample.name));
  stream_framer framer;
  framer.feed(sample.text);
  auto found = framer.next();
  while (found.what == stream_framer::kind::ping || found.what == stream_framer::kind::pong)
    found = framer.next();
  if (found.what != stream_framer::kind::message) {
    // Cut short, or not to be followed: the three rows on framing, and what has no length.
    static const std::set<std::string> unframed = {"clerr.dat",   "ncl.dat",     "mcl01.dat",
                                                   "inv2543.dat", "test.dat",    "bigcode.dat",
                                                   "baddn.dat",   "noreason.dat"};
    EXPECT_TRUE(unframed.contains(sample.name)) << found.cause;
    return;
  }
  EXPECT_EQ(judge(m, found.bytes, receiver(sample.name), false).status, datagram.status);
}

INSTANTIATE_TEST_SUITE_P(messages, rfc4475,
                         testing::ValuesIn(tests::sip_samples_or_absent("rfc4475")),
                         tests::sample_name());

TEST(sip_samples, are_as_many_as_is_said_where_they_are_absent) {
  for (const auto* folder : {"rfc4475", "rfc5118", "rfc-callflows", "advisory-regressions"}) {
    const auto here = tests::sip_samples(folder);
    if (here.empty())
      GTEST_SKIP() << "no ../shared/data/sip/" << folder;
    EXPECT_EQ(here.size(), tests::sip_samples_known(folder)) << folder;
  }
}

class rfc4475_details : public testing::Test {
protected:
  const std::string& text(const std::string& name) {
    for (const auto& sample : samples_)
      if (sample.name == name)
        return sample.text;
    static const std::string none;
    return none;
  }
  void SetUp() override {
    if (samples_.empty())
      GTEST_SKIP() << "no ../shared/data";
  }

  std::vector<sip_sample> samples_ = tests::sip_samples("rfc4475");
  message m_;
};

TEST_F(rfc4475_details, wsinv_is_read_through_its_folds) {
  ASSERT_EQ(m_.parse(text("wsinv.dat")), parse_verdict::good);
  EXPECT_EQ(m_.max_forwards(), 68U);
  EXPECT_EQ(m_.cseq_number(), 9U);
  EXPECT_EQ(m_.cseq_method(), method::invite);
  EXPECT_EQ(m_.via().host, "192.0.2.2");
  EXPECT_EQ(m_.from_tag(), "98asjd8");
  EXPECT_EQ(m_.to_tag(), "1918181833n");
  EXPECT_EQ(m_.find("unknownheaderwithunusualvalue"), ";;,,;;,;");
}

TEST_F(rfc4475_details, escapes_are_decoded_once) {
  ASSERT_EQ(m_.parse(text("esc01.dat")), parse_verdict::good);
  auto target = uri::parse(m_.request_uri());
  ASSERT_TRUE(target);
  EXPECT_EQ(unescape(target->user()), "sips:user@example.com");
  std::string seen;
  m_.each_value(header::contact, [&](std::string_view v) {
    seen = v;
    return false;
  });
  auto begin = seen.find('<') + 1;
  auto contact = uri::parse(std::string_view(seen).substr(begin, seen.find('>') - begin));
  ASSERT_TRUE(contact);
  auto value = contact->parameter("lr");
  ASSERT_TRUE(value);
  auto named = contact->parameter("name");
  ASSERT_TRUE(named);
  EXPECT_EQ(unescape(*named), "value%41");
}

TEST_F(rfc4475_details, escaped_nul_does_not_cut_a_user) {
  ASSERT_EQ(m_.parse(text("escnull.dat")), parse_verdict::good);
  std::set<std::string> contacts;
  m_.each_value(header::contact, [&](std::string_view v) {
    auto begin = v.find('<') + 1;
    auto contact = uri::parse(v.substr(begin, v.find('>') - begin));
    EXPECT_TRUE(contact);
    contacts.insert(unescape(contact->user()));
    return true;
  });
  EXPECT_EQ(contacts, (std::set<std::string>{std::string(1, '\0'), std::string(2, '\0')}));
}

TEST_F(rfc4475_details, percent_in_a_method_and_a_display_name_is_none) {
  ASSERT_EQ(m_.parse(text("esc02.dat")), parse_verdict::good);
  EXPECT_EQ(m_.request_method(), method::unknown);
  int contacts = 0;
  m_.each_value(header::contact, [&](std::string_view) { return ++contacts > 0; });
  EXPECT_EQ(contacts, 2);
}

TEST_F(rfc4475_details, octets_after_the_body_of_a_datagram_are_no_message) {
  ASSERT_EQ(m_.parse(text("dblreq.dat")), parse_verdict::good);
  EXPECT_EQ(m_.request_method(), method::register_);
  EXPECT_TRUE(m_.body().empty());
}

TEST_F(rfc4475_details, semicolons_in_a_user_are_the_users) {
  ASSERT_EQ(m_.parse(text("semiuri.dat")), parse_verdict::good);
  auto target = uri::parse(m_.request_uri());
  ASSERT_TRUE(target);
  EXPECT_EQ(unescape(target->user()), "user;par=u@example.net");
  EXPECT_EQ(target->host(), "example.com");
}

TEST_F(rfc4475_details, binary_parts_are_whole) {
  ASSERT_EQ(m_.parse(text("mpart01.dat")), parse_verdict::good);
  EXPECT_NE(m_.body().find('\0'), std::string_view::npos);
  auto parts = split_multipart(m_.first(header::content_type), m_.body());
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].content_type, "text/plain");
  EXPECT_EQ((*parts)[0].body, "Hello");
  EXPECT_EQ((*parts)[1].content_type, "application/octet-stream");
  EXPECT_NE((*parts)[1].body.find('\0'), std::string_view::npos);
}

TEST_F(rfc4475_details, refusals_say_what_is_supported) {
  auto able = user_agent();
  EXPECT_EQ(judge(m_, text("bext01.dat"), able).lines,
            "Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n");
  EXPECT_EQ(judge(m_, text("intmeth.dat"), able).lines,
            "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER\r\n");
  EXPECT_EQ(judge(m_, text("invut.dat"), able).lines, "Accept: application/sdp\r\n");
  EXPECT_TRUE(judge(m_, text("sdp01.dat"), able).lines.starts_with("Warning: 399 "));
}

TEST_F(rfc4475_details, a_proxy_refuses_what_a_proxy_must) {
  capabilities proxy;
  proxy.acts_as = capabilities::role::proxy;
  EXPECT_EQ(judge(m_, text("zeromf.dat"), proxy).status, 483);
  EXPECT_EQ(judge(m_, text("bext01.dat"), proxy).lines,
            "Unsupported: noProxiesSupportThis, norDoAnyProxiesSupportThis\r\n");
  EXPECT_EQ(judge(m_, text("unksm2.dat"), proxy).status, 0);
  EXPECT_EQ(judge(m_, text("intmeth.dat"), proxy).status, 0);
}

// -- RFC 5118 ---------------------------------------------------------------------

class rfc5118 : public tests::sip_sample_test {};

TEST_P(rfc5118, is_judged_as_its_table_says) {
  const auto& sample = GetParam();
  message m;
  auto made = judge(m, sample.text, user_agent());
  if (sample.verdict == "MUST_REJECT") {
    EXPECT_EQ(made.status, 400);
  } else if (sample.verdict != "MAY_PARSE") {
    EXPECT_EQ(made.status, 0) << m.fault().cause;
  } else {
    EXPECT_TRUE(made.status == 0 || made.status == 400) << made.status;
  }
  auto target = uri::parse(m.request_uri());
  if (sample.name.find("port-ambiguous") != std::string::npos) {
    ASSERT_TRUE(target);
    EXPECT_EQ(target->host(), "2001:db8::10:5070");
    EXPECT_EQ(target->port(), 0);
  } else if (sample.name.find("port-unambiguous") != std::string::npos) {
    ASSERT_TRUE(target);
    EXPECT_EQ(target->host(), "2001:db8::10");
    EXPECT_EQ(target->port(), 5070);
  } else if (sample.name.find("ipv6-good") != std::string::npos) {
    ASSERT_TRUE(target);
    EXPECT_EQ(target->host(), "2001:db8::10");
  }
}

INSTANTIATE_TEST_SUITE_P(messages, rfc5118,
                         testing::ValuesIn(tests::sip_samples_or_absent("rfc5118")),
                         tests::sample_name());

// -- Call flows -------------------------------------------------------------------

class call_flow : public tests::sip_sample_test {};

/// RFC 5626 prints §9's messages without Via, and print loses the empty line at the end of some:
/// both are put back.
TEST_P(call_flow, parses) {
  auto text = GetParam().text;
  if (text.find("\r\n\r\n") == std::string::npos)
    text += "\r\n";
  if (text.find("\r\nVia:") == std::string::npos)
    text.insert(text.find("\r\n") + 2, "Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKelided\r\n");
  message m;
  EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause << '\n' << text;
}

INSTANTIATE_TEST_SUITE_P(messages, call_flow,
                         testing::ValuesIn(tests::sip_samples_or_absent("rfc-callflows")),
                         tests::sample_name());

// -- Messages that broke others -----------------------------------------------------

class advisory : public tests::sip_sample_test {};

TEST_P(advisory, is_answered_as_its_table_says_or_dropped) {
  const auto& sample = GetParam();
  message m;
  auto able = user_agent();
  auto made = judge(m, sample.text, able);
  const auto& wanted = sample.expected;
  if (wanted.starts_with("drop")) {
    EXPECT_EQ(made.status, outcome::dropped);
  } else if (wanted.starts_with("400/drop") || wanted.starts_with("400 (")) {
    EXPECT_TRUE(made.status == 400 || made.status == outcome::dropped) << made.status;
  } else if (wanted.starts_with("400;") || wanted.starts_with("UDP: 400")) {
    EXPECT_EQ(made.status, 400);
  }

  // On a stream too, and whatever it is, it ends there or stays in step.
  stream_framer framer;
  framer.feed(sample.text);
  auto found = framer.next();
  if (sample.name.starts_with("content-length")) {
    EXPECT_TRUE(found.what == stream_framer::kind::fault ||
                found.what == stream_framer::kind::none);
  }
  while (found)
    found = framer.next();
  EXPECT_LE(framer.held(), sample.text.size());
}

INSTANTIATE_TEST_SUITE_P(messages, advisory,
                         testing::ValuesIn(tests::sip_samples_or_absent("advisory-regressions")),
                         tests::sample_name());

} // namespace jackfield::sip
