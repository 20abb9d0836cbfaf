#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/call/own_stream.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// A call of ours to a peer that says what the test writes.
class raw_callee_test : public testing::Test {
protected:
  static lane::sim_link path() {
    lane::sim_link link;
    link.delay = 20ms;
    return link;
  }
  raw_callee_test()
      : world_(7, path()), caller_(world_.add_site("10.0.0.1")), peer_(world_.lane(), "10.0.0.3"),
        media_(world_.lane(), "10.1.0.3") {
    peer_.on_message = [this](const std::string& m) {
      if (m.starts_with("BYE "))
        peer_.answer(m, 200);
    };
    auto manner =
      manner_between(caller_, transport::target{transport::protocol::udp, peer_.address()});
    add_audio(manner, caller_);
    world_.call(caller_, std::make_shared<const call_manner>(manner), target_of(peer_.address()),
                4s);
    world_.pass(100ms);
    invite_ = peer_.last("INVITE ");
    theirs_ = media_address_in(invite_);
  }
  static std::string body_of(const std::string& message) {
    return message.substr(message.find("\r\n\r\n") + 4);
  }
  static std::string origin_in(const std::string& message) {
    const auto at = message.find("\r\no=") + 2;
    return message.substr(at, message.find('\r', at) - at);
  }
  void send_media(int packets) {
    for (int i = 0; i < packets; ++i) {
      media_.send_packet(theirs_);
      world_.pass(20ms);
    }
  }

  sim_world world_;
  sim_site& caller_;
  raw_peer peer_;
  raw_media media_;
  std::string invite_;
  lane::endpoint theirs_; // where the caller hears
};

