#include "tests/interop/sprayer.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "engine/ice/stun.hpp"
#include "tests/interop/sip_tap.hpp"

namespace jackfield::tests {

namespace {

/// The pause between rounds. A socket of media has room for some hundred datagrams, which may wait
/// for a frame's time and longer on a busy machine: more would crowd the peer's own out of it.
constexpr int pause_ms = 1;

std::string as_string(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void put(std::string& to, size_t at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    to[at + i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
}

} // namespace

sprayer::sprayer()
    : sockets_{open_udp(INADDR_LOOPBACK), open_udp(INADDR_LOOPBACK + 1)},
      thread_([this] { run(); }) {}

sprayer::~sprayer() {
  stop();
}

void sprayer::stop() {
  stopped_ = true;
  if (thread_.joinable())
    thread_.join();
}

void sprayer::aim_at(uint16_t port, std::string ufrag) {
  const std::scoped_lock lock{mutex_};
  if (std::ranges::none_of(targets_, [&](const target& t) { return t.port == port; }))
    targets_.push_back({port, std::move(ufrag)});
}

uint64_t sprayer::sent() const {
  return std::accumulate(sent_.begin(), sent_.end(), uint64_t{0});
}

void sprayer::run() {
  while (!stopped_) {
    std::vector<target> targets;
    {
      const std::scoped_lock lock{mutex_};
      targets = targets_;
    }
    for (const auto& each : targets)
      spray(each);
    ++rounds_;
    read();
  }
}

void sprayer::spray(const target& at) {
  const auto kind = rounds_ % 2 == 0
                      ? hostile_kind::hello
                      : static_cast<hostile_kind>(1 + rounds_ / 2 % (hostile_kinds - 1));
  const auto datagram = make(kind, at);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(at.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto& from = sockets_[random_() % sockets_.size()];
  if (sendto(from.get(), datagram.data(), datagram.size(), 0,
             reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0)
    ++sent_[static_cast<size_t>(kind)];
}

std::string sprayer::make(hostile_kind kind, const target& at) {
  const auto turn = rounds_ / 2 / (hostile_kinds - 1);
  ice::transaction_id id{};
  std::ranges::generate(id, [this] { return static_cast<std::byte>(random_()); });
  ice::stun_buffer buffer;
  switch (kind) {
  case hostile_kind::hello: {
    std::string made("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x20\x01\0\x3e\x80\0\0\0\0\0\0\0\x14", 25);
    made.resize(13 + 32, '\1');
    put(made, 5, rounds_, 6);
    return made;
  }
  case hostile_kind::noise: {
    auto made = random_text(20 + random_() % 1'400);
    made[0] = static_cast<char>(turn + at.port);
    if (turn % 4 == 0) { // STUN, as far as its head goes
      made[0] = '\0';
      put(made, 4, 0x2112a442, 4);
      return made;
    }
    return made.substr(0, 1 + random_() % made.size());
  }
  case hostile_kind::rtp: {
    auto made = random_text(12 + 80);
    put(made, 0, 0x806f, 2);
    put(made, 2, turn, 2);
    put(made, 4, turn * 960, 4);
    return made;
  }
  case hostile_kind::rtcp: {
    auto made = random_text(28);
    const bool bye = turn % 2 == 0;
    put(made, 0, bye ? 0x81cb0001 : 0x80c80006, 4);
    return bye ? made.substr(0, 8) : made;
  }
  case hostile_kind::wrong_ufrag:
    return as_string(ice::write_check(
      buffer, {id, random_text(4), "them", 0x6effffff, true, 7, true}, random_text(22)));
  case hostile_kind::wrong_password:
    return as_string(
      ice::write_check(buffer, {id, at.ufrag, "them", 0x6effffff, turn % 2 == 0, UINT64_MAX, true},
                       random_text(22)));
  case hostile_kind::response:
    return as_string(
      turn % 2 == 0
        ? ice::write_success(buffer, id, lane::endpoint::loopback_v4(9), random_text(22))
        : ice::write_error(buffer, id, ice::stun_error::role_conflict, random_text(22), {}));
  }
  return {};
}

std::string sprayer::random_text(size_t size) {
  std::string made(size, '\0');
  std::ranges::generate(made, [this] { return static_cast<char>(random_()); });
  return made;
}

void sprayer::read() {
  std::array<pollfd, 2> waiting{{{sockets_[0].get(), POLLIN, 0}, {sockets_[1].get(), POLLIN, 0}}};
  poll(waiting.data(), waiting.size(), pause_ms);
  std::array<std::byte, 2'048> buffer{};
  for (const auto& socket : sockets_)
    for (ssize_t size = 0; (size = recv(socket.get(), buffer.data(), buffer.size(), 0)) >= 0;)
      if (!ice::is_stun(std::span{buffer}.first(static_cast<size_t>(size))))
        ++heard_;
}

} // namespace jackfield::tests
