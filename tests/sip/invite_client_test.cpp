#include "engine/sip/invite_client.hpp"

#include <iostream>

#include <gtest/gtest.h>

#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using phase = invite_client::phase;

struct invite_client_test : ::testing::Test {
  ua_profile profile = udp_profile("192.0.2.1");
  bench_of<invite_client> a{profile, test_id(1)};
  call_options options{
    .uri = "sip:bob@192.0.2.2", .from = "\"Alice\" <sip:alice@192.0.2.1>", .body = "v=0 offer"};
  static constexpr std::string_view contact = "Contact: <sip:bob@192.0.2.2:5070>\r\n"
                                              "Content-Type: application/sdp\r\n";

  void start() { ASSERT_TRUE(a.machine.start(a.now, options, a.out)); }
  std::string invite() { return a.out.all(method::invite).back()->text; }
  std::string sent(method m, int status = 0) {
    auto all = a.out.all(m, status);
    return all.empty() ? std::string{} : all.back()->text;
  }
  void establish() {
    start();
    a.take(response_to(invite(), 180, "b1", contact));
    a.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
    ASSERT_EQ(a.machine.current(), phase::established);
  }
  end_cause cause() {
    auto* e = a.out.last(event_kind::ended);
    return e ? e->event.cause : end_cause::none;
  }
};

/// RFC 3261 §8.1.1.8.
TEST_F(invite_client_test, has_a_secure_contact_for_a_sips_uri) {
  profile.secure_contact = "<sips:192.0.2.1>";
  options.uri = "sips:bob@192.0.2.2";
  establish();
  EXPECT_NE(invite().find("Contact: <sips:192.0.2.1>\r\n"), std::string::npos) << invite();
  EXPECT_NE(a.machine.send_request(a.now, method::update, "v=0", a.out), 0U);
  EXPECT_NE(sent(method::update).find("Contact: <sips:192.0.2.1>\r\n"), std::string::npos)
    << sent(method::update);
}

TEST_F(invite_client_test, calls_and_hangs_up) {
  start();
  auto text = invite();
  message m;
  ASSERT_EQ(m.parse(text), parse_verdict::good);
  EXPECT_EQ(m.request_uri(), "sip:bob@192.0.2.2");
  EXPECT_EQ(m.from_tag(), view(test_id(1).text()));
  EXPECT_EQ(m.body(), "v=0 offer");
  EXPECT_EQ(a.out.sent.back().rank, send_rank::invite);
  EXPECT_EQ(a.out.sent.back().next_hop, "sip:bob@192.0.2.2");
  a.take(response_to(invite(), 100, ""));
  a.take(response_to(invite(), 180, "b1", contact));
  a.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
  EXPECT_EQ(a.out.count(event_kind::provisional), 2u);
  ASSERT_EQ(a.out.count(event_kind::answered), 1u);
  EXPECT_EQ(a.out.last(event_kind::answered)->body, "v=0 answer");
  auto ack = sent(method::ack);
  ASSERT_EQ(m.parse(ack), parse_verdict::good);
  EXPECT_EQ(m.request_uri(), "sip:bob@192.0.2.2:5070");
  EXPECT_EQ(m.cseq_number(), 1u);
  EXPECT_EQ(a.out.last_sent().next_hop, "sip:bob@192.0.2.2:5070");
  EXPECT_EQ(a.machine.next_deadline(), never);
  a.machine.hang_up(a.now, a.out);
  auto bye = sent(method::bye);
  EXPECT_EQ(field(bye, "CSeq"), "2 BYE");
  EXPECT_EQ(a.machine.current(), phase::ending);
  a.take(response_to(bye, 200, ""));
  EXPECT_EQ(cause(), end_cause::local_bye);
  EXPECT_EQ(a.machine.next_deadline(), never);
}

TEST_F(invite_client_test, retransmits_until_timer_b) {
  start();
  a.pass(seconds{40});
  EXPECT_EQ(a.out.all(method::invite).size(), 7u); // 0, .5, 1.5, 3.5, 7.5, 15.5, 31.5
  EXPECT_EQ(cause(), end_cause::timeout_b);
  EXPECT_EQ(a.out.last(event_kind::ended)->at - time_point{seconds{1000}}, seconds{32});
}

