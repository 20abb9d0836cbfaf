// TLS over the simulated network.

#include <openssl/ssl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/crypto/certificate.hpp"
#include "tests/transport/peers.hpp"
#include "tests/transport/test_pki.hpp"

namespace jackfield::transport {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::shared_ptr<tls_context> server_context(const crypto::certificate& own) {
  tls_settings settings;
  settings.own = own;
  return tls_context::make(tls_context::role::server, settings).value();
}

std::shared_ptr<tls_context> client_context(const std::string& trusted) {
  tls_settings settings;
  settings.trusted_pem = trusted;
  return tls_context::make(tls_context::role::client, settings).value();
}

class tls : public testing::Test, public sim_world {
protected:
  lane::endpoint serve(peer& p, const crypto::certificate& own, uint16_t port = 5061) {
    listen_settings settings;
    settings.tls = server_context(own);
    return p.layer.listen(protocol::tls, server_host.with_port(port), settings).value();
  }

  /// Sends "x" to a server with `own`, asking for `name`; returns why it failed, or "".
  std::string try_name(const crypto::certificate& own, const std::string& name,
                       const std::shared_ptr<tls_context>& trust = nullptr) {
    peer server{home};
    peer client{home};
    open_settings settings;
    settings.local = client_host;
    settings.server_name = name;
    settings.tls = trust ? trust : client_context(authority_.pem());
    const auto f = client.layer.open(protocol::tls, serve(server, own), settings);
    if (!f)
      return f.error().cause;
    if (!client.layer.send(*f, framed("x")))
      return "not sent";
    run_for(20s);
    if (!client.failures.empty()) {
      EXPECT_THAT(server.texts(), IsEmpty());
      return client.failures.front().cause;
    }
    EXPECT_THAT(server.texts(), ElementsAre("x"));
    return "";
  }

