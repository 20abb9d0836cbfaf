#include "engine/lane/io_lane.hpp"

#include <cerrno>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::lane {
namespace {

using namespace std::chrono_literals;

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class io_lane_test : public testing::Test {
protected:
  io_lane_test() : system_(config_), lane_(io_lane::make(system_, 0).value()) {}

  /// Runs `f` on the lane and returns when it is done.
  void on_lane(std::function<void()> f) {
    std::promise<void> done;
    lane_->post([&] {
      f();
      done.set_value();
    });
    done.get_future().get();
  }

  caf::actor_system_config config_;
  caf::actor_system system_;
  std::unique_ptr<io_lane> lane_;
};

struct collecting_handler : datagram_handler {
  explicit collecting_handler(size_t expected_count) : expected(expected_count) {}
  void on_datagram(const endpoint& from, std::span<const std::byte> bytes, time_point) override {
    source = from;
    got.push_back(text(bytes));
    if (got.size() == expected)
      complete.set_value();
  }
  size_t expected;
  endpoint source;
  std::vector<std::string> got;
  std::promise<void> complete;
};

TEST_F(io_lane_test,
       datagrams_of_equal_length_arrive_one_by_one_whether_or_not_the_peer_takes_trains) {
  for (const bool trains : {false, true}) {
    constexpr size_t count = 150; // more than two trains
    collecting_handler receiver{count};
    collecting_handler sender{0};
    std::unique_ptr<datagram_socket> in;
    std::unique_ptr<datagram_socket> out;
    auto fresh = io_lane::make(system_, 0).value();
    fresh->start();
    fresh->post([&] {
      datagram_options options;
      options.trains = trains;
      in = fresh->open_datagram(endpoint::loopback_v4(0), receiver, options).value();
      options.trains = true;
      out = fresh->open_datagram(endpoint::loopback_v4(0), sender, options).value();
      for (size_t i = 0; i < count; ++i)
        out->send(in->local(), "message " + std::to_string(1000 + i));
    });
    receiver.complete.get_future().get();
    std::promise<void> closed;
    fresh->post([&] {
      EXPECT_EQ(receiver.source, out->local());
      in.reset();
      out.reset();
      closed.set_value();
    });
    closed.get_future().get();
    ASSERT_EQ(receiver.got.size(), count);
    for (size_t i = 0; i < count; ++i)
      EXPECT_EQ(receiver.got[i], "message " + std::to_string(1000 + i))
        << "order of one rank is kept";
  }
}

TEST_F(io_lane_test, lower_ranks_leave_first) {
  collecting_handler receiver{3};
  collecting_handler sender{0};
  std::unique_ptr<datagram_socket> in;
  std::unique_ptr<datagram_socket> out;
  lane_->start();
  lane_->post([&] {
    datagram_options options;
    options.trains = true;
    in = lane_->open_datagram(endpoint::loopback_v4(0), receiver, options).value();
    out = lane_->open_datagram(endpoint::loopback_v4(0), sender, options).value();
    out->send(in->local(), "last", 5);
    out->send(in->local(), "first", 0);
    out->send(in->local(), "middle", 1);
  });
  receiver.complete.get_future().get();
  on_lane([&] {
    in.reset();
    out.reset();
  });
  EXPECT_THAT(receiver.got, testing::ElementsAre("first", "middle", "last"));
}

/// Tells of each datagram by itself.
struct telling_handler : datagram_handler {
  void on_datagram(const endpoint&, std::span<const std::byte> bytes, time_point) override {
    {
      const std::scoped_lock lock{mutex};
      got.push_back(text(bytes));
    }
    came.notify_all();
  }
  std::vector<std::string> wait_for(size_t count) {
    std::unique_lock lock{mutex};
    came.wait(lock, [&] { return got.size() >= count; });
    return got;
  }
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::string> got;
};

TEST_F(io_lane_test, media_that_gather_are_heard_and_hold_up_nobody_else) {
  auto home = io_lane::make(system_, 0, 24h).value();
  telling_handler media;
  telling_handler other;
  collecting_handler sender{0};
  std::unique_ptr<datagram_socket> media_in;
  std::unique_ptr<datagram_socket> other_in;
  std::unique_ptr<datagram_socket> out;
  home->start();
  home->post([&] {
    datagram_options options;
    options.media = true;
    media_in = home->open_datagram(endpoint::loopback_v4(0), media, options).value();
    other_in = home->open_datagram(endpoint::loopback_v4(0), other, {}).value();
    out = home->open_datagram(endpoint::loopback_v4(0), sender, {}).value();
    out->send(media_in->local(), "first");
  });
  EXPECT_THAT(media.wait_for(1), testing::ElementsAre("first"));
  home->post([&] {
    out->send(media_in->local(), "second");
    out->send(other_in->local(), "other");
  });
  EXPECT_THAT(other.wait_for(1), testing::ElementsAre("other"));
  std::promise<void> closed;
  home->post([&] {
    EXPECT_THAT(media.got, testing::SizeIs(1)) << "a day has not passed: it lies there";
    media_in.reset();
    other_in.reset();
    out.reset();
    closed.set_value();
  });
  closed.get_future().get();
}

TEST_F(io_lane_test, media_that_gather_are_heard_again_after_it_was_quiet) {
  auto home = io_lane::make(system_, 0, 1us).value();
  telling_handler media;
  collecting_handler sender{0};
  std::unique_ptr<datagram_socket> in;
  std::unique_ptr<datagram_socket> out;
  home->start();
  home->post([&] {
    datagram_options options;
    options.media = true;
    in = home->open_datagram(endpoint::loopback_v4(0), media, options).value();
    out = home->open_datagram(endpoint::loopback_v4(0), sender, {}).value();
  });
  constexpr size_t rounds = 200; // each waits until the one before was heard
  for (size_t i = 1; i <= rounds; ++i) {
    home->post([&] { out->send(in->local(), std::to_string(i)); });
    EXPECT_EQ(media.wait_for(i).back(), std::to_string(i));
  }
  std::promise<void> closed;
  home->post([&] {
    in.reset();
    out.reset();
    closed.set_value();
  });
  closed.get_future().get();
}

struct arrival_handler : datagram_handler {
  void on_datagram(const endpoint&, std::span<const std::byte> bytes, time_point at) override {
    got.push_back(text(bytes));
    arrived.push_back(at);
    if (destroys)
      destroys->reset();
  }
  void on_datagram_error(int errno_value) override { errors.push_back(errno_value); }
  std::vector<std::string> got;
  std::vector<time_point> arrived;
  std::vector<int> errors;
  std::unique_ptr<datagram_socket>* destroys = nullptr;
};

TEST_F(io_lane_test, a_socket_read_on_demand_tells_when_each_datagram_came) {
  arrival_handler receiver;
  collecting_handler sender{0};
  lane_->start();
  on_lane([&] {
    datagram_options options;
    options.media = true;
    auto out = lane_->open_datagram(endpoint::loopback_v4(0), sender, options).value();
    options.on_demand = true;
    auto in = lane_->open_datagram(endpoint::loopback_v4(0), receiver, options).value();
    out->send(in->local(), "zero");
    EXPECT_THAT(receiver.got, testing::IsEmpty()) << "nothing is handed up unasked";
    // The kernel's clock and ours are read one after the other, and we may be put aside in between:
    // told right once is told right. The first socket on a machine to ask for times has them a
    // moment later: a worker of the kernel's turns them on.
    bool told = false;
    for (int attempt = 0; attempt < 200'000 && !told; ++attempt) {
      while (receiver.got.empty())
        in->receive_pending();
      receiver.got.clear();
      receiver.arrived.clear();
      std::vector<time_point> sent;
      for (const char* bytes : {"one", "two", "three"}) {
        sent.push_back(lane_->exact_now());
        out->send(in->local(), bytes);
      }
      sent.push_back(lane_->exact_now());
      while (receiver.got.size() < 3)
        in->receive_pending();
      EXPECT_THAT(receiver.got, testing::ElementsAre("one", "two", "three"));
      constexpr auto slack = 1us;
      told = true;
      for (size_t i = 0; i < 3; ++i)
        told = told && receiver.arrived[i] >= sent[i] - slack &&
               receiver.arrived[i] <= sent[i + 1] + slack;
    }
    EXPECT_TRUE(told) << "a datagram's own time, not that of the reading";
    in->receive_pending();
    EXPECT_EQ(receiver.got.size(), 3U) << "nothing is left";
  });
}

/// Not connected to anybody: who refused is told all the same, and what goes to others gets there.
TEST_F(io_lane_test, ports_that_nobody_is_at_are_told_of_where_asked) {
  struct refusals : datagram_handler {
    void on_datagram(const endpoint&, std::span<const std::byte>, time_point) override {}
    void on_datagram_refused(const endpoint& by) override {
      who.push_back(by);
      if (who.size() == 3)
        complete.set_value();
    }
    std::vector<endpoint> who;
    std::promise<void> complete;
  };
  refusals sender;
  collecting_handler receiver{3};
  std::unique_ptr<datagram_socket> in;
  std::unique_ptr<datagram_socket> out;
  endpoint nobody;
  lane_->start();
  on_lane([&] {
    collecting_handler gone{0};
    nobody = lane_->open_datagram(endpoint::loopback_v4(0), gone, {}).value()->local();
    in = lane_->open_datagram(endpoint::loopback_v4(0), receiver, {}).value();
    datagram_options options;
    options.hears_refusals = true;
    options.trains = true;
    out = lane_->open_datagram(endpoint::loopback_v4(0), sender, options).value();
  });
  for (const char* bytes : {"one", "two", "six"}) // a pass each
    on_lane([&] {
      out->send(nobody, bytes);
      out->send(in->local(), bytes);
    });
  sender.complete.get_future().get();
  receiver.complete.get_future().get();
  on_lane([&] {
    EXPECT_EQ(out->drops(), 0U) << "a refusal of another's is no loss";
    in.reset();
    out.reset();
  });
  EXPECT_THAT(sender.who, testing::Each(nobody));
  EXPECT_THAT(receiver.got, testing::ElementsAre("one", "two", "six"));
}

TEST_F(io_lane_test, a_socket_may_be_read_on_demand_for_some_time) {
  collecting_handler receiver{2};
  collecting_handler sender{0};
  std::unique_ptr<datagram_socket> in;
  std::unique_ptr<datagram_socket> out;
  lane_->start();
  on_lane([&] {
    datagram_options options;
    options.media = true;
    out = lane_->open_datagram(endpoint::loopback_v4(0), sender, options).value();
    in = lane_->open_datagram(endpoint::loopback_v4(0), receiver, options).value();
    ASSERT_TRUE(in->set_on_demand(true));
    out->send(in->local(), "zero");
  });
  on_lane([&] {
    EXPECT_THAT(receiver.got, testing::IsEmpty()) << "nothing is handed up unasked";
    ASSERT_TRUE(in->set_on_demand(false));
    out->send(in->local(), "one");
  });
  receiver.complete.get_future().get();
  on_lane([&] {
    EXPECT_THAT(receiver.got, testing::ElementsAre("zero", "one"));
    in.reset();
    out.reset();
  });
}

TEST_F(io_lane_test, a_socket_read_on_demand_may_end_in_its_handler_and_hears_of_refusals) {
  arrival_handler receiver;
  arrival_handler refused;
  collecting_handler sender{0};
  lane_->start();
  on_lane([&] {
    datagram_options options;
    options.media = true;
    auto out = lane_->open_datagram(endpoint::loopback_v4(0), sender, options).value();
    options.on_demand = true;
    auto in = lane_->open_datagram(endpoint::loopback_v4(0), receiver, options).value();
    const auto gone = in->local();
    receiver.destroys = &in;
    out->send(gone, "one");
    out->send(gone, "two");
    in->receive_pending();
    EXPECT_THAT(receiver.got, testing::ElementsAre("one"));
    EXPECT_EQ(in, nullptr);
    options.connect_to = gone;
    auto caller = lane_->open_datagram(endpoint::loopback_v4(0), refused, options).value();
    caller->send(gone, "anybody?");
    caller->receive_pending();
    EXPECT_THAT(refused.errors, testing::ElementsAre(ECONNREFUSED));
  });
}

TEST_F(io_lane_test, a_refused_datagram_is_neither_lost_here_nor_does_it_hold_up_the_next) {
  arrival_handler handler;
  lane_->start();
  on_lane([&] {
    datagram_options options;
    options.media = true;
    options.on_demand = true;
    auto out = lane_->open_datagram(endpoint::loopback_v4(0), handler, options).value();
    auto in = lane_->open_datagram(endpoint::loopback_v4(0), handler, options).value();
    const auto there = in->local();
    in.reset();
    ASSERT_TRUE(out->connect(there));
    for (int i = 0; i < 5; ++i)
      out->send(there, "anybody?");
    EXPECT_EQ(out->drops(), 0U);
    EXPECT_EQ(lane_->health().socket_drops, 0U);
    in = lane_->open_datagram(there, handler, options).value();
    out->send(there, "now");
    in->receive_pending();
    EXPECT_THAT(handler.got, testing::ElementsAre("now"));
  });
}

TEST_F(io_lane_test, binding_a_taken_port_names_it) {
  collecting_handler handler{0};
  lane_->start();
  on_lane([&] {
    auto first = lane_->open_datagram(endpoint::loopback_v4(0), handler, {});
    ASSERT_TRUE(first);
    auto second = lane_->open_datagram((*first)->local(), handler, {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().to_string(),
              "udp " + (*first)->local().to_string() + ": cannot bind: Address already in use");
  });
}

/// A stream that says back what it hears, owned by its acceptor.
struct echo_server : accept_handler, stream_handler {
  stream_handler* on_accept(std::unique_ptr<stream_socket> stream) override {
    connection = std::move(stream);
    return this;
  }
  void on_data(std::span<const std::byte> bytes) override {
    ASSERT_TRUE(connection->write(text(bytes)));
  }
  void on_closed(const error& why) override {
    EXPECT_EQ(why.cause, "");
    connection.reset();
    gone.set_value();
  }
  std::unique_ptr<stream_socket> connection;
  std::promise<void> gone;
};

struct stream_client : stream_handler {
  void on_connected() override { up = true; }
  void on_data(std::span<const std::byte> bytes) override {
    got += text(bytes);
    if (got.size() == expected)
      complete.set_value();
  }
  void on_closed(const error& why) override { closed.set_value(why); }
  bool up = false;
  size_t expected = 0;
  std::string got;
  std::promise<void> complete;
  std::promise<error> closed;
};

TEST_F(io_lane_test, a_stream_carries_more_than_socket_buffers_hold) {
  lane_->start();
  echo_server server;
  stream_client client;
  std::unique_ptr<stream_listener> listener;
  std::unique_ptr<stream_socket> stream;
  const std::string sent(stream_socket::max_queued, 'x');
  client.expected = sent.size();
  on_lane([&] {
    listener = lane_->listen(endpoint::loopback_v4(0), server).value();
    stream = lane_->connect(listener->local(), client, {}).value();
    EXPECT_TRUE(stream->write(sent));
    EXPECT_FALSE(stream->write("one byte too many")) << "the bound on queued bytes holds";
  });
  client.complete.get_future().get();
  on_lane([&] {
    EXPECT_TRUE(client.up);
    EXPECT_EQ(client.got, sent);
    stream.reset();
  });
  server.gone.get_future().get();
  on_lane([&] { listener.reset(); });
}

TEST_F(io_lane_test, a_refused_connection_says_so) {
  lane_->start();
  stream_client client;
  std::unique_ptr<stream_socket> stream;
  std::string peer;
  on_lane([&] {
    collecting_handler handler{0};
    const auto unused =
      lane_->open_datagram(endpoint::loopback_v4(0), handler, {}).value()->local();
    peer = unused.to_string();
    stream = lane_->connect(unused, client, {}).value();
  });
  const auto why = client.closed.get_future().get();
  EXPECT_EQ(why.to_string(), "tcp " + peer + ": cannot connect: Connection refused");
  on_lane([&] { stream.reset(); });
}

TEST_F(io_lane_test, a_timer_never_fires_early) {
  lane_->start();
  struct shot {
    std::promise<time_point> fired;
    io_lane* home;
    timer t{[](void* self) {
              auto& s = *static_cast<shot*>(self);
              s.fired.set_value(s.home->exact_now());
            },
            this};
  };
  auto s = std::make_unique<shot>();
  s->home = lane_.get();
  time_point due;
  on_lane([&] {
    due = lane_->exact_now() + 5ms;
    lane_->arm(s->t, due);
  });
  EXPECT_GE(s->fired.get_future().get(), due);
  on_lane([&] { s.reset(); });
}

} // namespace
} // namespace jackfield::lane
