#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/sip/leg.hpp"
#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using phase = leg_phase;

const std::string id_text{view(test_id(1).text())};

std::string request(std::string_view name, uint32_t number, std::string_view tag,
                    std::string_view body = {}, std::string_view headers = {},
                    std::string_view call_id = id_text) {
  auto digits = std::to_string(number);
  std::string out(name);
  out += " sip:alice@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKp";
  out.append(tag).append(digits + "\r\nMax-Forwards: 70\r\nFrom: <sip:bob@192.0.2.2>;tag=");
  out.append(tag).append("\r\nTo: <sip:alice@192.0.2.1>;tag=" + id_text + "\r\nCall-ID: ");
  out.append(call_id).append("\r\nCSeq: " + digits + " ").append(name).append("\r\n");
  out.append("Contact: <sip:bob@192.0.2.2>\r\n").append(headers);
  return out.append("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n").append(body);
}

// -- calling ----------------------------------------------------------------------------------

struct early_dialogs : ::testing::Test {
  void call(std::string_view body = "v=0 offer") {
    profile.supported = "100rel";
    ASSERT_TRUE(a.machine.prepare(
      {.uri = "sip:bob@192.0.2.2", .from = "<sip:alice@192.0.2.1>", .body = body}));
    ASSERT_TRUE(a.machine.send(a.now, a.out));
    invite = a.out.sent.back().text;
  }
  void ring(std::string_view tag, unsigned rseq = 0, std::string_view body = {}, int status = 183) {
    std::string headers = "Contact: <sip:" + std::string(tag) + "@192.0.2.2:5070>\r\n" +
                          "Record-Route: <sip:" + std::string(tag) + ".example;lr>\r\n";
    if (rseq != 0)
      headers += "Require: 100rel\r\nRSeq: " + std::to_string(rseq) + "\r\n";
    a.take(response_to(invite, status, tag, headers, body));
  }
  void answer(std::string_view tag, std::string_view body = "v=0 answer") {
    a.take(response_to(invite, 200, tag, "Contact: <sip:new@192.0.2.9>\r\n", body));
  }
  std::string sent(method m, int status = 0) {
    auto all = a.out.all(m, status);
    return all.empty() ? std::string{} : all.back()->text;
  }
  size_t count(method m, int status = 0) { return a.out.all(m, status).size(); }

  ua_profile profile = udp_profile("192.0.2.1");
  bench_of<leg> a{profile, test_id(1)};
  std::string invite;
};

TEST_F(early_dialogs, prack_goes_at_once_in_the_early_dialog) {
  call();
  EXPECT_EQ(field(invite, "Supported"), "100rel");
  EXPECT_NE(field(invite, "Allow").find("PRACK"), std::string::npos);
  ring("b1", 77, "v=0 early");
  auto prack = sent(method::prack);
  ASSERT_NE(prack, "");
  EXPECT_EQ(field(prack, "RAck"), "77 1 INVITE");
  EXPECT_EQ(field(prack, "CSeq"), "2 PRACK");
  EXPECT_EQ(field(prack, "Route"), "<sip:b1.example;lr>");
  EXPECT_TRUE(prack.starts_with("PRACK sip:b1@192.0.2.2:5070 ")) << prack;
  EXPECT_EQ(a.out.last(event_kind::provisional)->body, "v=0 early");
  ring("b1", 77, "v=0 early"); // again
  EXPECT_EQ(count(method::prack), 2u);
  EXPECT_EQ(sent(method::prack), prack);
  EXPECT_TRUE(a.out.last_sent().retransmission);
  EXPECT_EQ(a.out.count(event_kind::provisional), 1u);
  a.take(response_to(prack, 200, ""));
  ring("b1", 77, "v=0 early");
  EXPECT_EQ(count(method::prack), 2u) << "it has been answered";
  EXPECT_EQ(a.out.count(event_kind::response), 0u) << "the user did not send it";
  ring("b1", 79); // out of order
  EXPECT_EQ(count(method::prack), 2u);
  EXPECT_EQ(a.out.count(event_kind::provisional), 1u);
  ring("b1", 78);
  EXPECT_EQ(field(sent(method::prack), "RAck"), "78 1 INVITE");
  EXPECT_EQ(field(sent(method::prack), "CSeq"), "3 PRACK");
}

