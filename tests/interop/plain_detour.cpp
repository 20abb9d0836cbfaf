#include "tests/interop/plain_detour.hpp"

#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "engine/lane/endpoint.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield::tests {

namespace {

/// Of a message that has a description.
void set_audio_port(std::string& message, std::uint16_t port) {
  constexpr std::string_view before = "\r\nm=audio ";
  const auto at = message.find(before);
  if (at == std::string::npos)
    return;
  const auto from = at + before.size();
  message.replace(from, message.find(' ', from) - from, std::to_string(port));
}

} // namespace

plain_detour::plain_detour(std::uint16_t answerer, std::uint16_t peer,
                           const impairment_options& path,
                           std::function<void(const relay_event&)> observer)
    : unread_(open_udp(INADDR_LOOPBACK)) {
  relay_options options;
  options.listen = *parse_address("test", loopback(0));
  options.target = *parse_address("test", loopback(peer));
  options.path = path;
  way_ = relay::open(options).value();
  way_->set_observer(std::move(observer));
  thread_ = std::thread{[this] { EXPECT_TRUE(way_->run()); }};
  const auto relay_port =
    lane::endpoint::parse_with_port(way_->listening().to_string()).value().port();
  tap_ = std::make_unique<sip_tap>(
    answerer, [unread = port_of(unread_), relay_port](sip_tap::way which, std::string& message) {
      set_audio_port(message, which == sip_tap::way::to_server ? unread : relay_port);
    });
}

plain_detour::~plain_detour() {
  finish();
}

relay_statistics plain_detour::finish() {
  tap_.reset();
  if (thread_.joinable()) {
    way_->stop();
    thread_.join();
  }
  return way_->statistics();
}

} // namespace jackfield::tests