TEST_F(invite_client_test, start_refuses_what_cannot_be_sent) {
  auto refuses = [this](auto change) {
    auto o = options;
    change(o);
    invite_client c(profile, test_id(9));
    EXPECT_FALSE(c.start(a.now, o, a.out));
    EXPECT_TRUE(a.out.sent.empty());
  };
  refuses([](auto& o) { o.uri = "sip:"; });
  refuses([](auto& o) { o.uri = "http://x"; });
  refuses([](auto& o) { o.uri = "sip:a@b\r\nX: y"; });
  refuses([](auto& o) { o.from = "<sip:a@b>\r\nX: y"; });
  refuses([](auto& o) { o.from = "<sip:a@b>;tag=1"; });
  refuses([](auto& o) { o.headers = "X: y"; });
  refuses([](auto& o) { o.headers = "X y\r\n"; });
  refuses([](auto& o) { o.headers = "X: y\r\n\r\n"; });
  refuses([](auto& o) { o.route = "<sip:proxy>"; });
  refuses([](auto& o) { o.cseq = 0; });
}

TEST_F(invite_client_test, busy_and_rejected) {
  for (auto [status, cause_wanted] : {std::pair{486, end_cause::busy},
                                      {600, end_cause::busy},
                                      {404, end_cause::rejected},
                                      {480, end_cause::no_answer},
                                      {503, end_cause::rejected}}) {
    bench_of<invite_client> b{profile, test_id(2)};
    ASSERT_TRUE(b.machine.start(b.now, options, b.out));
    auto text = b.out.sent.back().text;
    b.take(response_to(text, status, "t", "Retry-After: 7 (later)\r\n"));
    auto* e = b.out.last(event_kind::ended);
    ASSERT_TRUE(e);
    EXPECT_EQ(e->event.cause, cause_wanted);
    EXPECT_EQ(e->event.status, status);
    EXPECT_EQ(e->event.seconds, 7u);
    auto ack = b.out.all(method::ack);
    ASSERT_EQ(ack.size(), 1u);
    EXPECT_EQ(ack[0]->to, send_to::again);
    EXPECT_EQ(field(ack[0]->text, "Via"), field(text, "Via"));
    EXPECT_EQ(b.machine.next_deadline(), never);
  }
}

TEST_F(invite_client_test, digest_407_then_401) {
  std::vector<credential> known{{"alice", "proxy", "pw", {"192.0.2.2"}},
                                {"alice", "home", "pw", {"192.0.2.2"}}};
  options.credentials = known;
  start();
  a.take(
    response_to(invite(), 407, "p", "Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"1\"\r\n"));
  EXPECT_EQ(a.out.last_sent().rank, send_rank::request); // behind the ACK
  EXPECT_EQ(field(invite(), "CSeq"), "2 INVITE");
  a.take(response_to(invite(), 401, "u",
                     "WWW-Authenticate: Digest realm=\"home\", nonce=\"2\", qop=\"auth\"\r\n"));
  EXPECT_NE(field(invite(), "Proxy-Authorization"), "");
  EXPECT_NE(field(invite(), "Authorization"), "");
  EXPECT_EQ(a.out.all(method::ack).size(), 2u);
  a.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
  EXPECT_EQ(a.machine.current(), phase::established);
  EXPECT_EQ(a.out.count(event_kind::retrying), 2u);
}

TEST_F(invite_client_test, auth_failed) {
  start();
  a.take(
    response_to(invite(), 401, "u", "WWW-Authenticate: Digest realm=\"home\", nonce=\"2\"\r\n"));
  EXPECT_EQ(cause(), end_cause::auth_failed);
}

TEST_F(invite_client_test, lost_ack_of_an_earlier_attempt_is_repeated) {
  std::vector<credential> known{{"alice", "home", "pw", {"192.0.2.2"}}};
  options.credentials = known;
  start();
  auto challenge =
    response_to(invite(), 401, "u", "WWW-Authenticate: Digest realm=\"home\", nonce=\"2\"\r\n");
  a.take(challenge);
  auto before = a.out.all(method::ack).size();
  a.take(challenge);
  EXPECT_EQ(a.out.all(method::ack).size(), before + 1);
  EXPECT_EQ(a.out.all(method::ack)[0]->text, a.out.all(method::ack)[1]->text);
  EXPECT_EQ(a.out.all(method::invite).size(), 2u);
}