TEST_F(early_dialogs, unreliable_ones_get_no_prack) {
  call();
  ring("b1");
  a.take(response_to(invite, 183, "b1", "RSeq: 5\r\n"));
  EXPECT_EQ(count(method::prack), 0u);
  EXPECT_EQ(a.out.count(event_kind::provisional), 2u);
}

TEST_F(early_dialogs, forks_have_numbers_and_branches_of_their_own) {
  call();
  ring("b1", 10);
  ring("b2", 10);
  auto pracks = a.out.all(method::prack);
  ASSERT_EQ(pracks.size(), 2u);
  EXPECT_NE(field(pracks[0]->text, "Via"), field(pracks[1]->text, "Via"));
  EXPECT_EQ(field(pracks[0]->text, "CSeq"), "2 PRACK");
  EXPECT_EQ(field(pracks[1]->text, "CSeq"), "2 PRACK");
  auto one = a.machine.send_request(a.now, method::info, "x", a.out, "text/plain", "", 0);
  auto two = a.machine.send_request(a.now, method::info, "x", a.out, "text/plain", "", 1);
  EXPECT_EQ(a.machine.send_request(a.now, method::info, "x", a.out, "text/plain", "", 2), 0u);
  ASSERT_TRUE(one != 0 && two != 0 && one != two);
  EXPECT_NE(field(sent(method::info), "To").find("b2"), std::string::npos);
  a.take(response_to(sent(method::info), 200, ""));
  auto* e = a.out.last(event_kind::response);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->event.number, two);
  EXPECT_EQ(e->event.fork, 1u);
  // The second wins: what the first was asked will not be answered, and is told so.
  answer("b2");
  e = a.out.last(event_kind::response);
  EXPECT_EQ(e->event.number, one);
  EXPECT_EQ(e->event.status, 0);
  EXPECT_EQ(a.machine.current(), phase::established);
}

TEST_F(early_dialogs, the_winner_counts_on_with_the_route_of_its_2xx) {
  call();
  ring("b1", 10, "v=0 early");
  a.take(response_to(sent(method::prack), 200, ""));
  a.take(request("INFO", 50, "b1", "x"));
  answer("b1", "");
  EXPECT_FALSE(a.out.last(event_kind::answered)->event.needs_answer);
  EXPECT_EQ(field(sent(method::ack), "CSeq"), "1 ACK");
  EXPECT_EQ(field(sent(method::ack), "Route"), "");
  a.machine.hang_up(a.now, a.out);
  EXPECT_EQ(field(sent(method::bye), "CSeq"), "3 BYE");
  EXPECT_TRUE(sent(method::bye).starts_with("BYE sip:new@192.0.2.9 "));
  a.take(request("INFO", 49, "b1", "x"));
  EXPECT_EQ(count(method::info, 500), 1u) << "the peer's numbers count on too";
}

TEST_F(early_dialogs, another_than_the_early_one_wins) {
  call();
  ring("b1", 10, "v=0 early");
  answer("b3");
  EXPECT_EQ(a.machine.current(), phase::established);
  EXPECT_NE(field(sent(method::ack), "To").find("b3"), std::string::npos);
  answer("b1"); // surplus
  EXPECT_EQ(a.out.count(event_kind::surplus_answer), 1u);
  EXPECT_NE(field(sent(method::bye), "To").find("b1"), std::string::npos);
  EXPECT_EQ(field(sent(method::prack), "CSeq"), "2 PRACK");
  EXPECT_GT(std::stoul(field(sent(method::bye), "CSeq")), 2u) << "it would be out of order";
  a.take(request("INFO", 5, "b1", "x"));
  EXPECT_EQ(count(method::info, 481), 1u);
}

TEST_F(early_dialogs, requests_of_the_peer_go_to_the_user) {
  call();
  ring("b1");
  std::vector<ua_event> seen;
  a.out.react = [&](const ua_event& e) {
    if (e.kind != event_kind::request)
      return;
    seen.push_back(e);
    if (e.what == method::refer) {
      EXPECT_TRUE(a.machine.defer_request(a.now, e.number, a.out));
    }
  };
  a.take(request("INFO", 5, "b1", "x"));
  a.take(request("OPTIONS", 6, "b1"));
  a.take(request("UPDATE", 7, "b1"));
  a.take(request("REFER", 8, "b1"));
  EXPECT_EQ(count(method::info, 415), 1u);
  EXPECT_EQ(count(method::options, 200), 1u);
  EXPECT_EQ(count(method::update, 200), 1u);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_TRUE(a.machine.answer_request(a.now, seen[3].number, 603, a.out));
  EXPECT_EQ(count(method::refer, 603), 1u);
  a.take(request("INFO", 9, "stranger", "x"));
  EXPECT_EQ(count(method::info, 481), 1u);
  EXPECT_EQ(a.machine.current(), phase::ringing);
}

