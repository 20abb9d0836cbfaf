#include <gtest/gtest.h>

#include "engine/sip/leg.hpp"
#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using phase = leg_phase;

const std::string id_text{view(test_id(1).text())};

/// An attempt of a process that is no more, taken back by another one.
struct attempt_test : ::testing::Test {
  ua_profile udp = udp_profile("192.0.2.1");
  ua_profile tcp = tcp_profile("192.0.2.1");
  std::vector<credential> known{{"alice", "home", "pw", {"192.0.2.2"}}};
  call_options options{.uri = "sip:bob@192.0.2.2",
                       .from = "\"Alice\" <sip:alice@192.0.2.1>",
                       .body = "v=0 offer",
                       .credentials = known};
  bench_of<leg> first{udp, test_id(1)}; // of the process that is no more
  bench_of<leg> b{udp, test_id(1)};     // of the one after it
  static constexpr std::string_view contact = "Contact: <sip:bob@192.0.2.2:5070>\r\n"
                                              "Content-Type: application/sdp\r\n";
  static constexpr std::string_view challenge =
    "WWW-Authenticate: Digest realm=\"home\", nonce=\"2\"\r\n";

  void over_tcp() {
    first.machine = leg{tcp, test_id(1)};
    b.machine = leg{tcp, test_id(1)};
  }
  void call() {
    ASSERT_TRUE(first.machine.prepare(options));
    ASSERT_TRUE(first.machine.send(first.now, first.out));
  }
  /// The INVITE that is in the air.
  std::string invite() { return first.out.all(method::invite).back()->text; }
  void take_back() {
    auto kept = first.machine.attempt();
    ASSERT_TRUE(kept);
    auto done = b.machine.take_back(b.now, *kept, b.out, known);
    ASSERT_TRUE(done) << done.error().to_string();
    EXPECT_EQ(b.machine.attempt(), kept);
    EXPECT_EQ(b.machine.current(), phase::cancelling);
  }
  void call_and_take_back() {
    call();
    take_back();
  }
  std::string sent(method m, int status = 0) {
    auto all = b.out.all(m, status);
    return all.empty() ? std::string{} : all.back()->text;
  }
  /// What the peer says to the INVITE.
  void answer(int status, std::string_view headers = {}, std::string_view tag = "b1") {
    b.take(response_to(invite(), status, tag, headers, status == 200 ? "v=0 answer" : ""));
  }
  void answer_cancel(int status) { b.take(response_to(sent(method::cancel), status, "b1")); }
  end_cause cause() {
    auto* e = b.out.last(event_kind::ended);
    return e ? e->event.cause : end_cause::none;
  }
  void expect_nothing_else_than_cancelled(int status) {
    EXPECT_EQ(cause(), end_cause::cancelled);
    EXPECT_EQ(b.out.last(event_kind::ended)->event.status, status);
    EXPECT_EQ(b.out.count(event_kind::ended), 1u);
    EXPECT_EQ(b.machine.current(), phase::over);
    EXPECT_EQ(b.machine.attempt(), std::nullopt);
    EXPECT_TRUE(b.out.all(method::invite).empty());
    EXPECT_TRUE(b.out.all(method::bye).empty());
    EXPECT_TRUE(b.out.rests.empty()) << "another server was asked for";
    EXPECT_EQ(b.machine.next_deadline(), never);
  }
  /// §9.1: what makes a CANCEL that of an INVITE.
  void expect_cancel_of(const std::string& invite) {
    message i;
    message c;
    const auto cancel = sent(method::cancel);
    ASSERT_EQ(i.parse(invite), parse_verdict::good);
    ASSERT_EQ(c.parse(cancel), parse_verdict::good) << cancel;
    EXPECT_EQ(c.request_method(), method::cancel);
    EXPECT_EQ(c.request_uri(), i.request_uri());
    for (auto name : {"Via", "From", "To", "Call-ID", "Route"})
      EXPECT_EQ(field(cancel, name), field(invite, name)) << name;
    EXPECT_EQ(c.cseq_number(), i.cseq_number());
    EXPECT_TRUE(c.body().empty());
    EXPECT_TRUE(c.to_tag().empty());
    auto vias = 0;
    c.each_value(header::via, [&](std::string_view) { return ++vias > 0; });
    EXPECT_EQ(vias, 1);
  }
};