TEST_F(invite_client_test, follows_3xx_by_preference_and_sees_loops) {
  start();
  a.take(response_to(invite(), 302, "r",
                     "Contact: <sip:x@192.0.2.7>;q=0.3, <sip:y@192.0.2.8>;q=0.9\r\n"));
  EXPECT_TRUE(invite().starts_with("INVITE sip:y@192.0.2.8 "));
  EXPECT_EQ(a.out.last_sent().next_hop, "sip:y@192.0.2.8");
  EXPECT_EQ(a.out.last(event_kind::retrying)->event.status, 302);
  a.take(response_to(invite(), 404, "r"));
  EXPECT_TRUE(invite().starts_with("INVITE sip:x@192.0.2.7 "));
  EXPECT_EQ(a.out.last(event_kind::retrying)->event.status, 404);
  a.take(response_to(invite(), 302, "r", "Contact: <sip:bob@192.0.2.2>\r\n"));
  EXPECT_EQ(cause(), end_cause::redirect_loop);
}

/// RFC 3261 §8.1.3.4 and §17.1.3: each INVITE is a transaction of its own, or what is late from one
/// would be taken for another's.
TEST_F(invite_client_test, each_attempt_has_a_branch_of_its_own) {
  std::vector<credential> known{{"alice", "home", "pw", {"192.0.2.8"}}};
  options.credentials = known;
  a.out.servers = {&profile};
  start();
  a.take(response_to(invite(), 302, "r",
                     "Contact: <sip:x@192.0.2.7>;q=0.3, <sip:y@192.0.2.8>;q=0.9\r\n"));
  a.take(
    response_to(invite(), 401, "u", "WWW-Authenticate: Digest realm=\"home\", nonce=\"2\"\r\n"));
  a.take(response_to(invite(), 503, "u"));
  a.take(response_to(invite(), 404, "u"));
  const auto invites = a.out.all(method::invite);
  ASSERT_EQ(invites.size(), 5U);
  EXPECT_TRUE(invites.back()->text.starts_with("INVITE sip:x@192.0.2.7 "));
  for (size_t i = 0; i < invites.size(); ++i)
    for (size_t j = i + 1; j < invites.size(); ++j)
      EXPECT_NE(field(invites[i]->text, "Via"), field(invites[j]->text, "Via")) << i << ' ' << j;
  for (const auto* each : invites) {
    EXPECT_EQ(field(each->text, "From"), field(invites[0]->text, "From"));
    EXPECT_EQ(field(each->text, "Call-ID"), field(invites[0]->text, "Call-ID"));
  }
  // A final response to an earlier one is acknowledged, and decides nothing.
  a.take(response_to(invites[0]->text, 486, "late"));
  EXPECT_EQ(cause(), end_cause::none);
  a.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
  EXPECT_EQ(a.machine.current(), phase::established);
}

/// §16.7 step 5, §21.6: a 6xx speaks for all targets.
TEST_F(invite_client_test, a_6xx_ends_the_search) {
  for (const int status : {600, 603, 604, 606, 699}) {
    bench_of<invite_client> b{profile, test_id(3)};
    b.out.servers = {&profile};
    ASSERT_TRUE(b.machine.start(b.now, options, b.out));
    b.take(response_to(b.out.sent.back().text, 302, "r",
                       "Contact: <sip:y@192.0.2.8>;q=0.9, <sip:x@192.0.2.7>;q=0.3\r\n"));
    const auto invites = b.out.all(method::invite);
    ASSERT_EQ(invites.size(), 2u);
    b.take(response_to(invites[1]->text, status, "r"));
    EXPECT_EQ(b.out.all(method::invite).size(), 2u) << status << ": another target was tried";
    ASSERT_NE(b.out.last(event_kind::ended), nullptr) << status;
    EXPECT_EQ(b.out.last(event_kind::ended)->event.status, status);
    EXPECT_TRUE(b.out.rests.empty()) << status << ": another server was asked for";
  }
}

TEST_F(invite_client_test, redirects_are_bounded) {
  start();
  for (int i = 0; i < 50 && a.machine.current() != phase::over; ++i)
    a.take(
      response_to(invite(), 302, "r", "Contact: <sip:u" + std::to_string(i) + "@192.0.2.9>\r\n"));
  EXPECT_EQ(cause(), end_cause::redirect_loop);
  EXPECT_EQ(a.out.all(method::invite).size(), 6u);
}

