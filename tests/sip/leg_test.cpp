#include "engine/sip/leg.hpp"

#include <iostream>

#include <gtest/gtest.h>

#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using phase = leg_phase;

const std::string id_text{view(test_id(1).text())};

struct leg_test : ::testing::Test {
  ua_profile profile = udp_profile("192.0.2.1");
  bench_of<leg> a{profile, test_id(1)};
  call_options options{
    .uri = "sip:bob@192.0.2.2", .from = "\"Alice\" <sip:alice@192.0.2.1>", .body = "v=0 offer"};
  static constexpr std::string_view contact = "Contact: <sip:bob@192.0.2.2:5070>\r\n"
                                              "Content-Type: application/sdp\r\n";

  std::string sent(method m, int status = 0) {
    auto all = a.out.all(m, status);
    return all.empty() ? std::string{} : all.back()->text;
  }
  void call() {
    ASSERT_TRUE(a.machine.prepare(options));
    ASSERT_TRUE(a.machine.send(a.now, a.out));
  }
  void answered(std::string_view headers = contact) {
    a.take(response_to(sent(method::invite), 200, "b1", headers, "v=0 answer"));
    ASSERT_EQ(a.machine.current(), phase::established);
  }
  end_cause cause() {
    auto* e = a.out.last(event_kind::ended);
    return e ? e->event.cause : end_cause::none;
  }
  /// An INVITE of a stranger, to us.
  void called(std::string_view headers = {}) {
    text_ = "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKi\r\nMax-Forwards: 70\r\n"
            "From: <sip:bob@192.0.2.2>;tag=b1\r\nTo: <sip:alice@192.0.2.1>\r\n"
            "Call-ID: theirs\r\nCSeq: 7 INVITE\r\nContact: <sip:bob@192.0.2.2:5070>\r\n";
    text_ += headers;
    text_ += "Content-Length: 3\r\n\r\nv=0";
    message m;
    ASSERT_EQ(m.parse(text_), parse_verdict::good) << m.fault().cause;
    a.machine.start(a.now, m, 99, {}, a.out);
  }
  /// A request of the peer in the dialog.
  std::string request(std::string_view name, uint32_t number, std::string_view call_id,
                      std::string_view body = {}, std::string_view headers = {}) const {
    auto count = std::to_string(number);
    std::string out(name);
    out += " sip:alice@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKp";
    out += count + "\r\nMax-Forwards: 70\r\nFrom: <sip:bob@192.0.2.2>;tag=b1\r\n";
    out += "To: <sip:alice@192.0.2.1>;tag=" + id_text + "\r\nCall-ID: ";
    out.append(call_id).append("\r\nCSeq: " + count + " ").append(name).append("\r\n");
    out.append(headers).append("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    return out.append(body);
  }
  std::string text_;
};

TEST_F(leg_test, prepared_leg_knows_its_names_and_sends_nothing) {
  EXPECT_EQ(a.machine.current(), phase::idle);
  EXPECT_EQ(a.machine.call_id(), "");
  EXPECT_FALSE(a.machine.send(a.now, a.out)) << "nothing is prepared";
  ASSERT_TRUE(a.machine.prepare(options));
  EXPECT_EQ(a.machine.current(), phase::prepared);
  EXPECT_TRUE(a.out.sent.empty());
  EXPECT_EQ(a.machine.next_deadline(), never);
  EXPECT_EQ(a.machine.call_id(), id_text);
  EXPECT_EQ(a.machine.local_tag(), id_text);
  auto branch = a.machine.invite_branch();
  ASSERT_TRUE(a.machine.send(a.now, a.out));
  EXPECT_FALSE(a.machine.send(a.now, a.out)) << "it was sent before";
  EXPECT_EQ(a.machine.current(), phase::calling);
  message m;
  ASSERT_EQ(m.parse(a.out.sent.at(0).text), parse_verdict::good);
  EXPECT_EQ(m.via().branch, branch);
  EXPECT_EQ(m.call_id(), id_text);
  EXPECT_EQ(m.from_tag(), id_text);
  EXPECT_TRUE(a.machine.is_caller());
}

TEST_F(leg_test, prepare_keeps_no_view) {
  std::string uri = "sip:bob@192.0.2.2", from = "<sip:alice@192.0.2.1>", body = "v=0 offer";
  ASSERT_TRUE(a.machine.prepare({.uri = uri, .from = from, .body = body}));
  uri = from = body = "xxxxxxxxxxxxxxxxxxxxxxxxxx";
  ASSERT_TRUE(a.machine.send(a.now, a.out));
  EXPECT_TRUE(sent(method::invite).starts_with("INVITE sip:bob@192.0.2.2 "));
  EXPECT_TRUE(sent(method::invite).ends_with("v=0 offer"));
}

TEST_F(leg_test, prepare_that_fails_leaves_the_leg_idle) {
  EXPECT_FALSE(a.machine.prepare({.uri = "tel:1", .from = "<sip:a@b>"}));
  EXPECT_EQ(a.machine.current(), phase::idle);
  EXPECT_TRUE(a.machine.prepare(options));
  EXPECT_FALSE(a.machine.prepare(options));
}

TEST_F(leg_test, hung_up_before_it_was_sent) {
  ASSERT_TRUE(a.machine.prepare(options));
  a.machine.hang_up(a.now, a.out);
  EXPECT_EQ(cause(), end_cause::cancelled);
  EXPECT_EQ(a.machine.current(), phase::over);
  EXPECT_FALSE(a.machine.send(a.now, a.out));
  EXPECT_TRUE(a.out.sent.empty());
  EXPECT_EQ(a.out.count(event_kind::ended), 1u);
  linger_table table(8, seconds{32}, 1);
  a.machine.leave(a.now, table);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(leg_test, phases_of_a_call_that_we_make) {
  call();
  EXPECT_EQ(a.machine.current(), phase::calling);
  a.take(response_to(sent(method::invite), 100, ""));
  EXPECT_EQ(a.machine.current(), phase::calling);
  a.take(response_to(sent(method::invite), 183, "b1", contact));
  EXPECT_EQ(a.machine.current(), phase::ringing);
  EXPECT_FALSE(a.machine.progress(a.now, 180, a.out));
  EXPECT_FALSE(a.machine.answer(a.now, "v=0", a.out));
  EXPECT_FALSE(a.machine.reject(a.now, 486, a.out));
  answered();
  a.machine.hang_up(a.now, a.out);
  EXPECT_EQ(a.machine.current(), phase::ending);
  a.take(response_to(sent(method::bye), 200, ""));
  EXPECT_EQ(cause(), end_cause::local_bye);
  EXPECT_EQ(a.machine.current(), phase::over);
}

TEST_F(leg_test, phases_of_a_call_that_we_receive) {
  called();
  EXPECT_FALSE(a.machine.is_caller());
  EXPECT_EQ(a.machine.current(), phase::ringing);
  EXPECT_EQ(a.machine.call_id(), "theirs");
  EXPECT_FALSE(a.machine.prepare(options));
  EXPECT_FALSE(a.machine.send_request(a.now, method::info, "x", a.out));
  ASSERT_TRUE(a.machine.progress(a.now, 180, a.out));
  ASSERT_TRUE(a.machine.answer(a.now, "v=0 b", a.out));
  EXPECT_EQ(a.machine.current(), phase::answered);
  EXPECT_EQ(a.machine.record().leg, a.machine.local_tag()) << "kept before the 2xx leaves";
  a.take(request("ACK", 7, "theirs"));
  EXPECT_EQ(a.machine.current(), phase::established);
  a.take(request("BYE", 8, "theirs"));
  EXPECT_EQ(cause(), end_cause::remote_bye);
}

TEST_F(leg_test, refuses) {
  called();
  ASSERT_TRUE(a.machine.reject(a.now, 486, a.out));
  EXPECT_EQ(a.machine.current(), phase::refusing);
}

TEST_F(leg_test, cancels) {
  call();
  a.machine.hang_up(a.now, a.out);
  EXPECT_EQ(a.machine.current(), phase::cancelling);
}

TEST_F(leg_test, is_no_larger_than_its_machines) {
  EXPECT_LE(sizeof(leg), sizeof(invite_client) + 16);
  EXPECT_LE(sizeof(invite_client), 248u);
  EXPECT_LE(sizeof(invite_server), 248u);
  std::cout << "leg " << sizeof(leg) << '\n';
}

// -- connections are not dialogs ------------------------------------------------------------

TEST_F(leg_test, a_lost_connection_does_not_end_a_call_that_is_up) {
  call();
  answered();
  a.machine.on_connection_lost(a.now, a.out);
  EXPECT_EQ(a.machine.current(), phase::established);
  ASSERT_TRUE(a.machine.send_request(a.now, method::info, "x", a.out));
  a.take(response_to(sent(method::info), 200, ""));
  EXPECT_EQ(a.out.last(event_kind::response)->event.status, 200);
}

TEST_F(leg_test, a_lost_connection_fails_what_is_on_its_way) {
  call();
  a.machine.on_connection_lost(a.now, a.out);
  EXPECT_EQ(cause(), end_cause::transport_failed) << "an INVITE";
}

TEST_F(leg_test, the_ack_of_an_answer_may_come_over_another_connection) {
  called();
  a.machine.on_connection_lost(a.now, a.out);
  EXPECT_EQ(cause(), end_cause::transport_failed) << "not answered yet";
  bench_of<leg> b{profile, test_id(1)};
  message m;
  ASSERT_EQ(m.parse(text_), parse_verdict::good);
  b.machine.start(b.now, m, 99, {}, b.out);
  ASSERT_TRUE(b.machine.answer(b.now, "v=0 answer", b.out));
  ASSERT_EQ(b.machine.current(), phase::answered);
  b.machine.on_connection_lost(b.now, b.out);
  EXPECT_EQ(b.machine.current(), phase::answered);
  b.take(request("ACK", 7, "theirs"));
  EXPECT_EQ(b.machine.current(), phase::established);
}

TEST_F(leg_test, what_is_on_its_way_when_a_connection_is_lost_is_made_again) {
  call();
  answered();
  a.machine.hang_up(a.now, a.out);
  const auto first = sent(method::bye);
  a.machine.on_connection_lost(a.now, a.out);
  EXPECT_EQ(a.machine.current(), phase::ending);
  a.pass(std::chrono::milliseconds{1});
  const auto second = sent(method::bye);
  EXPECT_EQ(field(first, "CSeq"), "2 BYE");
  EXPECT_EQ(field(second, "CSeq"), "3 BYE");
  EXPECT_NE(field(first, "Via"), field(second, "Via"));
  a.take(response_to(second, 200, ""));
  EXPECT_EQ(cause(), end_cause::local_bye);
}

TEST_F(leg_test, what_no_connection_can_be_made_for_goes_to_the_next_server) {
  call();
  answered();
  const auto other = tcp_profile("192.0.2.9");
  a.out.servers = {&other};
  a.machine.hang_up(a.now, a.out);
  a.machine.on_connection_lost(a.now, a.out);
  a.pass(std::chrono::milliseconds{1});
  EXPECT_TRUE(a.out.rests.empty()) << "the server may be there yet";
  a.machine.on_connection_lost(a.now, a.out);
  a.pass(std::chrono::milliseconds{1});
  EXPECT_EQ(a.out.rests.size(), 1U);
  const auto third = sent(method::bye);
  EXPECT_EQ(field(third, "CSeq"), "4 BYE");
  EXPECT_NE(field(third, "Via").find("SIP/2.0/TCP 192.0.2.9"), std::string::npos);
  a.take(response_to(third, 200, ""));
  EXPECT_EQ(cause(), end_cause::local_bye);
}

TEST_F(leg_test, of_connections_that_are_lost_again_and_again_it_has_enough) {
  call();
  answered();
  a.machine.hang_up(a.now, a.out);
  for (int i = 0; i < 5; ++i) {
    a.machine.on_connection_lost(a.now, a.out);
    EXPECT_EQ(a.machine.current(), phase::ending) << i;
    a.pass(seconds{4});
  }
  EXPECT_EQ(field(sent(method::bye), "CSeq"), "7 BYE");
  a.machine.on_connection_lost(a.now, a.out);
  EXPECT_EQ(a.machine.current(), phase::over);
  EXPECT_EQ(cause(), end_cause::transport_failed);
}

// -- a dialog from a store ------------------------------------------------------------------

/// The leg after it has been kept and taken up again.
struct again : bench_of<leg> {
  again(const ua_profile& profile, const dialog_record& r, uint32_t skip = 0)
      : bench_of<leg>(profile, test_id(1)) {
    auto done = machine.adopt(r, {}, skip);
    EXPECT_TRUE(done) << (done ? "" : done.error().cause);
  }
  std::string sent(method m, int status = 0) {
    auto all = out.all(m, status);
    return all.empty() ? std::string{} : all.back()->text;
  }
};

TEST_F(leg_test, calling_leg_is_taken_up) {
  call();
  answered("Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n"
           "Contact: <sip:bob@[2001:db8::2]:5070>\r\n");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(a.machine.send_request(a.now, method::info, "x", a.out));
    a.take(response_to(sent(method::info), 200, ""));
    a.pass(seconds{6});
  }
  a.take(request("INFO", 41, id_text, "x"));
  auto kept = a.machine.record();
  again b(profile, kept);
  EXPECT_EQ(b.machine.record(), kept);
  EXPECT_EQ(b.machine.current(), phase::established);
  EXPECT_TRUE(b.machine.is_caller());
  EXPECT_TRUE(b.out.sent.empty());
  EXPECT_EQ(b.machine.next_deadline(), never);
  // The next request of both is the same, to the byte.
  ASSERT_TRUE(a.machine.send_request(a.now, method::invite, "v=0 re", a.out));
  ASSERT_TRUE(b.machine.send_request(b.now, method::invite, "v=0 re", b.out));
  EXPECT_EQ(sent(method::invite), b.sent(method::invite));
  EXPECT_TRUE(sent(method::invite).starts_with("INVITE sip:bob@[2001:db8::2]:5070 "));
  EXPECT_EQ(b.out.last_sent().next_hop, "sip:p1.example;lr");
  EXPECT_EQ(field(b.sent(method::invite), "Route"), "<sip:p1.example;lr>, <sip:p2.example;lr>");
  EXPECT_EQ(field(b.sent(method::invite), "CSeq"), "5 INVITE");
  b.take(response_to(b.sent(method::invite), 200, "", contact, "v=0"));
  EXPECT_EQ(field(b.sent(method::ack), "CSeq"), "5 ACK");
  b.take(request("INFO", 40, id_text));
  EXPECT_NE(b.sent(method::info, 500), "") << "a lower CSeq than the peer's last";
  b.take(request("INFO", 42, id_text));
  EXPECT_NE(b.sent(method::info, 200), "");
  b.machine.hang_up(b.now, b.out);
  EXPECT_EQ(field(b.sent(method::bye), "CSeq"), "6 BYE");
  b.take(response_to(b.sent(method::bye), 200, ""));
  EXPECT_EQ(b.out.last(event_kind::ended)->event.cause, end_cause::local_bye);
}

TEST_F(leg_test, strict_routes_are_taken_up) {
  call();
  answered("Record-Route: <sip:p2.example;lr>, <sip:p1.example>\r\n"
           "Contact: <sip:bob@192.0.2.2:5070>\r\n");
  again b(profile, a.machine.record());
  b.machine.hang_up(b.now, b.out);
  EXPECT_TRUE(b.sent(method::bye).starts_with("BYE sip:p1.example SIP/2.0"));
  EXPECT_EQ(field(b.sent(method::bye), "Route"), "<sip:p2.example;lr>, <sip:bob@192.0.2.2:5070>");
}

TEST_F(leg_test, called_leg_is_taken_up_the_right_way_round) {
  called("Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n");
  a.machine.answer(a.now, "v=0", a.out);
  a.take(request("ACK", 7, "theirs"));
  auto kept = a.machine.record();
  EXPECT_FALSE(kept.is_caller);
  again b(profile, kept);
  EXPECT_EQ(b.machine.record(), kept);
  EXPECT_FALSE(b.machine.is_caller());
  EXPECT_EQ(b.machine.current(), phase::established);
  b.machine.hang_up(b.now, b.out);
  auto bye = b.sent(method::bye);
  EXPECT_EQ(field(bye, "From"), "<sip:alice@192.0.2.1>;tag=" + id_text);
  EXPECT_EQ(field(bye, "To"), "<sip:bob@192.0.2.2>;tag=b1");
  EXPECT_EQ(field(bye, "Call-ID"), "theirs");
  EXPECT_EQ(field(bye, "CSeq"), "1 BYE");
  EXPECT_EQ(field(bye, "Route"), "<sip:p1.example;lr>, <sip:p2.example;lr>");
  b.take(request("BYE", 8, "theirs"));
  EXPECT_EQ(b.out.last(event_kind::ended)->event.cause, end_cause::local_bye);
}

TEST_F(leg_test, requests_since_the_record_are_skipped) {
  call();
  answered();
  auto kept = a.machine.record();
  ASSERT_TRUE(a.machine.send_request(a.now, method::info, "x", a.out));
  again b(profile, kept, 10);
  b.machine.hang_up(b.now, b.out);
  EXPECT_EQ(field(b.sent(method::bye), "CSeq"), "12 BYE");
  EXPECT_NE(field(b.sent(method::bye), "Via"), field(sent(method::info), "Via"));
}

TEST_F(leg_test, repeated_2xx_is_acked_by_a_leg_that_was_taken_up) {
  call();
  answered();
  again b(profile, a.machine.record());
  b.take(response_to(sent(method::invite), 200, "b1", contact, "v=0 answer"));
  EXPECT_EQ(sent(method::ack), b.sent(method::ack));
}

TEST_F(leg_test, records_that_are_not_whole_are_refused) {
  call();
  answered();
  auto good = a.machine.record();
  auto refuses = [&](auto change) {
    auto r = good;
    change(r);
    leg l(profile, test_id(1));
    EXPECT_FALSE(l.adopt(r));
    EXPECT_EQ(l.current(), phase::idle);
  };
  refuses([](auto& r) { r = {}; });
  refuses([](auto& r) { r.leg = view(test_id(2).text()); });
  refuses([](auto& r) { r.local_tag = "x"; });
  refuses([](auto& r) { r.call_id = "a\r\nb"; });
  refuses([](auto& r) { r.remote_tag = "other"; });
  refuses([](auto& r) { r.remote_target = "tel:1"; });
  refuses([](auto& r) { r.route_set = "nonsense"; });
  refuses([](auto& r) { r.contact = "<sip:a>\r\nX: y"; });
  refuses([](auto& r) { r.local_cseq = 0xffff'ffff; });
  refuses([](auto& r) { r.next_branch = 3; });
  refuses([](auto& r) { r.remote_party = "x\r\ny"; });
  leg fresh(profile, test_id(1));
  EXPECT_TRUE(fresh.adopt(good));
  EXPECT_FALSE(fresh.adopt(good)) << "it has begun";
}

} // namespace
} // namespace jackfield::sip
