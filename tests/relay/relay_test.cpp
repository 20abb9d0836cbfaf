#include "tests/relay/path/relay.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::tests {
namespace {

using namespace std::chrono_literals;

socket_address loopback(std::uint16_t port = 0) {
  return *parse_address("test", "127.0.0.1:" + std::to_string(port));
}

/// A bound UDP socket whose calls block.
class peer {
public:
  peer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), address_(loopback()) {
    EXPECT_EQ(bind(fd_.get(), address_.get(), address_.length), 0);
    EXPECT_EQ(getsockname(fd_.get(), address_.get(), &address_.length), 0);
  }

  [[nodiscard]] const socket_address& address() const { return address_; }

  void send(std::string_view text, const socket_address& to) {
    EXPECT_EQ(sendto(fd_.get(), text.data(), text.size(), 0, to.get(), to.length),
              static_cast<ssize_t>(text.size()));
  }

  /// The next datagram; where it came from is in `source`.
  std::string receive() {
    std::array<char, 65'536> bytes;
    source.length = sizeof source.bytes;
    auto got = recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, source.get(), &source.length);
    return got < 0 ? "failed" : std::string(bytes.data(), static_cast<std::size_t>(got));
  }

  socket_address source;

private:
  owned_fd fd_;
  socket_address address_;
};

/// A relay to `target` that runs until `finish` or the end of the test.
class running_relay {
public:
  explicit running_relay(const peer& target, const impairment_options& path = {},
                         std::function<void(const relay_event&)> observer = {}) {
    relay_options options;
    options.listen = loopback();
    options.target = target.address();
    options.path = path;
    relay_ = relay::open(options).value();
    relay_->set_observer(std::move(observer));
    thread_ = std::thread([this] { EXPECT_TRUE(relay_->run()); });
  }

  ~running_relay() { finish(); }

  [[nodiscard]] const socket_address& address() const { return relay_->listening(); }

  relay_statistics finish() {
    if (thread_.joinable()) {
      relay_->stop();
      thread_.join();
    }
    return relay_->statistics();
  }

private:
  std::unique_ptr<relay> relay_;
  std::thread thread_;
};

TEST(relay, passes_datagrams_there_and_back) {
  peer target;
  running_relay between(target);
  std::array<peer, 3> clients;
  std::set<std::string> sources;
  for (auto& client : clients) {
    client.send("hello", between.address());
    EXPECT_EQ(target.receive(), "hello");
    sources.insert(target.source.to_string());
    target.send("welcome", target.source);
    EXPECT_EQ(client.receive(), "welcome");
    EXPECT_EQ(client.source.to_string(), between.address().to_string());
  }
  EXPECT_EQ(sources.size(), clients.size());
  clients[0].send("", between.address());
  EXPECT_EQ(target.receive(), "");
  EXPECT_EQ(sources.count(target.source.to_string()), 1u);
  auto got = between.finish();
  EXPECT_EQ(got.flows, 3u);
  EXPECT_EQ(got.to_target.received, 4u);
  EXPECT_EQ(got.to_target.sent, 4u);
  EXPECT_EQ(got.to_client.sent, 3u);
}

TEST(relay, does_what_its_model_says) {
  impairment_options path;
  path.loss = 0.1;
  path.burst = 2;
  path.duplicate = 0.05;
  path.delay = 2ms;
  path.jitter = 1ms;
  path.mtu = 100;
  peer target;
  peer client;
  running_relay between(target, path);
  impairment model(path, impairment::direction::to_target);
  relay_counters expected;
  // The last one arrives, which tells that all before it were read.
  bool arrived = false;
  for (int i = 0; i < 1'000 || !arrived; ++i) {
    std::string payload(i % 50 == 0 ? 101 : 20, 'x');
    auto fate = model.next(payload.size());
    ++expected.received;
    expected.lost += fate.why == fate::cause::lost;
    expected.too_big += fate.why == fate::cause::too_big;
    expected.duplicated += fate.copies == 2;
    arrived = fate.copies > 0;
    client.send(payload, between.address());
    for (std::size_t copy = 0; copy < fate.copies; ++copy) {
      EXPECT_EQ(target.receive().size(), 20u);
    }
  }
  auto got = between.finish().to_target;
  EXPECT_EQ(got.too_big, expected.too_big);
  EXPECT_EQ(got.received, expected.received);
  EXPECT_EQ(got.lost, expected.lost);
  EXPECT_EQ(got.duplicated, expected.duplicated);
  EXPECT_EQ(got.sent, expected.received - expected.lost - expected.too_big + expected.duplicated);
}

