#include <gtest/gtest.h>

#include "engine/sip/invite_client.hpp"
#include "engine/sip/non_invite_client.hpp"
#include "engine/sip/registration.hpp"
#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

// Another server of the same name (RFC 3263 §4.3), which the sink knows about.

using namespace testing;

constexpr std::string_view challenge =
  "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"of-one-server\", qop=\"auth\"\r\n";
constexpr std::string_view contact = "Contact: <sip:bob@192.0.2.2:5070>\r\n"
                                     "Content-Type: application/sdp\r\n";

std::string branch_of(std::string_view text) {
  message m;
  m.parse(text);
  return std::string{m.via().branch};
}

struct failover_test : ::testing::Test {
  ua_profile udp = udp_profile("192.0.2.1");
  ua_profile tcp = tcp_profile("192.0.2.1");
  std::vector<credential> known{{"alice", "example.com", "pw", {"example.com"}}};
};

struct invite_failover_test : failover_test {
  bench_of<invite_client> a{udp, test_id(1)};

  void call() {
    ASSERT_TRUE(a.machine.start(a.now,
                                {.uri = "sip:bob@example.com",
                                 .from = "<sip:alice@example.com>",
                                 .body = "v=0 offer",
                                 .credentials = known},
                                a.out));
  }
  std::vector<const sent_message*> invites() {
    auto all = a.out.all(method::invite);
    std::erase_if(all, [](auto* m) { return m->retransmission; });
    return all;
  }
  void answer(const sent_message& invite, int status, std::string_view headers = {},
              std::string_view tag = "b1") {
    a.take(response_to(invite.text, status, tag, headers, status == 200 ? "v=0 answer" : ""));
  }
  end_cause cause() {
    auto* e = a.out.last(event_kind::ended);
    return e ? e->event.cause : end_cause::none;
  }
};

TEST_F(invite_failover_test, a_server_that_says_503_is_left_for_the_next) {
  a.out.servers = {&udp};
  call();
  answer(*invites()[0], 503, "Retry-After: 120\r\n");
  EXPECT_EQ(a.out.rests, std::vector<duration>{seconds{120}});
  ASSERT_EQ(invites().size(), 2u);
  const auto first = invites()[0]->text;
  const auto second = invites()[1]->text;
  EXPECT_NE(branch_of(first), branch_of(second)) << "another transaction";
  EXPECT_EQ(with(second, branch_of(second), branch_of(first)), first) << "but the same request";
  EXPECT_EQ(a.out.all(method::ack).size(), 1u) << "the 503 was acknowledged";
  EXPECT_EQ(a.out.last(event_kind::retrying)->event.status, 503);
  answer(*invites()[1], 200, contact);
  EXPECT_EQ(a.machine.current(), leg_phase::established);
}

TEST_F(invite_failover_test, a_silent_server_is_left_when_timer_b_fires) {
  a.out.servers = {&udp};
  call();
  a.pass(seconds{31});
  EXPECT_EQ(invites().size(), 1u);
  a.pass(seconds{1});
  ASSERT_EQ(invites().size(), 2u);
  EXPECT_EQ(a.out.last(event_kind::retrying)->event.status, 0) << "nothing came";
  a.pass(seconds{32});
  EXPECT_EQ(cause(), end_cause::timeout_b) << "there is no third";
  EXPECT_EQ(a.out.rests.size(), 2u);
}

TEST_F(invite_failover_test, the_next_server_may_be_behind_another_transport) {
  a.out.servers = {&tcp};
  call();
  a.machine.on_transport_failed(a.now, a.out);
  ASSERT_EQ(invites().size(), 2u);
  const auto& second = invites()[1]->text;
  EXPECT_TRUE(field(second, "Via").starts_with("SIP/2.0/TCP ")) << second;
  EXPECT_EQ(field(second, "Contact"), "<sip:192.0.2.1:5060;transport=tcp>");
  const auto sent = a.out.sent.size();
  a.pass(seconds{10});
  EXPECT_EQ(a.out.sent.size(), sent) << "nothing is repeated over a connection";
}

TEST_F(invite_failover_test, a_call_that_rings_is_not_placed_again) {
  a.out.servers = {&udp};
  call();
  answer(*invites()[0], 180);
  a.machine.on_transport_failed(a.now, a.out);
  EXPECT_EQ(invites().size(), 1u);
  EXPECT_EQ(cause(), end_cause::transport_failed);
}

TEST_F(invite_failover_test, nothing_is_sent_before_it_is_told_to) {
  a.out.servers = {&udp};
  ASSERT_TRUE(a.machine.prepare({.uri = "sip:bob@example.com", .from = "<sip:alice@example.com>"}));
  a.machine.on_transport_failed(a.now, a.out);
  EXPECT_TRUE(a.out.sent.empty());
  EXPECT_EQ(a.machine.current(), leg_phase::prepared);
  ASSERT_TRUE(a.machine.send(a.now, a.out));
  EXPECT_EQ(invites().size(), 1u);
}

TEST_F(invite_failover_test, a_call_that_is_hung_up_is_not_placed_again) {
  a.out.servers = {&udp};
  call();
  a.machine.hang_up(a.now, a.out);
  a.pass(seconds{33});
  EXPECT_EQ(invites().size(), 1u);
  EXPECT_EQ(cause(), end_cause::cancelled);
  EXPECT_TRUE(a.out.rests.empty());
}

