// UDP and TCP over the simulated network.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/peers.hpp"

namespace jackfield::transport {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct flows : testing::Test, sim_world {
  lane::endpoint listen(peer& p, protocol by = protocol::tcp) {
    return p.layer.listen(by, server_host.with_port(5060)).value();
  }
  open_settings from_client() const {
    open_settings s;
    s.local = client_host;
    return s;
  }
};

// -- UDP -------------------------------------------------------------------------

TEST_F(flows, udp_answers_go_to_where_the_request_came_from) {
  peer server{home};
  server.echo = true;
  peer client{home};
  const auto at = listen(server, protocol::udp);
  // An unusual port, as a NAT picks one: the answer must find it (RFC 3581).
  ASSERT_TRUE(client.layer.listen(protocol::udp, client_host.with_port(34567)));
  const auto f = client.layer.open(protocol::udp, at);
  ASSERT_TRUE(f);
  EXPECT_TRUE(client.layer.is_up(*f));
  ASSERT_TRUE(client.layer.send(*f, "hello"));
  run_for(1s);
  EXPECT_THAT(server.texts(), ElementsAre("hello"));
  EXPECT_EQ(server.messages.at(0).from.remote.port(), 34567);
  EXPECT_THAT(client.texts(), ElementsAre("+hello"));
  EXPECT_EQ(client.messages.at(0).from, *f);
  EXPECT_EQ(client.layer.find(*f)->local, client_host.with_port(34567));
}

TEST_F(flows, udp_keep_alives_are_sent_now_and_then_and_are_no_messages) {
  transport_settings settings;
  settings.keep_alive.udp = 20s;
  peer server{home};
  peer client{home, settings};
  const auto at = listen(server, protocol::udp);
  ASSERT_TRUE(client.layer.listen(protocol::udp, client_host));
  const auto f = client.layer.open(protocol::udp, at).value();
  int datagrams = 0;
  home.set_event_log([&](std::string_view) { ++datagrams; });
  client.layer.keep_alive_udp(f);
  client.layer.keep_alive_udp(f); // once is enough
  run_for(100s);
  EXPECT_GE(datagrams, 5);
  EXPECT_THAT(server.texts(), IsEmpty());
  client.layer.close(f);
  run_for(1s);
  const int before = datagrams;
  run_for(100s);
  EXPECT_EQ(datagrams, before);
}

TEST_F(flows, udp_needs_a_socket_of_the_same_family) {
  peer client{home};
  ASSERT_TRUE(client.layer.listen(protocol::udp, client_host));
  EXPECT_FALSE(
    client.layer.open(protocol::udp, lane::endpoint::parse("2001:db8::1", 5060).value()));
}

TEST_F(flows, a_flow_of_another_lane_is_nothing_here) {
  transport_settings settings;
  settings.lane = 1;
  peer other{home, settings};
  peer own{home};
  const auto remote = server_host.with_port(5060);
  ASSERT_TRUE(other.layer.listen(protocol::udp, client_host.with_port(5060)));
  ASSERT_TRUE(own.layer.listen(protocol::udp, client_host.with_port(5062)));
  auto theirs = other.layer.open(protocol::udp, remote).value();
  EXPECT_EQ(theirs.lane, 1);
  EXPECT_FALSE(own.layer.send(theirs, "x"));
  EXPECT_FALSE(own.layer.is_up(theirs));
  EXPECT_FALSE(own.layer.own(theirs)) << "we have no socket at that address";
  theirs.local = client_host.with_port(5062);
  EXPECT_EQ(own.layer.own(theirs), own.layer.open(protocol::udp, remote).value());
  theirs.protocol = protocol::tcp;
  EXPECT_FALSE(own.layer.own(theirs));
}

TEST(sec_32, nothing_is_sent_to_forbidden_destinations) {
  sim_world world;
  peer p{world.home};
  ASSERT_TRUE(p.layer.listen(protocol::udp, world.client_host));
  ASSERT_TRUE(p.layer.listen(protocol::udp, lane::endpoint::parse("2001:db8::2", 0).value()));
  for (const char* address :
       {"255.255.255.255", "224.0.0.1", "239.1.2.3", "0.0.0.0", "0.1.2.3", "::ffff:224.0.0.1",
        "::ffff:255.255.255.255", "::ffff:0.0.0.0", "ff02::1", "::"}) {
    const auto remote = lane::endpoint::parse(address, 5060);
    ASSERT_TRUE(remote) << address;
    for (const protocol by : {protocol::udp, protocol::tcp})
      EXPECT_FALSE(p.layer.open(by, *remote)) << address;
    // A flow made by hand does not get past either.
    flow forged = p.layer.open(protocol::udp, world.server_host.with_port(5060)).value();
    forged.remote = *remote;
    EXPECT_FALSE(p.layer.send(forged, "x")) << address;
  }
  EXPECT_FALSE(p.layer.open(protocol::udp, world.server_host.with_port(0)));
  EXPECT_EQ(p.layer.counters().messages_out, 0U);
  EXPECT_GE(p.layer.counters().forbidden, 30U);
}

// -- TCP -------------------------------------------------------------------------

TEST_F(flows, tcp_messages_wait_for_the_connection_and_answers_come_back_on_it) {
  peer server{home};
  server.echo = true;
  peer client{home};
  const auto f = client.layer.open(protocol::tcp, listen(server), from_client()).value();
  EXPECT_FALSE(client.layer.is_up(f));
  ASSERT_TRUE(client.layer.send(f, framed("one")));
  ASSERT_TRUE(client.layer.send(f, framed("two")));
  EXPECT_THAT(client.ups, IsEmpty());
  run_for(1s);
  EXPECT_THAT(server.texts(), ElementsAre("one", "two"));
  EXPECT_THAT(client.texts(), ElementsAre("+one", "+two"));
  ASSERT_THAT(client.ups, SizeIs(1));
  EXPECT_EQ(client.ups[0], f);
  EXPECT_NE(client.ups[0].local.port(), 0);
  EXPECT_THAT(server.ups, SizeIs(1));
  EXPECT_EQ(server.layer.connections(), 1U);
}

TEST_F(flows, tcp_connections_are_shared_unless_told_otherwise) {
  peer server{home};
  peer client{home};
  const auto at = listen(server);
  const auto first = client.layer.open(protocol::tcp, at, from_client()).value();
  EXPECT_EQ(client.layer.open(protocol::tcp, at, from_client()).value(), first);
  auto settings = from_client();
  settings.share = false;
  const auto own = client.layer.open(protocol::tcp, at, settings).value();
  EXPECT_FALSE(own == first);
  settings = from_client();
  settings.server_name = "other.test";
  EXPECT_FALSE(client.layer.open(protocol::tcp, at, settings).value() == first);
  EXPECT_EQ(client.layer.connections(), 3U);
  // A closed one is not found again.
  run_for(1s);
  client.layer.close(first);
  EXPECT_FALSE(client.layer.open(protocol::tcp, at, from_client()).value() == first);
}

TEST_F(flows, tcp_stream_may_be_cut_anywhere) {
  peer server{home};
  const auto at = listen(server);
  const std::string stream = framed("first") + "\r\n\r\n" + framed("") + framed("third message");
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    raw_stream raw{home, at, client_host};
    run_for(10ms);
    raw.write(stream.substr(0, cut));
    run_for(10ms);
    raw.write(stream.substr(cut));
    run_for(10ms);
    EXPECT_THAT(server.texts(), ElementsAre("first", "", "third message")) << cut;
    EXPECT_EQ(raw.got, "\r\n") << cut; // the pong
    server.messages.clear();
  }
  raw_stream raw{home, at, client_host};
  run_for(10ms);
  for (const char c : stream) {
    raw.write({&c, 1});
    run_for(10ms);
  }
  EXPECT_THAT(server.texts(), ElementsAre("first", "", "third message"));
}

