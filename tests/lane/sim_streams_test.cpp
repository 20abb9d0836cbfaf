#include "engine/lane/sim_lane.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lane/sim_text.hpp"

namespace jackfield::lane {
namespace {

using namespace std::chrono_literals;

/// One end of a stream: an outgoing one, or all that a listener accepts.
struct stream_peer : stream_handler, accept_handler {
  stream_handler* on_accept(std::unique_ptr<stream_socket> incoming) override {
    ++accepted;
    if (refuse)
      return nullptr;
    stream = std::move(incoming);
    return this;
  }
  void on_connected() override { ++connected; }
  void on_data(std::span<const std::byte> bytes) override {
    got += text(bytes);
    if (echoes) {
      EXPECT_TRUE(stream->write(text(bytes)));
    }
    if (closes_on_data)
      stream.reset();
  }
  void on_drained() override { ++drained; }
  void on_closed(const error& why) override {
    closed.push_back(why.cause);
    if (closes)
      stream.reset();
  }
  std::unique_ptr<stream_socket> stream;
  std::string got;
  std::vector<std::string> closed;
  int accepted = 0;
  int connected = 0;
  int drained = 0;
  bool refuse = false;
  bool echoes = false;
  bool closes = true;
  bool closes_on_data = false;
};

/// Takes datagrams and says nothing: its host is up.
struct silent_handler : datagram_handler {
  void on_datagram(const endpoint& /*from*/, std::span<const std::byte> /*bytes*/,
                   time_point /*arrived*/) override {}
};

class sim_stream_test : public testing::Test {
protected:
  void connect() {
    listener_ = home_.listen(server_address_, server_).value();
    client_.stream = home_.connect(server_address_, client_, client_address_).value();
  }
  void connect_and_run() {
    connect();
    home_.run();
    ASSERT_EQ(client_.connected, 1);
    ASSERT_EQ(server_.accepted, 1);
  }