TEST_F(raw_callee_test, media_before_the_answer_is_no_loss) {
  peer_.answer(invite_, 183, {}, media_.description());
  send_media(1000); // twenty seconds of ringback: far more than a socket holds
  peer_.answer(invite_, 200, {}, media_.description());
  send_media(150);
  world_.pass(4s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  const auto& call = world_.heard().calls.front();
  EXPECT_FALSE(call.failure.failed());
  ASSERT_TRUE(call.media);
  EXPECT_EQ(call.media->received.lost, 0U);
  EXPECT_NEAR(static_cast<double>(call.media->received.packets), 150, 5)
    << "what came before the answer is not judged";
  EXPECT_EQ(world_.lane().health().socket_drops, 0U);
  world_.expect_nothing_left();
}

/// Audio that others send, be it from another port of the peer's own host: what came just before it
/// was known who the peer is, as the system lets through no more than that.
TEST_F(raw_callee_test, strangers_are_not_heard) {
  class deaf final : public lane::datagram_handler {
    void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> /*bytes*/,
                     lane::time_point /*arrived*/) override {}
  } nobody;
  for (const auto* const host : {"10.1.0.3", "10.1.0.66"}) {
    const auto stranger =
      world_.lane().open_datagram(lane::endpoint::parse(host, 20'002).value(), nobody, {});
    ASSERT_TRUE(stranger);
    std::string packet(172, '\xff');
    packet.replace(0, 12, std::string{"\x80\0\0\0\0\0\0\0SSRC", 12});
    for (char i = 0; i < 30; ++i) {
      packet[3] = i;
      (*stranger)->send(theirs_, packet);
    }
  }
  peer_.answer(invite_, 200, {}, media_.description());
  world_.pass(5s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  const auto& media = world_.heard().calls.front().media;
  ASSERT_TRUE(media);
  EXPECT_EQ(media->received.packets, 0U);
  EXPECT_FALSE(media->received.first_packet);
  EXPECT_EQ(media->refused.strangers, 60U);
  EXPECT_GT(media_.heard, 150U);
}

TEST_F(raw_callee_test, the_answer_in_an_ACK_moves_the_media) {
  peer_.answer(invite_, 200, {}, media_.description());
  world_.pass(500ms);
  EXPECT_GT(media_.heard, 10U);
  raw_media elsewhere{world_.lane(), "10.1.0.4"};
  const auto us = lane::endpoint::parse("10.0.0.1", 5060).value();
  // The peer's own requests in the dialog: its tag is ours of the answer, and the other way round.
  const auto request = [&](std::string_view method, int cseq, std::string_view headers,
                           const std::string& body) {
    std::string out{method};
    out +=
      " sip:caller@" + us.to_string() + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
      peer_.address().to_string() + ";branch=z9hG4bK" + std::string{method} + std::to_string(cseq) +
      "\r\nMax-Forwards: 70\r\nFrom: " + header_line(invite_, "To").substr(4) +
      ";tag=" + peer_.tag + "\r\nTo: " + header_line(invite_, "From").substr(6) + "\r\n" +
      header_line(invite_, "Call-ID") + "\r\nCSeq: " + std::to_string(cseq) + " " +
      std::string{method} + "\r\nContact: <sip:" + peer_.address().to_string() + ">\r\n" +
      std::string{headers} + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    peer_.send(us, out);
    world_.pass(100ms);
  };
  request("INVITE", 1, {}, {});
  const auto first = peer_.last("SIP/2.0 200");
  ASSERT_NE(first.find("m=audio "), std::string::npos) << first;
  // What the INVITE described again, and the next version (RFC 3264 §8), as it was asked for.
  auto again = body_of(invite_);
  again.replace(again.find(" 1 IN IP4"), 3, " 2 ");
  EXPECT_EQ(body_of(first), again);
  request("ACK", 1, "Content-Type: application/sdp\r\n", elsewhere.description());
  const auto before = media_.heard;
  world_.pass(500ms);
  EXPECT_GT(elsewhere.heard, 20U);
  EXPECT_LE(media_.heard, before + 3) << "nothing goes to the old address";
  request("INVITE", 2, "Content-Type: application/sdp\r\n", elsewhere.description());
  const auto second = peer_.last("SIP/2.0 200");
  EXPECT_NE(body_of(second), body_of(first)) << "one codec of theirs, not ours";
  EXPECT_NE(origin_in(second), origin_in(first)) << "a new description has a new version";
  request("ACK", 2, {}, {});
  world_.pass(5s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls.front().failure.failed());
}

// -- provisional responses ---------------------------------------------------------------------

/// `call_times::ringing`: the first 180 or 183.
TEST_F(raw_callee_test, rings_from_the_first_180_on) {
  const auto arrival = [this] { return world_.lane().now() + path().delay; };
  const auto trying = arrival();
  peer_.answer(invite_, 100);
  world_.pass(300ms);
  const auto ringing = arrival();
  for (const int status : {180, 180, 183}) {
    peer_.answer(invite_, status);
    world_.pass(100ms);
  }
  peer_.answer(invite_, 200, {}, media_.description());
  world_.pass(6s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  const auto& times = world_.heard().calls.front().times;
  EXPECT_EQ(times.first_response, trying);
  EXPECT_EQ(times.ringing, ringing);
}

TEST_F(raw_callee_test, does_not_ring_by_a_100) {
  peer_.answer(invite_, 100);
  world_.pass(100ms);
  peer_.answer(invite_, 181);
  world_.pass(100ms);
  peer_.answer(invite_, 200, {}, media_.description());
  world_.pass(6s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  const auto& times = world_.heard().calls.front().times;
  EXPECT_TRUE(times.first_response);
  EXPECT_FALSE(times.ringing);
}

/// A caller with a stream, who answers a peer that asks for an offer, and tries to begin ICE anew
/// when one of its own has been answered.
class bare_caller final : public leg_user {
public:
  struct notes {
    std::vector<unsigned> early; ///< dialogs that described their media
    std::vector<bool> agreed;    ///< of each offer that was answered
    std::vector<bool> could_restart;
  };
  bare_caller(sim_site& from, const raw_peer& to, notes& all) : from_(from), to_(to), all_(all) {}

  void on_start(call_leg& leg) override {
    stream_.open(leg, from_.context.media, std::make_shared<audio_settings>(),
                 sdp::protection::none, true);
  }
  void on_media_opened(call_leg& leg, const media_opened& opened) override {
    ASSERT_TRUE(opened.local);
    ASSERT_TRUE(
      leg.open(transport::target{transport::protocol::udp, to_.address()}, from_.connections));
    leg.describe(std::make_shared<sdp::offer_template>("10.1.0.1", sdp::media_capabilities{}),
                 opened.local->port());
    leg.use_stream(stream_.handle(), opened.local->port(), opened.transport);
    sip::call_options options;
    options.uri = "sip:bob@10.0.0.3";
    options.from = "<sip:alice@10.0.0.1>";
    ASSERT_TRUE(leg.prepare(options));
    ASSERT_TRUE(leg.send_invite());
  }
  void on_early_media(call_leg& /*leg*/, const leg_early_media& media) override {
    all_.early.push_back(media.fork);
  }
  void on_settled(call_leg& leg, const leg_settled& settled) override {
    if (settled.ice_restart)
      return;
    all_.agreed.push_back(settled.unsettled == nullptr);
    all_.could_restart.push_back(leg.restart_ice(sdp::direction::sendrecv).has_value());
  }
  void on_hang_up(call_leg& leg) override { leg.hang_up(); }
  void on_lost(call_leg& /*leg*/) override {}
  void on_ended(call_leg& leg, const leg_end& /*end*/) override { stream_.close(leg); }
  void on_media_closed(call_leg& leg, const media_closed& closed) override {
    stream_.on_closed(closed);
    leg.finish();
  }

private:
  sim_site& from_;
  const raw_peer& to_;
  notes& all_;
  own_stream stream_;
};

/// A leg keeps 16 early dialogs apart by what they described: who merely rings is none of them.
TEST(early_dialogs, that_merely_ring_take_no_place_of_one_that_describes_its_media) {
  sim_world world{7};
  auto& caller = world.add_site("10.0.0.1");
  raw_peer peer{world.lane(), "10.0.0.3"};
  raw_media media{world.lane(), "10.1.0.3"};
  bare_caller::notes all;
  world.lane().spawn<call_leg>(caller.context.router,
                               std::make_unique<bare_caller>(caller, peer, all));
  world.pass(10ms);
  const auto invite = peer.last("INVITE ");
  ASSERT_FALSE(invite.empty());
  for (int fork = 0; fork < 20; ++fork) {
    peer.tag = "rings" + std::to_string(fork);
    peer.answer(invite, 180);
    world.pass(1ms);
  }
  EXPECT_THAT(all.early, testing::IsEmpty());
  peer.tag = "describes";
  peer.answer(invite, 183, {}, media.description());
  world.pass(1ms);
  EXPECT_THAT(all.early, testing::SizeIs(1));
  peer.answer(invite, 486);
  world.pass(40s);
  world.expect_nothing_left();
}

/// What a proxy's forks may cost is bounded; those that are known go on being heard of.
TEST(early_dialogs, are_sixteen_at_most) {
  sim_world world{7};
  auto& caller = world.add_site("10.0.0.1");
  raw_peer peer{world.lane(), "10.0.0.3"};
  raw_media media{world.lane(), "10.1.0.3"};
  bare_caller::notes all;
  world.lane().spawn<call_leg>(caller.context.router,
                               std::make_unique<bare_caller>(caller, peer, all));
  world.pass(10ms);
  const auto invite = peer.last("INVITE ");
  const auto describe = [&](int fork) {
    peer.tag = "fork" + std::to_string(fork);
    peer.answer(invite, 183, {}, media.description());
    world.pass(1ms);
  };
  for (int fork = 0; fork < 20; ++fork)
    describe(fork);
  EXPECT_THAT(all.early, testing::SizeIs(16));
  describe(3);
  ASSERT_THAT(all.early, testing::SizeIs(17));
  EXPECT_EQ(all.early.back(), all.early[3]);
  peer.answer(invite, 486);
  world.pass(40s);
  world.expect_nothing_left();
}

/// RFC 3264 §4: what is answered is settled. A second answer is none, and another offer may follow.
TEST(offer_in_a_2xx, is_answered_once_by_the_ack) {
  sim_world world{7};
  auto& caller = world.add_site("10.0.0.1");
  raw_peer peer{world.lane(), "10.0.0.3"};
  const raw_media media{world.lane(), "10.1.0.3"};
  bare_caller::notes all;
  world.lane().spawn<call_leg>(caller.context.router,
                               std::make_unique<bare_caller>(caller, peer, all));
  world.pass(10ms);
  const auto invite = peer.last("INVITE ");
  peer.answer(invite, 200, {}, media.description());
  world.pass(10ms);
  const auto request = [&](std::string_view method, int cseq, const std::string& body) {
    auto text = peer.request(method, caller.address, std::string{method} + std::to_string(cseq),
                             tag_in(invite, "From"), cseq, {},
                             header_line(invite, "Call-ID").substr(9), body);
    peer.send(caller.address, text);
    world.pass(10ms);
  };
  request("INVITE", 1, {});
  ASSERT_EQ(peer.count("SIP/2.0 200"), 1U);
  EXPECT_THAT(all.agreed, testing::IsEmpty());
  for (int copy = 0; copy < 2; ++copy) {
    request("ACK", 1, media.description());
    EXPECT_THAT(all.agreed, testing::ElementsAre(true));
    EXPECT_THAT(all.could_restart, testing::ElementsAre(true)) << "no offer is open";
  }
  request("BYE", 2, {});
  EXPECT_EQ(peer.count("SIP/2.0 200"), 2U);
  world.pass(40s);
  world.expect_nothing_left();
}

} // namespace
} // namespace jackfield