TEST_F(early_dialogs, what_was_deferred_early_is_answered_when_confirmed) {
  call();
  ring("b1");
  uint32_t number = 0;
  a.out.react = [&](const ua_event& e) {
    if (e.kind == event_kind::request && a.machine.defer_request(a.now, e.number, a.out))
      number = e.number;
  };
  a.take(request("INFO", 5, "b1", "x"));
  answer("b1");
  EXPECT_TRUE(a.machine.answer_request(a.now, number, 200, a.out));
  EXPECT_EQ(count(method::info, 200), 1u);
}

TEST_F(early_dialogs, what_was_deferred_is_refused_when_the_call_fails) {
  call();
  ring("b1");
  a.out.react = [&](const ua_event& e) {
    if (e.kind == event_kind::request)
      a.machine.defer_request(a.now, e.number, a.out);
  };
  a.take(request("INFO", 5, "b1", "x"));
  a.take(response_to(invite, 486, "b1"));
  EXPECT_EQ(count(method::info, 487), 1u);
  EXPECT_EQ(a.machine.current(), phase::over);
}

TEST_F(early_dialogs, what_was_deferred_by_a_loser_is_refused) {
  call();
  ring("b1");
  a.out.react = [&](const ua_event& e) {
    if (e.kind == event_kind::request)
      a.machine.defer_request(a.now, e.number, a.out);
  };
  a.take(request("INFO", 5, "b1", "x"));
  answer("b2");
  EXPECT_EQ(count(method::info, 487), 1u);
}

TEST_F(early_dialogs, offers_wait_for_the_first_to_be_answered_reliably) {
  call();
  ring("b1", 0, "v=0 maybe");
  a.take(request("UPDATE", 5, "b1", "v=0"));
  EXPECT_EQ(count(method::update, 491), 1u);
  EXPECT_EQ(a.machine.send_request(a.now, method::update, "v=0", a.out), 0u);
  ring("b1", 10, "v=0 answer");
  a.take(request("UPDATE", 6, "b1", "v=0 theirs"));
  ASSERT_EQ(a.out.count(event_kind::offer), 1u);
  ASSERT_TRUE(a.machine.answer_offer(a.now, "v=0 ours", a.out, "application/sdp", {}, 0));
  EXPECT_EQ(count(method::update, 200), 1u);
  EXPECT_EQ(a.machine.send_request(a.now, method::invite, "v=0", a.out), 0u);
  EXPECT_NE(a.machine.send_request(a.now, method::update, "v=0 again", a.out), 0u);
  a.take(response_to(sent(method::update), 200, "", "", "v=0"));
  EXPECT_EQ(a.out.last(event_kind::response)->event.status, 200);
}

TEST_F(early_dialogs, an_early_offer_is_answered_in_the_prack) {
  call("");
  ring("b1", 10, "v=0 their offer");
  ASSERT_TRUE(a.out.last(event_kind::provisional)->event.needs_answer);
  EXPECT_EQ(count(method::prack), 0u);
  ring("b1", 10, "v=0 their offer");
  EXPECT_EQ(a.out.count(event_kind::provisional), 1u);
  ASSERT_TRUE(a.machine.acknowledge(a.now, "v=0 our answer", a.out));
  EXPECT_FALSE(a.machine.acknowledge(a.now, "v=0 our answer", a.out));
  EXPECT_TRUE(sent(method::prack).ends_with("v=0 our answer"));
  answer("b1", "v=0 their offer"); // as it was
  EXPECT_FALSE(a.out.last(event_kind::answered)->event.needs_answer);
  EXPECT_EQ(count(method::ack), 1u);
}

TEST_F(early_dialogs, no_failure_in_an_early_dialog_ends_the_call) {
  call();
  ring("b1", 10);
  auto number = a.machine.send_request(a.now, method::info, "x", a.out);
  a.take(response_to(sent(method::info), 481, ""));
  EXPECT_EQ(a.out.last(event_kind::response)->event.number, number);
  a.machine.send_request(a.now, method::info, "x", a.out);
  a.pass(seconds{33}); // the PRACK has no answer either
  EXPECT_EQ(a.out.last(event_kind::response)->event.cause, end_cause::timeout_f);
  EXPECT_EQ(a.machine.current(), phase::ringing);
  EXPECT_EQ(count(method::bye), 0u);
  answer("b1");
  EXPECT_EQ(a.machine.current(), phase::established);
}

