// Handlers that do what they like inside the layer's calls, and a world that breaks at random.

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/crypto/certificate.hpp"
#include "tests/transport/peers.hpp"

namespace jackfield::transport {
namespace {

using namespace std::chrono_literals;
using testing::SizeIs;

struct unruly : testing::Test, sim_world {};

/// Closes, opens and sends from inside every call.
class impulsive final : public transport_handler {
public:
  impulsive(lane::lane& home, uint32_t seed)
      : layer(home, *this, [] { return std::make_unique<netstring_splitter>(); }), random_(seed) {}

  void on_message(const flow& from, std::string_view bytes, time_point) override {
    ++messages;
    act(from, bytes.substr(0, 100));
  }
  void on_flow_up(const flow& up) override { act(up, "up"); }
  void on_flow_failed(const flow& gone, const flow_end&) override {
    ++failed;
    EXPECT_FALSE(layer.find(gone));
    act(gone, "gone");
  }

  void act(const flow& which, std::string_view text) {
    const auto choice = random_() % 16;
    const bool stream = which.protocol == protocol::tcp || which.protocol == protocol::tls;
    const std::string message = stream ? framed(text) : std::string{text};
    if (choice < 2)
      layer.close(which);
    if (choice == 2 && actions_left > 0)
      open();
    if (choice > 2 && actions_left-- > 0)
      (void)layer.send(which, message);
    if (choice == 15)
      layer.close(which);
  }

  void open() {
    if (targets.empty())
      return;
    const auto& [by, at] = targets[random_() % targets.size()];
    open_settings settings;
    settings.local = local;
    settings.share = random_() % 2 == 0;
    settings.server_name = "engine.test";
    settings.tls = is_secure(by) ? client_context : nullptr;
    if (const auto f = layer.open(by, at, settings))
      act(*f, "opened");
  }

  std::vector<std::pair<protocol, lane::endpoint>> targets;
  std::shared_ptr<tls_context> client_context;
  lane::endpoint local;
  int messages = 0;
  int failed = 0;
  int actions_left = 20'000;
  transport_layer layer;

private:
  std::mt19937 random_;
};

TEST_F(unruly, handlers_may_do_anything_in_a_world_that_breaks) {
  const auto own = crypto::self_signed_certificate(std::vector<std::string>{"engine.test"}).value();
  tls_settings serving;
  serving.own = own;
  tls_settings trusting;
  trusting.trusted_pem = own.certificate_pem;
  listen_settings server_side;
  server_side.tls = tls_context::make(tls_context::role::server, serving).value();

  impulsive server{home, 1};
  impulsive client{home, 2};
  client.client_context = tls_context::make(tls_context::role::client, trusting).value();
  client.local = client_host;
  uint16_t port = 5060;
  for (const protocol by : {protocol::tcp, protocol::tls, protocol::ws, protocol::wss})
    client.targets.emplace_back(
      by, server.layer.listen(by, server_host.with_port(port++), server_side).value());
  client.targets.emplace_back(protocol::tcp, server_host.with_port(9)); // nobody listens
  std::mt19937 random{3};
  for (int round = 0; round < 1000; ++round) {
    client.open();
    home.set_partition(server_host, client_host, random() % 8 == 0);
    run_for(std::chrono::milliseconds{random() % 300});
  }
  home.set_partition(server_host, client_host, false);
  run_for(1h);
  EXPECT_GT(server.messages, 500);
  EXPECT_GT(client.messages, 500);
  EXPECT_GT(client.failed, 10);
  EXPECT_EQ(client.layer.connections(), 0U);
  EXPECT_EQ(server.layer.connections(), 0U);
}

TEST_F(unruly, a_layer_may_end_with_everything_under_way) {
  for (int steps = 0; steps < 12; ++steps) {
    auto server = std::make_unique<peer>(home);
    auto client = std::make_unique<peer>(home);
    server->echo = true;
    const auto at = server->layer.listen(protocol::ws, server_host.with_port(80)).value();
    open_settings settings;
    settings.local = client_host;
    const auto f = client->layer.open(protocol::ws, at, settings).value();
    ASSERT_TRUE(client->layer.send(f, "x"));
    for (int i = 0; i < steps; ++i)
      home.step();
    (steps % 2 == 0 ? server : client).reset();
    run_for(1min);
  }
}

TEST_F(unruly, thousands_of_idle_connections_do_not_keep_one_from_being_served) {
  transport_settings settings;
  settings.first_message_timeout = 1h;
  peer server{home, settings};
  server.echo = true;
  const auto at = server.layer.listen(protocol::tcp, server_host.with_port(5060)).value();
  std::vector<std::unique_ptr<raw_stream>> idle;
  idle.reserve(5000);
  for (int i = 0; i < 5000; ++i)
    idle.push_back(std::make_unique<raw_stream>(home, at, client_host));
  run_for(1s);
  EXPECT_EQ(server.layer.connections(), 5000U);
  raw_stream one{home, at, lane::endpoint::parse("192.0.2.9", 0).value()};
  run_for(10ms);
  one.write(framed("x"));
  run_for(10ms);
  EXPECT_EQ(one.got, framed("+x"));
  EXPECT_THAT(server.ups, SizeIs(5001));
}

} // namespace
} // namespace jackfield::transport
