#include "engine/lane/sim_lane.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/lane/lane_actor.hpp"

namespace jackfield::lane {
namespace {

using namespace std::chrono_literals;

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

endpoint at(std::string_view address) {
  return endpoint::parse_with_port(address, 0).value();
}

class sim_lane_test : public testing::Test {
protected:
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
};

// -- datagrams -------------------------------------------------------------------

struct arrival {
  time_point when;
  endpoint from;
  std::string bytes;
};

struct datagram_sink : datagram_handler {
  void on_datagram(const endpoint& from, std::span<const std::byte> bytes,
                   time_point arrived) override {
    got.push_back({arrived, from, text(bytes)});
  }
  void on_datagram_error(int errno_value) override { errors.push_back(errno_value); }
  std::vector<arrival> got;
  std::vector<int> errors;
};

/// Answers each datagram; both ends of a ping-pong.
struct echo : datagram_handler {
  void on_datagram(const endpoint& from, std::span<const std::byte> bytes, time_point) override {
    ++heard;
    if (answers_left-- > 0)
      socket->send(from, text(bytes) + "+");
  }
  std::unique_ptr<datagram_socket> socket;
  int answers_left = 0;
  int heard = 0;
};

/// Sends one numbered datagram every `spacing`.
class ticker {
public:
  ticker(lane& home, datagram_socket& socket, const endpoint& to, int count, duration spacing)
      : home_(home), socket_(socket), to_(to), count_(count), spacing_(spacing),
        timer_(&fire, this) {
    home_.arm_in(timer_, spacing_);
  }

private:
  static void fire(void* self) {
    auto& t = *static_cast<ticker*>(self);
    t.socket_.send(t.to_, std::to_string(t.sent_));
    if (++t.sent_ < t.count_)
      t.home_.arm_in(t.timer_, t.spacing_);
  }
  lane& home_;
  datagram_socket& socket_;
  endpoint to_;
  int count_;
  duration spacing_;
  int sent_ = 0;
  timer timer_;
};

/// What comes of `count` numbered datagrams over `link`.
std::vector<arrival> send_over(sim_lane& home, const sim_link& link, int count, duration spacing) {
  home.set_link(link);
  datagram_sink a;
  datagram_sink b;
  auto from = home.open_datagram(at("192.0.2.1:5060"), a, {}).value();
  auto to = home.open_datagram(at("192.0.2.2:5060"), b, {}).value();
  const ticker source{home, *from, to->local(), count, spacing};
  home.run();
  return b.got;
}

TEST_F(sim_lane_test, a_datagram_takes_the_links_delay) {
  sim_lane home{system_, 1};
  home.set_link({.delay = 40ms});
  home.set_link(at("192.0.2.2"), at("192.0.2.1"), {.delay = 7ms});
  echo a;
  echo b;
  a.socket = home.open_datagram(at("192.0.2.1:5060"), a, {}).value();
  b.socket = home.open_datagram(at("192.0.2.2:5060"), b, {}).value();
  a.answers_left = 9;
  b.answers_left = 10;
  a.socket->send(b.socket->local(), "x");
  home.run();
  EXPECT_EQ(a.heard, 10);
  EXPECT_EQ(b.heard, 10);
  EXPECT_EQ(home.now() - sim_lane::start, 10 * 47ms);
  EXPECT_EQ(home.health().datagrams_in, 20U);
  EXPECT_EQ(home.health().datagrams_out, 20U);
  EXPECT_EQ(home.health().worst_lag, 0ns);
  EXPECT_FALSE(home.step());
}

TEST_F(sim_lane_test, a_socket_read_on_demand_keeps_what_came_and_when) {
  sim_lane home{system_, 1};
  home.set_link({.delay = 40ms});
  datagram_sink a;
  datagram_sink b;
  auto from = home.open_datagram(at("192.0.2.1:5060"), a, {}).value();
  auto to =
    home.open_datagram(at("192.0.2.2:5060"), b, {.buffer_bytes = 3, .on_demand = true}).value();
  const ticker source{home, *from, to->local(), 5, 20ms};
  home.run();
  EXPECT_EQ(b.got.size(), 0U) << "nothing is handed up unasked";
  to->receive_pending();
  ASSERT_EQ(b.got.size(), 3U) << "no more than the buffer holds";
  EXPECT_EQ(b.got[0].bytes, "0");
  EXPECT_EQ(b.got[2].bytes, "2");
  EXPECT_EQ(b.got[2].when - sim_lane::start, 3 * 20ms + 40ms) << "when it came, not when read";
  EXPECT_EQ(to->drops(), 2U);
  EXPECT_EQ(home.health().socket_drops, 2U);
  to->receive_pending();
  EXPECT_EQ(b.got.size(), 3U);
}

TEST_F(sim_lane_test, a_ping_pong_ends_under_each_impairment) {
  for (const sim_link& link :
       {sim_link{}, sim_link{.delay = 0ms}, sim_link{.jitter = 30ms}, sim_link{.loss = 0.2},
        sim_link{.loss = 0.2, .burst = 4}, sim_link{.duplication = 0.5},
        sim_link{.delay = 40ms, .jitter = 20ms, .loss = 0.05, .duplication = 0.05, .burst = 3}}) {
    sim_lane home{system_, 7};
    home.set_link(link);
    echo a;
    echo b;
    a.socket = home.open_datagram(at("192.0.2.1:5060"), a, {}).value();
    b.socket = home.open_datagram(at("[2001:db8::2]:5060"), b, {}).value();
    auto c = echo{};
    c.socket = home.open_datagram(at("192.0.2.3:5060"), c, {}).value();
    a.answers_left = c.answers_left = 200;
    a.socket->send(c.socket->local(), "x");
    home.run();
    EXPECT_GE(a.heard + c.heard, 1);
    EXPECT_LE(a.heard + c.heard, 2 * (400 + 1));
    if (link.loss == 0) {
      EXPECT_GE(a.heard + c.heard, 401);
    }
    a.socket->send(b.socket->local(), "the other family");
    EXPECT_EQ(a.socket->drops(), 1U);
    EXPECT_EQ(home.health().socket_drops, 1U);
  }
}

TEST_F(sim_lane_test, losses_are_as_frequent_and_as_long_as_asked_for) {
  constexpr int count = 200'000;
  for (const double burst : {1.0, 3.0, 10.0}) {
    for (const double loss : {0.01, 0.05, 0.3}) {
      sim_lane home{system_, 42};
      const auto got = send_over(home, {.loss = loss, .burst = burst}, count, 1ms);
      const double lost = 1 - static_cast<double>(got.size()) / count;
      EXPECT_NEAR(lost, loss, loss * 0.15) << burst;
      int bursts = 0;
      int next = 0;
      for (const auto& x : got) {
        const int number = std::stoi(x.bytes);
        bursts += number > next ? 1 : 0;
        next = number + 1;
      }
      const double mean = lost * count / bursts;
      EXPECT_NEAR(mean, std::max(burst, 1 / (1 - loss)), 0.15 * burst) << loss;
    }
  }
}

TEST_F(sim_lane_test, jitter_is_uniform_and_reorders) {
  sim_lane home{system_, 5};
  constexpr int count = 50'000;
  const auto got = send_over(home, {.delay = 40ms, .jitter = 20ms}, count, 10ms);
  ASSERT_EQ(got.size(), static_cast<size_t>(count));
  double sum = 0;
  double squares = 0;
  int reordered = 0;
  int last = -1;
  for (const auto& x : got) {
    const int number = std::stoi(x.bytes);
    const duration delay = x.when - (sim_lane::start + 10ms * (number + 1));
    ASSERT_GE(delay, 20ms);
    ASSERT_LE(delay, 60ms);
    const double ms = std::chrono::duration<double, std::milli>(delay).count();
    sum += ms;
    squares += ms * ms;
    reordered += number < last ? 1 : 0;
    last = number;
  }
  const double mean = sum / count;
  EXPECT_NEAR(mean, 40, 0.3);
  EXPECT_NEAR(std::sqrt(squares / count - mean * mean), 40 / std::sqrt(12), 0.3);
  EXPECT_GT(reordered, count / 10);
}

TEST_F(sim_lane_test, jitter_never_makes_a_delay_negative) {
  sim_lane home{system_, 5};
  const auto got = send_over(home, {.delay = 1ms, .jitter = 20ms}, 1000, 100ms);
  ASSERT_EQ(got.size(), 1000U);
  for (const auto& x : got)
    EXPECT_GE(x.when, sim_lane::start + 100ms * (std::stoi(x.bytes) + 1));
}

TEST_F(sim_lane_test, duplicates_are_as_frequent_as_asked_for) {
  sim_lane home{system_, 5};
  EXPECT_NEAR(static_cast<double>(send_over(home, {.duplication = 0.1}, 50'000, 1ms).size()),
              55'000, 500);
}

TEST_F(sim_lane_test, nonsense_in_a_link_counts_as_the_nearest_sense) {
  sim_lane home{system_, 5};
  EXPECT_EQ(send_over(home,
                      {.delay = -5s, .jitter = -1s, .loss = -2, .duplication = NAN, .burst = -1},
                      100, 1ms)
              .size(),
            100U);
  EXPECT_EQ(send_over(home, {.loss = 7, .burst = 1e300}, 100, 1ms).size(), 0U);
  EXPECT_EQ(send_over(home, {.loss = NAN, .duplication = INFINITY, .burst = NAN}, 100, 1ms).size(),
            200U);
  EXPECT_EQ(send_over(home, {.delay = duration::max(), .jitter = duration::max()}, 100, 1ms).size(),
            100U);
}

TEST_F(sim_lane_test, the_same_seed_gives_the_same_log_to_the_byte) {
  const auto run = [&](uint64_t seed, std::string& log) {
    sim_lane home{system_, seed};
    home.set_event_log([&](std::string_view line) {
      log += line;
      log += '\n';
    });
    send_over(home, {.delay = 40ms, .jitter = 20ms, .loss = 0.05, .duplication = 0.05, .burst = 3},
              2000, 5ms);
    return home.event_digest();
  };
  std::string first;
  std::string again;
  std::string other;
  const uint64_t digest = run(11, first);
  EXPECT_EQ(run(11, again), digest);
  EXPECT_NE(run(12, other), digest);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
  EXPECT_THAT(first.substr(0, first.find('\n')),
              testing::MatchesRegex("3600005000000 udp_[a-z]+ 192.0.2.1:5060 192.0.2.2:5060 1 "
                                    "[0-9a-f]+"));
  // Another machine, compiler or library must come to this, too.
  EXPECT_EQ(digest, 535678079618832777U);
}

TEST_F(sim_lane_test, random_numbers_come_from_the_seed) {
  sim_lane a{system_, 3};
  sim_lane b{system_, 3};
  sim_lane c{system_, 4};
  std::array<std::byte, 13> x{};
  std::array<std::byte, 13> y{};
  a.random_bytes(x);
  b.random_bytes(y);
  EXPECT_EQ(x, y);
  c.random_bytes(y);
  EXPECT_NE(x, y);
  EXPECT_EQ(a.random(), b.random());
}

TEST_F(sim_lane_test, addresses_are_given_out_once_and_in_order) {
  sim_lane home{system_, 1};
  datagram_sink sink;
  auto first = home.open_datagram(at("192.0.2.1:5060"), sink, {});
  ASSERT_TRUE(first);
  auto second = home.open_datagram(at("192.0.2.1:5060"), sink, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().to_string(), "udp 192.0.2.1:5060: cannot bind: Address already in use");
  EXPECT_TRUE(home.open_datagram(at("192.0.2.2:5060"), sink, {}));
  EXPECT_FALSE(home.open_datagram(at("0.0.0.0:5060"), sink, {}));
  EXPECT_FALSE(home.open_datagram(endpoint{}, sink, {}));
  first->reset();
  EXPECT_TRUE(home.open_datagram(at("192.0.2.1:5060"), sink, {}));
  auto a = home.open_datagram(at("192.0.2.1:0"), sink, {}).value();
  auto b = home.open_datagram(at("192.0.2.1:0"), sink, {}).value();
  EXPECT_EQ(a->local(), at("192.0.2.1:32768"));
  EXPECT_EQ(b->local(), at("192.0.2.1:32769"));
  std::vector<std::unique_ptr<datagram_socket>> all;
  for (int i = 0; i < 65536 - 32768 - 2; ++i)
    all.push_back(home.open_datagram(at("192.0.2.1:0"), sink, {}).value());
  EXPECT_FALSE(home.open_datagram(at("192.0.2.1:0"), sink, {}));
  a.reset();
  EXPECT_EQ(home.open_datagram(at("192.0.2.1:0"), sink, {}).value()->local().port(), 32768);
}

TEST_F(sim_lane_test, a_datagram_to_nobody_is_dropped_and_connected_sockets_hear_of_it) {
  sim_lane home{system_, 1};
  datagram_sink plain_sink;
  datagram_sink connected_sink;
  datagram_sink other_sink;
  auto plain = home.open_datagram(at("192.0.2.1:1"), plain_sink, {}).value();
  auto other = home.open_datagram(at("192.0.2.2:2"), other_sink, {}).value();
  auto connected =
    home.open_datagram(at("192.0.2.1:2"), connected_sink, {.connect_to = at("192.0.2.2:7")})
      .value();
  plain->send(at("192.0.2.2:7"), "x");
  connected->send({}, "x");
  plain->send(at("192.0.2.77:7"), "x"); // no such host
  home.run();
  EXPECT_THAT(connected_sink.errors, testing::ElementsAre(ECONNREFUSED));
  EXPECT_TRUE(plain_sink.errors.empty());

  // A connected socket hears its peer only.
  other->send(connected->local(), "x");
  home.run();
  EXPECT_TRUE(connected_sink.got.empty());
  ASSERT_TRUE(connected->connect(other->local()));
  other->send(connected->local(), "y");
  connected->send(other->local(), "z");
  home.run();
  ASSERT_EQ(connected_sink.got.size(), 1U);
  EXPECT_EQ(connected_sink.got[0].bytes, "y");
  ASSERT_EQ(other_sink.got.size(), 1U);
  EXPECT_EQ(other_sink.got[0].from, connected->local());
  EXPECT_FALSE(connected->connect(at("[2001:db8::1]:5")));
  plain->send(at("224.0.0.1:5"), "x");
  plain->send(other->local(), std::string(65'508, 'x'));
  EXPECT_EQ(plain->drops(), 2U);
}

TEST_F(sim_lane_test, a_partition_swallows_datagrams_until_it_heals) {
  sim_lane home{system_, 1};
  home.set_link({.delay = 10ms});
  datagram_sink a;
  datagram_sink b;
  auto from = home.open_datagram(at("192.0.2.1:5060"), a, {}).value();
  auto to = home.open_datagram(at("192.0.2.2:5060"), b, {}).value();
  const ticker source{home, *from, to->local(), 10, 100ms};
  home.run_until(sim_lane::start + 305ms); // the third is under way
  home.set_partition(at("192.0.2.2"), at("192.0.2.1"), true);
  home.run_until(sim_lane::start + 705ms);
  home.set_partition(at("192.0.2.1:9"), at("192.0.2.2:9"), false);
  home.run();
  std::vector<std::string> numbers;
  for (const auto& x : b.got)
    numbers.push_back(x.bytes);
  // Of the seventh, under way at the moment of healing, only its arrival counts.
  EXPECT_THAT(numbers, testing::ElementsAre("0", "1", "7", "8", "9"));
}

TEST_F(sim_lane_test, a_handler_may_close_its_socket) {
  struct closing : datagram_handler {
    void on_datagram(const endpoint&, std::span<const std::byte> bytes, time_point) override {
      socket.reset();
      ++heard;
      last = text(bytes);
    }
    std::unique_ptr<datagram_socket> socket;
    int heard = 0;
    std::string last;
  };
  sim_lane home{system_, 1};
  closing c;
  datagram_sink sink;
  c.socket = home.open_datagram(at("192.0.2.1:1"), c, {}).value();
  auto from = home.open_datagram(at("192.0.2.2:1"), sink, {}).value();
  from->send(c.socket->local(), "first");
  from->send(c.socket->local(), "second");
  home.run();
  EXPECT_EQ(c.heard, 1);
  EXPECT_EQ(c.last, "first");
}

// -- streams ---------------------------------------------------------------------

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

class sim_stream_test : public sim_lane_test {
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
  datagram_sink sink;
  auto presence = home_.open_datagram(at("192.0.2.2:1"), sink, {}).value();
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

TEST_F(sim_lane_test, a_dead_host_loses_what_is_under_way_to_it) {
  sim_lane home{system_, 1};
  home.set_link({.delay = 10ms});
  datagram_sink a;
  datagram_sink b;
  auto from = home.open_datagram(at("192.0.2.1:5060"), a, {}).value();
  auto to = home.open_datagram(at("192.0.2.2:5060"), b, {}).value();
  from->send(to->local(), "lost");
  to->send(from->local(), "already on the wire");
  home.kill_host(to->local());
  to->send(from->local(), "from beyond");
  auto back = home.open_datagram(at("192.0.2.2:5060"), b, {}).value();
  to.reset(); // the old socket does not take the new one's place with it
  home.run();
  EXPECT_TRUE(b.got.empty());
  ASSERT_EQ(a.got.size(), 1U);
  EXPECT_EQ(a.got[0].bytes, "already on the wire");
  from->send(back->local(), "welcome back");
  home.run();
  ASSERT_EQ(b.got.size(), 1U);
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

// -- actors ----------------------------------------------------------------------

/// Ticks once a virtual second and counts.
class clock_actor : public lane_actor {
public:
  clock_actor(caf::actor_config& config, lane& home, int ticks, std::vector<time_point>& seen)
      : lane_actor(config, home), ticks_(ticks), seen_(seen), timer_(*this, 7) {}

  caf::behavior make_behavior() override {
    timer_.arm(home().now() + 1s);
    return {[this](timer_fired fired) {
      EXPECT_EQ(fired.id, 7U);
      seen_.push_back(home().now());
      if (--ticks_ > 0)
        timer_.arm(home().now() + 1s);
      else
        quit();
    }};
  }

private:
  int ticks_;
  std::vector<time_point>& seen_;
  actor_timer timer_;
};

TEST_F(sim_lane_test, an_actors_hours_pass_in_a_moment_and_nothing_is_left) {
  sim_lane home{system_, 1};
  std::vector<time_point> seen;
  caf::actor clock = home.spawn<clock_actor>(36'000, seen);
  EXPECT_EQ(home.live_actors(), 1U);
  home.run();
  clock = nullptr;
  ASSERT_EQ(seen.size(), 36'000U);
  EXPECT_EQ(seen.back(), sim_lane::start + 10h);
  EXPECT_EQ(home.now(), sim_lane::start + 10h);
  EXPECT_EQ(home.live_actors(), 0U);
  EXPECT_EQ(home.wheel().size(), 0U);
  EXPECT_EQ(home.health().smoothed_lag, 0ns);
  EXPECT_EQ(home.health().late_passes, 0U);
}

/// Notes its number when it is told of another actor, to which it sends a nudge; notes 100 more
/// when nudged itself.
class relay_actor : public lane_actor {
public:
  relay_actor(caf::actor_config& config, lane& home, int number, std::vector<int>& order)
      : lane_actor(config, home), number_(number), order_(order) {}

  caf::behavior make_behavior() override {
    return {[this](const caf::actor& other) {
              order_.push_back(number_);
              send(other, 1);
            },
            [this](int) { order_.push_back(100 + number_); }};
  }

private:
  int number_;
  std::vector<int>& order_;
};

TEST_F(sim_lane_test, actors_run_in_the_order_in_which_they_were_woken) {
  sim_lane home{system_, 1};
  std::vector<int> order;
  std::vector<caf::actor> actors;
  for (int i = 0; i < 50; ++i)
    actors.push_back(home.spawn<relay_actor>(i, order));
  home.run();
  // The first round is in the order of posting; each actor passes on to its predecessor, so the
  // second is in the order of the first.
  for (int i = 0; i < 50; ++i) {
    const auto& self = actors[static_cast<size_t>(i)];
    const auto& predecessor = actors[static_cast<size_t>((i + 49) % 50)];
    caf::anon_send(self, predecessor);
  }
  home.run();
  std::vector<int> expected;
  for (int i = 0; i < 50; ++i)
    expected.push_back(i);
  for (int i = 0; i < 50; ++i)
    expected.push_back(100 + (i + 49) % 50);
  EXPECT_EQ(order, expected);
  actors.clear();
  EXPECT_EQ(home.live_actors(), 0U);
}

TEST_F(sim_lane_test, stops_at_the_time_asked_for) {
  sim_lane home{system_, 1};
  std::vector<time_point> seen;
  const caf::actor clock = home.spawn<clock_actor>(10, seen);
  EXPECT_FALSE(home.run_until(sim_lane::start + 3500ms));
  EXPECT_EQ(home.now(), sim_lane::start + 3500ms);
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_FALSE(home.run_until(sim_lane::start + 4s));
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_TRUE(home.run_until(sim_lane::start + 1h));
  EXPECT_EQ(home.now(), sim_lane::start + 10s) << "the clock stands at the last event";
  EXPECT_TRUE(home.run_until(sim_lane::start + 1h));
  EXPECT_FALSE(home.watch(0, true, true, [](bool, bool) {}));
}

} // namespace
} // namespace jackfield::lane
