#include "tests/interop/media_detour.hpp"

#include <sstream>
#include <utility>

#include <gtest/gtest.h>

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

media_detour::media_detour(uint16_t answerer, const relay_options& path) : path_(path) {
  tap_.emplace(answerer, [this](sip_tap::way which, std::string& message) {
    std::istringstream lines{std::string{body_of(message)}};
    message.resize(message.size() - body_of(message).size());
    for (std::string line; std::getline(lines, line);)
      message += rewritten(line + '\n', which);
  });
}

media_detour::~media_detour() {
  finish();
}

std::vector<relay_statistics> media_detour::finish() {
  tap_.reset();
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

std::string media_detour::rewritten(std::string_view line, sip_tap::way which) {
  if (!line.starts_with("a=candidate:"))
    return std::string{line};
  const candidate_line told{std::string{line}};
  if (told.transport != "UDP" && told.transport != "udp")
    return {};
  return told.at(which == sip_tap::way::to_server ? "0f1d7c1e-5c0f-4d52-9d0e-6f3a5c1b2a90.local 9"
                                                  : way_to(told.port));
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
