#include "tests/interop/media_detour.hpp"

#include <array>
#include <charconv>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {

namespace {

socket_address address_of(uint16_t port) {
  return *parse_address("test", loopback(port));
}

/// The fields of "a=candidate:1 1 UDP 2122 192.0.2.1 10000 typ host".
struct candidate_line {
  explicit candidate_line(const std::string& line) {
    std::istringstream in{line};
    in >> foundation >> component >> transport >> priority >> host >> port;
  }
  [[nodiscard]] std::string at(std::string_view where) const {
    return foundation + " " + component + " " + transport + " " + priority + " " +
           std::string{where} + " typ host\r\n";
  }

  std::string foundation, component, transport, priority, host;
  uint16_t port = 0;
};

} // namespace

media_detour::media_detour(uint16_t answerer, const relay_options& path)
    : path_(path), callers_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      answerer_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), stopper_(eventfd(0, EFD_CLOEXEC)),
      port_(free_port()) {
  auto here = address_of(port_);
  auto there = address_of(answerer);
  EXPECT_EQ(bind(callers_.get(), here.get(), here.length), 0);
  EXPECT_EQ(connect(answerer_.get(), there.get(), there.length), 0);
  thread_ = std::thread{[this] { serve(); }};
}

media_detour::~media_detour() {
  finish();
}

std::vector<relay_statistics> media_detour::finish() {
  const uint64_t one = 1;
  EXPECT_EQ(write(stopper_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  if (thread_.joinable())
    thread_.join();
  std::vector<relay_statistics> out;
  out.reserve(ways_.size());
  for (auto& [peer, each] : ways_) {
    each.way->stop();
    each.thread.join();
    out.push_back(each.way->statistics());
  }
  ways_.clear();
  return out;
}

void media_detour::serve() {
  std::array<pollfd, 3> sockets{
    pollfd{callers_.get(), POLLIN, 0}, {answerer_.get(), POLLIN, 0}, {stopper_.get(), POLLIN, 0}};
  while (poll(sockets.data(), sockets.size(), -1) > 0 && sockets[2].revents == 0) {
    if (sockets[0].revents != 0)
      pass(callers_.get(), answerer_.get(), true);
    if (sockets[1].revents != 0)
      pass(answerer_.get(), callers_.get(), false);
  }
}

void media_detour::pass(int from, int to, bool from_caller) {
  std::array<char, 65'536> bytes;
  socket_address source;
  source.length = sizeof source.bytes;
  const auto size = recvfrom(from, bytes.data(), bytes.size(), 0, source.get(), &source.length);
  if (size <= 0)
    return;
  const auto message = rewritten({bytes.data(), static_cast<size_t>(size)}, from_caller);
  if (from_caller) {
    caller_ = source; // one lane calls, from one port
    EXPECT_GT(send(to, message.data(), message.size(), 0), 0);
  } else {
    EXPECT_GT(sendto(to, message.data(), message.size(), 0, caller_.get(), caller_.length), 0);
  }
}

std::string media_detour::rewritten(std::string_view message, bool from_caller) {
  const auto end = message.find("\r\n\r\n");
  if (end == std::string_view::npos || message.substr(end + 4).empty())
    return std::string{message};
  std::istringstream lines{std::string{message.substr(end + 4)}};
  std::string body;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("a=candidate:")) {
      body += line + '\n';
      continue;
    }
    const candidate_line told{line};
    if (told.transport != "UDP" && told.transport != "udp")
      continue;
    body +=
      told.at(from_caller ? "0f1d7c1e-5c0f-4d52-9d0e-6f3a5c1b2a90.local 9" : way_to(told.port));
  }
  // The header's fields, with the length that the body has now.
  constexpr std::string_view name = "Content-Length: ";
  std::string out{message.substr(0, end + 4)};
  const auto at = out.find(name);
  EXPECT_NE(at, std::string::npos) << out;
  if (at != std::string::npos)
    out.replace(at + name.size(), out.find('\r', at) - at - name.size(),
                std::to_string(body.size()));
  return out + body;
}

// "127.0.0.1 40000", of the relay in front of the peer.
std::string media_detour::way_to(uint16_t peer) {
  auto& here = ways_[peer];
  if (!here.way) {
    auto options = path_;
    options.listen = address_of(0);
    options.target = address_of(peer);
    options.path.seed += ways_.size() - 1;
    here.way = relay::open(options).value();
    here.thread = std::thread{[way = here.way.get()] { EXPECT_TRUE(way->run()); }};
  }
  auto text = here.way->listening().to_string();
  text[text.rfind(':')] = ' ';
  return text;
}

} // namespace jackfield::tests
