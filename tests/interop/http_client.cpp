#include "tests/interop/http_client.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace jackfield::tests {

http_connection::http_connection(uint16_t port)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0)
    << "nothing listens at port " << port;
}

http_connection::~http_connection() {
  ::close(fd_);
}

void http_connection::send(std::string_view text) const {
  while (!text.empty()) {
    const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return; // the server has had enough
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string http_connection::receive_all() {
  std::string all;
  char some[8192];
  for (;;) {
    const auto got = ::recv(fd_, some, sizeof some, 0);
    if (got <= 0)
      return all;
    all.append(some, static_cast<size_t>(got));
  }
}

std::string http_connection::receive_some() const {
  std::string some(8192, '\0');
  const auto got = ::recv(fd_, some.data(), some.size(), 0);
  some.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return some;
}

http_answer ask(uint16_t port, const http_question& what) {
  std::string text =
    what.method + " " + what.target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "Connection: close\r\n";
  for (const auto& each : what.headers)
    text += each + "\r\n";
  if (!what.body.empty())
    text += "Content-Length: " + std::to_string(what.body.size()) + "\r\n";
  http_connection connection{port};
  connection.send(text + "\r\n" + what.body);
  const auto all = connection.receive_all();
  http_answer out;
  const auto end = all.find("\r\n\r\n");
  if (end == std::string::npos)
    return out;
  out.body = all.substr(end + 4);
  std::istringstream head{all.substr(0, end)};
  std::string line;
  std::getline(head, line);
  std::istringstream first{line};
  first >> line >> out.status;
  while (std::getline(head, line)) {
    if (line.ends_with('\r'))
      line.pop_back();
    const auto colon = line.find(": ");
    if (colon == std::string::npos)
      continue;
    auto name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    out.headers.insert_or_assign(name, line.substr(colon + 2));
  }
  return out;
}

} // namespace jackfield::tests