  test_authority authority_;
};

TEST_F(tls, carries_messages_both_ways_and_says_what_was_agreed) {
  peer server{home};
  server.echo = true;
  peer client{home};
  open_settings settings;
  settings.local = client_host;
  settings.server_name = "good.test";
  settings.tls = client_context(authority_.pem());
  const auto at = serve(server, authority_.issue({.alternatives = "DNS:good.test"}));
  const auto f = client.layer.open(protocol::tls, at, settings).value();
  const std::string big(60'000, 'b');
  ASSERT_TRUE(client.layer.send(f, framed("small")));
  run_for(1s);
  ASSERT_TRUE(client.layer.send(f, framed(big)));
  run_for(1s);
  EXPECT_THAT(client.texts(), ElementsAre("+small", "+" + big));
  const auto agreed = client.layer.tls_of(f);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->version, "TLSv1.3");
  EXPECT_FALSE(agreed->resumed);
  client.layer.close(f);
  run_for(1s);
  ASSERT_THAT(server.failures, SizeIs(1));
  EXPECT_EQ(server.failures[0].cause, ""); // close_notify came
}

TEST_F(tls, resumes_the_session_of_the_same_name_only) {
  peer server{home};
  peer client{home};
  open_settings settings;
  settings.local = client_host;
  settings.server_name = "good.test";
  settings.tls = client_context(authority_.pem());
  const auto at = serve(server, authority_.issue({.alternatives = "DNS:good.test,DNS:also.test"}));
  for (const char* name : {"good.test", "good.test", "also.test"}) {
    settings.server_name = name;
    const auto f = client.layer.open(protocol::tls, at, settings).value();
    ASSERT_TRUE(client.layer.send(f, framed("x")));
    run_for(1s);
    client.layer.close(f);
    run_for(1s);
  }
  EXPECT_EQ(server.layer.counters().tls_handshakes, 3U);
  EXPECT_EQ(server.layer.counters().tls_resumed, 1U);
  EXPECT_EQ(client.layer.counters().tls_resumed, 1U);
}

TEST_F(tls, self_signed_certificates_need_explicit_trust) {
  const std::vector<std::string> names{"engine.test", "192.0.2.1"};
  const auto own = crypto::self_signed_certificate(names).value();
  EXPECT_THAT(try_name(own, "engine.test"), HasSubstr("self-signed"));
  EXPECT_EQ(try_name(own, "engine.test", client_context(own.certificate_pem)), "");
  EXPECT_EQ(try_name(own, "", client_context(own.certificate_pem)), ""); // by address
  EXPECT_THAT(try_name(own, "other.test", client_context(own.certificate_pem)),
              HasSubstr("ostname mismatch"));
  tls_settings blind;
  blind.verify = false;
  EXPECT_EQ(
    try_name(own, "other.test", tls_context::make(tls_context::role::client, blind).value()), "");
}

TEST(self_signed_certificate, refuses_names_that_are_none) {
  for (const std::string& bad :
       std::vector<std::string>{"", "a,DNS:b", "a b", "a\n", std::string{"x\0y", 3}})
    EXPECT_FALSE(crypto::self_signed_certificate(std::vector{bad})) << bad;
  EXPECT_FALSE(crypto::self_signed_certificate({}));
  EXPECT_TRUE(crypto::self_signed_certificate(std::vector<std::string>{"::1", "a.test"}));
}

TEST_F(tls, contexts_say_what_is_wrong_with_their_settings) {
  tls_settings settings;
  EXPECT_FALSE(tls_context::make(tls_context::role::server, settings));
  settings.certificate_file = "/nonexistent.pem";
  EXPECT_THAT(tls_context::make(tls_context::role::server, settings).error().to_string(),
              HasSubstr("missing"));
  settings.key_file = "/nonexistent.key";
  EXPECT_THAT(tls_context::make(tls_context::role::server, settings).error().to_string(),
              HasSubstr("/nonexistent.pem"));
  settings = {};
  settings.own = authority_.issue({});
  settings.own.key_pem = authority_.issue({}).key_pem;
  EXPECT_FALSE(tls_context::make(tls_context::role::server, settings));
  settings = {};
  settings.trusted_pem = "nonsense";
  EXPECT_FALSE(tls_context::make(tls_context::role::client, settings));
}

TEST_F(tls, plain_text_at_a_tls_port_is_refused) {
  peer server{home};
  raw_stream raw{home, serve(server, authority_.issue({.alternatives = "DNS:good.test"})),
                 client_host};
  run_for(1s);
  raw.write("OPTIONS sip:x SIP/2.0\r\n\r\n");
  run_for(1s);
  EXPECT_TRUE(raw.closed);
  EXPECT_THAT(server.failures, SizeIs(1));
}

TEST_F(tls, a_dripping_hello_is_cut_off_like_a_silent_peer) {
  peer server{home};
  const auto at = serve(server, authority_.issue({.alternatives = "DNS:good.test"}));
  raw_stream raw{home, at, client_host};
  raw_stream silent{home, at, client_host};
  run_for(1s);
  raw.write(std::string_view{"\x16\x03\x01\x02\x00", 5});
  for (int i = 0; i < 12 && !raw.closed; ++i) {
    raw.write("\x01");
    run_for(1s);
  }
  EXPECT_TRUE(raw.closed);
  EXPECT_TRUE(silent.closed);
  EXPECT_EQ(server.layer.connections(), 0U);
}

TEST_F(tls, a_storm_of_handshakes_is_spread_over_passes) {
  transport_settings few;
  few.max_handshakes_per_pass = 2;
  peer server{home, few};
  peer client{home};
  const auto at = serve(server, authority_.issue({.alternatives = "DNS:good.test"}));
  open_settings settings;
  settings.local = client_host;
  settings.server_name = "good.test";
  settings.tls = client_context(authority_.pem());
  settings.share = false;
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(
      client.layer.send(client.layer.open(protocol::tls, at, settings).value(), framed("x")));
  run_for(5s);
  EXPECT_THAT(server.messages, SizeIs(30));
  ASSERT_THAT(server.ups, SizeIs(30));
}

TEST_F(tls, versions_below_1_2_are_refused) {
  SSL_CTX* old = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(old, "ALL:@SECLEVEL=0");
  SSL* ssl = SSL_new(old);
  SSL_set_connect_state(ssl);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, in, out);
  SSL_do_handshake(ssl);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  ASSERT_GT(size, 0);
  peer server{home};
  raw_stream raw{home, serve(server, authority_.issue({.alternatives = "DNS:good.test"})),
                 client_host};
  run_for(1s);
  raw.write({bytes, static_cast<size_t>(size)});
  run_for(1s);
  EXPECT_TRUE(raw.closed);
  ASSERT_FALSE(raw.got.empty());
  EXPECT_EQ(raw.got[0], 21); // an alert
  SSL_free(ssl);
  SSL_CTX_free(old);
}

// -- SEC-09: names ------------------------------------------------------------------

using sec_09 = tls;

