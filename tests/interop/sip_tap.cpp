#include "tests/interop/sip_tap.hpp"

#include <optional>
#include <utility>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::tests {

namespace {

constexpr size_t longest_datagram = 65'536;

sockaddr_in loopback_address(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_to(const owned_fd& socket, uint16_t port, std::string_view message) {
  const auto to = loopback_address(port);
  sendto(socket.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&to),
         sizeof to);
}

/// The next datagram, and its sender's port; none waits: nothing.
std::optional<uint16_t> receive(const owned_fd& socket, std::string& message) {
  message.resize(longest_datagram);
  sockaddr_in from{};
  socklen_t length = sizeof from;
  const auto size = recvfrom(socket.get(), message.data(), message.size(), 0,
                             reinterpret_cast<sockaddr*>(&from), &length);
  if (size < 0)
    return std::nullopt;
  message.resize(static_cast<size_t>(size));
  return ntohs(from.sin_port);
}

} // namespace

owned_fd open_udp(uint32_t address) {
  owned_fd made{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  auto own = loopback_address(0);
  own.sin_addr.s_addr = htonl(address);
  EXPECT_EQ(bind(made.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
  return made;
}

uint16_t port_of(const owned_fd& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  EXPECT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  return ntohs(address.sin_port);
}

sip_tap::sip_tap(uint16_t server, reader on_message)
    : server_(server), on_message_(std::move(on_message)), listener_(open_udp(INADDR_LOOPBACK)),
      stopper_(eventfd(0, EFD_CLOEXEC)) {
  port_ = port_of(listener_);
  thread_ = std::thread{[this] { run(); }};
}

sip_tap::~sip_tap() {
  const uint64_t one = 1;
  EXPECT_EQ(write(stopper_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  thread_.join();
}

void sip_tap::run() {
  for (;;) {
    std::vector<pollfd> waiting{{stopper_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& [client, socket] : upstream_)
      waiting.push_back({socket.get(), POLLIN, 0});
    if (poll(waiting.data(), waiting.size(), -1) < 0 || waiting[0].revents != 0)
      return;
    for (const auto& [client, socket] : upstream_)
      read_server(client, socket);
    read_clients();
  }
}

void sip_tap::read_clients() {
  std::string message;
  while (const auto from = receive(listener_, message)) {
    auto& upstream = upstream_[*from];
    if (upstream.get() < 0)
      upstream = open_udp(INADDR_LOOPBACK);
    read(way::to_server, message);
    send_to(upstream, server_, message);
  }
}

void sip_tap::read_server(uint16_t client, const owned_fd& upstream) {
  std::string message;
  while (receive(upstream, message)) {
    read(way::to_client, message);
    send_to(listener_, client, message);
  }
}

void sip_tap::read(way which, std::string& message) {
  const auto before = body_of(message).size();
  on_message_(which, message);
  if (body_of(message).size() != before)
    correct_length(message);
}

std::string_view body_of(std::string_view message) {
  const auto end = message.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string_view{} : message.substr(end + 4);
}

std::string_view line_after(std::string_view message, std::string_view begin) {
  const auto at = message.find("\r\n" + std::string{begin});
  if (at == std::string_view::npos)
    return {};
  const auto from = at + 2 + begin.size();
  return message.substr(from, message.find("\r\n", from) - from);
}

std::string_view header_of(std::string_view message, std::string_view name) {
  return line_after(message, std::string{name} + ": ");
}

bool is_request(std::string_view message, std::string_view method) {
  return message.starts_with(std::string{method} + " ");
}

bool accepts(std::string_view message, std::string_view method) {
  return message.starts_with("SIP/2.0 2") && header_of(message, "CSeq").ends_with(method);
}

void replace_lines(std::string& message, std::string_view begin, std::string_view by) {
  const auto start = "\r\n" + std::string{begin};
  for (size_t at = message.find("\r\n\r\n"); (at = message.find(start, at)) != std::string::npos;) {
    at += 2;
    const auto end = message.find("\r\n", at);
    if (by.empty())
      message.erase(at, end + 2 - at);
    else
      message.replace(at, end - at, by);
    at -= 2;
    if (by.starts_with(begin))
      at += 2;
  }
}

void correct_length(std::string& message) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto at = message.find(name);
  ASSERT_NE(at, std::string::npos) << message;
  const auto from = at + name.size();
  const auto length = std::to_string(body_of(message).size());
  message.replace(from, message.find("\r\n", from) - from, length);
}

} // namespace jackfield::tests
