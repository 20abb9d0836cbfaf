#include "tests/interop/talker.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/interop/sip_tap.hpp" // open_udp

namespace jackfield::tests {

namespace {

constexpr std::uint16_t first_sequence = 65'300;
constexpr std::uint32_t first_timestamp = UINT32_MAX - 5 * 8000;
constexpr char silence_of_pcmu = '\xff';
constexpr char noise_level = 64; ///< -dBov

void put(std::string& to, std::uint32_t value, unsigned bytes) {
  while (bytes-- > 0)
    to += static_cast<char>(value >> (8 * bytes));
}

} // namespace

talker::talker(const manner& how)
    : how_(how), socket_(open_udp(INADDR_LOOPBACK)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      stopper_(eventfd(0, EFD_CLOEXEC)), port_(port_of(socket_)) {
  thread_ = std::thread{[this] { run(); }};
}

talker::~talker() {
  finish();
}

std::uint64_t talker::finish() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    EXPECT_EQ(write(stopper_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.join();
  }
  return sent_;
}

void talker::run() {
  for (;;) {
    std::array<pollfd, 3> waiting{pollfd{stopper_.get(), POLLIN, 0},
                                  pollfd{timer_.get(), POLLIN, 0},
                                  pollfd{socket_.get(), POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), -1) < 0 || waiting[0].revents != 0)
      return;
    if (waiting[2].revents != 0)
      hear();
    talk_where_due();
  }
}

void talker::hear() {
  socket_address from;
  from.length = sizeof from.bytes;
  std::array<char, 1> any{};
  while (recvfrom(socket_.get(), any.data(), any.size(), 0, from.get(), &from.length) >= 0) {
    const auto port = ntohs(reinterpret_cast<const sockaddr_in*>(from.get())->sin_port);
    if (!known_.insert(port).second)
      continue;
    listener made;
    made.address = from;
    made.ssrc = 0x7a1c0000U + port;
    made.timestamp = first_timestamp;
    made.sequence = first_sequence;
    made.left = how_.packet_times;
    due_.emplace(clock::now(), made);
  }
}

void talker::talk_where_due() {
  const auto now = clock::now();
  while (!due_.empty() && due_.begin()->first <= now) {
    auto next = due_.extract(due_.begin());
    talk(next.mapped());
    next.key() += packet_time;
    if (next.mapped().left > 0)
      due_.insert(std::move(next));
  }
  itimerspec when{}; // all zero: never
  if (!due_.empty()) {
    const std::chrono::nanoseconds at = due_.begin()->first.time_since_epoch();
    when.it_value.tv_sec = at.count() / 1'000'000'000;
    when.it_value.tv_nsec = at.count() % 1'000'000'000;
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

/// One packet time's worth.
void talker::talk(listener& to) {
  if (to.speech == 0 && to.pause == 0) {
    to.speech = how_.pauses ? drawn(40, 60) : to.left;
    to.pause = how_.pauses ? drawn(15, 25) : 0;
    to.turns = true;
  }
  const bool turns = std::exchange(to.turns, false);
  if (to.speech > 0) {
    send(to, speech_type, turns);
    to.turns = --to.speech == 0;
  } else {
    if (turns)
      send(to, noise_type, false);
    --to.pause;
  }
  to.timestamp += packet_samples;
  --to.left;
}

void talker::send(listener& to, std::uint8_t type, bool marker) {
  std::string packet{'\x80'};
  packet += static_cast<char>(type | (marker ? 0x80 : 0));
  put(packet, to.sequence++, 2);
  put(packet, to.timestamp, 4);
  put(packet, to.ssrc, 4);
  packet +=
    type == noise_type ? std::string{noise_level} : std::string(packet_samples, silence_of_pcmu);
  EXPECT_EQ(sendto(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL, to.address.get(),
                   to.address.length),
            static_cast<ssize_t>(packet.size()));
  ++sent_;
}

unsigned talker::drawn(unsigned least, unsigned most) {
  return least + static_cast<unsigned>(random_() % (most - least + 1));
}

} // namespace jackfield::tests