TEST_F(flows, a_refused_connection_fails_later_and_its_handle_dies) {
  peer client{home};
  peer occupant{home}; // makes the host exist
  ASSERT_TRUE(occupant.layer.listen(protocol::udp, server_host.with_port(5060)));
  const auto f =
    client.layer.open(protocol::tcp, server_host.with_port(5070), from_client()).value();
  EXPECT_TRUE(client.layer.send(f, framed("x")));
  EXPECT_THAT(client.failures, IsEmpty());
  run_for(1s);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_EQ(client.failures[0].gone, f);
  EXPECT_THAT(client.failures[0].cause, HasSubstr("refused"));
  EXPECT_EQ(client.failures[0].during, flow_end::stage::connecting);
  EXPECT_FALSE(client.layer.send(f, framed("x")));
  EXPECT_EQ(client.layer.find(f), std::nullopt);
  // The slot's next connection is another flow.
  const auto next =
    client.layer.open(protocol::tcp, server_host.with_port(5070), from_client()).value();
  EXPECT_EQ(next.handle.index, f.handle.index);
  EXPECT_FALSE(next == f);
}

TEST_F(flows, a_silent_host_fails_after_the_connect_timeout) {
  peer client{home};
  ASSERT_TRUE(client.layer.open(protocol::tcp, server_host.with_port(5060), from_client()));
  run_for(60s);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_THAT(client.failures[0].cause, HasSubstr("not connected in time"));
  EXPECT_EQ(client.layer.connections(), 0U);
}