TEST_F(sec_09, two_names_on_one_address_are_two_connections_and_two_checks) {
  peer server{home};
  peer client{home};
  const auto at = serve(server, authority_.issue({.alternatives = "DNS:good.test"}));
  open_settings settings;
  settings.local = client_host;
  settings.tls = client_context(authority_.pem());
  settings.server_name = "good.test";
  const auto good = client.layer.open(protocol::tls, at, settings).value();
  run_for(1s);
  EXPECT_TRUE(client.layer.is_up(good));
  settings.server_name = "GOOD.test";
  EXPECT_EQ(client.layer.open(protocol::tls, at, settings).value(), good);
  settings.server_name = "victim.test";
  const auto other = client.layer.open(protocol::tls, at, settings).value();
  EXPECT_FALSE(other == good);
  ASSERT_TRUE(client.layer.send(other, framed("secret")));
  run_for(1s);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_EQ(client.failures[0].gone, other);
  EXPECT_THAT(client.failures[0].cause, HasSubstr("ostname mismatch"));
  EXPECT_EQ(client.failures[0].during, flow_end::stage::tls);
  EXPECT_THAT(server.texts(), IsEmpty());
  // Another policy does not find the connection either.
  settings.server_name = "good.test";
  settings.tls = client_context(authority_.pem());
  EXPECT_FALSE(client.layer.open(protocol::tls, at, settings).value() == good);
}

TEST_F(sec_09, wrong_certificates_are_refused) {
  EXPECT_EQ(try_name(authority_.issue({.alternatives = "DNS:good.test"}), "good.test"), "");
  EXPECT_EQ(try_name(authority_.issue({.alternatives = "DNS:*.good.test"}), "a.good.test"), "");
  EXPECT_EQ(try_name(authority_.issue({.alternatives = "IP:192.0.2.1"}), "192.0.2.1"), "");

  struct {
    const char* what;
    certificate_wish wish;
    std::string name;
    const char* cause;
  } const cases[]{
    {"another name", {.alternatives = "DNS:other.test"}, "good.test", "ostname mismatch"},
    {"wildcard too deep", {.alternatives = "DNS:*.good.test"}, "a.b.good.test", "ostname"},
    {"partial wildcard", {.alternatives = "DNS:a*.good.test"}, "ab.good.test", "ostname"},
    {"common name only", {.common_name = "good.test"}, "good.test", "ostname"},
    {"address as DNS name", {.alternatives = "DNS:192.0.2.1"}, "192.0.2.1", "IP address"},
    {"embedded zero",
     {.raw_dns_name = std::string{"good.test\0.evil.test", 20}},
     "good.test",
     "ostname"},
    {"embedded zero at the end",
     {.raw_dns_name = std::string{"good.test\0", 10}},
     "good.test",
     "ostname"},
    {"expired",
     {.alternatives = "DNS:good.test", .valid_from = -7200, .valid_to = -3600},
     "good.test",
     "expired"},
    {"not yet valid",
     {.alternatives = "DNS:good.test", .valid_from = 3600, .valid_to = 7200},
     "good.test",
     "not yet valid"},
    {"for clients only",
     {.alternatives = "DNS:good.test", .usage = "clientAuth"},
     "good.test",
     "purpose"},
    {"for mail",
     {.alternatives = "DNS:good.test", .usage = "emailProtection"},
     "good.test",
     "purpose"},
  };
  for (const auto& c : cases)
    EXPECT_THAT(try_name(authority_.issue(c.wish), c.name), HasSubstr(c.cause)) << c.what;

  const test_authority stranger;
  EXPECT_THAT(try_name(stranger.issue({.alternatives = "DNS:good.test"}), "good.test"),
              HasSubstr("certificate refused"));
  EXPECT_NE(try_name(authority_.issue({.alternatives = "DNS:good.test"}), "good.test\r\nx"), "");
  EXPECT_NE(
    try_name(authority_.issue({.alternatives = "DNS:good.test"}), std::string{"good.test\0", 10}),
    "");
}

TEST_F(sec_09, a_server_that_demands_certificates_gets_one_or_refuses) {
  tls_settings strict;
  strict.own = authority_.issue({.alternatives = "DNS:good.test"});
  strict.verify_client = true;
  strict.trusted_pem = authority_.pem();
  listen_settings server_side;
  server_side.tls = tls_context::make(tls_context::role::server, strict).value();
  tls_settings mine;
  mine.trusted_pem = authority_.pem();
  for (const bool with_certificate : {false, true}) {
    peer server{home};
    peer client{home};
    const auto at =
      server.layer.listen(protocol::tls, server_host.with_port(5061), server_side).value();
    if (with_certificate)
      mine.own = authority_.issue({.alternatives = "DNS:client.test", .usage = "clientAuth"});
    open_settings settings;
    settings.local = client_host;
    settings.server_name = "good.test";
    settings.tls = tls_context::make(tls_context::role::client, mine).value();
    const auto f = client.layer.open(protocol::tls, at, settings).value();
    ASSERT_TRUE(client.layer.send(f, framed("x")));
    run_for(5s);
    EXPECT_THAT(server.messages, SizeIs(with_certificate ? 1 : 0));
  }
}

} // namespace
} // namespace jackfield::transport