// -- what is kept -----------------------------------------------------------------------------

TEST_F(attempt_test, is_kept_from_prepare_to_the_answer) {
  EXPECT_EQ(first.machine.attempt(), std::nullopt);
  options.route = "<sip:p1.example;lr>, <sip:p2.example;lr>";
  options.cseq = 7;
  ASSERT_TRUE(first.machine.prepare(options));
  const attempt_record wanted{.leg = id_text,
                              .uri = "sip:bob@192.0.2.2",
                              .from = "\"Alice\" <sip:alice@192.0.2.1>",
                              .to = "<sip:bob@192.0.2.2>",
                              .route = "<sip:p1.example;lr>, <sip:p2.example;lr>",
                              .cseq = 7,
                              .branch = 0};
  EXPECT_EQ(first.machine.attempt(), wanted) << "before it is sent";
  ASSERT_TRUE(first.machine.send(first.now, first.out));
  EXPECT_EQ(first.machine.attempt(), wanted);
  first.take(response_to(invite(), 180, "b1", contact));
  EXPECT_EQ(first.machine.attempt(), wanted);
  first.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
  EXPECT_EQ(first.machine.attempt(), std::nullopt);
}

TEST_F(attempt_test, is_none_once_it_has_failed) {
  call();
  first.take(response_to(invite(), 486, "b1"));
  EXPECT_EQ(first.machine.attempt(), std::nullopt);
}

TEST_F(attempt_test, a_called_leg_has_none) {
  call();
  message m;
  ASSERT_EQ(m.parse(first.out.sent.at(0).text), parse_verdict::good);
  bench_of<leg> called{udp, test_id(2)};
  called.machine.start(called.now, m, 99, {}, called.out);
  ASSERT_FALSE(called.machine.is_caller());
  EXPECT_EQ(called.machine.attempt(), std::nullopt);
  EXPECT_FALSE(called.machine.take_back(called.now, *first.machine.attempt(), called.out));
}

// -- the CANCEL -------------------------------------------------------------------------------

TEST_F(attempt_test, its_cancel_is_that_of_the_invite) {
  options.to = "\"Bob, at work\" <sip:bob@example.com>";
  options.route = "<sip:p1.example;lr>, <sip:p2.example;lr>";
  options.cseq = 7;
  call_and_take_back();
  ASSERT_EQ(b.out.sent.size(), 1u) << "CANCEL alone, and at once";
  expect_cancel_of(invite());
  EXPECT_EQ(field(sent(method::cancel), "CSeq"), "7 CANCEL");
  EXPECT_EQ(b.out.last_sent().to, send_to::next_hop) << "nothing went there before";
  EXPECT_EQ(b.out.last_sent().next_hop, "sip:p1.example;lr");
  EXPECT_TRUE(b.machine.is_caller());
  EXPECT_EQ(b.machine.call_id(), id_text);
  EXPECT_EQ(b.machine.invite_branch(), first.machine.invite_branch());
}

TEST_F(attempt_test, its_cancel_is_that_of_the_invite_over_a_connection) {
  over_tcp();
  call_and_take_back();
  expect_cancel_of(invite());
  EXPECT_TRUE(field(sent(method::cancel), "Via").starts_with("SIP/2.0/TCP "));
  EXPECT_EQ(b.out.last_sent().next_hop, "sip:bob@192.0.2.2");
}

TEST_F(attempt_test, its_cancel_is_that_of_the_invite_after_a_challenge) {
  call();
  first.take(
    response_to(invite(), 407, "p", "Proxy-Authenticate: Digest realm=\"home\", nonce=\"1\"\r\n"));
  ASSERT_EQ(first.out.all(method::invite).size(), 2u);
  take_back();
  expect_cancel_of(invite());
  EXPECT_EQ(field(sent(method::cancel), "CSeq"), "2 CANCEL");
  EXPECT_NE(field(sent(method::cancel), "Via"), field(first.out.sent.at(0).text, "Via"));
}

