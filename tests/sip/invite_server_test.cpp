#include "engine/sip/invite_server.hpp"

#include <iostream>

#include <gtest/gtest.h>

#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using phase = invite_server::phase;

struct invite_server_test : ::testing::Test {
  ua_profile profile = udp_profile("192.0.2.2");
  bench_of<invite_server> b{profile, test_id(2)};
  answer_options options;

  std::string invite(std::string_view body = "v=0 offer") const {
    return "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKi\r\n"
           "Via: SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKj\r\n"
           "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n"
           "Max-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=a1\r\n"
           "To: <sip:bob@192.0.2.2>\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\n"
           "Contact: <sip:alice@192.0.2.1:5062>\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  std::string request(std::string_view name, uint32_t number, std::string_view branch,
                      std::string_view body = {}, bool tag = true) const {
    auto id = test_id(2).text();
    return std::string(name) +
           " sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=" +
           std::string(branch) + "\r\nMax-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=a1\r\n" +
           "To: <sip:bob@192.0.2.2>" + (tag ? ";tag=" + std::string(view(id)) : "") +
           "\r\nCall-ID: c1\r\nCSeq: " + std::to_string(number) + " " + std::string(name) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  void start(std::string_view body = "v=0 offer") {
    text_ = invite(body);
    message m;
    ASSERT_EQ(m.parse(text_), parse_verdict::good) << m.fault().cause;
    b.out.from = {"198.51.100.9", 40'000};
    b.machine.start(b.now, m, 99, options, b.out);
  }
  void ack(std::string_view body = {}) { b.take(request("ACK", 7, "z9hG4bKack", body)); }
  end_cause cause() {
    auto* e = b.out.last(event_kind::ended);
    return e ? e->event.cause : end_cause::none;
  }
  std::string text_;
};

/// RFC 3261 §12.1.1: also where only the next hop, or the caller itself, is reached by SIPS.
TEST_F(invite_server_test, has_a_secure_contact_where_the_caller_has) {
  profile.secure_contact = "<sips:192.0.2.2>";
  const auto contact_answering = [&](const std::string& text) {
    bench_of<invite_server> other{profile, test_id(2)};
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good);
    other.machine.start(other.now, m, 99, options, other.out);
    EXPECT_TRUE(other.machine.answer(other.now, "v=0 answer", other.out));
    message sent;
    const auto answer = other.out.last_sent().text;
    EXPECT_EQ(sent.parse(answer), parse_verdict::good);
    return std::string{sent.first(header::contact)};
  };
  const auto plain = invite();
  const std::string route = "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n";
  EXPECT_EQ(contact_answering(plain), profile.contact);
  EXPECT_EQ(contact_answering(with(plain, "INVITE sip:", "INVITE sips:")), profile.secure_contact);
  EXPECT_EQ(contact_answering(with(plain, "<sip:p1", "<sips:p1")), profile.secure_contact);
  EXPECT_EQ(contact_answering(with(plain, "<sip:p2", "<sips:p2")), profile.contact);
  const auto direct = with(plain, route, "");
  EXPECT_EQ(contact_answering(with(direct, "Contact: <sip:", "Contact: <sips:")),
            profile.secure_contact);
  EXPECT_EQ(contact_answering(with(plain, "Contact: <sip:", "Contact: <sips:")), profile.contact);
}

/// What is no address asks for nothing, whatever stood in another's place before.
TEST(wants_secure_contact, of_a_contact_that_cannot_be_read_is_no) {
  const auto with_contact = [](std::string_view contact) {
    return "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKi\r\n"
           "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
           "Contact: " +
           std::string{contact} + "\r\nContent-Length: 0\r\n\r\n";
  };
  const auto readable = with_contact("<sips:a@h>");
  message good;
  ASSERT_EQ(good.parse(readable), parse_verdict::good);
  for (const auto* contact : {"sips", "<sips>", "\"sips:a@h\"", "*"}) {
    const auto text = with_contact(contact);
    message bad;
    ASSERT_EQ(bad.parse(text), parse_verdict::good) << bad.fault().cause;
    const bool before = wants_secure_contact(good);
    const bool wanted = wants_secure_contact(bad);
    EXPECT_TRUE(before);
    EXPECT_FALSE(wanted) << contact;
  }
}

/// A caller that cannot be reached any more is told nothing, and the user that it is over.
TEST_F(invite_server_test, ends_with_its_way_to_the_caller) {
  const auto fail = [&](auto before) {
    bench_of<invite_server> other{profile, test_id(2)};
    const auto text = invite();
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good);
    other.machine.start(other.now, m, 99, options, other.out);
    before(other);
    other.out.clear();
    other.machine.on_transport_failed(other.now, other.out);
    EXPECT_TRUE(other.out.sent.empty());
    EXPECT_EQ(other.machine.current(), phase::over);
    EXPECT_EQ(other.machine.next_deadline(), never);
    EXPECT_EQ(other.out.count(event_kind::ended), 1U);
    const auto* ended = other.out.last(event_kind::ended);
    other.machine.on_transport_failed(other.now, other.out); // and once
    EXPECT_EQ(other.out.count(event_kind::ended), 1U);
    return ended != nullptr ? std::pair{ended->event.cause, ended->event.status}
                            : std::pair{end_cause::none, 0};
  };
  using bench = bench_of<invite_server>;
  EXPECT_EQ(fail([](bench&) {}), std::pair(end_cause::transport_failed, 0));
  EXPECT_EQ(fail([](bench& x) { x.machine.progress(x.now, 180, x.out); }).first,
            end_cause::transport_failed);
  EXPECT_EQ(fail([](bench& x) { x.machine.reject(x.now, 486, x.out); }),
            std::pair(end_cause::transport_failed, 486));
  EXPECT_EQ(fail([&](bench& x) { x.take(request("CANCEL", 7, "z9hG4bKi", {}, false)); }),
            std::pair(end_cause::cancelled, 487));
  EXPECT_EQ(fail([](bench& x) { x.machine.answer(x.now, "v=0", x.out); }),
            std::pair(end_cause::transport_failed, 0))
    << "answered, and not acknowledged";
  EXPECT_EQ(fail([&](bench& x) {
              x.machine.answer(x.now, "v=0", x.out);
              x.take(request("ACK", 7, "z9hG4bKack"));
            }),
            std::pair(end_cause::transport_failed, 0));
}