TEST_F(flows, too_much_waiting_for_a_connection_ends_it) {
  transport_settings settings;
  settings.max_waiting_bytes = 1000;
  peer client{home, settings};
  const auto f =
    client.layer.open(protocol::tcp, server_host.with_port(5060), from_client()).value();
  EXPECT_TRUE(client.layer.send(f, std::string(900, 'x')));
  EXPECT_FALSE(client.layer.send(f, std::string(101, 'x')));
  EXPECT_THAT(client.failures, IsEmpty()); // never from inside send
  run_for(1s);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_THAT(client.failures[0].cause, HasSubstr("wait"));
}

TEST_F(flows, who_never_reads_is_cut_off_and_reported) {
  peer server{home};
  peer client{home};
  const auto f = client.layer.open(protocol::tcp, listen(server), from_client()).value();
  run_for(1s);
  home.set_partition(server_host, client_host, true);
  const std::string big = framed(std::string(60'000, 'x'));
  int taken = 0;
  while (taken < 1000 && client.layer.send(f, big))
    ++taken;
  EXPECT_LT(taken, 40); // the cap is 1 MiB
  run_for(1s);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_THAT(client.failures[0].cause, HasSubstr("does not read"));
  EXPECT_EQ(client.layer.connections(), 0U);
}

TEST_F(flows, an_accepted_connection_must_bring_a_message_in_time) {
  peer server{home};
  const auto at = listen(server);
  raw_stream silent{home, at, client_host};
  raw_stream pinging{home, at, client_host};
  raw_stream good{home, at, client_host};
  run_for(1s);
  good.write(framed("x"));
  for (int i = 0; i < 8; ++i) {
    pinging.write("\r\n\r\n");
    run_for(1s);
  }
  EXPECT_EQ(server.layer.connections(), 3U);
  run_for(3s);
  EXPECT_EQ(server.layer.connections(), 1U);
  EXPECT_TRUE(silent.closed);
  EXPECT_TRUE(pinging.closed);
  EXPECT_FALSE(good.closed);
}

TEST_F(flows, a_dripping_message_is_cut_off) {
  peer server{home};
  const auto at = listen(server);
  raw_stream raw{home, at, client_host};
  run_for(1s);
  raw.write(framed("x") + "1000:");
  for (int i = 0; i < 20 && !raw.closed; ++i) {
    raw.write("y");
    run_for(5s);
  }
  ASSERT_THAT(server.failures, SizeIs(1));
  EXPECT_THAT(server.failures[0].cause, HasSubstr("too long to come in"));
  EXPECT_TRUE(raw.closed);
}

TEST_F(flows, an_idle_connection_is_closed_in_order) {
  peer server{home};
  peer client{home};
  const auto f = client.layer.open(protocol::tcp, listen(server), from_client()).value();
  ASSERT_TRUE(client.layer.send(f, framed("x")));
  run_for(9min);
  EXPECT_EQ(client.layer.connections(), 1U);
  ASSERT_TRUE(client.layer.send(f, framed("y")));
  run_for(9min);
  EXPECT_EQ(client.layer.connections(), 1U);
  run_for(2min);
  EXPECT_EQ(client.layer.connections(), 0U);
  EXPECT_EQ(server.layer.connections(), 0U);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_EQ(client.failures[0].cause, "");
  EXPECT_FALSE(client.failures[0].said_goodbye) << "nobody can over TCP";
  EXPECT_EQ(client.failures[0].during, flow_end::stage::up);
  EXPECT_EQ(client.layer.counters().failed, 0U);
}

TEST_F(flows, a_flow_half_open_is_found_by_its_keep_alive) {
  transport_settings settings;
  settings.keep_alive.stream = 30s;
  peer server{home};
  peer client{home, settings};
  const auto f = client.layer.open(protocol::tcp, listen(server), from_client()).value();
  ASSERT_TRUE(client.layer.send(f, framed("x")));
  run_for(5min);
  EXPECT_THAT(client.failures, IsEmpty()); // answered each time
  home.set_partition(server_host, client_host, true);
  run_for(41s);
  ASSERT_THAT(client.failures, SizeIs(1));
  EXPECT_THAT(client.failures[0].cause, HasSubstr("keep-alive not answered"));
  EXPECT_THAT(server.texts(), ElementsAre("x"));
}

TEST_F(flows, connections_are_capped_a_peer_and_in_all) {
  transport_settings settings;
  settings.max_accepted_per_peer = 3;
  settings.max_connections = 5;
  peer server{home, settings};
  const auto at = listen(server);
  const auto other = lane::endpoint::parse("192.0.2.3", 0).value();
  std::vector<std::unique_ptr<raw_stream>> streams;
  streams.reserve(8);
  for (int i = 0; i < 5; ++i)
    streams.push_back(std::make_unique<raw_stream>(home, at, client_host));
  run_for(1s);
  EXPECT_EQ(server.layer.connections(), 3U);
  EXPECT_EQ(server.layer.counters().refused, 2U);
  for (int i = 0; i < 3; ++i)
    streams.push_back(std::make_unique<raw_stream>(home, at, other));
  run_for(1s);
  EXPECT_EQ(server.layer.connections(), 5U);
  EXPECT_FALSE(server.layer.open(protocol::tcp, at));
  streams.clear();
  run_for(1s);
  EXPECT_EQ(server.layer.connections(), 0U);
  raw_stream again{home, at, client_host};
  run_for(1s);
  EXPECT_EQ(server.layer.connections(), 1U);
}

TEST_F(flows, a_flow_may_be_closed_from_its_own_message) {
  peer server{home};
  server.close_on_message = true;
  peer client{home};
  const auto f = client.layer.open(protocol::tcp, listen(server), from_client()).value();
  ASSERT_TRUE(client.layer.send(f, framed("one") + framed("two")));
  run_for(10s);
  EXPECT_THAT(server.texts(), ElementsAre("one"));
  EXPECT_THAT(server.failures, IsEmpty()); // it closed it itself
  EXPECT_THAT(client.failures, SizeIs(1));
  EXPECT_EQ(server.layer.connections(), 0U);
}

TEST_F(flows, what_cannot_be_framed_ends_the_connection) {
  peer server{home};
  raw_stream raw{home, listen(server), client_host};
  run_for(1s);
  raw.write("GET / HTTP/1.1\r\n\r\n");
  run_for(1s);
  EXPECT_TRUE(raw.closed);
  ASSERT_THAT(server.failures, SizeIs(1));
  EXPECT_THAT(server.failures[0].cause, HasSubstr("not a message"));
}

TEST_F(flows, a_close_in_mid_message_is_a_failure) {
  peer server{home};
  auto raw = std::make_unique<raw_stream>(home, listen(server), client_host);
  run_for(1s);
  raw->write("10:abc");
  run_for(1s);
  raw.reset();
  run_for(1s);
  ASSERT_THAT(server.failures, SizeIs(1));
  EXPECT_THAT(server.failures[0].cause, HasSubstr("middle of a message"));
}

} // namespace
} // namespace jackfield::transport