TEST_F(attempt_test, its_cancel_is_that_of_the_invite_after_a_redirection) {
  call();
  first.take(response_to(invite(), 302, "r", "Contact: <sip:carol@192.0.2.7:5080>\r\n"));
  ASSERT_EQ(first.out.all(method::invite).size(), 2u);
  take_back();
  expect_cancel_of(invite());
  EXPECT_TRUE(sent(method::cancel).starts_with("CANCEL sip:carol@192.0.2.7:5080 SIP/2.0\r\n"));
  EXPECT_EQ(field(sent(method::cancel), "To"), "<sip:bob@192.0.2.2>");
  EXPECT_EQ(b.out.last_sent().next_hop, "sip:carol@192.0.2.7:5080");
}

TEST_F(attempt_test, its_cancel_is_that_of_the_invite_at_another_server) {
  first.out.servers = {&udp};
  call();
  first.take(response_to(invite(), 503, "r"));
  ASSERT_EQ(first.out.all(method::invite).size(), 2u);
  take_back();
  expect_cancel_of(invite());
}

TEST_F(attempt_test, cancel_alone_is_sent_again_until_it_is_given_up) {
  call_and_take_back();
  b.pass(seconds{31});
  EXPECT_EQ(b.machine.current(), phase::cancelling);
  b.pass(seconds{2});
  EXPECT_EQ(b.out.all(method::cancel).size(), 11u); // 0, .5, 1.5, 3.5, 7.5, and each 4 s
  for (auto* c : b.out.all(method::cancel))
    EXPECT_EQ(c->text, b.out.sent.at(0).text);
  EXPECT_EQ(b.out.sent.at(1).to, send_to::again);
  EXPECT_EQ(b.out.sent.size(), 11u);
  EXPECT_EQ(b.out.last(event_kind::ended)->at - time_point{seconds{1000}}, seconds{32});
  expect_nothing_else_than_cancelled(0);
}

TEST_F(attempt_test, cancel_is_sent_once_over_a_connection) {
  over_tcp();
  call_and_take_back();
  b.pass(seconds{33});
  EXPECT_EQ(b.out.sent.size(), 1u);
  EXPECT_EQ(b.out.last(event_kind::ended)->at - time_point{seconds{1000}}, seconds{32});
  expect_nothing_else_than_cancelled(0);
}

TEST_F(attempt_test, a_lost_way_ends_it_without_another_server) {
  b.out.servers = {&udp};
  call_and_take_back();
  b.machine.on_transport_failed(b.now, b.out);
  EXPECT_EQ(b.out.sent.size(), 1u);
  expect_nothing_else_than_cancelled(0);
}

TEST_F(attempt_test, is_not_hung_up_twice) {
  call_and_take_back();
  b.machine.hang_up(b.now, b.out);
  EXPECT_EQ(b.out.sent.size(), 1u);
  EXPECT_FALSE(b.machine.send(b.now, b.out));
  EXPECT_FALSE(b.machine.prepare(options));
  EXPECT_FALSE(b.machine.take_back(b.now, *first.machine.attempt(), b.out));
  EXPECT_EQ(b.out.sent.size(), 1u);
  EXPECT_EQ(b.machine.current(), phase::cancelling);
}

// -- what the peer makes of it ----------------------------------------------------------------

