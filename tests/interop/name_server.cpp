#include "tests/interop/name_server.hpp"

#include <array>
#include <utility>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/interop/peers.hpp"
#include "tests/interop/sip_tap.hpp" // open_udp

namespace jackfield::tests {

name_server::name_server(transport::record_table records)
    : records_(std::move(records)), socket_(open_udp(INADDR_LOOPBACK)),
      stopper_(eventfd(0, EFD_CLOEXEC)), thread_([this] { run(); }) {
  // nop
}

name_server::~name_server() {
  const uint64_t one = 1;
  EXPECT_EQ(write(stopper_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  thread_.join();
}

std::string name_server::address() const {
  return loopback(port_of(socket_));
}

void name_server::run() const {
  std::array waiting{pollfd{stopper_.get(), POLLIN, 0}, pollfd{socket_.get(), POLLIN, 0}};
  while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[0].revents == 0)
    answer();
}

void name_server::answer() const {
  std::string query(512, '\0'); // the most that is sent without EDNS
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  auto* const asker = reinterpret_cast<sockaddr*>(&from);
  const auto size = recvfrom(socket_.get(), query.data(), query.size(), 0, asker, &length);
  if (size < 0)
    return;
  query.resize(static_cast<size_t>(size));
  if (const auto question = transport::read_question(query)) {
    const auto text = transport::answer_from(records_, *question);
    sendto(socket_.get(), text.data(), text.size(), 0, asker, length);
  }
}

} // namespace jackfield::tests
