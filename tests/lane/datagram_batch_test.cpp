#include "engine/lane/datagram_batch.hpp"

#include <array>
#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/lane/io_lane.hpp"

namespace jackfield::lane {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// With io_uring, which the machine may not have, and without.
class datagram_batch_test : public testing::TestWithParam<bool> {
protected:
  struct end final : datagram_handler {
    void on_datagram(const endpoint& /*from*/, std::span<const std::byte> bytes,
                     time_point /*arrived*/) override {
      got.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (then)
        then();
    }
    void on_datagram_error(int errno_value) override { errors.push_back(errno_value); }
    std::unique_ptr<datagram_socket> socket;
    std::vector<std::string> got;
    std::vector<int> errors;
    std::function<void()> then;
  };

  datagram_batch_test() : system_(config_), lane_(io_lane::make(system_, 0).value()) {}

  void SetUp() override {
    auto ring = GetParam() ? datagram_ring::make() : nullptr;
    if (GetParam() && !ring)
      GTEST_SKIP() << "no io_uring here";
    batch_.emplace(std::move(ring));
  }
  void open(end& one) {
    datagram_options options;
    options.media = options.on_demand = true;
    one.socket = lane_->open_datagram(endpoint::loopback_v4(0), one, options).value();
  }
  std::vector<end> open(size_t count) {
    std::vector<end> made(count);
    for (auto& each : made)
      open(each);
    return made;
  }
  static std::vector<datagram_socket*> sockets_of(const std::vector<end>& ends) {
    std::vector<datagram_socket*> out;
    for (const auto& each : ends)
      out.push_back(each.socket.get());
    return out;
  }

  caf::actor_system_config config_;
  caf::actor_system system_;
  std::unique_ptr<io_lane> lane_;
  std::optional<datagram_batch> batch_;
};

INSTANTIATE_TEST_SUITE_P(rings, datagram_batch_test, testing::Bool(), [](const auto& with) {
  return with.param ? std::string{"io_uring"} : std::string{"one_by_one"};
});

TEST_P(datagram_batch_test, carries_what_many_sockets_send_to_many) {
  constexpr size_t count = 2 * datagram_ring::most + 5;
  auto ends = open(count);
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i)
    texts.push_back("datagram " + std::to_string(i));
  std::vector<outgoing_datagram> out;
  for (size_t i = 0; i < count; ++i)
    out.push_back({ends[i].socket.get(), ends[(i + 1) % count].socket->local(), texts[i]});
  batch_->send(out);
  auto sockets = sockets_of(ends);
  sockets[3] = nullptr;
  batch_->receive(sockets);
  for (size_t i = 0; i < count; ++i) {
    if (i == 3)
      EXPECT_THAT(ends[i].got, IsEmpty());
    else
      EXPECT_THAT(ends[i].got, ElementsAre(texts[(i + count - 1) % count])) << i;
    EXPECT_EQ(ends[i].socket->drops(), 0U);
  }
}

TEST_P(datagram_batch_test, keeps_the_order_of_each_socket) {
  auto ends = open(2);
  const std::vector<std::string> texts{"one", "two", "three"};
  std::vector<outgoing_datagram> out;
  for (const auto& text : texts)
    out.push_back({ends[0].socket.get(), ends[1].socket->local(), text});
  batch_->send(out);
  while (ends[1].got.size() < texts.size()) {
    const auto before = ends[1].got.size();
    auto sockets = sockets_of(ends);
    batch_->receive(sockets);
    ASSERT_GT(ends[1].got.size(), before) << "what has come is handed up";
  }
  EXPECT_EQ(ends[1].got, texts);
  auto sockets = sockets_of(ends);
  batch_->receive(sockets);
  EXPECT_EQ(ends[1].got, texts);
  EXPECT_THAT(ends[1].errors, IsEmpty());
}