  const endpoint server_address_ = at("192.0.2.2:5060");
  const endpoint client_address_ = at("192.0.2.1:0");
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  sim_lane home_{system_, 9};
  stream_peer server_;
  stream_peer client_;
  std::unique_ptr<stream_listener> listener_;
};

TEST_F(sim_stream_test, carries_bytes_both_ways_and_closes_in_order) {
  home_.set_link({.delay = 10ms});
  server_.echoes = true;
  connect();
  EXPECT_TRUE(client_.stream->write("hello, "));
  EXPECT_TRUE(client_.stream->write("world"));
  EXPECT_EQ(client_.stream->queued(), 12U);
  home_.run();
  EXPECT_EQ(server_.got, "hello, world");
  EXPECT_EQ(client_.got, "hello, world");
  EXPECT_EQ(client_.stream->queued(), 0U);
  EXPECT_EQ(home_.now() - sim_lane::start, 40ms); // SYN, SYN-ACK, ACK with data, answer
  EXPECT_EQ(client_.stream->local(), at("192.0.2.1:32768"));
  EXPECT_EQ(client_.stream->remote(), server_address_);
  EXPECT_EQ(server_.stream->local(), server_address_);
  EXPECT_EQ(server_.stream->remote(), client_.stream->local());
  client_.stream.reset();
  home_.run();
  EXPECT_THAT(server_.closed, testing::ElementsAre(""));
  EXPECT_TRUE(client_.closed.empty());
  EXPECT_EQ(home_.now() - sim_lane::start, 60ms);
}

TEST_F(sim_stream_test, loss_and_jitter_become_delay) {
  home_.set_link({.delay = 40ms, .jitter = 35ms, .loss = 0.2, .duplication = 0.2, .burst = 3});
  server_.echoes = true;
  connect();
  std::string sent;
  for (int i = 0; i < 500; ++i) {
    const std::string line = std::to_string(i) + '\n';
    sent += line;
    ASSERT_TRUE(client_.stream->write(line));
    home_.run_until(home_.now() + 3ms);
  }
  client_.stream->finish();
  home_.run();
  EXPECT_EQ(server_.got, sent);
  EXPECT_THAT(server_.closed, testing::ElementsAre(""));
}

TEST_F(sim_stream_test, finish_sends_what_is_queued_even_if_the_owner_lets_go) {
  connect();
  const std::string sent(900'000, 'x');
  EXPECT_TRUE(client_.stream->write(sent));
  client_.stream->finish();
  EXPECT_FALSE(client_.stream->write("more"));
  client_.stream.reset();
  home_.run();
  EXPECT_EQ(server_.got, sent);
  EXPECT_THAT(server_.closed, testing::ElementsAre(""));
  EXPECT_TRUE(client_.closed.empty());
  EXPECT_EQ(client_.connected, 0);
}

TEST_F(sim_stream_test, writing_is_bounded_and_draining_is_told) {
  connect_and_run();
  home_.set_partition(client_address_, server_address_, true);
  const std::string block(1U << 16U, 'x');
  size_t taken = 0;
  while (client_.stream->write(block)) {
    taken += block.size();
    home_.run_until(home_.now() + 1ms);
    ASSERT_LE(client_.stream->queued(), stream_socket::max_queued);
    ASSERT_LT(taken, 10'000'000U);
  }
  EXPECT_GE(taken, stream_socket::max_queued);
  EXPECT_FALSE(client_.stream->write(std::string(stream_socket::max_queued + 1, 'x')));
  EXPECT_EQ(client_.drained, 0);
  home_.run_until(home_.now() + 30s);
  EXPECT_EQ(server_.got.size(), 0U);
  home_.set_partition(client_address_, server_address_, false);
  home_.run();
  EXPECT_EQ(server_.got.size(), taken);
  EXPECT_EQ(client_.drained, 1);
  EXPECT_EQ(client_.stream->queued(), 0U);
}

TEST_F(sim_stream_test, connecting_to_a_closed_port_is_refused) {
  silent_handler silent;
  auto presence = home_.open_datagram(at("192.0.2.2:1"), silent, {}).value();
  client_.stream = home_.connect(server_address_, client_, {}).value();
  EXPECT_EQ(client_.stream->local().address(), "198.51.100.1");
  home_.run();
  EXPECT_THAT(client_.closed, testing::ElementsAre("cannot connect: Connection refused"));
  EXPECT_EQ(client_.connected, 0);
}

TEST_F(sim_stream_test, connecting_to_a_silent_host_times_out) {
  client_.stream = home_.connect(server_address_, client_, client_address_).value();
  home_.run();
  EXPECT_THAT(client_.closed, testing::ElementsAre("cannot connect: Connection timed out"));
  EXPECT_EQ(home_.now() - sim_lane::start, 127s);
}

TEST_F(sim_stream_test, an_acceptor_that_refuses_closes_the_stream) {
  server_.refuse = true;
  connect();
  home_.run();
  EXPECT_EQ(server_.accepted, 1);
  EXPECT_EQ(client_.connected, 1);
  EXPECT_THAT(client_.closed, testing::ElementsAre(""));
}

TEST_F(sim_stream_test, ports_are_taken_once_and_freed) {
  connect();
  EXPECT_FALSE(home_.listen(server_address_, server_));
  EXPECT_FALSE(home_.connect(server_address_, client_, at("192.0.2.1:32768")));
  EXPECT_FALSE(home_.listen(at("[::]:5"), server_));
  EXPECT_FALSE(home_.connect(at("224.0.0.1:5"), client_, {}));
  EXPECT_FALSE(home_.connect(at("[2001:db8::1]:5"), client_, client_address_));
  home_.run();
  client_.stream.reset();
  home_.run();
  EXPECT_TRUE(home_.connect(server_address_, client_, at("192.0.2.1:32768")));
  EXPECT_EQ(home_.listen(at("192.0.2.2:0"), server_).value()->local().port(), 32768);
}

TEST_F(sim_stream_test, a_handler_may_destroy_its_stream_while_it_is_called) {
  server_.closes_on_data = true;
  connect();
  EXPECT_TRUE(client_.stream->write("a"));
  home_.run_until(home_.now() + 2ms);
  EXPECT_TRUE(client_.stream->write("b"));
  home_.run();
  EXPECT_EQ(server_.got.substr(0, 1), "a");
  EXPECT_EQ(server_.stream, nullptr);
  EXPECT_EQ(client_.stream, nullptr);
  EXPECT_EQ(client_.closed.size(), 1U);
}

TEST_F(sim_stream_test, data_to_a_closed_end_is_answered_with_a_reset) {
  home_.set_link({.delay = 10ms});
  home_.set_link(server_address_, client_address_, {.delay = 100ms}); // the end comes late
  connect();
  home_.run();
  server_.stream.reset();
  home_.run_until(home_.now() + 50ms);
  client_.closes = false;
  EXPECT_TRUE(client_.stream->write("into the void"));
  home_.run();
  EXPECT_THAT(client_.closed, testing::ElementsAre(""));
  EXPECT_FALSE(client_.stream->write("more"));
}

TEST_F(sim_stream_test, a_dead_host_is_noticed_when_sent_to) {
  connect_and_run();
  home_.kill_host(server_address_);
  listener_.reset();
  home_.run();
  EXPECT_TRUE(client_.closed.empty()) << "an idle peer hears nothing";
  EXPECT_FALSE(server_.stream->write("from beyond"));
  server_.stream.reset();
  EXPECT_TRUE(client_.stream->write("anybody there?"));
  home_.run_until(home_.now() + 10s);
  EXPECT_TRUE(client_.closed.empty());
  listener_ = home_.listen(server_address_, server_).value(); // back, without a memory
  home_.run();
  EXPECT_THAT(client_.closed, testing::ElementsAre("connection lost: Connection reset by peer"));
  EXPECT_TRUE(server_.closed.empty());
  client_.stream = home_.connect(server_address_, client_, client_address_).value();
  home_.run();
  EXPECT_EQ(server_.accepted, 2);
}

TEST_F(sim_stream_test, sending_to_a_host_that_stays_dead_times_out) {
  connect_and_run();
  home_.kill_host(server_address_);
  EXPECT_TRUE(client_.stream->write("anybody there?"));
  home_.run();
  EXPECT_THAT(client_.closed, testing::ElementsAre("connection lost: Connection timed out"));
  EXPECT_GT(home_.now() - sim_lane::start, 10min);
}

TEST_F(sim_stream_test, random_operations_always_come_to_an_end) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    sim_lane home{system_, seed};
    home.set_link({.delay = 20ms, .jitter = 19ms, .loss = 0.2, .burst = 4});
    stream_peer server;
    std::vector<std::unique_ptr<stream_peer>> clients;
    std::unique_ptr<stream_listener> listener = home.listen(server_address_, server).value();
    for (int i = 0; i < 300; ++i) {
      switch (home.random() % 9) {
      case 0:
        clients.push_back(std::make_unique<stream_peer>());
        clients.back()->stream =
          home.connect(server_address_, *clients.back(), client_address_).value();
        break;
      case 1:
        if (!clients.empty())
          clients[home.random() % clients.size()]->stream.reset();
        break;
      case 2:
        if (!clients.empty())
          if (auto& s = clients[home.random() % clients.size()]->stream; s)
            s->finish();
        break;
      case 3:
      case 4:
        if (!clients.empty())
          if (auto& s = clients[home.random() % clients.size()]->stream; s)
            (void)s->write(std::string(home.random() % 300'000, 'x'));
        break;
      case 5:
        home.set_partition(server_address_, client_address_, home.random() % 2 == 0);
        break;
      case 6:
        if (server.stream)
          (void)server.stream->write("from the server");
        if (home.random() % 4 == 0)
          server.stream.reset();
        break;
      case 7:
        if (home.random() % 8 == 0) {
          home.kill_host(home.random() % 2 == 0 ? server_address_ : client_address_);
          listener.reset();
          listener = home.listen(server_address_, server).value();
        }
        break;
      default:
        home.run_until(home.now() + duration{static_cast<int64_t>(home.random() % 2'000'000'000)});
      }
    }
    for (auto& c : clients)
      c->stream.reset();
    server.stream.reset();
    listener.reset();
    home.run();
    EXPECT_EQ(home.wheel().size(), 0U);
    EXPECT_LT(home.now() - sim_lane::start, 2h) << seed;
  }
}

} // namespace
} // namespace jackfield::lane