TEST_F(invite_client_test, forked_2xx) {
  start();
  a.take(response_to(invite(), 180, "b1", contact));
  a.take(response_to(invite(), 180, "b2", contact));
  EXPECT_EQ(a.out.last(event_kind::provisional)->event.fork, 1u);
  a.take(response_to(invite(), 200, "b2", contact, "v=0 two"));
  auto other = response_to(invite(), 200, "b1", "Contact: <sip:other@192.0.2.3>\r\n", "v=0 one");
  a.take(other);
  EXPECT_EQ(a.out.count(event_kind::answered), 1u);
  EXPECT_EQ(a.out.count(event_kind::surplus_answer), 1u);
  auto bye = sent(method::bye);
  EXPECT_TRUE(bye.starts_with("BYE sip:other@192.0.2.3 "));
  EXPECT_NE(field(bye, "To").find("tag=b1"), std::string::npos);
  EXPECT_EQ(a.out.all(method::ack).size(), 2u);
  a.take(other); // its ACK was lost
  EXPECT_EQ(a.out.all(method::ack).size(), 3u);
  EXPECT_EQ(a.out.all(method::bye).size(), 1u);
  a.pass(milliseconds{600});
  EXPECT_EQ(a.out.all(method::bye).size(), 2u); // timer E
  a.take(response_to(bye, 200, ""));
  a.pass(seconds{5});
  EXPECT_EQ(a.out.all(method::bye).size(), 2u);
  EXPECT_EQ(a.machine.current(), phase::established);
}

TEST_F(invite_client_test, repeated_2xx_is_acked_again_with_the_same_message) {
  establish();
  a.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
  auto acks = a.out.all(method::ack);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0]->text, acks[1]->text);
  EXPECT_TRUE(acks[1]->retransmission);
}

TEST_F(invite_client_test, delayed_offer) {
  options.body = {};
  start();
  auto answer = response_to(invite(), 200, "b1", contact, "v=0 their offer");
  a.take(answer);
  EXPECT_TRUE(a.out.last(event_kind::answered)->event.needs_answer);
  EXPECT_TRUE(a.out.all(method::ack).empty());
  a.take(answer);
  EXPECT_TRUE(a.out.all(method::ack).empty());
  ASSERT_TRUE(a.machine.acknowledge(a.now, "v=0 my answer", a.out));
  EXPECT_FALSE(a.machine.acknowledge(a.now, "v=0 my answer", a.out));
  a.take(answer);
  auto acks = a.out.all(method::ack);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0]->text, acks[1]->text);
  EXPECT_TRUE(acks[0]->text.ends_with("v=0 my answer"));
}

TEST_F(invite_client_test, cancel_is_held_until_a_provisional) {
  start();
  a.machine.hang_up(a.now, a.out, "Reason: SIP;cause=200\r\n");
  EXPECT_TRUE(a.out.all(method::cancel).empty());
  a.take(response_to(invite(), 100, ""));
  auto cancel = sent(method::cancel);
  ASSERT_NE(cancel, "");
  EXPECT_EQ(field(cancel, "Via"), field(invite(), "Via"));
  EXPECT_EQ(field(cancel, "CSeq"), "1 CANCEL");
  EXPECT_EQ(field(cancel, "Reason"), "SIP;cause=200");
  a.take(response_to(cancel, 200, "b1"));
  a.take(response_to(invite(), 487, "b1"));
  EXPECT_EQ(cause(), end_cause::cancelled);
}

TEST_F(invite_client_test, cancelled_without_final_ends) {
  start();
  a.take(response_to(invite(), 180, "b1", contact));
  a.machine.hang_up(a.now, a.out);
  a.pass(seconds{33});
  EXPECT_EQ(cause(), end_cause::cancelled);
  EXPECT_EQ(a.out.all(method::cancel).size(), 11u);
}

TEST_F(invite_client_test, ringing_limit_cancels) {
  options.ringing_limit = seconds{20};
  start();
  a.take(response_to(invite(), 180, "b1", contact));
  a.pass(seconds{21});
  a.take(response_to(sent(method::cancel), 200, "b1"));
  a.take(response_to(invite(), 487, "b1"));
  EXPECT_EQ(cause(), end_cause::timeout_c);
}

