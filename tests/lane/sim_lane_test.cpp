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
#include "tests/lane/sim_text.hpp"

namespace jackfield::lane {
namespace {

using namespace std::chrono_literals;

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

TEST_F(sim_lane_test, a_socket_may_be_read_on_demand_for_some_time) {
  sim_lane home{system_, 1};
  datagram_sink a;
  datagram_sink b;
  auto from = home.open_datagram(at("192.0.2.1:5060"), a, {}).value();
  auto to = home.open_datagram(at("192.0.2.2:5060"), b, {.on_demand = true}).value();
  const auto say = [&](const char* bytes) {
    from->send(to->local(), bytes);
    home.run();
  };
  say("0");
  EXPECT_EQ(b.got.size(), 0U);
  ASSERT_TRUE(to->set_on_demand(false));
  EXPECT_EQ(b.got.size(), 1U) << "what waited is not lost";
  say("1");
  EXPECT_EQ(b.got.size(), 2U);
  ASSERT_TRUE(to->set_on_demand(true));
  say("2");
  EXPECT_EQ(b.got.size(), 2U);
  to->receive_pending();
  ASSERT_EQ(b.got.size(), 3U);
  EXPECT_EQ(b.got[2].bytes, "2");
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