TEST_F(attempt_test, cancelled_at_the_peer) {
  for (auto reliable : {false, true}) {
    b.out.clear();
    b.machine = leg{reliable ? tcp : udp, test_id(1)};
    first.out.clear();
    first.machine = leg{reliable ? tcp : udp, test_id(1)};
    call_and_take_back();
    answer_cancel(200);
    EXPECT_EQ(b.machine.current(), phase::cancelling);
    answer(487);
    ASSERT_EQ(b.out.all(method::ack).size(), 1u);
    EXPECT_EQ(field(sent(method::ack), "Via"), field(invite(), "Via"));
    EXPECT_EQ(field(sent(method::ack), "CSeq"), "1 ACK");
    EXPECT_NE(field(sent(method::ack), "To").find(";tag=b1"), std::string::npos);
    EXPECT_EQ(b.out.last_sent().to, send_to::again);
    expect_nothing_else_than_cancelled(487);
    EXPECT_EQ(b.out.sent.size(), 2u) << "CANCEL and ACK";
  }
}

TEST_F(attempt_test, provisional_responses_change_nothing) {
  call_and_take_back();
  answer(100);
  answer(183, contact);
  answer_cancel(200);
  b.pass(seconds{31});
  EXPECT_EQ(b.machine.current(), phase::cancelling);
  EXPECT_EQ(b.out.sent.size(), 1u);
  EXPECT_EQ(b.out.count(event_kind::provisional), 0u);
  b.pass(seconds{1});
  expect_nothing_else_than_cancelled(0);
}

TEST_F(attempt_test, no_failure_is_followed) {
  for (auto [status, headers] :
       {std::pair<int, std::string_view>{302, "Contact: <sip:carol@192.0.2.7>\r\n"},
        {401, challenge},
        {407, "Proxy-Authenticate: Digest realm=\"home\", nonce=\"1\"\r\n"},
        {404, ""},
        {486, ""},
        {503, "Retry-After: 3\r\n"},
        {603, ""}}) {
    SCOPED_TRACE(status);
    b.out.clear();
    b.machine = leg{udp, test_id(1)};
    b.out.servers = {&udp};
    first.out.clear();
    first.machine = leg{udp, test_id(1)};
    call_and_take_back();
    answer(status, headers);
    EXPECT_EQ(b.out.all(method::ack).size(), 1u);
    EXPECT_EQ(b.out.count(event_kind::retrying), 0u);
    expect_nothing_else_than_cancelled(status);
  }
}

TEST_F(attempt_test, answered_after_all_is_hung_up) {
  for (auto to_cancel : {0, 200, 481}) {
    SCOPED_TRACE(to_cancel);
    b.out.clear();
    b.machine = leg{udp, test_id(1)};
    first.out.clear();
    first.machine = leg{udp, test_id(1)};
    options.cseq = 7;
    call_and_take_back();
    if (to_cancel != 0)
      answer_cancel(to_cancel);
    answer(200, "Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n"
                "Contact: <sip:bob@192.0.2.2:5070>\r\n");
    EXPECT_EQ(b.machine.current(), phase::ending);
    EXPECT_EQ(b.machine.attempt(), std::nullopt);
    const auto bye = sent(method::bye);
    EXPECT_TRUE(b.out.all(method::ack).empty())
      << "a crash before the BYE is answered leaves no call up that has its ACK";
    message m;
    ASSERT_EQ(m.parse(bye), parse_verdict::good) << bye;
    EXPECT_EQ(m.request_uri(), "sip:bob@192.0.2.2:5070");
    EXPECT_EQ(field(bye, "Route"), "<sip:p1.example;lr>, <sip:p2.example;lr>");
    EXPECT_EQ(m.call_id(), id_text);
    EXPECT_EQ(m.from_tag(), id_text);
    EXPECT_EQ(m.to_tag(), "b1");
    EXPECT_GT(m.cseq_number(), 7u);
    EXPECT_EQ(b.out.count(event_kind::answered), 0u);
    b.take(response_to(bye, 200, ""));
    EXPECT_EQ(cause(), end_cause::cancelled_but_answered);
    EXPECT_EQ(b.out.count(event_kind::ended), 1u);
    ASSERT_EQ(b.out.all(method::ack).size(), 1u);
    EXPECT_EQ(field(sent(method::ack), "CSeq"), "7 ACK");
    EXPECT_TRUE(b.out.all(method::invite).empty());
  }
}

