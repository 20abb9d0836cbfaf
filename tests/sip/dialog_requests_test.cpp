#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "engine/sip/leg.hpp"
#include "engine/sip/method_set.hpp"
#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using phase = leg_phase;

const std::string id_text{view(test_id(1).text())};

/// An established calling leg; what its user does with requests is the test's.
struct dialog_requests : ::testing::Test {
  explicit dialog_requests(bool reliable = false)
      : profile(reliable ? tcp_profile("192.0.2.1") : udp_profile("192.0.2.1")) {}

  void SetUp() override {
    a.out.react = [this](const ua_event& e) {
      if (react)
        react(e);
    };
    call_options o{.uri = "sip:bob@192.0.2.2", .from = "<sip:alice@192.0.2.1>", .body = "v=0"};
    ASSERT_TRUE(a.machine.prepare(o));
    ASSERT_TRUE(a.machine.send(a.now, a.out));
    a.take(response_to(a.out.sent.back().text, 200, "b1", "Contact: <sip:bob@192.0.2.2>\r\n"));
    ASSERT_EQ(a.machine.current(), phase::established);
    a.pass(seconds{40});
    a.out.clear();
  }
  std::string sent(method m, int status = 0) {
    auto all = a.out.all(m, status);
    return all.empty() ? std::string{} : all.back()->text;
  }
  size_t count(method m, int status) { return a.out.all(m, status).size(); }
  uint32_t send(method m, std::string_view body = "x") {
    return a.machine.send_request(a.now, m, body, a.out, "text/plain");
  }
  static std::string request(std::string_view name, uint32_t number, std::string_view body = {},
                             std::string_view headers = {}) {
    auto digits = std::to_string(number);
    std::string out(name);
    out += " sip:alice@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKp";
    out += digits + "\r\nMax-Forwards: 70\r\nFrom: <sip:bob@192.0.2.2>;tag=b1\r\n";
    out += "To: <sip:alice@192.0.2.1>;tag=" + id_text + "\r\nCall-ID: " + id_text;
    out.append("\r\nCSeq: " + digits + " ").append(name).append("\r\n").append(headers);
    return out.append("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n").append(body);
  }
  std::vector<seen_event> responses() const {
    std::vector<seen_event> found;
    for (auto& e : a.out.events)
      if (e.event.kind == event_kind::response)
        found.push_back(e);
    return found;
  }

  ua_profile profile;
  bench_of<leg> a{profile, test_id(1)};
  std::function<void(const ua_event&)> react;
};

struct dialog_requests_tcp : dialog_requests {
  dialog_requests_tcp() : dialog_requests(true) {}
};

// -- ours -----------------------------------------------------------------------------------

TEST_F(dialog_requests, ours_go_side_by_side) {
  auto info = send(method::info);
  auto text = send(method::message);
  auto options = send(method::options, "");
  ASSERT_TRUE(info != 0 && text != 0 && options != 0);
  EXPECT_TRUE(info != text && text != options && info != options);
  auto first = sent(method::info), second = sent(method::message), third = sent(method::options);
  EXPECT_NE(field(first, "Via"), field(second, "Via"));
  a.take(response_to(second, 202, ""));
  a.take(response_to(third, 200, ""));
  a.take(response_to(first, 415, ""));
  auto got = responses();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].event.number, text);
  EXPECT_EQ(got[0].event.status, 202);
  EXPECT_EQ(got[1].event.number, options);
  EXPECT_EQ(got[2].event.number, info);
  EXPECT_EQ(got[2].event.what, method::info);
  a.pass(seconds{40});
  EXPECT_EQ(a.machine.next_deadline(), never);
}

TEST_F(dialog_requests, ours_are_retransmitted_each) {
  send(method::info);
  send(method::message);
  a.take(response_to(sent(method::info), 200, ""));
  a.pass(milliseconds{1600});
  EXPECT_EQ(count(method::info, 0), 1u);
  EXPECT_EQ(count(method::message, 0), 3u);
}