TEST_P(datagram_batch_test, a_handler_may_end_any_of_the_sockets) {
  auto ends = open(4);
  std::vector<outgoing_datagram> out;
  for (auto& each : ends)
    out.push_back({each.socket.get(), each.socket->local(), "to itself"});
  batch_->send(out);
  auto sockets = sockets_of(ends);
  const auto destroy = [&](size_t which) {
    sockets[which] = nullptr;
    ends[which].socket.reset();
  };
  ends[0].then = [&] { destroy(2); };
  ends[1].then = [&] { destroy(1); };
  ends[3].then = [&] { destroy(0); };
  batch_->receive(sockets);
  EXPECT_EQ(ends[0].got.size(), 1U);
  EXPECT_EQ(ends[1].got.size(), 1U);
  EXPECT_THAT(ends[2].got, IsEmpty());
  EXPECT_EQ(ends[3].got.size(), 1U);
}

TEST_P(datagram_batch_test, a_handler_may_read_its_own_socket_and_end_it) {
  auto ends = open(2);
  std::vector<outgoing_datagram> out(
    3, {ends[0].socket.get(), ends[1].socket->local(), "one of three"});
  batch_->send(out);
  auto sockets = sockets_of(ends);
  ends[1].then = [&] {
    if (ends[1].got.size() < 2) {
      ends[1].socket->receive_pending();
    } else {
      sockets[1] = nullptr;
      ends[1].socket.reset();
    }
  };
  batch_->receive(sockets);
  EXPECT_EQ(ends[1].got.size(), 2U);
}

TEST_P(datagram_batch_test, refusals_are_told_and_neither_lose_nor_hold_up_the_next) {
  auto ends = open(2);
  const auto nobody = [&] {
    end gone;
    open(gone);
    return gone.socket->local();
  }();
  ASSERT_TRUE(ends[0].socket->connect(nobody));
  const outgoing_datagram refused{ends[0].socket.get(), nobody, "hello?"};
  const outgoing_datagram other{ends[1].socket.get(), ends[1].socket->local(), "to itself"};
  for (int i = 0; i < 3; ++i)
    batch_->send(std::array{refused, other});
  EXPECT_EQ(ends[0].socket->drops(), 0U) << "it is not this host's loss";
  while (ends[1].got.size() < 3) {
    auto sockets = sockets_of(ends);
    batch_->receive(sockets);
  }
  EXPECT_THAT(ends[0].errors, testing::Not(IsEmpty()));
  EXPECT_EQ(ends[0].errors.front(), ECONNREFUSED);
  EXPECT_THAT(ends[1].errors, IsEmpty());
}

TEST_P(datagram_batch_test, what_the_system_does_not_take_is_counted_and_the_rest_goes) {
  auto ends = open(1);
  const std::string far_too_long(70'000, 'x');
  auto* const socket = ends[0].socket.get();
  batch_->send(std::vector<outgoing_datagram>{{socket, socket->local(), far_too_long},
                                              {socket, socket->local(), "short"}});
  EXPECT_EQ(socket->drops(), 1U);
  auto sockets = sockets_of(ends);
  batch_->receive(sockets);
  EXPECT_THAT(ends[0].got, ElementsAre("short"));
}

TEST(datagram_ring, tells_of_each_message_what_became_of_it) {
  const auto ring = datagram_ring::make();
  if (!ring)
    GTEST_SKIP() << "no io_uring here";
  int pair[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
  char text[] = "hello";
  iovec vector{text, 5};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  std::array<datagram_ring::message, 3> out{
    {{pair[0], &header}, {-1, &header}, {pair[0], &header}}};
  EXPECT_TRUE(ring->send(out));
  EXPECT_EQ(out[0].result, 5);
  EXPECT_EQ(out[1].result, -EBADF);
  EXPECT_EQ(out[2].result, 5);
  std::array<datagram_ring::message, 3> in{
    {{pair[1], &header}, {pair[1], &header}, {pair[1], &header}}};
  EXPECT_TRUE(ring->receive(in));
  EXPECT_EQ(in[0].result, 5);
  EXPECT_EQ(in[1].result, 5);
  EXPECT_EQ(in[2].result, -EAGAIN) << "it does not wait";
  close(pair[0]);
  close(pair[1]);
}

} // namespace
} // namespace jackfield::lane
