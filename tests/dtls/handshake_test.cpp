#include "engine/dtls/handshake.hpp"

#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/dtls/record.hpp"
#include "tests/dtls/ends.hpp"

namespace jackfield::dtls {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::SizeIs;

void expect_mirrored_keys(const end& a, const end& b) {
  ASSERT_EQ(a->now(), handshake::state::done) << a->cause();
  ASSERT_EQ(b->now(), handshake::state::done) << b->cause();
  ASSERT_NE(a->keys(), nullptr);
  ASSERT_NE(b->keys(), nullptr);
  EXPECT_EQ(a->keys()->profile(), b->keys()->profile());
  EXPECT_THAT(a->keys()->local(), ElementsAreArray(b->keys()->remote()));
  EXPECT_THAT(a->keys()->remote(), ElementsAreArray(b->keys()->local()));
  EXPECT_THAT(a->keys()->local(), Not(ElementsAreArray(a->keys()->remote())));
}

TEST(dtls_handshake, gives_both_ends_the_keys_of_aes_128_gcm) {
  end client{role::client};
  end server{role::server};
  start_both(client, server);
  exchange(client, server, t0);
  expect_mirrored_keys(client, server);
  EXPECT_EQ(client->keys()->profile(), 7);
  EXPECT_THAT(client->keys()->local(), SizeIs(16 + 12));
  EXPECT_EQ(client->reason(), handshake::failure::none);
  EXPECT_EQ(client->deadline(), lane::time_point::max());
  EXPECT_EQ(server->deadline(), lane::time_point::max());
}

TEST(dtls_handshake, sends_datagrams_within_the_mtu_and_none_twice_unasked) {
  end client{role::client};
  end server{role::server};
  start_both(client, server);
  const auto hello = client.out.take();
  ASSERT_THAT(hello, SizeIs(1));
  EXPECT_TRUE(is_dtls(hello[0][0]));
  EXPECT_TRUE(is_client_hello(hello[0]));
  server->on_datagram(hello[0], t0);
  const auto answer = server.out.take();
  ASSERT_THAT(answer, SizeIs(testing::AllOf(testing::Ge(1u), Le(3u))));
  for (const auto& d : answer) {
    EXPECT_THAT(d, SizeIs(Le(handshake::mtu)));
    client->on_datagram(d, t0);
  }
  for (const auto& d : client.out.take()) {
    EXPECT_THAT(d, SizeIs(Le(handshake::mtu)));
    server->on_datagram(d, t0);
  }
  exchange(client, server, t0);
  expect_mirrored_keys(client, server);
}

TEST(dtls_handshake, may_run_many_times_with_the_same_identity) {
  const auto own = identity::make().value();
  for (int i = 0; i < 20; ++i) {
    end client{role::client, own};
    end server{role::server, own};
    start_both(client, server);
    exchange(client, server, t0);
    expect_mirrored_keys(client, server);
  }
}

TEST(dtls_handshake, client_may_go_at_once_and_server_lingers) {
  end client{role::client};
  end server{role::server};
  start_both(client, server);
  EXPECT_FALSE(client->may_be_freed(t0));
  exchange(client, server, t0 + 1s);
  EXPECT_TRUE(client->may_be_freed(t0 + 1s));
  EXPECT_FALSE(server->may_be_freed(t0 + 1s));
  EXPECT_EQ(server->lingers_until(), t0 + 1s + handshake::linger);
  EXPECT_TRUE(server->may_be_freed(server->lingers_until()));
}

TEST(dtls_handshake, refuses_a_certificate_that_was_not_described) {
  end client{role::client};
  end server{role::server};
  const auto stranger = identity::make().value();
  client->expect(only(stranger->fingerprint()));
  server->expect(only(client.who->fingerprint()));
  server->start(t0);
  client->start(t0);
  exchange(client, server, t0);
  EXPECT_EQ(client->now(), handshake::state::failed);
  EXPECT_EQ(client->reason(), handshake::failure::fingerprint);
  EXPECT_EQ(client->keys(), nullptr);
  EXPECT_EQ(server->now(), handshake::state::failed);
  EXPECT_EQ(server->reason(), handshake::failure::alert);
  EXPECT_EQ(server->keys(), nullptr);
  EXPECT_TRUE(client->may_be_freed(t0));
  EXPECT_THAT(std::string{server->cause()}, HasSubstr("alert"));
}

TEST(dtls_handshake, server_refuses_a_certificate_that_was_not_described) {
  end client{role::client};
  end server{role::server};
  client->expect(only(server.who->fingerprint()));
  server->expect(only(server.who->fingerprint()));
  server->start(t0);
  client->start(t0);
  exchange(client, server, t0);
  EXPECT_EQ(server->reason(), handshake::failure::fingerprint);
  EXPECT_EQ(client->reason(), handshake::failure::alert);
  EXPECT_EQ(client->keys(), nullptr);
}

TEST(dtls_handshake, has_no_keys_before_the_fingerprint_is_known) {
  end client{role::client};
  end server{role::server};
  client->expect(only(server.who->fingerprint()));
  server->start(t0);
  client->start(t0);
  exchange(client, server, t0);
  EXPECT_EQ(client->now(), handshake::state::done);
  EXPECT_EQ(server->now(), handshake::state::running);
  EXPECT_EQ(server->keys(), nullptr);
  EXPECT_FALSE(server->may_be_freed(t0 + 1h));
  server->expect(only(client.who->fingerprint()));
  expect_mirrored_keys(client, server);
}

TEST(dtls_handshake, fails_when_the_fingerprint_comes_late_and_is_another) {
  end client{role::client};
  end server{role::server};
  client->expect(only(server.who->fingerprint()));
  server->start(t0);
  client->start(t0);
  exchange(client, server, t0);
  server->expect(only(server.who->fingerprint()));
  EXPECT_EQ(server->reason(), handshake::failure::fingerprint);
  EXPECT_EQ(server->keys(), nullptr);
  exchange(client, server, t0);
  EXPECT_EQ(client->now(), handshake::state::closed);
}

TEST(dtls_handshake, fails_when_the_fingerprint_never_comes) {
  end client{role::client};
  end server{role::server};
  client->expect(only(server.who->fingerprint()));
  server->start(t0);
  client->start(t0);
  exchange(client, server, t0);
  EXPECT_EQ(server->deadline(), t0 + 30s);
  server->on_timer(t0 + 30s);
  EXPECT_EQ(server->reason(), handshake::failure::timeout);
}

TEST(dtls_handshake, fails_when_nothing_in_the_description_can_be_verified_by) {
  end server{role::server};
  fingerprint_list weak;
  ASSERT_TRUE(weak.add("sha-1", "00:11"));
  server->start(t0);
  server->expect(weak);
  EXPECT_EQ(server->now(), handshake::state::failed);
  EXPECT_EQ(server->reason(), handshake::failure::fingerprint);
}

TEST(dtls_handshake, takes_a_hello_that_was_kept_from_before_it_began) {
  end client{role::client};
  client->start(t0);
  const auto early = client.out.take();
  ASSERT_THAT(early, SizeIs(1));

  end server{role::server};
  client->expect(only(server.who->fingerprint()));
  server->start(t0 + 50ms);
  server->on_datagram(early[0], t0 + 50ms);
  exchange(client, server, t0 + 50ms);
  server->expect(only(client.who->fingerprint()));
  expect_mirrored_keys(client, server);
}

TEST(dtls_handshake, says_goodbye_and_hears_it) {
  end client{role::client};
  end server{role::server};
  start_both(client, server);
  exchange(client, server, t0);
  client->close();
  EXPECT_EQ(client->now(), handshake::state::closed);
  exchange(client, server, t0);
  EXPECT_EQ(server->now(), handshake::state::closed);
  EXPECT_NE(server->keys(), nullptr);
  EXPECT_TRUE(server->may_be_freed(t0));
  EXPECT_NE(server->cause(), "");
}

TEST(dtls_handshake, two_clients_or_two_servers_end_in_failure_or_timeout) {
  end a{role::client};
  end b{role::client};
  start_both(a, b);
  exchange(a, b, t0);
  EXPECT_EQ(a->now(), handshake::state::failed);
  EXPECT_EQ(a->reason(), handshake::failure::protocol);

  end c{role::server};
  end d{role::server};
  start_both(c, d);
  EXPECT_THAT(c.out.take(), SizeIs(0));
  c->on_timer(c->deadline());
  EXPECT_EQ(c->reason(), handshake::failure::timeout);
}

} // namespace
} // namespace jackfield::dtls
