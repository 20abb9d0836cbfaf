#include "actors/wire/sip_router.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

// RFC 3261 §15.1.2.
TEST(sip_router, tells_what_belongs_to_a_dialog_and_has_none) {
  sim_world world{1};
  auto& service = world.add_site("10.0.0.2");
  world.answer(service, answer_manner_of(service));
  raw_peer peer{world.lane(), "10.0.0.3"};
  for (const auto* method : {"BYE", "PRACK", "UPDATE", "INFO"}) {
    peer.send(service.address, peer.request(method, service.address, method, {}, 1, {}, method));
    world.pass(1s);
    EXPECT_TRUE(peer.messages.back().starts_with("SIP/2.0 481")) << peer.messages.back();
  }
  peer.send(service.address, peer.request("MESSAGE", service.address, "m"));
  world.pass(1s);
  EXPECT_TRUE(peer.messages.back().starts_with("SIP/2.0 405")) << peer.messages.back();
  EXPECT_EQ(header_line(peer.messages.back(), "Allow").find("MESSAGE"), std::string::npos);
}

// RFC 7118 §5.1.
TEST(sip_arrival, over_a_websocket_needs_no_content_length) {
  transport::flow from;
  const std::string text =
    "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Type: text/plain\r\n\r\nhello";
  for (const auto p : {transport::protocol::ws, transport::protocol::wss}) {
    from.protocol = p;
    const auto made = sip_arrival::make(from, text, {});
    EXPECT_EQ(made->verdict(), sip::parse_verdict::good);
    EXPECT_EQ(made->message().body(), "hello");
  }
  from.protocol = transport::protocol::tcp;
  EXPECT_EQ(sip_arrival::make(from, text, {})->verdict(), sip::parse_verdict::faulty);
}

} // namespace
} // namespace jackfield
