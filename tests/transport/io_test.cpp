// All protocols over real sockets on the loopback interface.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/crypto/certificate.hpp"
#include "engine/lane/io_lane.hpp"
#include "tests/transport/peers.hpp"

namespace jackfield::transport {
namespace {

using testing::ElementsAre;

struct io_world {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::unique_ptr<lane::io_lane> home = lane::io_lane::make(system, 0).value();
};

/// Sends a small and a large message, waits for their echoes, and stops the lane.
class caller final : public transport_handler {
public:
  caller(lane::io_lane& home)
      : layer(home, *this, [] { return std::make_unique<netstring_splitter>(); }), home_(home) {}

  void on_message(const flow&, std::string_view bytes, time_point) override {
    got.emplace_back(bytes);
    if (got.size() == 2)
      home_.stop();
  }
  void on_flow_failed(const flow&, const flow_end& how) override {
    ADD_FAILURE() << how.why.to_string();
    home_.stop();
  }

  std::vector<std::string> got;
  transport_layer layer;

private:
  lane::io_lane& home_;
};

class io : public testing::TestWithParam<std::tuple<protocol, const char*>> {};

TEST_P(io, echoes_over_loopback) {
  const auto [by, address] = GetParam();
  const auto host = lane::endpoint::parse(address, 0).value();
  const std::vector<std::string> names{"engine.test", address};
  const auto own = crypto::self_signed_certificate(names).value();
  tls_settings serving;
  serving.own = own;
  tls_settings trusting;
  trusting.trusted_pem = own.certificate_pem;
  listen_settings server_side;
  open_settings client_side;
  if (is_secure(by)) {
    server_side.tls = tls_context::make(tls_context::role::server, serving).value();
    client_side.tls = tls_context::make(tls_context::role::client, trusting).value();
    client_side.server_name = "engine.test";
  }
  io_world world;
  peer server{*world.home};
  server.echo = true;
  caller client{*world.home};
  const auto at = server.layer.listen(by, host, server_side);
  if (!at)
    GTEST_SKIP() << at.error().to_string();
  EXPECT_NE(at->port(), 0);
  if (by == protocol::udp) {
    ASSERT_TRUE(client.layer.listen(by, host));
  }
  const auto f = client.layer.open(by, *at, client_side).value();
  const std::string big(by == protocol::udp ? 1300 : 60'000, 'b');
  const bool stream = by == protocol::tcp || by == protocol::tls;
  // What is sent leaves at the end of a pass, so it has to be sent in one.
  world.home->post([&] {
    EXPECT_TRUE(client.layer.send(f, stream ? framed("small") : "small"));
    EXPECT_TRUE(client.layer.send(f, stream ? framed(big) : big));
  });
  world.home->run();
  EXPECT_THAT(client.got, ElementsAre("+small", "+" + big));
}

INSTANTIATE_TEST_SUITE_P(transports, io,
                         testing::Combine(testing::Values(protocol::udp, protocol::tcp,
                                                          protocol::tls, protocol::ws,
                                                          protocol::wss),
                                          testing::Values("127.0.0.1", "::1")),
                         [](const auto& chosen) {
                           return std::string{to_string(std::get<0>(chosen.param))} +
                                  (std::string_view{std::get<1>(chosen.param)} == "::1" ? "_v6"
                                                                                        : "_v4");
                         });

} // namespace
} // namespace jackfield::transport