TEST_F(invite_failover_test, each_server_has_nonces_of_its_own) {
  a.out.servers = {&udp};
  call();
  answer(*invites()[0], 401, challenge);
  ASSERT_EQ(invites().size(), 2u);
  EXPECT_NE(field(invites()[1]->text, "Authorization"), "");
  answer(*invites()[1], 503);
  ASSERT_EQ(invites().size(), 3u);
  EXPECT_EQ(field(invites()[2]->text, "Authorization"), "");
  answer(*invites()[2], 401, challenge);
  ASSERT_EQ(invites().size(), 4u);
  EXPECT_NE(field(invites()[3]->text, "Authorization"), "");
}

TEST_F(invite_failover_test, a_server_that_answers_after_all_is_hung_up) {
  a.out.servers = {&udp};
  call();
  a.pass(seconds{32});
  ASSERT_EQ(invites().size(), 2u);
  answer(*invites()[0], 200, contact, "late");
  EXPECT_EQ(a.out.all(method::ack).size(), 1u);
  ASSERT_EQ(a.out.all(method::bye).size(), 1u);
  EXPECT_TRUE(field(a.out.all(method::bye)[0]->text, "To").ends_with(";tag=late"));
  answer(*invites()[1], 200, contact, "soon");
  EXPECT_EQ(a.machine.current(), leg_phase::established);
  EXPECT_EQ(a.machine.established().remote_tag(), "soon");
}

TEST_F(invite_failover_test, a_late_failure_is_acknowledged_where_it_came_from) {
  a.out.servers = {&udp};
  call();
  answer(*invites()[0], 503);
  ASSERT_EQ(invites().size(), 2u);
  answer(*invites()[0], 503); // its ACK was lost
  const auto acks = a.out.all(method::ack);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[1]->to, send_to::request_source);
  EXPECT_EQ(branch_of(acks[1]->text), branch_of(invites()[0]->text));
}

TEST_F(invite_failover_test, requests_within_the_dialog_go_on_too) {
  call();
  answer(*invites()[0], 200, contact);
  a.out.servers = {&udp, &udp};
  const auto number = a.machine.send_request(a.now, method::info, "x", a.out, "text/plain");
  ASSERT_NE(number, 0u);
  a.take(response_to(a.out.last_sent().text, 503, "b1"));
  auto infos = a.out.all(method::info);
  ASSERT_EQ(infos.size(), 2u);
  EXPECT_EQ(field(infos[0]->text, "CSeq"), field(infos[1]->text, "CSeq"));
  EXPECT_NE(branch_of(infos[0]->text), branch_of(infos[1]->text));
  a.pass(seconds{32}); // silent
  infos = a.out.all(method::info);
  std::erase_if(infos, [](auto* m) { return m->retransmission; });
  ASSERT_EQ(infos.size(), 3u);
  a.take(response_to(infos[2]->text, 200, "b1"));
  EXPECT_EQ(a.out.last(event_kind::response)->event.status, 200);
  EXPECT_EQ(a.out.last(event_kind::response)->event.number, number);
  EXPECT_EQ(a.out.count(event_kind::response), 1u);
  EXPECT_EQ(a.machine.current(), leg_phase::established);
}

TEST_F(failover_test, a_request_out_of_dialog_goes_on) {
  bench_of<non_invite_client> o{udp, test_id(2)};
  o.out.servers = {&udp, &tcp};
  ASSERT_TRUE(
    o.machine.start(o.now, {.uri = "sip:example.com", .from = "<sip:alice@example.com>"}, o.out));
  o.take(response_to(o.out.last_sent().text, 503, "t"));
  o.machine.on_transport_failed(o.now, o.out);
  const auto sent = o.out.all(method::options);
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(field(sent[0]->text, "CSeq"), field(sent[2]->text, "CSeq"));
  EXPECT_TRUE(field(sent[2]->text, "Via").starts_with("SIP/2.0/TCP "));
  o.take(response_to(sent[0]->text, 503, "t")); // of another transaction
  EXPECT_EQ(o.out.count(event_kind::ended), 0u);
  o.take(response_to(sent[2]->text, 200, "t"));
  EXPECT_EQ(o.out.last(event_kind::ended)->event.cause, end_cause::succeeded);
}

TEST_F(failover_test, a_registration_goes_on_at_once_and_waits_when_all_were_tried) {
  bench_of<registration> r{udp, test_id(3)};
  r.out.servers = {&udp};
  ASSERT_TRUE(r.machine.start(r.now,
                              {.registrar = "sip:example.com",
                               .aor = "sip:alice@example.com",
                               .credentials = known,
                               .jitter = 0.5},
                              r.out));
  r.take(response_to(r.out.last_sent().text, 503, "t"));
  ASSERT_EQ(r.out.all(method::register_).size(), 2u);
  EXPECT_EQ(r.out.count(event_kind::registration_failed), 0u);
  r.take(response_to(r.out.last_sent().text, 503, "t"));
  EXPECT_EQ(r.out.all(method::register_).size(), 2u);
  EXPECT_EQ(r.out.count(event_kind::registration_failed), 1u);
  // A connection that breaks while nothing is asked says nothing about the server.
  r.out.servers = {&udp};
  r.machine.on_transport_failed(r.now, r.out);
  EXPECT_EQ(r.out.all(method::register_).size(), 2u);
}

} // namespace
} // namespace jackfield::sip
