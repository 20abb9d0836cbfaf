#include "engine/sip/registration.hpp"

#include <iostream>

#include <gtest/gtest.h>

#include "engine/sip/non_invite_client.hpp"
#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;

struct registration_test : ::testing::Test {
  ua_profile profile = udp_profile("192.0.2.1");
  bench_of<registration> r{profile, test_id(3)};
  std::vector<credential> known{{"alice", "example.com", "pw", {"example.com"}}};
  registration_options options{.registrar = "sip:example.com",
                               .aor = "sip:alice@example.com",
                               .credentials = known,
                               .random = 5,
                               .jitter = 0.5};

  void start() { ASSERT_TRUE(r.machine.start(r.now, options, r.out)); }
  const std::string& request() { return r.out.all(method::register_).back()->text; }
  size_t requests() { return r.out.all(method::register_).size(); }
  void succeed(std::string_view headers) { r.take(response_to(request(), 200, "t", headers)); }
  duration until_next() {
    auto before = requests();
    auto from = r.now;
    while (requests() == before && r.machine.next_deadline() != never)
      r.pass(r.machine.next_deadline() - r.now);
    return r.now - from;
  }
  static constexpr std::string_view ours = "Contact: <sip:192.0.2.1:5060>;expires=100\r\n";
};

TEST_F(registration_test, registers_and_refreshes_before_expiry) {
  start();
  EXPECT_EQ(field(request(), "Contact"), "<sip:192.0.2.1:5060>;expires=3600");
  EXPECT_EQ(field(request(), "From").substr(0, 28), "<sip:alice@example.com>;tag=");
  succeed("Contact: <sip:other@192.0.2.9>;expires=9, <sip:192.0.2.1:5060>;expires=100\r\n");
  EXPECT_EQ(r.out.last(event_kind::registered)->event.seconds, 100u);
  EXPECT_TRUE(r.machine.registered(r.now));
  EXPECT_EQ(until_next(), seconds{90});
  EXPECT_EQ(field(request(), "CSeq"), "2 REGISTER");
}

TEST_F(registration_test, lifetime_where_the_contact_has_none) {
  for (auto [headers, lifetime] :
       {std::pair{"Contact: <sip:192.0.2.1:5060>\r\nExpires: 200\r\n", 200u},
        {"Contact: <sip:192.0.2.1:5060>\r\n", 3600u},
        {"Contact: <sip:rewritten@198.51.100.1>;expires=50\r\n", 50u},
        {"", 3600u},
        {"Contact: <sip:192.0.2.1:5060>;expires=junk\r\nExpires: 60\r\n", 60u}}) {
    bench_of<registration> b{profile, test_id(4)};
    ASSERT_TRUE(b.machine.start(b.now, options, b.out));
    b.take(response_to(b.out.sent.back().text, 200, "t", headers));
    EXPECT_EQ(b.out.last(event_kind::registered)->event.seconds, lifetime) << headers;
  }
}

TEST_F(registration_test, digest_and_nonce_reuse) {
  start();
  r.take(response_to(request(), 401, "t",
                     "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", "
                     "qop=\"auth\"\r\n"));
  EXPECT_NE(field(request(), "Authorization").find("nc=00000001"), std::string::npos);
  succeed(ours);
  until_next();
  EXPECT_NE(field(request(), "Authorization").find("nc=00000002"), std::string::npos);
  r.take(response_to(request(), 401, "t",
                     "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n2\", qop=\"auth\", "
                     "stale=true\r\n"));
  EXPECT_NE(field(request(), "Authorization").find("nonce=\"n2\""), std::string::npos);
  succeed(ours);
  EXPECT_EQ(r.out.count(event_kind::registered), 2u);
  auto bytes = sizeof(registration) + r.machine.heap_bytes();
  std::cout << "registration " << sizeof(registration) << " + " << r.machine.heap_bytes() << '\n';
  EXPECT_LE(bytes, 1024u);
}

TEST_F(registration_test, refused_credential_ends) {
  start();
  for (int i = 0; i < 2; ++i)
    r.take(response_to(request(), 401, "t",
                       "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\"\r\n"));
  EXPECT_EQ(r.out.last(event_kind::ended)->event.cause, end_cause::auth_failed);
  EXPECT_EQ(requests(), 2u);
  EXPECT_EQ(r.machine.next_deadline(), never);
}

