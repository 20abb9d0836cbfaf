#include "tests/interop/webhook_receiver.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::tests {

webhook_receiver::webhook_receiver()
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&at), size), 0);
  EXPECT_EQ(::listen(listener_, 16), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size), 0);
  port_ = ntohs(at.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

webhook_receiver::~webhook_receiver() {
  EXPECT_EQ(::eventfd_write(stop_, 1), 0);
  thread_.join();
  for (const int each : open_)
    ::close(each);
  ::close(listener_);
  ::close(stop_);
}

void webhook_receiver::answer_with(int status) {
  const std::lock_guard lock{mutex_};
  status_ = status;
}

std::vector<webhook_receiver::request>
webhook_receiver::wait_until(const std::function<bool(const std::vector<request>&)>& so) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return so(requests_); });
  return requests_;
}

std::vector<webhook_receiver::request> webhook_receiver::all() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

void webhook_receiver::serve() {
  for (;;) {
    pollfd wait[] = {{listener_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (::poll(wait, 2, -1) < 0 || wait[1].revents != 0)
      return;
    if (const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        connection >= 0)
      serve_one(connection);
  }
}

void webhook_receiver::serve_one(int connection) {
  std::string text;
  size_t head = std::string::npos;
  size_t whole = 0;
  request got;
  while (head == std::string::npos || text.size() < whole) {
    char some[16'384];
    const auto count = ::recv(connection, some, sizeof some, 0);
    if (count <= 0) { // it was cut off
      ::close(connection);
      return;
    }
    text.append(some, static_cast<size_t>(count));
    if (head != std::string::npos || (head = text.find("\r\n\r\n")) == std::string::npos)
      continue;
    std::istringstream lines{text.substr(0, head)};
    std::getline(lines, got.line);
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with('\r'))
        line.pop_back();
      const auto colon = line.find(": ");
      if (colon == std::string::npos)
        continue;
      auto name = line.substr(0, colon);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      got.headers[name] = line.substr(colon + 2);
    }
    whole = head + 4 + std::stoul(got.headers["content-length"]);
  }
  got.body = text.substr(head + 4);
  const std::lock_guard lock{mutex_};
  got.answered = status_;
  if (status_ == 0) {
    open_.push_back(connection);
  } else {
    const auto answer =
      "HTTP/1.1 " + std::to_string(status_) +
      " x\r\nLocation: /elsewhere\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    EXPECT_EQ(::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
    ::close(connection);
  }
  requests_.push_back(std::move(got));
  changed_.notify_all();
}

std::vector<nlohmann::json> events_taken(const std::vector<webhook_receiver::request>& requests) {
  std::vector<nlohmann::json> events;
  for (const auto& each : requests)
    if (each.answered / 100 == 2) {
      const auto message = nlohmann::json::parse(each.body);
      for (const auto& event : message.at("events"))
        events.push_back(event);
    }
  return events;
}

} // namespace jackfield::tests