TEST_F(invite_server_test, answers_and_is_hung_up) {
  start();
  EXPECT_EQ(b.out.events[0].body, "v=0 offer");
  ASSERT_TRUE(b.machine.progress(b.now, 180, b.out));
  auto ringing = b.out.last_sent();
  EXPECT_EQ(ringing.to, send_to::invite_source);
  message m;
  ASSERT_EQ(m.parse(ringing.text), parse_verdict::good);
  EXPECT_EQ(m.to_tag(), view(test_id(2).text()));
  EXPECT_NE(m.via().whole.find("rport=40000"), std::string::npos) << m.via().whole;
  EXPECT_NE(m.via().whole.find("received=198.51.100.9"), std::string::npos);
  EXPECT_TRUE(m.has(header::record_route));
  EXPECT_TRUE(m.has(header::contact));
  ASSERT_TRUE(b.machine.answer(b.now, "v=0 answer", b.out));
  EXPECT_FALSE(b.machine.answer(b.now, "v=0 answer", b.out));
  EXPECT_FALSE(b.machine.reject(b.now, 486, b.out));
  EXPECT_EQ(b.machine.current(), phase::answered);
  ack();
  EXPECT_EQ(b.out.count(event_kind::acknowledged), 1u);
  EXPECT_EQ(b.machine.next_deadline(), never);
  EXPECT_EQ(b.machine.established().next_hop(), "sip:p1.example;lr");
  auto bytes = sizeof(invite_server) + b.machine.heap_bytes();
  std::cout << "invite_server " << sizeof(invite_server) << " + " << b.machine.heap_bytes() << '\n';
  EXPECT_LE(bytes, 1200u);
  ack(); // again
  b.take(request("BYE", 8, "z9hG4bKb"));
  EXPECT_EQ(cause(), end_cause::remote_bye);
}