TEST_F(dialog_requests, ours_are_eight_at_most) {
  for (int i = 0; i < 8; ++i)
    EXPECT_NE(send(method::info), 0u) << i;
  EXPECT_EQ(send(method::info), 0u);
  a.take(response_to(sent(method::info), 200, ""));
  EXPECT_NE(send(method::info), 0u);
}

TEST_F(dialog_requests, offers_of_ours_go_one_at_a_time) {
  ASSERT_NE(send(method::invite), 0u);
  EXPECT_EQ(send(method::invite), 0u);
  EXPECT_EQ(send(method::update), 0u);
  EXPECT_NE(send(method::update, ""), 0u) << "it has no offer";
  EXPECT_NE(send(method::info), 0u);
  a.take(response_to(sent(method::invite), 488, ""));
  EXPECT_NE(send(method::invite), 0u) << "the failed one is over";
  a.take(request("UPDATE", 9, "v=0"));
  EXPECT_EQ(count(method::update, 491), 1u);
}

TEST_F(dialog_requests, one_without_answer_ends_the_call_and_all_are_told_about) {
  auto number = send(method::info);
  a.pass(seconds{33});
  auto got = responses();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].event.number, number);
  EXPECT_EQ(got[0].event.cause, end_cause::timeout_f);
  EXPECT_EQ(a.machine.current(), phase::ending);
}

TEST_F(dialog_requests, one_lost_dialog_ends_all) {
  send(method::info);
  send(method::message);
  a.take(response_to(sent(method::info), 481, ""));
  EXPECT_EQ(a.out.last(event_kind::ended)->event.cause, end_cause::dialog_lost);
  EXPECT_EQ(a.machine.next_deadline(), never);
}

TEST(dialog_requests_digest, two_challenged_side_by_side) {
  auto profile = udp_profile("192.0.2.1");
  std::vector<credential> known{{"alice", "home", "pw", {"192.0.2.2"}}};
  bench_of<leg> a{profile, test_id(1)};
  ASSERT_TRUE(a.machine.prepare({.uri = "sip:bob@192.0.2.2",
                                 .from = "<sip:alice@192.0.2.1>",
                                 .body = "v=0",
                                 .credentials = known}));
  ASSERT_TRUE(a.machine.send(a.now, a.out));
  a.take(response_to(a.out.sent.back().text, 200, "b1", "Contact: <sip:bob@192.0.2.2>\r\n"));
  auto info = a.machine.send_request(a.now, method::info, "x", a.out);
  auto text = a.machine.send_request(a.now, method::message, "x", a.out);
  auto challenge = "WWW-Authenticate: Digest realm=\"home\", nonce=\"n\", qop=\"auth\"\r\n";
  a.take(response_to(a.out.all(method::info).back()->text, 401, "", challenge));
  a.take(response_to(a.out.all(method::message).back()->text, 401, "", challenge));
  for (auto m : {method::info, method::message}) {
    ASSERT_EQ(a.out.all(m).size(), 2u);
    EXPECT_NE(field(a.out.all(m)[1]->text, "Authorization"), "");
    EXPECT_NE(field(a.out.all(m)[1]->text, "CSeq"), field(a.out.all(m)[0]->text, "CSeq"));
    a.take(response_to(a.out.all(m)[1]->text, 200, ""));
  }
  EXPECT_EQ(a.out.events[a.out.events.size() - 2].event.number, info) << "the first one's number";
  EXPECT_EQ(a.out.events.back().event.number, text);
  EXPECT_EQ(a.out.events.back().event.status, 200);
}