TEST_F(early_dialogs, a_retry_begins_with_none) {
  call();
  ring("b1", 10);
  a.take(response_to(invite, 302, "b1", "Contact: <sip:c@192.0.2.7>\r\n"));
  EXPECT_EQ(a.machine.send_request(a.now, method::info, "x", a.out), 0u);
  invite = sent(method::invite);
  ring("c1", 500);
  EXPECT_EQ(field(sent(method::prack), "RAck"), "500 2 INVITE");
}

TEST_F(early_dialogs, memory_is_bounded_and_given_back) {
  call();
  for (unsigned i = 0; i < 100; ++i)
    ring("f" + std::to_string(i), 10);
  EXPECT_LE(count(method::prack), 16u);
  answer("f3");
  a.take(response_to(a.out.all(method::prack)[3]->text, 200, ""));
  a.pass(seconds{40});
  EXPECT_LE(a.machine.heap_bytes(), 300u);
}

// -- called -----------------------------------------------------------------------------------

struct early_called : ::testing::Test {
  void called(std::string_view headers, std::string_view body = "v=0 offer",
              answer_options options = {}) {
    text = "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKi\r\nMax-Forwards: 70\r\n"
           "From: <sip:bob@192.0.2.2>;tag=b1\r\nTo: <sip:alice@192.0.2.1>\r\n"
           "Call-ID: theirs\r\nCSeq: 7 INVITE\r\nContact: <sip:bob@192.0.2.2:5070>\r\n";
    text.append(headers).append("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    text.append(body);
    message m;
    ASSERT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause;
    b.machine.start(b.now, m, 99, options, b.out);
  }
  void take(std::string_view name, uint32_t number, std::string_view body = {},
            std::string_view headers = {}) {
    b.take(request(name, number, "b1", body, headers, "theirs"));
  }
  void prack(uint32_t number, std::string_view body = {}) {
    take("PRACK", number, body, "RAck: " + rseq() + " 7 INVITE\r\n");
  }
  std::string rseq() {
    for (auto i = b.out.sent.size(); i-- > 0;)
      if (b.out.sent[i].rank == send_rank::provisional)
        return field(b.out.sent[i].text, "RSeq");
    return {};
  }
  size_t count(method m, int status = 0) { return b.out.all(m, status).size(); }

  static constexpr std::string_view required = "Require: 100rel\r\n";
  static constexpr std::string_view supported = "Supported: timer, 100rel\r\n";
  ua_profile profile = udp_profile("192.0.2.1");
  bench_of<leg> b{profile, test_id(1)};
  std::string text;
};

TEST_F(early_called, provisionals_are_reliable_where_it_is_required) {
  called(required);
  ASSERT_TRUE(b.machine.progress(b.now, 183, b.out, "v=0 early"));
  EXPECT_EQ(field(b.out.last_sent().text, "Require"), "100rel");
  EXPECT_NE(rseq(), "");
  b.pass(milliseconds{3600}); // .5, 1.5, 3.5
  EXPECT_EQ(count(method::invite, 183), 4u);
  prack(8);
  EXPECT_EQ(count(method::prack, 200), 1u);
  prack(8); // again
  EXPECT_EQ(count(method::prack, 200), 2u);
  b.pass(seconds{100});
  EXPECT_EQ(count(method::invite, 183), 4u);
  take("PRACK", 9, "", "RAck: 1 7 BYE\r\n");
  EXPECT_EQ(count(method::prack, 481), 1u);
  ASSERT_TRUE(b.machine.answer(b.now, "v=0 answer", b.out));
  EXPECT_EQ(count(method::invite, 200), 1u);
}

TEST_F(early_called, provisionals_are_reliable_where_we_want_it) {
  called(supported);
  b.machine.progress(b.now, 180, b.out);
  EXPECT_EQ(rseq(), "");
}

TEST_F(early_called, provisionals_are_reliable_where_both_want_it) {
  called(supported, "v=0", {.reliable_provisionals = true});
  b.machine.progress(b.now, 180, b.out);
  EXPECT_NE(rseq(), "");
}

TEST_F(early_called, provisionals_are_not_reliable_where_the_caller_cannot) {
  called("", "v=0", {.reliable_provisionals = true});
  b.machine.progress(b.now, 180, b.out);
  EXPECT_EQ(rseq(), "");
}

TEST_F(early_called, what_follows_waits_for_the_prack) {
  called(required);
  b.machine.progress(b.now, 183, b.out, "v=0 answer");
  auto first = rseq();
  ASSERT_TRUE(b.machine.progress(b.now, 180, b.out));
  ASSERT_TRUE(b.machine.answer(b.now, "v=0 answer", b.out));
  EXPECT_FALSE(b.machine.answer(b.now, "v=0 answer", b.out));
  EXPECT_FALSE(b.machine.progress(b.now, 180, b.out));
  EXPECT_EQ(b.out.sent.size(), 1u);
  EXPECT_EQ(b.machine.current(), phase::ringing);
  prack(8);
  EXPECT_EQ(std::stoul(rseq()), std::stoul(first) + 1);
  EXPECT_EQ(count(method::invite, 180), 1u);
  EXPECT_EQ(count(method::invite, 200), 0u);
  prack(9);
  EXPECT_EQ(count(method::invite, 200), 1u);
  EXPECT_EQ(b.machine.current(), phase::answered);
  take("ACK", 7);
  EXPECT_EQ(b.machine.current(), phase::established);
  EXPECT_EQ(b.machine.next_deadline(), never);
}

TEST_F(early_called, a_refusal_does_not_wait) {
  called(required);
  b.machine.progress(b.now, 183, b.out);
  b.machine.answer(b.now, "v=0", b.out);
  EXPECT_TRUE(b.machine.reject(b.now, 486, b.out));
  EXPECT_EQ(count(method::invite, 486), 1u);
  b.pass(seconds{40});
  EXPECT_EQ(count(method::invite, 183), 1u);
  EXPECT_EQ(b.machine.current(), phase::over);
}

TEST_F(early_called, without_a_prack_the_call_is_refused) {
  called(required);
  b.machine.progress(b.now, 183, b.out);
  b.pass(seconds{32});
  EXPECT_EQ(count(method::invite, 500), 1u);
  EXPECT_EQ(b.machine.current(), phase::refusing);
}

TEST_F(early_called, updates_go_both_ways_in_the_early_dialog) {
  called(required);
  EXPECT_EQ(b.machine.send_request(b.now, method::info, "x", b.out), 0u);
  b.machine.progress(b.now, 183, b.out, "v=0 answer");
  take("UPDATE", 8, "v=0");
  EXPECT_EQ(count(method::update, 500), 1u);
  EXPECT_EQ(b.machine.send_request(b.now, method::update, "v=0", b.out), 0u);
  prack(9);
  take("UPDATE", 10, "v=0 theirs");
  ASSERT_TRUE(b.machine.answer_offer(b.now, "v=0 ours", b.out));
  EXPECT_EQ(count(method::update, 200), 1u);
  auto number = b.machine.send_request(b.now, method::update, "v=0 ours", b.out);
  ASSERT_NE(number, 0u);
  b.take(response_to(b.out.all(method::update).back()->text, 200, "", "", "v=0"));
  EXPECT_EQ(b.out.last(event_kind::response)->event.number, number);
  take("UPDATE", 11);
  take("INFO", 12, "x");
  EXPECT_EQ(b.out.count(event_kind::request), 2u);
  EXPECT_EQ(count(method::info, 415), 1u);
  EXPECT_EQ(b.machine.current(), phase::ringing);
}

TEST_F(early_called, our_early_offer_is_answered_in_the_prack) {
  called(required, "");
  b.machine.progress(b.now, 183, b.out, "v=0 our offer");
  prack(8, "v=0 their answer");
  EXPECT_EQ(count(method::prack, 200), 1u);
  auto* e = b.out.last(event_kind::request);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->event.what, method::prack);
  EXPECT_EQ(e->body, "v=0 their answer");
}