TEST(relay, held_back_datagrams_are_overtaken) {
  impairment_options path;
  path.reorder = 0.1;
  peer target;
  peer client;
  running_relay between(target, path);
  std::vector<std::string> sent;
  std::vector<std::string> came;
  came.reserve(100);
  for (int i = 0; i < 100; ++i) {
    sent.push_back(std::to_string(i));
    client.send(sent.back(), between.address());
  }
  for (int i = 0; i < 100; ++i) {
    came.push_back(target.receive());
  }
  EXPECT_NE(came, sent);
  EXPECT_THAT(came, testing::UnorderedElementsAreArray(sent));
  auto got = between.finish().to_target;
  EXPECT_GT(got.held_back, 0u);
  EXPECT_GT(got.overtaken, 0u);
  EXPECT_LE(got.overtaken, got.held_back);
}

TEST(relay, a_delay_passes_before_a_datagram_does) {
  impairment_options path;
  path.delay = 30ms;
  peer target;
  peer client;
  running_relay between(target, path);
  const auto start = std::chrono::steady_clock::now();
  client.send("slow", between.address());
  EXPECT_EQ(target.receive(), "slow");
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
}

TEST(relay, tells_of_each_datagram_that_it_sends_or_loses) {
  using direction = impairment::direction;
  impairment_options path;
  path.loss = 0.2;
  path.delay = 5ms;
  const auto line = [](std::uint32_t flow, direction way, bool lost, std::string_view payload) {
    return std::to_string(flow) + (way == direction::to_target ? " there " : " back ") +
           (lost ? "lost " : "sent ") + std::string(payload);
  };
  std::vector<std::string> told;
  std::vector<std::chrono::steady_clock::time_point> left;
  const auto start = std::chrono::steady_clock::now();
  peer target;
  std::array<peer, 2> clients;
  running_relay between(target, path, [&](const relay_event& event) {
    told.push_back(line(event.flow, event.way, event.lost, event.payload));
    if (!event.lost) {
      left.push_back(event.at);
    }
  });
  // Whatever arrives is answered.
  impairment there(path, direction::to_target);
  impairment back(path, direction::to_client);
  std::vector<std::string> expected;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const auto flow = i % 2;
    const auto text = std::to_string(i);
    const bool arrives = there.next(text.size()).copies > 0;
    clients[flow].send(text, between.address());
    expected.push_back(line(flow, direction::to_target, !arrives, text));
    if (!arrives) {
      continue;
    }
    EXPECT_EQ(target.receive(), text);
    const bool comes_back = back.next(text.size()).copies > 0;
    target.send(text, target.source);
    expected.push_back(line(flow, direction::to_client, !comes_back, text));
    if (comes_back) {
      EXPECT_EQ(clients[flow].receive(), text);
    }
  }
  const auto got = between.finish();
  EXPECT_GT(got.to_target.lost, 20u);
  EXPECT_GT(got.to_client.lost, 15u);
  EXPECT_THAT(told, testing::UnorderedElementsAreArray(expected));
  ASSERT_EQ(left.size(), got.to_target.sent + got.to_client.sent);
  EXPECT_TRUE(std::is_sorted(left.begin(), left.end()));
  EXPECT_GE(left.front() - start, 5ms);
}

TEST(relay, outlives_a_target_that_is_gone) {
  peer client;
  auto gone = std::make_unique<peer>();
  running_relay between(*gone);
  const auto where = gone->address();
  gone.reset();
  for (int i = 0; i < 10; ++i) {
    client.send("anybody", between.address());
  }
  // A second flow through the same relay still works once somebody listens there again.
  owned_fd again(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(again.get(), where.get(), where.length), 0);
  client.send("anybody", between.address());
  std::array<char, 16> bytes;
  EXPECT_EQ(recv(again.get(), bytes.data(), bytes.size(), 0), 7);
}

TEST(relay, says_where_it_cannot_listen) {
  peer taken;
  relay_options options;
  options.listen = taken.address();
  options.target = loopback(5060);
  auto got = relay::open(options);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().place, "--listen");
  EXPECT_THAT(got.error().cause, testing::HasSubstr("cannot bind 127.0.0.1:"));
}

TEST(relay_statistics, are_one_line_of_json) {
  relay_statistics made;
  made.seed = 7;
  made.to_target.lost = 3;
  EXPECT_EQ(made.to_json(),
            R"({"seed":7,"to_target":{"received":0,"lost":3,"too_big":0,"duplicated":0,)"
            R"("held_back":0,"overtaken":0,"sent":0,"failed":0,"overflowed":0},)"
            R"("to_client":{"received":0,"lost":0,"too_big":0,"duplicated":0,"held_back":0,)"
            R"("overtaken":0,"sent":0,"failed":0,"overflowed":0},)"
            R"("flows":0,"flows_refused":0,"on_their_way":0})");
}

} // namespace
} // namespace jackfield::tests