/// RFC 3261 §16.7 step 2 for a proxy's timer C: each provisional response but 100 starts it anew.
TEST_F(invite_client_test, ringing_limit_counts_from_the_latest_provisional_but_100) {
  options.ringing_limit = seconds{20};
  const auto cancelled_after = [&](int again) {
    bench_of<invite_client> b{profile, test_id(3)};
    EXPECT_TRUE(b.machine.start(b.now, options, b.out));
    const auto text = b.out.sent.back().text;
    const auto began = b.now;
    b.take(response_to(text, 180, "b1", contact));
    b.pass(seconds{10});
    b.take(response_to(text, again, again == 100 ? "" : "b1"));
    b.pass(seconds{60});
    const auto cancels = b.out.all(method::cancel);
    return cancels.empty() ? duration{} : cancels.front()->at - began;
  };
  EXPECT_EQ(cancelled_after(100), seconds{20});
  for (const int again : {101, 180, 183, 199})
    EXPECT_EQ(cancelled_after(again), seconds{30}) << again;
}

/// A 100 alone says that somebody is at it: it is given up as one that rings is.
TEST_F(invite_client_test, ringing_limit_counts_from_a_100_where_nothing_follows) {
  options.ringing_limit = seconds{20};
  start();
  const auto began = a.now;
  a.take(response_to(invite(), 100, ""));
  a.pass(seconds{10});
  a.take(response_to(invite(), 100, ""));
  a.pass(seconds{60});
  ASSERT_FALSE(a.out.all(method::cancel).empty());
  EXPECT_EQ(a.out.all(method::cancel).front()->at - began, seconds{20});
}

TEST_F(invite_client_test, record_route_and_target_of_the_2xx) {
  start();
  a.take(response_to(invite(), 200, "b1",
                     "Record-Route: <sip:p2.example;lr>\r\nRecord-Route: <sip:p1.example;lr>\r\n"
                     "Contact: <sip:bob@192.0.2.2:5070>\r\n"));
  EXPECT_EQ(a.out.last_sent().next_hop, "sip:p1.example;lr");
  EXPECT_EQ(field(sent(method::ack), "Route"), "<sip:p1.example;lr>, <sip:p2.example;lr>");
  EXPECT_TRUE(sent(method::ack).starts_with("ACK sip:bob@192.0.2.2:5070 "));
}

TEST_F(invite_client_test, strict_router_takes_the_request_uri) {
  start();
  a.take(response_to(invite(), 200, "b1",
                     "Record-Route: <sip:p2.example;lr>, <sip:p1.example>\r\n"
                     "Contact: <sip:bob@192.0.2.2:5070>\r\n"));
  EXPECT_EQ(a.out.last_sent().next_hop, "sip:p1.example");
  EXPECT_TRUE(sent(method::ack).starts_with("ACK sip:p1.example SIP/2.0"));
  EXPECT_EQ(field(sent(method::ack), "Route"), "<sip:p2.example;lr>, <sip:bob@192.0.2.2:5070>");
}

TEST_F(invite_client_test, dialog_lost) {
  establish();
  a.machine.send_request(a.now, method::info, "x", a.out, "text/plain");
  a.take(response_to(sent(method::info), 481, ""));
  EXPECT_EQ(a.out.last(event_kind::response)->event.status, 481);
  EXPECT_EQ(cause(), end_cause::dialog_lost);
}

TEST_F(invite_client_test, request_without_answer_hangs_up) {
  establish();
  a.machine.send_request(a.now, method::options, {}, a.out);
  a.pass(seconds{33});
  EXPECT_EQ(a.out.last(event_kind::response)->event.cause, end_cause::timeout_f);
  EXPECT_EQ(a.out.all(method::bye).size(), 2u);
  a.pass(seconds{40});
  EXPECT_EQ(cause(), end_cause::dialog_lost);
}

std::string from_peer(const bench_of<invite_client>& a, std::string_view name, uint32_t number,
                      std::string_view body = {}, std::string_view tag = "b1") {
  auto text = a.machine.id().text();
  auto id = view(text);
  std::string out(name);
  out.append(" sip:alice@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKp")
    .append(std::to_string(number))
    .append("\r\nMax-Forwards: 70\r\nFrom: <sip:bob@192.0.2.2>;tag=")
    .append(tag)
    .append("\r\nTo: <sip:alice@192.0.2.1>;tag=")
    .append(id)
    .append("\r\nCall-ID: ")
    .append(id)
    .append("\r\nCSeq: ")
    .append(std::to_string(number))
    .append(" ")
    .append(name)
    .append("\r\nContact: <sip:bob@192.0.2.66>\r\nContent-Length: ")
    .append(std::to_string(body.size()))
    .append("\r\n\r\n")
    .append(body);
  return out;
}

