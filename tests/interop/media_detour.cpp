#include "tests/interop/media_detour.hpp"

#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "engine/ice/candidate.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield::tests {

namespace {

socket_address address_of(uint16_t port) {
  return *parse_address("test", loopback(port));
}

constexpr std::string_view candidate_line = "a=candidate:";

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
  if (!line.starts_with(candidate_line))
    return std::string{line};
  line.remove_prefix(candidate_line.size());
  auto told = ice::candidate::parse(line.substr(0, line.find_last_not_of("\r\n") + 1));
  if (!told || told->transport != ice::candidate_transport::udp)
    return {};
  if (which == sip_tap::way::to_server) {
    told->address = {};
    told->name = "0f1d7c1e-5c0f-4d52-9d0e-6f3a5c1b2a90.local";
    told->name_port = 9;
  } else {
    told->address = way_to(told->address.port());
  }
  return std::string{candidate_line} + told->to_string() + "\r\n";
}

// The relay in front of the peer.
lane::endpoint media_detour::way_to(uint16_t peer) {
  auto& here = ways_[peer];
  if (!here.way) {
    auto options = path_;
    options.listen = address_of(0);
    options.target = address_of(peer);
    options.path.seed += ways_.size() - 1;
    here.way = relay::open(options).value();
    here.thread = std::thread{[way = here.way.get()] { EXPECT_TRUE(way->run()); }};
  }
  return lane::endpoint::parse_with_port(here.way->listening().to_string()).value();
}

} // namespace jackfield::tests