TEST_F(registration_test, interval_too_brief) {
  options.expires = 30;
  start();
  r.take(response_to(request(), 423, "t", "Min-Expires: 120\r\n"));
  EXPECT_EQ(field(request(), "Contact"), "<sip:192.0.2.1:5060>;expires=120");
  r.take(response_to(request(), 423, "t", "Min-Expires: 900\r\n")); // once an attempt
  EXPECT_EQ(requests(), 2u);
  EXPECT_EQ(r.out.count(event_kind::registration_failed), 1u);
}

TEST_F(registration_test, follows_3xx) {
  start();
  r.take(response_to(request(), 302, "t", "Contact: <sip:edge.example.com>\r\n"));
  EXPECT_TRUE(request().starts_with("REGISTER sip:edge.example.com "));
  EXPECT_EQ(r.out.last_sent().next_hop, "sip:edge.example.com");
  r.take(response_to(request(), 302, "t", "Contact: <sip:example.com>\r\n")); // a loop
  EXPECT_EQ(r.out.last(event_kind::registration_failed)->event.cause, end_cause::redirect_loop);
}

TEST_F(registration_test, retry_after_and_backoff) {
  start();
  r.take(response_to(request(), 503, "t", "Retry-After: 100\r\n"));
  EXPECT_EQ(r.out.last(event_kind::registration_failed)->event.seconds, 105u);
  EXPECT_EQ(until_next(), seconds{105});
  r.take(response_to(request(), 500, "t"));
  EXPECT_EQ(until_next(), milliseconds{45'000}); // 60 s, upper half
  r.take(response_to(request(), 500, "t"));
  EXPECT_EQ(until_next(), seconds{90});
  for (int i = 0; i < 20; ++i) {
    r.take(response_to(request(), 500, "t"));
    EXPECT_LE(until_next(), seconds{1800});
  }
  succeed(ours);
  EXPECT_TRUE(r.machine.registered(r.now));
}

/// Over the connection that is lost nobody reaches the user: it registers over another after half
/// to the whole of the base time (RFC 5626 §4.5), and nothing has failed so far.
TEST_F(registration_test, registers_again_when_its_connection_is_lost) {
  for (const double jitter : {0.0, 1.0}) {
    options.jitter = jitter;
    bench_of<registration> b{profile, test_id(5)};
    ASSERT_TRUE(b.machine.start(b.now, options, b.out));
    b.take(response_to(b.out.sent.back().text, 200, "t", ours));
    b.pass(seconds{10});
    const auto told = b.out.events.size();
    b.machine.on_transport_failed(b.now, b.out);
    EXPECT_EQ(b.out.events.size(), told);
    EXPECT_EQ(b.machine.next_deadline() - b.now, seconds{jitter == 0 ? 15 : 30});
    b.pass(seconds{5});
    b.machine.on_transport_failed(b.now, b.out); // another one: no later for that
    EXPECT_EQ(b.machine.next_deadline() - b.now, seconds{jitter == 0 ? 10 : 25});
    EXPECT_TRUE(b.machine.registered(b.now));
  }
}

TEST_F(registration_test, expires_when_refreshes_fail) {
  start();
  succeed(ours);
  r.pass(seconds{101});
  EXPECT_FALSE(r.machine.registered(r.now));
  EXPECT_EQ(r.out.last(event_kind::registration_failed)->event.cause, end_cause::expired);
  r.pass(seconds{60});
  EXPECT_EQ(r.out.last(event_kind::registration_failed)->event.cause, end_cause::timeout_f);
}

TEST_F(registration_test, unregisters) {
  start();
  r.machine.unregister(r.now, r.out); // waits for the answer
  EXPECT_EQ(requests(), 1u);
  succeed(ours);
  EXPECT_EQ(field(request(), "Contact"), "<sip:192.0.2.1:5060>;expires=0");
  succeed("");
  EXPECT_EQ(r.out.last(event_kind::ended)->event.cause, end_cause::unregistered);
  EXPECT_TRUE(r.machine.over());
}

TEST_F(registration_test, prepared_sends_nothing_until_it_is_told_to_begin) {
  ASSERT_TRUE(r.machine.prepare(options));
  EXPECT_FALSE(r.machine.prepare(options));
  EXPECT_EQ(r.machine.next_deadline(), never);
  EXPECT_EQ(r.machine.cseq(), 0u);
  EXPECT_EQ(r.machine.contact(), "<sip:192.0.2.1:5060>");
  EXPECT_EQ(r.machine.target(), "sip:example.com");
  r.machine.on_transport_failed(r.now, r.out);
  r.machine.refresh(r.now, r.out);
  EXPECT_TRUE(r.out.sent.empty());
  EXPECT_TRUE(r.out.events.empty());
  r.machine.begin(r.now, r.out);
  r.machine.begin(r.now, r.out);
  EXPECT_EQ(requests(), 1u);
  EXPECT_EQ(r.machine.cseq(), 1u);
}

TEST_F(registration_test, prepared_and_told_to_unregister_is_over) {
  ASSERT_TRUE(r.machine.prepare(options));
  r.machine.unregister(r.now, r.out);
  EXPECT_EQ(r.out.last(event_kind::ended)->event.cause, end_cause::unregistered);
  r.machine.begin(r.now, r.out);
  EXPECT_TRUE(r.out.sent.empty());
}

TEST_F(registration_test, removes_what_another_process_bound) {
  options.call_id = "a84b4c76e66710";
  options.contact = "<sip:192.0.2.77:5062>";
  options.cseq = 18;
  options.once = options.remove = true;
  start();
  EXPECT_EQ(field(request(), "Contact"), "<sip:192.0.2.77:5062>;expires=0");
  EXPECT_EQ(field(request(), "Call-ID"), "a84b4c76e66710");
  EXPECT_EQ(field(request(), "CSeq"), "18 REGISTER");
  r.take(response_to(request(), 401, "t",
                     "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", "
                     "qop=\"auth\"\r\n"));
  EXPECT_EQ(field(request(), "CSeq"), "19 REGISTER");
  EXPECT_EQ(r.machine.cseq(), 19u);
  EXPECT_EQ(field(request(), "Contact"), "<sip:192.0.2.77:5062>;expires=0");
  succeed("");
  EXPECT_EQ(r.out.last(event_kind::ended)->event.cause, end_cause::unregistered);
}

TEST_F(registration_test, asks_once_only_for_such_a_removal) {
  options.once = options.remove = true;
  start();
  r.take(response_to(request(), 404, "t"));
  EXPECT_EQ(requests(), 1u);
  EXPECT_EQ(r.out.last(event_kind::ended)->event.status, 404);
}

TEST_F(registration_test, shows_its_user_in_the_contact) {
  options.contact_user = "al%20ice";
  start();
  EXPECT_EQ(field(request(), "Contact"), "<sip:al%20ice@192.0.2.1:5060>;expires=3600");
  succeed("Contact: <sip:other@192.0.2.1:5060>;expires=9, "
          "<sip:al%20ice@192.0.2.1:5060>;expires=100\r\n");
  EXPECT_EQ(until_next(), seconds{90});
  for (const auto* const wrong : {"a b", "a@b", "a>", "a\r\nb"}) {
    bench_of<registration> other{profile, test_id(4)};
    options.contact_user = wrong;
    EXPECT_FALSE(other.machine.start(other.now, options, other.out)) << wrong;
  }
}

TEST_F(registration_test, shows_a_secure_contact_where_one_is_registered_or_sent_to) {
  profile.secure_contact = "<sips:192.0.2.1:5061>";
  const auto shown = [&](registration_options o) {
    bench_of<registration> other{profile, test_id(4)};
    EXPECT_TRUE(other.machine.start(other.now, o, other.out));
    return field(other.out.all(method::register_).back()->text, "Contact");
  };
  EXPECT_EQ(shown(options), "<sip:192.0.2.1:5060>;expires=3600");
  auto secure = options;
  secure.aor = "sips:alice@example.com"; // RFC 3261 section 10.2.1
  EXPECT_EQ(shown(secure), "<sips:192.0.2.1:5061>;expires=3600");
  secure.contact_user = "alice";
  EXPECT_EQ(shown(secure), "<sips:alice@192.0.2.1:5061>;expires=3600");
  auto there = options;
  there.registrar = "sips:example.com"; // section 8.1.1.8
  EXPECT_EQ(shown(there), "<sips:192.0.2.1:5061>;expires=3600");
  there = options;
  there.route = "<sips:proxy.example.com;lr>";
  EXPECT_EQ(shown(there), "<sips:192.0.2.1:5061>;expires=3600");
}

TEST_F(registration_test, takes_the_contact_of_another_way_and_removes_the_one_before) {
  options.contact_user = "alice";
  start();
  succeed("Contact: <sip:alice@192.0.2.1:5060>;expires=100\r\n");
  const auto second = udp_profile("192.0.2.2");
  r.machine.use_profile(second);
  r.machine.refresh(r.now, r.out);
  const std::string both = "<sip:alice@192.0.2.2:5060>;expires=3600, "
                           "<sip:alice@192.0.2.1:5060>;expires=0";
  EXPECT_EQ(field(request(), "Contact"), both);
  const auto third = udp_profile("192.0.2.3"); // before there was an answer
  r.take(response_to(request(), 500, "t"));
  r.machine.use_profile(third);
  r.machine.refresh(r.now, r.out);
  EXPECT_EQ(field(request(), "Contact"), "<sip:alice@192.0.2.3:5060>;expires=3600, "
                                         "<sip:alice@192.0.2.1:5060>;expires=0");
  succeed("Contact: <sip:alice@192.0.2.3:5060>;expires=100\r\n");
  r.machine.refresh(r.now, r.out);
  EXPECT_EQ(field(request(), "Contact"), "<sip:alice@192.0.2.3:5060>;expires=3600");
}

TEST_F(registration_test, takes_no_call_id_of_two_lines) {
  options.call_id = "a\r\nb: c";
  EXPECT_FALSE(r.machine.start(r.now, options, r.out));
}

/// A lifetime of 0 would remove what is to be bound (RFC 3261 §10.2.2); numbers count from 1.
TEST_F(registration_test, takes_neither_a_lifetime_nor_a_cseq_of_0) {
  const auto usual = options;
  options.expires = 0;
  EXPECT_FALSE(r.machine.start(r.now, options, r.out)) << "expires 0";
  options = usual;
  options.cseq = 0;
  EXPECT_FALSE(r.machine.start(r.now, options, r.out)) << "CSeq 0";
  EXPECT_TRUE(r.out.sent.empty());
  options = usual;
  options.expires = options.cseq = 1;
  EXPECT_TRUE(r.machine.start(r.now, options, r.out));
}

TEST_F(registration_test, never_storms) {
  start();
  succeed("Contact: <sip:192.0.2.1:5060>;expires=1\r\n");
  for (int i = 0; i < 5; ++i) {
    EXPECT_GE(until_next(), seconds{1});
    succeed("Contact: <sip:192.0.2.1:5060>;expires=1\r\n");
  }
  until_next();
  succeed("Contact: <sip:192.0.2.1:5060>;expires=0\r\n");
  EXPECT_EQ(r.out.last(event_kind::registration_failed)->event.cause, end_cause::rejected);
  EXPECT_GE(until_next(), seconds{15});
}

TEST(non_invite_client, a_6xx_ends_the_search_and_another_failure_does_not) {
  const auto profile = udp_profile("192.0.2.1");
  for (const auto& [status, requests] : {std::pair{404, 3u}, {599, 3u}, {600, 2u}, {603, 2u}}) {
    bench_of<non_invite_client> c{profile, test_id(8)};
    c.out.servers = {&profile};
    ASSERT_TRUE(
      c.machine.start(c.now, {.uri = "sip:example.com", .from = "<sip:alice@example.com>"}, c.out));
    c.take(response_to(c.out.last_sent().text, 302, "t",
                       "Contact: <sip:b.example>;q=0.9, <sip:c.example>;q=0.3\r\n"));
    c.take(response_to(c.out.last_sent().text, status, "t"));
    EXPECT_EQ(c.out.all(method::options).size(), requests) << status;
    EXPECT_EQ(c.out.count(event_kind::ended), requests == 2 ? 1u : 0u) << status;
    EXPECT_TRUE(c.out.rests.empty()) << status;
  }
}

TEST(non_invite_client, options_with_digest_and_timeout) {
  auto profile = udp_profile("192.0.2.1");
  std::vector<credential> known{{"alice", "r", "pw", {"example.com"}}};
  request_options o{
    .uri = "sip:example.com", .from = "<sip:alice@example.com>", .credentials = known};
  bench_of<non_invite_client> c{profile, test_id(5)};
  ASSERT_TRUE(c.machine.start(c.now, o, c.out));
  c.take(response_to(c.out.sent.back().text, 401, "t",
                     "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"));
  EXPECT_NE(field(c.out.sent.back().text, "Authorization"), "");
  c.take(response_to(c.out.sent.back().text, 200, "t"));
  EXPECT_EQ(c.out.last(event_kind::ended)->event.cause, end_cause::succeeded);

  bench_of<non_invite_client> d{profile, test_id(6)};
  ASSERT_TRUE(d.machine.start(d.now, o, d.out));
  d.pass(seconds{33});
  EXPECT_EQ(d.out.last(event_kind::ended)->event.cause, end_cause::timeout_f);
  EXPECT_EQ(d.out.all(method::options).size(), 11u);

  bench_of<non_invite_client> e{profile, test_id(7)};
  o.method_name = "INVITE";
  EXPECT_FALSE(e.machine.start(e.now, o, e.out));
  o.method_name = "A B";
  EXPECT_FALSE(e.machine.start(e.now, o, e.out));
}

} // namespace
} // namespace jackfield::sip