TEST_F(attempt_test, answered_after_all_has_its_ack_behind_the_answer_to_its_bye) {
  call_and_take_back();
  answer(200, contact);
  b.pass(milliseconds{500});
  answer(200, contact); // its ACK has not come
  EXPECT_EQ(b.out.all(method::bye).size(), 2u) << "the first was lost";
  EXPECT_TRUE(b.out.all(method::ack).empty());
  b.take(response_to(sent(method::bye), 481, ""));
  EXPECT_EQ(b.out.all(method::ack).size(), 1u);
  EXPECT_EQ(cause(), end_cause::cancelled_but_answered);
}

TEST_F(attempt_test, answered_after_all_has_its_ack_at_last_where_no_bye_is_answered) {
  call_and_take_back();
  answer(200, contact);
  b.pass(seconds{32});
  EXPECT_EQ(cause(), end_cause::cancelled_but_answered);
  EXPECT_EQ(b.out.all(method::ack).size(), 1u);
}

TEST_F(attempt_test, a_peer_that_takes_no_bye_before_its_ack_gets_it_in_time) {
  call_and_take_back();
  answer(200, contact);
  for (const auto wait : {500, 1000, 2000}) {
    b.pass(milliseconds{wait});
    answer(200, contact);
    EXPECT_TRUE(b.out.all(method::ack).empty()) << wait;
  }
  b.pass(milliseconds{4000});
  answer(200, contact);
  EXPECT_EQ(b.out.all(method::ack).size(), 1u);
  answer(200, contact);
  EXPECT_EQ(b.out.all(method::ack).size(), 2u) << "it was lost";
  b.take(response_to(sent(method::bye), 200, ""));
  EXPECT_EQ(b.out.all(method::ack).size(), 2u);
  EXPECT_EQ(cause(), end_cause::cancelled_but_answered);
}

TEST_F(attempt_test, that_is_kept_and_was_cancelled_has_its_ack_behind_its_bye_too) {
  options.hold_ack = true;
  call();
  first.take(response_to(invite(), 180, "b1", contact));
  first.machine.hang_up(first.now, first.out);
  first.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
  ASSERT_EQ(first.out.all(method::bye).size(), 1u);
  EXPECT_TRUE(first.out.all(method::ack).empty());
  first.take(response_to(first.out.all(method::bye).back()->text, 200, ""));
  EXPECT_EQ(first.out.all(method::ack).size(), 1u);
  EXPECT_EQ(first.out.count(event_kind::answered), 0u);
}

TEST_F(attempt_test, answered_after_all_is_hung_up_over_a_connection) {
  over_tcp();
  call_and_take_back();
  answer(200, contact);
  b.take(response_to(sent(method::bye), 200, ""));
  EXPECT_EQ(b.out.all(method::ack).size(), 1u);
  EXPECT_EQ(cause(), end_cause::cancelled_but_answered);
  EXPECT_EQ(b.out.sent.size(), 3u) << "CANCEL, BYE, ACK";
}

TEST_F(attempt_test, its_bye_is_behind_what_went_in_the_early_dialog) {
  udp.supported = "100rel";
  options.body = {};
  call();
  first.take(response_to(invite(), 183, "b1",
                         "Require: 100rel\r\nRSeq: 1\r\nContact: <sip:bob@192.0.2.2:5070>\r\n"));
  const auto prack = first.out.all(method::prack).back()->text;
  ASSERT_EQ(field(prack, "CSeq"), "2 PRACK");
  take_back();
  answer(200, contact);
  message bye;
  message early;
  const auto text = sent(method::bye);
  ASSERT_EQ(bye.parse(text), parse_verdict::good);
  ASSERT_EQ(early.parse(prack), parse_verdict::good);
  EXPECT_GT(bye.cseq_number(), early.cseq_number() + 1000) << "whatever their number was";
  EXPECT_NE(bye.via().branch, early.via().branch);
}