TEST_F(invite_server_test, trying_after_200_ms_unless_something_was_sent) {
  start();
  b.pass(milliseconds{199});
  EXPECT_TRUE(b.out.sent.empty());
  b.pass(milliseconds{1});
  EXPECT_EQ(b.out.last_sent().status, 100);
  b.pass(seconds{1});
  EXPECT_EQ(b.out.sent.size(), 1u);
}

TEST_F(invite_server_test, trying_at_once) {
  options.trying_at_once = true;
  start();
  EXPECT_EQ(b.out.last_sent().status, 100);
}

TEST_F(invite_server_test, repeated_invite_gets_the_last_response) {
  start();
  b.take(text_);
  EXPECT_TRUE(b.out.sent.empty());
  b.machine.progress(b.now, 183, b.out, "v=0 early");
  b.take(text_);
  ASSERT_EQ(b.out.sent.size(), 2u);
  EXPECT_EQ(b.out.sent[0].text, b.out.sent[1].text);
  EXPECT_EQ(b.out.count(event_kind::incoming), 1u);
}

TEST_F(invite_server_test, cancel_gives_200_and_487) {
  start();
  b.machine.progress(b.now, 180, b.out);
  b.take(request("CANCEL", 7, "z9hG4bKi", {}, false));
  EXPECT_EQ(b.out.all(method::cancel, 200).size(), 1u);
  EXPECT_EQ(b.out.all(method::invite, 487).size(), 1u);
  b.pass(milliseconds{1600}); // timer G: .5, 1.5
  EXPECT_EQ(b.out.all(method::invite, 487).size(), 3u);
  b.take(request("ACK", 7, "z9hG4bKi"));
  EXPECT_EQ(cause(), end_cause::cancelled);
}

TEST_F(invite_server_test, cancel_after_answer_does_nothing) {
  start();
  b.machine.answer(b.now, "v=0", b.out);
  b.take(request("CANCEL", 7, "z9hG4bKi", {}, false));
  EXPECT_EQ(b.out.all(method::cancel, 200).size(), 1u);
  EXPECT_EQ(b.machine.current(), phase::answered);
}

TEST_F(invite_server_test, refusal_without_ack) {
  start();
  b.machine.reject(b.now, 486, b.out);
  b.pass(seconds{33});
  EXPECT_EQ(cause(), end_cause::no_ack_to_failure);
  EXPECT_EQ(b.out.all(method::invite, 486).size(), 11u);
}

TEST_F(invite_server_test, refusal_with_ack) {
  start();
  b.machine.reject(b.now, 302, b.out, "Contact: <sip:elsewhere@192.0.2.8>\r\n");
  EXPECT_EQ(field(b.out.last_sent().text, "Contact"), "<sip:elsewhere@192.0.2.8>");
  b.take(request("ACK", 7, "z9hG4bKi"));
  EXPECT_EQ(cause(), end_cause::refused);
  EXPECT_EQ(b.out.last(event_kind::ended)->event.status, 302);
}

// RFC 3261 §17.2.3: the branch tells; some peers leave the To tag out.
TEST_F(invite_server_test, ack_of_a_refusal_is_known_without_a_to_tag) {
  start();
  b.machine.reject(b.now, 488, b.out);
  b.take(request("ACK", 7, "z9hG4bKanother", {}, false));
  EXPECT_EQ(b.out.last(event_kind::ended), nullptr);
  b.take(request("ACK", 7, "z9hG4bKi", {}, false));
  EXPECT_EQ(cause(), end_cause::refused);
  b.pass(seconds{40});
  EXPECT_EQ(b.out.all(method::invite, 488).size(), 1U) << "it is not repeated";
}

TEST_F(invite_server_test, no_ack_hangs_up) {
  start();
  b.machine.answer(b.now, "v=0", b.out);
  b.pass(seconds{32});
  EXPECT_EQ(b.out.all(method::invite, 200).size(), 11u);
  auto byes = b.out.all(method::bye);
  ASSERT_EQ(byes.size(), 1u);
  b.take(response_to(byes[0]->text, 481, ""));
  EXPECT_EQ(cause(), end_cause::no_ack);
}

