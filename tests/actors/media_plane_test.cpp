#include "actors/media/media_plane.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A socket's owner that has the plane open what comes, and keeps it.
class opening_owner final : public lane::datagram_handler, public packet_opener {
public:
  explicit opening_owner(media_plane& plane)
      : socket(plane.open_rtp(*this, true).value()), plane_(plane) {}
  ~opening_owner() override {
    plane_.forget(*socket);
    packet_opener& self = *this;
    plane_.forget(self);
  }
  void send(const lane::endpoint& to, std::string_view text) {
    std::ranges::copy(as_bytes(text), plane_.sending_room().begin());
    plane_.send_soon(*socket, to, text.size());
  }
  void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> bytes,
                   lane::time_point arrived) override {
    order->push_back("read " + to_text(bytes));
    EXPECT_TRUE(plane_.open(*this, bytes, arrived));
  }
  void open_packet(std::span<std::byte> packet, lane::time_point /*arrived*/) override {
    order->push_back("open " + to_text(packet));
    if (on_open)
      on_open();
  }

  std::unique_ptr<lane::datagram_socket> socket;
  std::vector<std::string>* order = nullptr;
  std::function<void()> on_open;

private:
  media_plane& plane_;
};

class media_plane_test : public testing::Test {
protected:
  media_plane_test()
      : world_(1), plane_(world_.add_site("10.0.0.1").context.media),
        a_(std::make_unique<opening_owner>(plane_)), b_(std::make_unique<opening_owner>(plane_)) {
    a_->order = b_->order = &order_;
  }
  void read_both() {
    world_.pass(1ms);
    plane_.read_soon(*a_->socket);
    plane_.read_soon(*b_->socket);
    world_.pass(1ms);
  }

  sim_world world_;
  media_plane& plane_;
  std::vector<std::string> order_;
  std::unique_ptr<opening_owner> a_;
  std::unique_ptr<opening_owner> b_;
};

TEST_F(media_plane_test, reads_all_sockets_that_are_due_before_it_opens_what_they_had) {
  a_->send(b_->socket->local(), "to b");
  b_->send(a_->socket->local(), "to a");
  read_both();
  EXPECT_THAT(order_, ElementsAre("read to a", "read to b", "open to a", "open to b"));
}

TEST_F(media_plane_test, sends_what_is_gathered_in_order_though_nothing_is_read) {
  for (int i = 0; i < 40; ++i) // more than one batch
    a_->send(b_->socket->local(), std::to_string(i));
  world_.pass(1ms);
  while (order_.size() < 80) {
    const auto before = order_.size();
    read_both();
    ASSERT_GT(order_.size(), before) << "not all has come";
  }
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i)
    expected.push_back("open " + std::to_string(i));
  std::erase_if(order_, [](const std::string& line) { return line.starts_with("read"); });
  EXPECT_EQ(order_, expected);
}

TEST_F(media_plane_test, sends_what_a_socket_has_to_send_before_it_goes) {
  a_->send(b_->socket->local(), "last words");
  a_.reset();
  world_.pass(1ms);
  plane_.read_soon(*b_->socket);
  world_.pass(1ms);
  EXPECT_THAT(order_, ElementsAre("read last words", "open last words"));
}

TEST_F(media_plane_test, opens_nothing_for_one_that_went_as_another_heard_its_packet) {
  a_->send(b_->socket->local(), "to b");
  b_->send(a_->socket->local(), "to a");
  a_->on_open = [this] { b_.reset(); };
  read_both();
  EXPECT_THAT(order_, ElementsAre("read to a", "read to b", "open to a"));
}

TEST_F(media_plane_test, hands_out_even_ports_of_its_range_and_no_other) {
  class deaf final : public lane::datagram_handler {
    void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> /*bytes*/,
                     lane::time_point /*arrived*/) override {}
  } nobody;
  struct row {
    uint16_t first, last;
    std::vector<uint16_t> ports;
  };
  for (const auto& r : {row{40'000, 40'007, {40'000, 40'002, 40'004, 40'006}},
                        row{40'001, 40'005, {40'002, 40'004}}, row{40'010, 40'011, {40'010}}}) {
    media_plane plane{world_.lane(), {plane_.address(), r.first, r.last}};
    std::vector<std::unique_ptr<lane::datagram_socket>> sockets;
    std::vector<uint16_t> ports;
    for (size_t i = 0; i < r.ports.size(); ++i) {
      auto opened = plane.open_rtp(nobody, false);
      ASSERT_TRUE(opened) << opened.error().to_string();
      ports.push_back((*opened)->local().port());
      sockets.push_back(*std::move(opened));
    }
    EXPECT_THAT(ports, testing::UnorderedElementsAreArray(r.ports));
    EXPECT_FALSE(plane.open_rtp(nobody, false)) << "all of " << r.first << " are taken";
    sockets.pop_back();
    const auto again = plane.open_rtp(nobody, false);
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_EQ((*again)->local().port(), ports.back());
  }
}

TEST_F(media_plane_test, opens_at_once_what_comes_while_it_does_not_read) {
  EXPECT_TRUE(plane_.open(*a_, as_bytes("early"), world_.lane().now()));
  EXPECT_THAT(order_, ElementsAre("open early"));
}

TEST_F(media_plane_test, refuses_what_is_longer_than_a_packet) {
  const std::string longer(media_plane::most_packet + 1, 'x');
  EXPECT_FALSE(plane_.open(*a_, as_bytes(longer), world_.lane().now()));
  EXPECT_THAT(order_, ElementsAre());
}

} // namespace
} // namespace jackfield