/// RFC 3261 §22.2 and §22.3: by the peer or by a proxy on the way, and in the field that is for it.
TEST(dialog_requests_digest, challenged_by_either_are_sent_again) {
  struct row {
    int status;
    const char* challenge;
    const char* answer;
  };
  for (const auto& r : {row{401, "WWW-Authenticate", "Authorization"},
                        row{407, "Proxy-Authenticate", "Proxy-Authorization"},
                        row{408, "Proxy-Authenticate", nullptr}}) {
    auto profile = udp_profile("192.0.2.1");
    std::vector<credential> known{{"alice", "home", "pw", {"192.0.2.2"}}};
    bench_of<leg> a{profile, test_id(1)};
    ASSERT_TRUE(a.machine.prepare({.uri = "sip:bob@192.0.2.2",
                                   .from = "<sip:alice@192.0.2.1>",
                                   .body = "v=0",
                                   .credentials = known}));
    ASSERT_TRUE(a.machine.send(a.now, a.out));
    a.take(response_to(a.out.sent.back().text, 200, "b1", "Contact: <sip:bob@192.0.2.2>\r\n"));
    ASSERT_NE(a.machine.send_request(a.now, method::info, "x", a.out), 0U);
    a.take(response_to(a.out.all(method::info).back()->text, r.status, "",
                       std::string{r.challenge} +
                         ": Digest realm=\"home\", nonce=\"n\", qop=\"auth\"\r\n"));
    const auto sent = a.out.all(method::info);
    ASSERT_EQ(sent.size(), r.answer != nullptr ? 2U : 1U) << r.status;
    EXPECT_EQ(a.out.count(event_kind::response), r.answer != nullptr ? 0U : 1U) << r.status;
    if (r.answer == nullptr)
      continue;
    EXPECT_NE(field(sent[1]->text, r.answer), "") << sent[1]->text;
    for (const auto* name : {"Via", "CSeq"}) // it is a new one (§8.1.3.5)
      EXPECT_NE(field(sent[1]->text, name), field(sent[0]->text, name)) << name;
  }
}

// -- the peer's -------------------------------------------------------------------------------

TEST_F(dialog_requests, answered_as_the_rfcs_say_if_nobody_does) {
  struct row {
    std::string_view name;
    method what;
    int status;
    std::string_view headers;
  };
  uint32_t number = 10;
  for (auto& r :
       {row{"OPTIONS", method::options, 200, ""}, row{"INFO", method::info, 200, ""},
        row{"INFO", method::info, 469, "Info-Package: foo\r\n"},
        row{"MESSAGE", method::message, 200, ""}, row{"REFER", method::refer, 405, ""},
        row{"NOTIFY", method::notify, 481, ""}, row{"UPDATE", method::update, 200, ""},
        row{"SUBSCRIBE", method::subscribe, 405, ""}, row{"PUBLISH", method::publish, 405, ""},
        row{"PRACK", method::prack, 481, ""}, row{"DANCE", method::unknown, 501, ""}}) {
    auto before = count(r.what, r.status);
    a.take(request(r.name, ++number, "", r.headers));
    EXPECT_EQ(count(r.what, r.status), before + 1) << r.name;
    auto text = sent(r.what, r.status);
    auto allowed = field(text, "Allow");
    EXPECT_EQ(!allowed.empty(), r.status == 405 || r.status == 501 || r.what == method::options ||
                                  r.what == method::update)
      << text;
    if (r.status == 405) {
      EXPECT_EQ(allowed.find(r.name), std::string::npos) << text;
    }
  }
  for (const auto* name : {"Accept", "Accept-Encoding", "Accept-Language", "Supported"})
    EXPECT_NE(field(sent(method::options, 200), name), "") << name;
  EXPECT_NE(field(sent(method::update, 200), "Contact"), "");
  EXPECT_EQ(a.machine.current(), phase::established);
}

TEST_F(dialog_requests, info_with_digits_is_taken_and_with_anything_else_is_not) {
  struct row {
    std::string_view type;
    std::string_view body;
    int status;
  };
  uint32_t number = 10;
  for (const auto& r :
       {row{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 200},
        row{"application/dtmf", "#", 200}, row{"Application/DTMF-Relay;x=y", "signal= A\r\n", 200},
        row{"application/dtmf-relay", "Signal=E\r\n", 415},
        row{"application/media_control+xml", "<media_control/>", 415},
        row{"text/plain", "5", 415}}) {
    const auto before = count(method::info, r.status);
    a.take(request("INFO", ++number, r.body, "Content-Type: " + std::string{r.type} + "\r\n"));
    EXPECT_EQ(count(method::info, r.status), before + 1) << r.type << ": " << r.body;
  }
  EXPECT_EQ(field(sent(method::info, 415), "Accept"), "application/dtmf-relay, application/dtmf");
}