TEST_F(invite_client_test, requests_of_the_peer) {
  establish();
  a.take(from_peer(a, "INFO", 10, "x"));
  EXPECT_FALSE(a.out.all(method::info, 415).empty());
  EXPECT_EQ(a.out.count(event_kind::request), 1u);
  a.take(from_peer(a, "INFO", 10, "x")); // again: answered, not told
  EXPECT_EQ(a.out.count(event_kind::request), 1u);
  EXPECT_EQ(a.out.all(method::info, 415).size(), 2u);
  a.take(from_peer(a, "OPTIONS", 9));
  EXPECT_EQ(a.out.all(method::options, 500).size(), 1u); // lower CSeq
  a.take(from_peer(a, "REFER", 11));
  EXPECT_EQ(a.out.all(method::refer, 405).size(), 1u);
  a.take(from_peer(a, "INFO", 12, "x", "stranger"));
  EXPECT_EQ(a.out.all(method::info, 481).size(), 1u);
  a.take(from_peer(a, "UPDATE", 13, "v=0"));
  ASSERT_TRUE(a.machine.refuse_offer(a.now, 488, a.out));
  EXPECT_EQ(a.machine.established().remote_target(), "sip:bob@192.0.2.2:5070");
  a.take(from_peer(a, "UPDATE", 14, "v=0"));
  ASSERT_TRUE(a.machine.answer_offer(a.now, "v=0", a.out));
  EXPECT_EQ(a.machine.established().remote_target(), "sip:bob@192.0.2.66");
  a.take(from_peer(a, "BYE", 15));
  EXPECT_EQ(cause(), end_cause::remote_bye);
}

TEST(sec_27_dialog, lower_cseq_is_refused) {
  auto profile = udp_profile("192.0.2.1");
  bench_of<invite_client> a{profile, test_id(1)};
  ASSERT_TRUE(a.machine.start(
    a.now, {.uri = "sip:bob@192.0.2.2", .from = "<sip:a@192.0.2.1>", .body = "v=0"}, a.out));
  a.take(response_to(a.out.sent.back().text, 200, "b1", "Contact: <sip:b@192.0.2.2>\r\n"));
  a.take(from_peer(a, "INFO", 100));
  a.take(from_peer(a, "BYE", 99)); // replayed
  EXPECT_EQ(a.out.all(method::bye, 500).size(), 1u);
  EXPECT_EQ(a.machine.current(), phase::established);
}

TEST(sec_24, no_credentials_for_a_callee_within_the_dialog) {
  auto profile = udp_profile("192.0.2.1");
  std::vector<credential> trunk{{"alice", "trunk", "pw", {"trunk.example"}}};
  bench_of<invite_client> a{profile, test_id(1)};
  ASSERT_TRUE(a.machine.start(a.now,
                              {.uri = "sip:bob@trunk.example",
                               .from = "<sip:a@192.0.2.1>",
                               .body = "v=0",
                               .credentials = trunk},
                              a.out));
  a.take(response_to(a.out.sent.back().text, 200, "b1", "Contact: <sip:b@192.0.2.66>\r\n"));
  for (auto m : {method::invite, method::info}) {
    ASSERT_TRUE(a.machine.send_request(a.now, m, "v=0", a.out));
    a.take(response_to(a.out.all(m).back()->text, 407, "",
                       "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n"));
    EXPECT_EQ(a.out.last(event_kind::response)->event.status, 407);
    a.pass(seconds{33});
  }
  a.machine.hang_up(a.now, a.out);
  a.take(response_to(a.out.all(method::bye).back()->text, 407, "",
                     "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"n\"\r\n"));
  EXPECT_EQ(a.machine.current(), phase::over);
  for (auto& s : a.out.sent)
    EXPECT_EQ(s.text.find("uthorization"), std::string::npos) << s.text;
}

TEST_F(invite_client_test, established_leg_is_small) {
  options.body = "";
  std::string sdp(300, 's');
  options.body = sdp;
  establish();
  EXPECT_LE(sizeof(invite_client) + a.machine.heap_bytes(), 1200u);
  RecordProperty("bytes", static_cast<int>(sizeof(invite_client) + a.machine.heap_bytes()));
  std::cout << "invite_client " << sizeof(invite_client) << " + " << a.machine.heap_bytes() << '\n';
}

TEST_F(invite_client_test, transport_failure) {
  start();
  a.machine.on_transport_failed(a.now, a.out);
  EXPECT_EQ(cause(), end_cause::transport_failed);
}

} // namespace
} // namespace jackfield::sip