TEST_F(attempt_test, its_bye_answers_a_challenge) {
  call_and_take_back();
  answer(200, contact);
  b.take(response_to(sent(method::bye), 401, "", challenge));
  ASSERT_EQ(b.out.all(method::bye).size(), 2u);
  EXPECT_NE(field(sent(method::bye), "Authorization"), "");
  b.take(response_to(sent(method::bye), 200, ""));
  EXPECT_EQ(cause(), end_cause::cancelled_but_answered);
}

TEST_F(attempt_test, each_fork_that_answers_is_hung_up) {
  call_and_take_back();
  answer(200, contact, "b1");
  const auto won = sent(method::bye);
  answer(200, "Contact: <sip:other@192.0.2.3>\r\n", "b2");
  const auto other = sent(method::bye);
  EXPECT_TRUE(other.starts_with("BYE sip:other@192.0.2.3 ")) << other;
  EXPECT_NE(field(other, "To").find(";tag=b2"), std::string::npos);
  EXPECT_EQ(b.out.all(method::ack).size(), 1u) << "that of the first waits for its BYE's answer";
  EXPECT_EQ(b.out.all(method::bye).size(), 2u);
  answer(200, contact, "b1");
  answer(200, "Contact: <sip:other@192.0.2.3>\r\n", "b2"); // its ACK was lost
  EXPECT_EQ(b.out.all(method::ack).size(), 2u);
  EXPECT_EQ(b.out.all(method::bye).size(), 2u);
  b.take(response_to(other, 200, ""));
  b.take(response_to(won, 200, ""));
  EXPECT_EQ(b.out.all(method::ack).size(), 3u);
  EXPECT_EQ(cause(), end_cause::cancelled_but_answered);
  b.pass(seconds{6}); // timer K of the other BYE
  EXPECT_EQ(b.machine.next_deadline(), never);
}

TEST_F(attempt_test, what_an_earlier_invite_left_is_ended_too) {
  call();
  const auto before = invite();
  first.take(response_to(before, 401, "u", challenge));
  take_back();
  b.take(response_to(before, 401, "u", challenge)); // its ACK was lost
  EXPECT_EQ(field(sent(method::ack), "CSeq"), "1 ACK");
  EXPECT_EQ(b.machine.current(), phase::cancelling);
  answer(487);
  expect_nothing_else_than_cancelled(487);
}

TEST_F(attempt_test, a_later_invite_than_the_record_knows_is_ended_too) {
  call();
  auto kept = first.machine.attempt();
  first.take(response_to(invite(), 401, "u", challenge));
  ASSERT_TRUE(b.machine.take_back(b.now, *kept, b.out));
  answer_cancel(481);
  answer(200, contact);
  EXPECT_EQ(field(sent(method::ack), "CSeq"), "2 ACK");
  EXPECT_TRUE(sent(method::bye).starts_with("BYE sip:bob@192.0.2.2:5070 "));
  EXPECT_EQ(b.out.count(event_kind::surplus_answer), 1u);
  b.take(response_to(sent(method::bye), 200, ""));
  b.pass(seconds{33});
  EXPECT_EQ(cause(), end_cause::cancelled);
  EXPECT_TRUE(b.out.all(method::invite).empty());
}