// -- both -------------------------------------------------------------------------------------

/// Two legs on a path that loses and repeats: what one sends comes to the other 20 ms later.
struct both_legs {
  both_legs(uint64_t seed, bool delayed) : random(seed) {
    profile_a.supported = "100rel";
    a.out.relay = [this](const sent_message& m) { carry(true, m.text); };
    b.out.relay = [this](const sent_message& m) { carry(false, m.text); };
    a.out.react = [this](const ua_event& e) {
      if (e.needs_answer)
        a.machine.acknowledge(a.now, "v=0 a", a.out, "application/sdp", e.fork);
      if (e.kind == event_kind::offer)
        a.machine.answer_offer(a.now, "v=0 a", a.out, "application/sdp", {}, e.fork);
    };
    b.out.react = [this](const ua_event& e) {
      if (e.kind == event_kind::offer)
        b.machine.answer_offer(b.now, "v=0 b", b.out);
    };
    EXPECT_TRUE(a.machine.prepare({.uri = "sip:bob@192.0.2.2",
                                   .from = "<sip:alice@192.0.2.1>",
                                   .body = delayed ? "" : "v=0 a"}));
    EXPECT_TRUE(a.machine.send(a.now, a.out));
  }
  void carry(bool to_b, const std::string& text) {
    auto luck = random() % 100;
    for (auto copies = luck < 15 ? 0 : luck < 25 ? 2 : 1; copies > 0; --copies)
      wire.push_back({a.now + milliseconds{5 + random() % 100}, to_b, text});
  }
  void deliver(bool to_b, const std::string& text) {
    message m;
    ASSERT_EQ(m.parse(text), parse_verdict::good) << text;
    if (!to_b)
      a.machine.on_message(a.now, m, a.out);
    else if (b.machine.current() == phase::idle)
      b.machine.start(b.now, m, 1, {.reliable_provisionals = true}, b.out);
    else
      b.machine.on_message(b.now, m, b.out);
  }
  void run(seconds length) {
    for (auto end = a.now + length; a.now < end;) {
      a.now += milliseconds{5};
      b.now = a.out.now = b.out.now = a.now;
      for (size_t i = 0; i < wire.size();)
        if (wire[i].at <= a.now) {
          auto next = std::move(wire[i]);
          wire.erase(wire.begin() + static_cast<std::ptrdiff_t>(i));
          deliver(next.to_b, next.text);
        } else {
          ++i;
        }
      a.machine.on_time(a.now, a.out);
      b.machine.on_time(b.now, b.out);
    }
  }

