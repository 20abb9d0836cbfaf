#include <algorithm>
#include <cstdint>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/dtls/handshake.hpp"
#include "engine/lane/sim_random.hpp"
#include "tests/dtls/ends.hpp"

namespace jackfield::dtls {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// A path between two ends that loses, doubles and overtakes, by a seed.
class path {
public:
  path(end& a, end& b, uint64_t seed, double loss, double doubling)
      : a_(a), b_(b), random_(seed), loss_(loss), doubling_(doubling) {}

  // Carries on until both ends have come to an end, or nothing more happens.
  void run() {
    lane::time_point now = t0;
    for (;;) {
      take(a_, b_, now);
      take(b_, a_, now);
      auto next = std::min(a_->deadline(), b_->deadline());
      if (!under_way_.empty())
        next = std::min(next, under_way_.begin()->first);
      if (next == lane::time_point::max())
        return;
      now = std::max(now, next);
      if (!under_way_.empty() && under_way_.begin()->first <= now) {
        const auto arrived = under_way_.extract(under_way_.begin());
        (*arrived.mapped().to)->on_datagram(arrived.mapped().bytes, now);
      }
      a_->on_timer(now);
      b_->on_timer(now);
    }
  }

private:
  struct packet {
    end* to;
    datagram bytes;
  };

  void take(end& from, end& to, lane::time_point now) {
    for (const auto& d : from.out.take()) {
      const int copies = doubling_.draw(random_) ? 2 : 1;
      for (int i = 0; i < copies; ++i)
        if (!loss_.draw(random_))
          under_way_.emplace(now + std::chrono::milliseconds{random_.below(60)}, packet{&to, d});
    }
  }

  end& a_;
  end& b_;
  lane::sim_random random_;
  lane::sim_chance loss_;
  lane::sim_chance doubling_;
  std::multimap<lane::time_point, packet> under_way_;
};

TEST(dtls_lossy, two_hundred_bad_paths_end_with_the_same_keys) {
  const auto own = identity::make().value();
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    end client{role::client, own};
    end server{role::server, own};
    start_both(client, server);
    path{client, server, seed, 0.25, 0.2}.run();
    ASSERT_EQ(client->now(), handshake::state::done) << "seed " << seed << ' ' << client->cause();
    ASSERT_EQ(server->now(), handshake::state::done) << "seed " << seed << ' ' << server->cause();
    ASSERT_THAT(client->keys()->local(), ElementsAreArray(server->keys()->remote())) << seed;
    ASSERT_THAT(client->keys()->remote(), ElementsAreArray(server->keys()->local())) << seed;
  }
}

TEST(dtls_lossy, a_dead_path_ends_in_a_timeout_after_waits_that_double) {
  end client{role::client};
  client->start(t0);
  EXPECT_THAT(client.out.take(), SizeIs(1));
  std::vector<int64_t> sent_after;
  while (client->now() == handshake::state::running) {
    const auto now = client->deadline();
    client->on_timer(now - 1ns);
    EXPECT_THAT(client.out.take(), IsEmpty());
    client->on_timer(now);
    if (!client.out.take().empty())
      sent_after.push_back((now - t0) / 1ms);
  }
  EXPECT_THAT(sent_after, ElementsAreArray(
                            {100, 300, 700, 1500, 3100, 6300, 10300, 14300, 18300, 22300, 26300}));
  EXPECT_EQ(client->reason(), handshake::failure::timeout);
  EXPECT_NE(client->cause(), "");
}

TEST(dtls_lossy, no_copy_of_a_hello_has_the_record_number_of_another) {
  end client{role::client};
  client->start(t0);
  std::vector<datagram> seen = client.out.take();
  for (int i = 0; i < 5; ++i) {
    client->on_timer(client->deadline());
    const auto again = client.out.take();
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_THAT(seen, Not(testing::Contains(again[0])));
    seen.push_back(again[0]);
  }
}

TEST(dtls_lossy, a_lingering_server_sends_its_last_flight_as_often_as_the_client_asks) {
  end client{role::client};
  end server{role::server};
  start_both(client, server);
  server->on_datagram(client.out.take().at(0), t0);
  for (const auto& d : server.out.take())
    client->on_datagram(d, t0);
  for (const auto& d : client.out.take())
    server->on_datagram(d, t0);
  ASSERT_EQ(server->now(), handshake::state::done);
  EXPECT_THAT(server.out.take(), Not(IsEmpty())); // and lost

  std::vector<datagram> last_flight;
  for (int i = 0; i < 8; ++i) {
    const auto now = client->deadline();
    client->on_timer(now);
    for (const auto& d : client.out.take())
      server->on_datagram(d, now);
    last_flight = server.out.take();
    ASSERT_THAT(last_flight, Not(IsEmpty())) << i;
  }
  for (const auto& d : last_flight)
    client->on_datagram(d, t0 + 20s);
  EXPECT_EQ(client->now(), handshake::state::done);
  EXPECT_EQ(server->now(), handshake::state::done);
}

} // namespace
} // namespace jackfield::dtls