TEST_F(attempt_test, a_peer_that_hangs_up_instead_ends_it) {
  call_and_take_back();
  b.take("BYE sip:alice@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKp\r\n"
         "Max-Forwards: 70\r\nFrom: <sip:bob@192.0.2.2>;tag=b1\r\nTo: <sip:alice@192.0.2.1>;tag=" +
         id_text + "\r\nCall-ID: " + id_text + "\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(sent(method::bye, 200), "");
  EXPECT_EQ(cause(), end_cause::remote_bye);
}

// -- what it leaves ---------------------------------------------------------------------------

TEST_F(attempt_test, a_2xx_after_its_end_is_left_to_the_table) {
  call_and_take_back();
  b.pass(seconds{33});
  ASSERT_EQ(b.machine.current(), phase::over);
  linger_table table(8, seconds{32}, 1);
  b.machine.leave(b.now, table);
  EXPECT_EQ(table.size(), 1u);
  b.out.clear();
  const auto text = response_to(invite(), 200, "b1", contact, "v=0 answer");
  message m;
  ASSERT_EQ(m.parse(text), parse_verdict::good);
  EXPECT_TRUE(table.on_message(b.now, m, udp, b.out));
  EXPECT_EQ(table.late_answers(), 1u);
  EXPECT_EQ(field(sent(method::ack), "CSeq"), "1 ACK");
  EXPECT_TRUE(sent(method::bye).starts_with("BYE sip:bob@192.0.2.2:5070 "));
}

TEST_F(attempt_test, the_2xx_that_was_hung_up_is_not_hung_up_again_by_the_table) {
  call_and_take_back();
  answer(200, contact);
  b.take(response_to(sent(method::bye), 200, ""));
  ASSERT_EQ(b.machine.current(), phase::over);
  linger_table table(8, seconds{32}, 1);
  b.machine.leave(b.now, table);
  b.out.clear();
  for (auto tag : {"b1", "b2"}) {
    const auto text = response_to(invite(), 200, tag, contact, "v=0 answer");
    message m;
    ASSERT_EQ(m.parse(text), parse_verdict::good);
    EXPECT_TRUE(table.on_message(b.now, m, udp, b.out));
  }
  EXPECT_EQ(b.out.all(method::ack).size(), 2u);
  ASSERT_EQ(b.out.all(method::bye).size(), 1u);
  EXPECT_NE(field(sent(method::bye), "To").find(";tag=b2"), std::string::npos);
}

// -- records that cannot be taken -------------------------------------------------------------

TEST_F(attempt_test, records_that_are_not_whole_are_refused) {
  options.route = "<sip:p1.example;lr>";
  call();
  const auto good = *first.machine.attempt();
  auto refuses = [&](std::string_view place, std::string_view cause, auto change) {
    auto r = good;
    change(r);
    auto done = b.machine.take_back(b.now, r, b.out);
    ASSERT_FALSE(done) << place;
    EXPECT_EQ(done.error().place, place);
    EXPECT_NE(done.error().cause.find(cause), std::string::npos) << done.error().cause;
    EXPECT_EQ(b.machine.current(), phase::idle);
    EXPECT_TRUE(b.out.sent.empty());
  };
  refuses("leg", "another", [](auto& r) { r.leg.clear(); });
  refuses("leg", "another", [](auto& r) { r.leg = view(test_id(2).text()); });
  refuses("tel:1", "SIP URI", [](auto& r) { r.uri = "tel:1"; });
  refuses("sip:a@b\r\nX: y", "SIP URI", [](auto& r) { r.uri = "sip:a@b\r\nX: y"; });
  refuses("from", "control character", [](auto& r) { r.from = "<sip:a@b>\r\nX: y"; });
  refuses("from", "without tag", [](auto& r) { r.from += ";tag=x"; });
  refuses("from", "address", [](auto& r) { r.from.clear(); });
  refuses("to", "control character", [](auto& r) { r.to = "<sip:a@b>\r\nX: y"; });
  refuses("to", "without tag", [](auto& r) { r.to += ";tag=x"; });
  refuses("to", "address", [](auto& r) { r.to.clear(); });
  refuses("route", "control character", [](auto& r) { r.route += "\r\nX: y"; });
  refuses("route", ";lr", [](auto& r) { r.route = "<sip:p1.example>"; });
  refuses("cseq", "1 .. 2147418111", [](auto& r) { r.cseq = 0; });
  refuses("cseq", "1 .. 2147418111", [](auto& r) { r.cseq = 2'147'418'112; });
  refuses("branch", "0 .. 1073741823", [](auto& r) { r.branch = 0x4000'0000; });
  auto done = b.machine.take_back(b.now, good, b.out);
  EXPECT_TRUE(done) << "nothing was changed by what failed";
}

} // namespace
} // namespace jackfield::sip