TEST_F(invite_server_test, our_bye_waits_for_the_ack) {
  start();
  b.machine.answer(b.now, "v=0", b.out);
  b.machine.hang_up(b.now, b.out);
  EXPECT_TRUE(b.out.all(method::bye).empty());
  ack();
  ASSERT_EQ(b.out.all(method::bye).size(), 1u);
  b.take(response_to(b.out.all(method::bye)[0]->text, 200, ""));
  EXPECT_EQ(cause(), end_cause::local_bye);
}

TEST_F(invite_server_test, bye_before_ack) {
  start();
  b.machine.answer(b.now, "v=0", b.out);
  b.take(request("BYE", 8, "z9hG4bKb"));
  EXPECT_EQ(b.out.all(method::bye, 200).size(), 1u);
  EXPECT_EQ(cause(), end_cause::remote_bye);
  EXPECT_EQ(b.machine.next_deadline(), never);
}

TEST_F(invite_server_test, bye_before_answer) {
  start();
  b.machine.progress(b.now, 180, b.out);
  b.take(request("BYE", 8, "z9hG4bKb"));
  EXPECT_EQ(b.out.all(method::invite, 487).size(), 1u);
  b.take(request("ACK", 7, "z9hG4bKi"));
  EXPECT_EQ(cause(), end_cause::cancelled);
}

TEST_F(invite_server_test, delayed_offer_is_answered_in_the_ack) {
  start("");
  b.machine.answer(b.now, "v=0 my offer", b.out);
  ack("v=0 their answer");
  EXPECT_EQ(b.out.last(event_kind::acknowledged)->body, "v=0 their answer");
}

TEST_F(invite_server_test, second_invite_before_the_answer_gets_500) {
  start();
  b.machine.progress(b.now, 180, b.out);
  b.take(request("INVITE", 8, "z9hG4bKk", "v=0"));
  EXPECT_EQ(b.out.all(method::invite, 500).size(), 1u);
  EXPECT_NE(field(b.out.last_sent().text, "Retry-After"), "");
}

TEST_F(invite_server_test, merged_request_is_known_by_its_key) {
  auto one = invite();
  auto two = with(one, "z9hG4bKi", "z9hG4bKother");
  message a, c;
  a.parse(one);
  c.parse(two);
  EXPECT_EQ(merge_key(a, 5), merge_key(c, 5));
  EXPECT_NE(transaction_key(a, 5), transaction_key(c, 5));
  reject_statelessly(c, 482, profile, b.out);
  EXPECT_EQ(b.out.last_sent().status, 482);
  auto first = b.out.last_sent().text;
  reject_statelessly(c, 482, profile, b.out);
  EXPECT_EQ(b.out.last_sent().text, first); // the same To tag
}

TEST_F(invite_server_test, what_lingers_answers_what_comes_again) {
  linger_table table(100, seconds{32}, 3);
  auto text = invite();
  message m;
  m.parse(text);
  b.machine.start(b.now, m, transaction_key(m, table.seed()), options, b.out);
  b.machine.answer(b.now, "v=0", b.out);
  ack();
  b.take(request("BYE", 8, "z9hG4bKb"));
  b.machine.leave(b.now, table);
  recorder out;
  auto absorbed = [&](const std::string& t) {
    message again;
    EXPECT_EQ(again.parse(t), parse_verdict::good);
    out.clear();
    return table.on_message(b.now, again, profile, out);
  };
  EXPECT_TRUE(absorbed(text));
  EXPECT_TRUE(out.sent.empty());
  EXPECT_TRUE(absorbed(request("CANCEL", 7, "z9hG4bKi", {}, false)));
  EXPECT_EQ(out.last_sent().status, 200);
  EXPECT_TRUE(absorbed(request("BYE", 8, "z9hG4bKb")));
  EXPECT_EQ(out.last_sent().status, 200);
  EXPECT_TRUE(absorbed(request("ACK", 7, "z9hG4bKack")));
  EXPECT_TRUE(out.sent.empty());
  EXPECT_FALSE(absorbed(request("INFO", 9, "z9hG4bKn")));
  b.now += seconds{32};
  EXPECT_FALSE(absorbed(text));
}

} // namespace
} // namespace jackfield::sip