  struct parcel {
    time_point at;
    bool to_b;
    std::string text;
  };
  std::mt19937_64 random;
  ua_profile profile_a = udp_profile("192.0.2.1"), profile_b = udp_profile("192.0.2.2");
  bench_of<leg> a{profile_a, test_id(1)}, b{profile_b, test_id(2)};
  std::vector<parcel> wire;
};

TEST(early_dialogs_both, on_a_bad_path) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    both_legs w(seed, seed % 3 == 0);
    w.run(seconds{20});
    w.b.machine.progress(w.b.now, 183, w.b.out, "v=0 b");
    w.b.machine.progress(w.b.now, 180, w.b.out);
    w.run(seconds{20});
    auto heard = std::count_if(w.a.out.events.begin(), w.a.out.events.end(), [](auto& e) {
      return e.event.kind == event_kind::provisional && e.event.status > 100;
    });
    EXPECT_EQ(heard, 2);
    EXPECT_NE(w.a.machine.send_request(w.a.now, method::update, "v=0 a2", w.a.out), 0u);
    w.run(seconds{20}); // one that overtakes another makes it out of order
    EXPECT_NE(w.a.machine.send_request(w.a.now, method::info, "x", w.a.out), 0u);
    EXPECT_NE(w.b.machine.send_request(w.b.now, method::info, "x", w.b.out), 0u);
    w.run(seconds{20});
    EXPECT_EQ(w.a.out.count(event_kind::response), 2u);
    EXPECT_EQ(w.b.out.count(event_kind::response), 1u);
    EXPECT_EQ(w.b.out.count(event_kind::offer), 1u);
    ASSERT_TRUE(w.b.machine.answer(w.b.now, "", w.b.out));
    w.run(seconds{20});
    EXPECT_EQ(w.a.machine.current(), phase::established);
    EXPECT_EQ(w.b.machine.current(), phase::established);
    w.a.machine.hang_up(w.a.now, w.a.out);
    w.run(seconds{40});
    EXPECT_EQ(w.a.machine.current(), phase::over);
    EXPECT_EQ(w.b.machine.current(), phase::over);
    if (::testing::Test::HasFailure())
      return;
  }
}

} // namespace
} // namespace jackfield::sip
