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

/// RFC 3261 §18.2.1 and RFC 3581 §4: who is behind a NAT is told where its request came from, and
/// answered there.
TEST(sip_router, answers_tell_where_the_request_came_from) {
  sim_world world{1};
  auto& service = world.add_site("10.0.0.2");
  world.answer(service, answer_manner_of(service));
  raw_peer peer{world.lane(), "10.0.0.3"};
  for (const auto* method : {"OPTIONS", "BYE", "MESSAGE"}) { // 200, 481, 405
    auto text = peer.request(method, service.address, method, {}, 1, {}, method);
    const std::string shown = "Via: SIP/2.0/UDP 10.0.0.3:5060";
    text.replace(text.find(shown), shown.size(), "Via: SIP/2.0/UDP 192.168.1.7:5999;rport");
    peer.messages.clear();
    peer.send(service.address, text);
    world.pass(100ms);
    ASSERT_EQ(peer.messages.size(), 1U) << method;
    const auto via = header_line(peer.messages.back(), "Via");
    EXPECT_NE(via.find(";received=10.0.0.3"), std::string::npos) << via;
    EXPECT_NE(via.find(";rport=5060"), std::string::npos) << via;
  }
}

/// What a leg shows of itself: the transport in its Contact is said once, and not where the scheme
/// says it (RFC 3261 §19.1.1 and §26.2.2, RFC 7118 §5.2).
TEST(sip_router, shows_each_transport_in_its_own_words) {
  sim_world world{1};
  auto& router = world.add_site("10.0.0.2").context.router;
  using transport::protocol;
  const auto here = lane::endpoint::parse("10.0.0.2", 5070).value();
  router.set_public_address(protocol::udp, lane::endpoint::parse("192.0.2.1", 5090).value());
  struct row {
    protocol p;
    std::string via, contact, secure;
    bool reliable;
  };
  const auto profile = [&](protocol p) -> const sip::ua_profile& {
    transport::flow f;
    f.protocol = p;
    f.local = here;
    return router.profile(f);
  };
  for (const auto& r :
       {row{protocol::udp, "SIP/2.0/UDP 192.0.2.1:5090", "<sip:192.0.2.1:5090>",
            "<sips:192.0.2.1:5090>", false}, // as it is to be shown
        row{protocol::tcp, "SIP/2.0/TCP 10.0.0.2:5070", "<sip:10.0.0.2:5070;transport=tcp>",
            "<sips:10.0.0.2:5070;transport=tcp>", true},
        row{protocol::tls, "SIP/2.0/TLS 10.0.0.2:5070", "<sip:10.0.0.2:5070;transport=tls>",
            "<sips:10.0.0.2:5070>", true}}) {
    const auto& shown = profile(r.p);
    EXPECT_EQ(shown.via, r.via);
    EXPECT_EQ(shown.contact, r.contact);
    EXPECT_EQ(shown.secure_contact, r.secure);
    EXPECT_EQ(shown.reliable, r.reliable) << r.via;
    EXPECT_EQ(shown.rport, !r.reliable) << r.via;
    EXPECT_EQ(&profile(r.p), &shown) << "legs keep its address";
  }
  // Nobody can connect to a client behind a WebSocket: its name is twelve letters, and none.
  for (const auto p : {protocol::ws, protocol::wss}) {
    const auto& shown = profile(p);
    const std::string via = p == protocol::ws ? "SIP/2.0/WS " : "SIP/2.0/WSS ";
    ASSERT_TRUE(shown.via.starts_with(via)) << shown.via;
    const auto host = shown.via.substr(via.size());
    EXPECT_EQ(host.size(), 12 + std::string_view{".invalid"}.size()) << host;
    EXPECT_TRUE(host.ends_with(".invalid")) << host;
    EXPECT_EQ(shown.contact, "<sip:" + host + ";transport=ws>");
    EXPECT_EQ(shown.secure_contact, "<sips:" + host + ";transport=ws>");
    EXPECT_TRUE(shown.reliable);
  }
}

// What is never ACKed is kept for 32 s and more: as much as there is room for.
TEST(sip_router, bounds_what_large_invites_keep) {
  sim_world world{1};
  router_settings settings;
  settings.large_invite_bytes = 60'000;
  auto& service = world.add_site("10.0.0.2", transport::protocol::udp, settings);
  world.answer(service, answer_manner_of(service));
  raw_peer peer{world.lane(), "10.0.0.3"};
  const auto invite = [&](int number, size_t padding) {
    const auto name = std::to_string(number);
    peer.messages.clear();
    peer.send(service.address,
              peer.request("INVITE", service.address, name, {}, 1,
                           "X-Much: " + std::string(padding, 'x') + "\r\n", "call" + name));
    world.pass(100ms);
    return peer.messages.empty() ? "" : peer.messages.back().substr(8, 3);
  };
  int number = 0;
  for (; number < 3; ++number)
    EXPECT_EQ(invite(number, 19'000), "200") << number;
  const auto last = tag_in(peer.messages.back(), "To");
  EXPECT_EQ(invite(++number, 19'000), "503");
  EXPECT_FALSE(header_line(peer.messages.back(), "Retry-After").empty());
  EXPECT_EQ(invite(++number, 100), "200") << "those of the usual size are not concerned";
  peer.send(service.address, peer.request("ACK", service.address, "ack", last, 1, {}, "call2"));
  world.pass(100ms);
  EXPECT_EQ(invite(++number, 19'000), "200") << "the last large one was confirmed";
  EXPECT_EQ(invite(++number, 19'000), "503");
  world.pass(100s); // the others have been given up
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(invite(++number, 19'000), "200") << number;
}

// Where audio cannot be sent to, by the code of its own (RFC 3261 §20.43).
TEST(sip_router, refuses_an_address_with_its_warning) {
  sim_world world{1};
  auto& service = world.add_site("10.0.0.2");
  auto manner = answer_manner_of(service);
  add_audio(manner);
  world.answer(service, manner);
  raw_peer peer{world.lane(), "10.0.0.3"};
  int number = 0;
  for (const auto& [line, code] : {std::pair{"IN IP7 10.1.0.3", "301"},
                                   {"IN IP6 ::1", "301"},
                                   {"IN IP4 phone.example.com", "301"},
                                   {"ATM NSAP 47", "300"},
                                   {"IN IP4 224.2.1.1/127", "330"}}) {
    const auto name = std::to_string(++number);
    peer.send(service.address,
              peer.request("INVITE", service.address, name, {}, 1, {}, "call" + name,
                           std::string{"v=0\r\no=- 1 1 IN IP4 10.0.0.3\r\ns=-\r\nc="} + line +
                             "\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n"));
    world.pass(100ms);
    EXPECT_TRUE(peer.messages.back().starts_with("SIP/2.0 488")) << peer.messages.back();
    EXPECT_TRUE(
      header_line(peer.messages.back(), "Warning").starts_with("Warning: " + std::string{code}))
      << peer.messages.back();
  }
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