TEST_F(dialog_requests, allow_has_one_source) {
  send(method::invite);
  EXPECT_EQ(field(sent(method::invite), "Allow"), allowed_methods.to_string());
  a.take(request("OPTIONS", 11));
  EXPECT_EQ(field(sent(method::options, 200), "Allow"), allowed_methods.to_string());
  // Whoever refuses out of dialog says what is allowed there, once.
  message m;
  auto text = request("MESSAGE", 1);
  m.parse(text);
  reject_statelessly(m, 405, profile, a.out,
                     "Allow: " + allowed_out_of_dialog.to_string() + "\r\n");
  auto refusal = sent(method::message, 405);
  auto at = refusal.find("Allow: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(refusal.find("Allow: ", at + 1), std::string::npos) << refusal;
  EXPECT_EQ(field(refusal, "Allow").find("MESSAGE"), std::string::npos);
}

TEST(dialog_requests_allow, what_the_profile_adds_is_refused_as_known) {
  auto profile = udp_profile("192.0.2.1");
  profile.allow = method_set{method::invite, method::ack, method::bye, method::refer};
  bench_of<leg> a{profile, test_id(1)};
  ASSERT_TRUE(a.machine.prepare(
    {.uri = "sip:bob@192.0.2.2", .from = "<sip:alice@192.0.2.1>", .body = "v=0"}));
  ASSERT_TRUE(a.machine.send(a.now, a.out));
  a.take(response_to(a.out.sent.back().text, 200, "b1", "Contact: <sip:bob@192.0.2.2>\r\n"));
  a.take(dialog_requests::request("REFER", 11));
  EXPECT_EQ(a.out.all(method::refer, 603).size(), 1u);
  a.take(dialog_requests::request("INFO", 12));
  EXPECT_EQ(a.out.all(method::info, 405).size(), 1u);
}

TEST_F(dialog_requests, the_user_answers_before_the_peer_hears) {
  react = [this](const ua_event& e) {
    if (e.kind != event_kind::request)
      return;
    EXPECT_EQ(count(e.what, 200), 0u);
    EXPECT_TRUE(a.machine.answer_request(a.now, e.number, 415, a.out, "Accept: text/plain\r\n"));
    EXPECT_FALSE(a.machine.answer_request(a.now, e.number, 200, a.out)) << "answered before";
    EXPECT_FALSE(a.machine.defer_request(a.now, e.number, a.out));
  };
  auto text = request("INFO", 11, "x");
  a.take(text);
  EXPECT_EQ(count(method::info, 200), 0u);
  ASSERT_EQ(count(method::info, 415), 1u);
  EXPECT_EQ(field(sent(method::info, 415), "Accept"), "text/plain");
  auto first = sent(method::info, 415);
  a.take(request("MESSAGE", 12, "x"));
  a.take(text); // again, and behind another one
  EXPECT_EQ(a.out.count(event_kind::request), 2u);
  EXPECT_EQ(a.out.last_sent().text, first);
  EXPECT_TRUE(a.out.last_sent().retransmission);
  a.pass(seconds{33});
  EXPECT_EQ(a.machine.next_deadline(), never);
}

TEST_F(dialog_requests, deferred_ones_are_answered_later) {
  std::vector<uint32_t> numbers;
  react = [&](const ua_event& e) {
    if (e.kind == event_kind::request && a.machine.defer_request(a.now, e.number, a.out))
      numbers.push_back(e.number);
  };
  auto refer = request("REFER", 11);
  a.take(refer);
  a.take(request("INFO", 12, "x"));
  a.take(refer); // again: absorbed
  ASSERT_EQ(numbers.size(), 2u);
  EXPECT_TRUE(a.out.sent.empty());
  a.pass(seconds{2});
  EXPECT_TRUE(a.machine.answer_request(a.now, numbers[1], 200, a.out, "", "yes", "text/plain"));
  EXPECT_TRUE(sent(method::info, 200).ends_with("yes"));
  EXPECT_TRUE(a.machine.answer_request(a.now, numbers[0], 202, a.out));
  a.take(refer);
  EXPECT_EQ(count(method::refer, 202), 2u);
  EXPECT_TRUE(a.out.last_sent().retransmission);
  EXPECT_FALSE(a.machine.answer_request(a.now, numbers[0], 202, a.out));
}

TEST_F(dialog_requests, deferred_ones_have_a_limit) {
  uint32_t number = 0;
  react = [&](const ua_event& e) {
    if (e.kind == event_kind::request && a.machine.defer_request(a.now, e.number, a.out))
      number = e.number;
  };
  a.take(request("REFER", 11));
  a.pass(profile.offer_limit);
  EXPECT_EQ(count(method::refer, 500), 1u);
  ASSERT_EQ(a.out.count(event_kind::request_expired), 1u);
  EXPECT_EQ(a.out.last(event_kind::request_expired)->event.number, number);
  EXPECT_FALSE(a.machine.answer_request(a.now, number, 202, a.out));
  EXPECT_EQ(a.machine.current(), phase::established);
}

TEST_F(dialog_requests, deferred_ones_are_eight_at_most) {
  react = [&](const ua_event& e) {
    if (e.kind == event_kind::request)
      a.machine.defer_request(a.now, e.number, a.out);
  };
  for (uint32_t i = 0; i < 9; ++i)
    a.take(request("INFO", 11 + i, "x"));
  EXPECT_EQ(a.out.count(event_kind::request), 8u);
  EXPECT_EQ(count(method::info, 500), 1u);
  EXPECT_NE(field(sent(method::info, 500), "Retry-After"), "");
}

TEST_F(dialog_requests, deferred_ones_end_with_the_call) {
  react = [&](const ua_event& e) {
    if (e.kind == event_kind::request)
      a.machine.defer_request(a.now, e.number, a.out);
  };
  a.take(request("REFER", 11));
  a.take(request("BYE", 12));
  EXPECT_EQ(count(method::refer, 487), 1u);
  EXPECT_EQ(a.machine.current(), phase::over);
}

TEST_F(dialog_requests, what_was_answered_is_kept_within_bounds) {
  for (uint32_t i = 0; i < 200; ++i)
    a.take(request("INFO", 11 + i, "x"));
  EXPECT_EQ(count(method::info, 415), 200u);
  EXPECT_LE(a.machine.heap_bytes(), 16'000u);
  a.pass(seconds{33});
  EXPECT_LE(a.machine.heap_bytes(), 300u);
}

TEST_F(dialog_requests_tcp, nothing_is_kept_of_what_was_answered) {
  auto before = a.machine.heap_bytes();
  a.take(request("INFO", 11, "x"));
  EXPECT_EQ(count(method::info, 415), 1u);
  EXPECT_EQ(a.machine.heap_bytes(), before);
  EXPECT_EQ(a.machine.next_deadline(), never);
  send(method::info);
  a.take(response_to(sent(method::info), 200, ""));
  EXPECT_EQ(a.machine.heap_bytes(), before);
}

/// Over a connection no copy of an answer comes, so its ACK is not sent again (RFC 3261 §17.1.1.2).
TEST_F(dialog_requests_tcp, nothing_is_kept_of_an_offer_that_was_refused) {
  const auto before = a.machine.heap_bytes();
  ASSERT_NE(send(method::invite), 0U);
  a.take(response_to(sent(method::invite), 488, ""));
  EXPECT_EQ(count(method::ack, 0), 1U);
  EXPECT_EQ(a.machine.heap_bytes(), before);
  EXPECT_EQ(a.machine.next_deadline(), never);
}

/// Over UDP one does come where the ACK was lost.
TEST_F(dialog_requests, the_ack_of_an_offer_that_was_refused_is_repeated) {
  ASSERT_NE(send(method::invite), 0U);
  const auto refusal = response_to(sent(method::invite), 488, "");
  a.take(refusal);
  const auto first = sent(method::ack);
  a.take(refusal);
  EXPECT_EQ(count(method::ack, 0), 2U);
  EXPECT_EQ(sent(method::ack), first);
  EXPECT_EQ(responses().size(), 1U);
  a.pass(seconds{33}); // timer D
  EXPECT_EQ(a.machine.next_deadline(), never);
}

/// The peer learns at once that its re-INVITE has come (RFC 3261 §8.2.6.1), and is not left to
/// itself where nobody decides.
TEST_F(dialog_requests, an_offer_that_nobody_answers_is_refused_in_time) {
  a.take(request("INVITE", 11, "v=0"));
  EXPECT_EQ(a.out.count(event_kind::offer), 1U);
  ASSERT_EQ(a.out.sent.size(), 1U);
  EXPECT_EQ(a.out.last_sent().status, 100);
  EXPECT_TRUE(a.out.last_sent().text.starts_with("SIP/2.0 100 "));
  EXPECT_FALSE(a.out.last_sent().retransmission);
  a.take(request("INVITE", 11, "v=0")); // again
  EXPECT_EQ(count(method::invite, 100), 2U);
  EXPECT_TRUE(a.out.last_sent().retransmission);
  EXPECT_EQ(a.out.count(event_kind::offer), 1U);
  a.pass(profile.offer_limit - milliseconds{1});
  EXPECT_EQ(a.out.sent.size(), 2U);
  a.pass(milliseconds{1});
  ASSERT_EQ(a.out.sent.size(), 3U);
  EXPECT_GE(a.out.last_sent().status, 400);
  EXPECT_FALSE(a.machine.answer_offer(a.now, "v=0", a.out)) << "too late";
  EXPECT_EQ(a.machine.current(), phase::established) << "and the call is as it was";
}

/// RFC 3261 §15.1.1: after a BYE nothing of the call is anybody's matter but that it ends.
TEST_F(dialog_requests, those_that_come_while_it_ends_are_answered_and_not_told_of) {
  a.machine.hang_up(a.now, a.out);
  ASSERT_EQ(a.machine.current(), phase::ending);
  a.take(request("INFO", 11));
  a.take(request("REFER", 12));
  a.take(request("UPDATE", 13, "v=0"));
  a.take(request("INVITE", 14, "v=0"));
  EXPECT_EQ(count(method::info, 200), 1U);
  EXPECT_EQ(count(method::refer, 405), 1U);
  EXPECT_EQ(count(method::update, 487), 1U);
  EXPECT_EQ(count(method::invite, 487), 1U);
  EXPECT_TRUE(a.out.events.empty());
  a.take(response_to(sent(method::bye), 200, ""));
  EXPECT_EQ(a.out.last(event_kind::ended)->event.cause, end_cause::local_bye);
}

TEST_F(dialog_requests, update_without_an_offer_moves_the_target) {
  a.take(request("UPDATE", 11, "", "Contact: <sip:bob@192.0.2.77>\r\n"));
  EXPECT_EQ(a.machine.established().remote_target(), "sip:bob@192.0.2.77");
  react = [&](const ua_event& e) {
    if (e.kind == event_kind::request)
      a.machine.answer_request(a.now, e.number, 603, a.out);
  };
  a.take(request("UPDATE", 12, "", "Contact: <sip:bob@192.0.2.78>\r\n"));
  EXPECT_EQ(a.machine.established().remote_target(), "sip:bob@192.0.2.77");
}

} // namespace
} // namespace jackfield::sip
