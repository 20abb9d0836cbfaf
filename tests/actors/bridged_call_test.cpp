#include "actors/centre/bridged_call.hpp"

#include <array>
#include <optional>

#include <gtest/gtest.h>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;

/// Notes the connection that a site's messages go over, and what requests it was sent.
class wire_notes final : public wire_tap {
public:
  explicit wire_notes(sim_site& site) : router_(site.context.router) { router_.set_tap(this); }
  ~wire_notes() override { router_.set_tap(nullptr); }
  void on_message(wire_direction direction, const transport::flow& over, lane::time_point /*at*/,
                  std::string_view bytes) override {
    flow = over;
    if (direction == wire_direction::received && !bytes.starts_with("SIP/2.0"))
      requests.emplace_back(bytes);
  }

  [[nodiscard]] size_t count(std::string_view method) const {
    return static_cast<size_t>(std::ranges::count_if(
      requests, [&](const std::string& text) { return text.starts_with(method); }));
  }

  transport::flow flow;
  std::vector<std::string> requests;

private:
  sip_router& router_;
};

/// Answers what is offered: Opus and G.711, by WebRTC or without.
answer_manner answers_of(sim_site& site) {
  auto manner = answer_manner_of(site);
  add_audio(manner);
  auto can = manner.media->capabilities();
  static constexpr std::array codecs{audio::codec::opus, audio::codec::pcma, audio::codec::pcmu};
  describe_codecs(can, codecs);
  accept_any_protection(can);
  manner.media = std::make_shared<sdp::offer_template>(manner.media->host(), can);
  return manner;
}

std::shared_ptr<bridge_manner> bridging(const answer_manner& manner) {
  auto listens = std::make_shared<audio_settings>();
  listens->mode = audio_mode::listen;
  auto made = std::make_shared<bridge_manner>();
  made->media = manner.media;
  made->audio = std::move(listens);
  return made;
}

/// A caller over UDP, a service that connects, and Alice's phone, registered there over WebSocket
/// or UDP.
class bridged_call_test : public testing::Test {
protected:
  explicit bridged_call_test(transport::protocol p = transport::protocol::ws)
      : world_(7), caller_(world_.add_site("10.0.0.1")), service_(world_.add_site("10.0.0.2")),
        phone_(world_.add_site("10.0.0.3", p)), picks_up_(answers_of(phone_)),
        connects_(answers_of(service_)), bridge_(bridging(connects_)) {
    if (transport::is_reliable(p)) {
      EXPECT_TRUE(service_.context.router.transport().listen(p, service_.address));
    }
  }

  /// Both answer, and Alice registers. Sources of metrics: 1 the service, 2 the phone.
  void begin() {
    connects_.connect = bridge_;
    world_.answer(service_, connects_);
    world_.answer(phone_, picks_up_);
    auto who = std::make_shared<call_target>();
    who->uri = "sip:10.0.0.2";
    who->from = "<sip:alice@10.0.0.2>";
    user_ = world_.register_user(phone_,
                                 std::make_shared<const call_manner>(manner_between(
                                   phone_, transport::target{phone_.protocol, service_.address})),
                                 who, {});
    world_.pass(1s);
    ASSERT_EQ(world_.heard().registrations.size(), 1U);
  }
  caf::strong_actor_ptr call(lane::duration length, const std::string& whom = "alice",
                             bool delayed_offer = false) {
    auto manner = manner_between(caller_, service_.target());
    add_audio(manner, caller_);
    manner.delayed_offer = delayed_offer;
    auto target = std::make_shared<call_target>();
    target->uri = "sip:" + whom + "@10.0.0.2";
    target->from = "<sip:bob@10.0.0.1>";
    return world_.call(caller_, std::make_shared<const call_manner>(manner), target, length);
  }
  const call_finished& the_call() {
    EXPECT_EQ(world_.heard().calls.size(), 1U);
    static const call_finished none;
    return world_.heard().calls.empty() ? none : world_.heard().calls.front();
  }
  const report::run_metrics& metrics_of(unsigned source) {
    world_.ask_for_metrics();
    return world_.metrics_of(source);
  }
  void expect_failed(unsigned source, failure_cause why) {
    const auto& calls = metrics_of(source).calls;
    EXPECT_EQ(calls.completed, 0U);
    EXPECT_EQ(calls.failed, 1U);
    EXPECT_EQ(calls.current, 0U);
    ASSERT_EQ(calls.failures.size(), 1U);
    EXPECT_EQ(calls.failures.begin()->first, why) << calls.failures.begin()->first.text();
  }
  /// A call of five seconds went well, and both ends heard all of it but `within` packets.
  void expect_heard_both_ways(double within) {
    EXPECT_FALSE(the_call().failure.failed()) << the_call().failure.text();
    ASSERT_TRUE(the_call().media);
    EXPECT_NEAR(static_cast<double>(the_call().media->received.packets), 250, within);
    EXPECT_GT(the_call().media->mos.value_or(0), 4.3);
    const auto& heard = metrics_of(2);
    EXPECT_EQ(heard.calls.completed, 1U);
    EXPECT_NEAR(static_cast<double>(heard.media.received.received), 250, within);
  }
  /// Of Alice's phone.
  void have_opus_alone() {
    auto can = picks_up_.media->capabilities();
    describe_codecs(can, std::array{audio::codec::opus});
    picks_up_.media = std::make_shared<sdp::offer_template>(picks_up_.media->host(), can);
  }
  void expect_nothing_left() {
    lane::tell(world_.lane(), std::exchange(user_, nullptr), hang_up{});
    world_.expect_nothing_left();
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& service_;
  sim_site& phone_;
  answer_manner picks_up_;
  answer_manner connects_;
  std::shared_ptr<bridge_manner> bridge_;
  caf::strong_actor_ptr user_;
};

class bridged_call_udp_test : public bridged_call_test {
protected:
  bridged_call_udp_test() : bridged_call_test(transport::protocol::udp) {}
};

TEST_F(bridged_call_test, caller_hangs_up) {
  wire_notes phone{phone_};
  begin();
  call(5s);
  world_.pass(8s);
  expect_heard_both_ways(8);
  const auto& between = metrics_of(1);
  EXPECT_EQ(between.calls.answered, 1U);
  EXPECT_EQ(between.calls.completed, 1U);
  EXPECT_EQ(between.calls.current, 0U);
  EXPECT_EQ(between.media.received.streams, 2U);
  EXPECT_EQ(between.media.transcoded, 0U);
  ASSERT_EQ(phone.count("INVITE"), 1U);
  const auto& invite = phone.requests.front();
  EXPECT_NE(invite.find("UDP/TLS/RTP/SAVPF"), std::string::npos) << invite;
  EXPECT_LT(invite.find("PCMU/8000"), invite.find("opus/48000"))
    << "first what the caller has: " << invite;
  EXPECT_LT(invite.find("opus/48000"), invite.find("telephone-event/8000")) << invite;
  EXPECT_NE(invite.find("From: <sip:bob@10.0.0.1>;tag="), std::string::npos) << invite;
  EXPECT_NE(invite.find("To: <sip:alice@10.0.0.2>\r\n"), std::string::npos) << invite;
  expect_nothing_left();
}

TEST_F(bridged_call_test, callee_has_another_codec) {
  have_opus_alone();
  begin();
  call(5s);
  world_.pass(8s);
  expect_heard_both_ways(12);
  EXPECT_EQ(the_call().media->clock_rate, 8000U);
  const auto& between = metrics_of(1);
  EXPECT_EQ(between.calls.completed, 1U);
  EXPECT_EQ(between.media.transcoded, 2U);
  expect_nothing_left();
}

TEST_F(bridged_call_test, callee_has_another_codec_than_a_caller_without_an_offer) {
  have_opus_alone();
  begin();
  call(5s, "alice", true);
  world_.pass(8s);
  expect_heard_both_ways(12);
  EXPECT_EQ(the_call().media->clock_rate, 8000U);
  EXPECT_EQ(metrics_of(1).media.transcoded, 2U);
  expect_nothing_left();
}

TEST_F(bridged_call_test, callee_hangs_up) {
  picks_up_.length = 3s;
  begin();
  call(60s);
  world_.pass(8s);
  EXPECT_EQ(the_call().cause, sip::end_cause::remote_bye);
  EXPECT_EQ(metrics_of(1).calls.completed, 1U);
  EXPECT_EQ(metrics_of(2).calls.completed, 1U);
  expect_nothing_left();
}

TEST_F(bridged_call_test, caller_gives_up_while_it_rings) {
  picks_up_.answer_after = 60s;
  wire_notes phone{phone_};
  begin();
  world_.at(5s, [this, calling = call(60s)] { lane::tell(world_.lane(), calling, hang_up{}); });
  world_.pass(10s);
  EXPECT_EQ(the_call().cause, sip::end_cause::cancelled);
  EXPECT_EQ(phone.count("CANCEL"), 1U);
  expect_failed(1, failure_cause::cancelled);
  expect_failed(2, failure_cause::cancelled);
  expect_nothing_left();
}

TEST_F(bridged_call_test, callee_is_busy) {
  picks_up_.refuse_with = 486;
  begin();
  call(60s);
  world_.pass(5s);
  EXPECT_EQ(the_call().failure, failure_cause::from_status(486));
  expect_failed(1, failure_cause::from_status(486));
  expect_nothing_left();
}

TEST_F(bridged_call_test, callee_does_not_answer) {
  picks_up_.answer_after = 10min;
  bridge_->ringing_limit = 20s;
  begin();
  call(60s);
  world_.pass(30s);
  EXPECT_EQ(the_call().failure, failure_cause::from_status(480));
  expect_failed(1, failure_cause::ring_timeout);
  expect_failed(2, failure_cause::cancelled);
  expect_nothing_left();
}

TEST_F(bridged_call_test, connection_of_the_callee_ends) {
  wire_notes phone{phone_};
  begin();
  EXPECT_EQ(metrics_of(1).registrations.current, 1U);
  call(60s);
  world_.pass(5s);
  phone_.context.router.transport().close(phone.flow);
  world_.pass(5s);
  EXPECT_EQ(the_call().cause, sip::end_cause::remote_bye);
  expect_failed(1, failure_cause::transport_error);
  EXPECT_EQ(metrics_of(1).registrations.current, 0U) << "gone with its connection";
  call(1s);
  world_.pass(3s);
  EXPECT_EQ(metrics_of(1).calls.answered, 2U) << "by the service: Alice is not there";
  EXPECT_EQ(metrics_of(2).calls.started, 1U);
  expect_nothing_left();
}

TEST_F(bridged_call_test, stopped_while_it_rings_and_while_it_is_up) {
  picks_up_.answer_after = 3s;
  begin();
  call(60s);
  world_.at(3s, [&] { call(60s); });
  world_.at(5s, [&] { world_.stop_services(); });
  world_.pass(20s);
  EXPECT_EQ(world_.heard().calls.size(), 2U);
  EXPECT_EQ(world_.heard().stopped.size(), 2U);
  const auto& calls = world_.heard().snapshots.at(1)->calls;
  EXPECT_EQ(calls.completed, 1U);
  EXPECT_EQ(calls.failures, (std::map<failure_cause, uint64_t>{{failure_cause::stopped, 1}}));
  EXPECT_EQ(calls.current, 0U);
}

TEST_F(bridged_call_test, others_are_answered) {
  begin();
  call(1s, "carol");
  world_.pass(3s);
  EXPECT_FALSE(the_call().failure.failed()) << the_call().failure.text();
  EXPECT_EQ(metrics_of(1).calls.completed, 1U);
  EXPECT_EQ(metrics_of(2).calls.started, 0U);
  expect_nothing_left();
}

TEST_F(bridged_call_test, who_calls_the_own_address_is_answered) {
  begin();
  auto manner = manner_between(phone_, transport::target{phone_.protocol, service_.address});
  add_audio(manner, phone_);
  auto target = std::make_shared<call_target>();
  target->uri = "sip:alice@10.0.0.2";
  target->from = "<sip:alice@10.0.0.2>";
  world_.call(phone_, std::make_shared<const call_manner>(manner), target, 1s);
  world_.pass(3s);
  EXPECT_FALSE(the_call().failure.failed()) << the_call().failure.text();
  EXPECT_EQ(metrics_of(1).calls.completed, 1U);
  EXPECT_EQ(metrics_of(2).calls.started, 0U);
  expect_nothing_left();
}

TEST_F(bridged_call_udp_test, contact_is_reached_by_its_uri) {
  wire_notes phone{phone_};
  begin();
  call(5s);
  world_.pass(8s);
  EXPECT_FALSE(the_call().failure.failed()) << the_call().failure.text();
  EXPECT_NEAR(static_cast<double>(the_call().media->received.packets), 250, 8);
  EXPECT_EQ(metrics_of(1).calls.completed, 1U);
  EXPECT_EQ(metrics_of(2).calls.completed, 1U);
  ASSERT_EQ(phone.count("INVITE"), 1U);
  EXPECT_NE(phone.requests.front().find(" RTP/AVP "), std::string::npos);
  expect_nothing_left();
}

TEST_F(bridged_call_udp_test, callee_is_silent) {
  begin();
  world_.kill(phone_);
  call(60s);
  world_.pass(40s);
  EXPECT_EQ(the_call().failure, failure_cause::from_status(408));
  expect_failed(1, failure_cause::timeout);
}

/// Who registers the service's own address makes a circle, which ends.
TEST_F(bridged_call_udp_test, contact_that_leads_back_here) {
  begin();
  raw_peer mallory{world_.lane(), "10.0.0.9"};
  auto text = mallory.request("REGISTER", service_.address, "1", {}, 1, "Expires: 600\r\n");
  text.replace(text.find("To: <sip:service@"), 17, "To: <sip:carol@");
  const auto contact = text.find("Contact: <sip:raw@10.0.0.9");
  text.replace(contact, 26, "Contact: <sip:carol@10.0.0.2");
  mallory.send(service_.address, text);
  world_.pass(1s);
  call(1s, "carol");
  world_.pass(60s);
  EXPECT_EQ(the_call().failure, failure_cause::from_status(483));
  const auto& calls = metrics_of(1).calls;
  EXPECT_EQ(calls.failed, 71U);
  EXPECT_EQ(calls.current, 0U);
}

/// Two lanes that serve as one, played by one: phones are connected to the second, calls are of
/// both.
TEST(bridged_call, of_lanes_that_serve_as_one) {
  constexpr unsigned users = 8;
  sim_world world{9};
  const auto site_at = [&](std::string_view address, uint8_t position) -> sim_site& {
    router_settings settings;
    settings.position = position;
    settings.seed = 7;
    return world.add_site(address, transport::protocol::udp, settings);
  };
  auto& first = site_at("10.0.0.1", 0);
  auto& second = site_at("10.0.0.2", 1);
  auto& caller = world.add_site("10.0.0.3");
  auto& phone = world.add_site("10.0.0.4", transport::protocol::ws);
  ASSERT_TRUE(second.context.router.transport().listen(transport::protocol::ws, second.address));
  lane_peers::join({&first.context.router, &second.context.router});
  const auto shards = std::make_shared<registrar_shards>(2);
  for (auto* site : {&first, &second}) {
    auto manner = answers_of(*site);
    manner.connect = bridging(manner);
    world.answer(*site, manner, {}, shards);
  }
  world.answer(phone, answers_of(phone));
  std::vector<caf::strong_actor_ptr> registered;
  for (unsigned user = 0; user < users; ++user) {
    auto who = std::make_shared<call_target>();
    who->uri = "sip:example.org";
    who->from = "<sip:user" + std::to_string(user) + "@example.org>";
    registered.push_back(
      world.register_user(phone,
                          std::make_shared<const call_manner>(manner_between(
                            phone, transport::target{transport::protocol::ws, second.address})),
                          who, {}));
  }
  world.pass(1s);
  auto manner = manner_between(caller, first.target());
  add_audio(manner, caller);
  for (unsigned user = 0; user < users; ++user) {
    auto whom = std::make_shared<call_target>();
    whom->uri = "sip:user" + std::to_string(user) + "@example.org";
    whom->from = "<sip:bob@10.0.0.3>";
    world.call(caller, std::make_shared<const call_manner>(manner), whom, 3s);
  }
  world.pass(6s);
  ASSERT_EQ(world.heard().calls.size(), users);
  for (const auto& call : world.heard().calls) {
    EXPECT_FALSE(call.failure.failed()) << call.failure.text();
    EXPECT_GT(call.media->received.packets, 140U);
  }
  world.ask_for_metrics();
  EXPECT_GT(world.metrics_of(1).calls.completed, 0U);
  EXPECT_GT(world.metrics_of(2).calls.completed, 0U);
  EXPECT_EQ(world.metrics_of(1).calls.completed + world.metrics_of(2).calls.completed, users);
  EXPECT_EQ(world.metrics_of(3).calls.completed, users);
  for (const auto& user : std::exchange(registered, {}))
    lane::tell(world.lane(), user, hang_up{});
  world.expect_nothing_left();
}

/// A caller without a stream, who holds after a second and resumes after another, then sends a
/// digit by INFO and hangs up.
class holder final : public leg_user {
public:
  struct heard {
    std::vector<int> settled;
    int info = 0;
    bool over = false;
  };
  holder(sim_site& from, sim_site& to, heard& h) : from_(from), to_(to), heard_(h) {}

  void on_start(call_leg& leg) override {
    ASSERT_TRUE(leg.open(to_.target(), from_.connections));
    sdp::media_capabilities can;
    leg.describe(std::make_shared<sdp::offer_template>("10.1.0.1", can), 20'000);
    sip::call_options options;
    options.uri = "sip:alice@10.0.0.2";
    options.from = "<sip:bob@10.0.0.1>";
    ASSERT_TRUE(leg.prepare(options));
    ASSERT_TRUE(leg.send_invite());
  }
  void on_answered(call_leg& leg, const leg_answer& /*answer*/) override { rest(leg); }
  void on_wake(call_leg& leg) override {
    switch (step_++) {
    case 0:
      EXPECT_TRUE(leg.offer(sdp::direction::sendonly));
      break;
    case 1:
      EXPECT_TRUE(leg.offer(sdp::direction::sendrecv));
      break;
    case 2:
      EXPECT_TRUE(leg.request(sip::method::info, "Signal=5\r\n", "application/dtmf-relay"));
      break;
    default:
      leg.hang_up();
    }
  }
  void on_settled(call_leg& leg, const leg_settled& settled) override {
    EXPECT_EQ(settled.unsettled, nullptr);
    heard_.settled.push_back(settled.status);
    rest(leg);
  }
  void on_response(call_leg& leg, const leg_response& response) override {
    heard_.info = response.status;
    rest(leg);
  }
  void on_hang_up(call_leg& leg) override { leg.hang_up(); }
  void on_lost(call_leg& /*leg*/) override {}
  void on_ended(call_leg& leg, const leg_end& /*end*/) override {
    heard_.over = true;
    leg.finish();
  }

private:
  static void rest(call_leg& leg) { leg.wake_at(leg.home().now() + 1s); }

  sim_site& from_;
  sim_site& to_;
  heard& heard_;
  int step_ = 0;
};

TEST_F(bridged_call_test, hold_and_digits_pass) {
  wire_notes phone{phone_};
  begin();
  holder::heard heard;
  world_.lane().spawn<call_leg>(caller_.context.router,
                                std::make_unique<holder>(caller_, service_, heard));
  world_.pass(10s);
  EXPECT_EQ(heard.settled, (std::vector{200, 200}));
  EXPECT_EQ(heard.info, 200);
  EXPECT_TRUE(heard.over);
  std::vector<std::string> ways;
  std::string info;
  for (const auto& text : phone.requests) {
    if (text.starts_with("INVITE"))
      for (const auto* way : {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"})
        if (text.find(way) != std::string::npos)
          ways.emplace_back(way);
    if (text.starts_with("INFO"))
      info = text;
  }
  EXPECT_EQ(ways, (std::vector<std::string>{"a=sendrecv", "a=sendonly", "a=sendrecv"}));
  EXPECT_NE(info.find("\r\n\r\nSignal=5"), std::string::npos) << info;
  EXPECT_EQ(metrics_of(1).calls.completed, 1U);
  expect_nothing_left();
}

/// What cannot be made of one another is known before the caller's ACK, which may never come.
TEST_F(bridged_call_test, callee_is_let_go_at_once_where_nothing_can_be_made_of_its_codec) {
  have_opus_alone();
  auto can = picks_up_.media->capabilities();
  can.ptime_ms = 30; // Opus has no such packets
  picks_up_.media = std::make_shared<sdp::offer_template>(picks_up_.media->host(), can);
  wire_notes phone{phone_};
  begin();
  raw_peer bob{world_.lane(), "10.0.0.9"};
  const raw_media media{world_.lane(), "10.1.0.9"};
  bob.on_message = [&](const std::string& m) {
    if (m.starts_with("BYE "))
      bob.answer(m, 200);
  };
  auto invite = bob.request("INVITE", service_.address, "1", {}, 1, {}, "raw", media.description());
  for (auto at = invite.find("sip:service@"); at != std::string::npos;
       at = invite.find("sip:service@"))
    invite.replace(at, 12, "sip:alice@");
  bob.send(service_.address, invite);
  world_.pass(2s);
  ASSERT_GE(bob.count("SIP/2.0 200"), 1U);
  EXPECT_EQ(phone.count("BYE"), 1U);
  EXPECT_EQ(bob.count("BYE "), 0U) << "RFC 3261 §15: not before its ACK";
  bob.send(service_.address,
           bob.request("ACK", service_.address, "2", tag_in(bob.last("SIP/2.0 200"), "To"), 1));
  world_.pass(1s);
  EXPECT_EQ(bob.count("BYE "), 1U);
  expect_failed(1, failure_cause::bad_sdp);
  expect_nothing_left();
}

/// RFC 3261 §14.2: it asks for an offer of ours. What its ACK answers may well be that it is still
/// on hold, so the other side is told nothing before.
TEST_F(bridged_call_test, an_invite_without_an_offer_is_not_the_other_sides_business) {
  wire_notes phone{phone_};
  begin();
  raw_peer bob{world_.lane(), "10.0.0.9"};
  const raw_media media{world_.lane(), "10.1.0.9"};
  bob.on_message = [&](const std::string& m) {
    if (m.starts_with("BYE "))
      bob.answer(m, 200);
  };
  std::string tag;
  const auto send = [&](std::string_view method, int cseq, const std::string& body) {
    auto text = bob.request(method, service_.address, std::string{method} + std::to_string(cseq),
                            tag, cseq, {}, "raw", body);
    for (auto at = text.find("sip:service@"); at != std::string::npos;
         at = text.find("sip:service@"))
      text.replace(at, 12, "sip:alice@");
    bob.send(service_.address, text);
    world_.pass(1s);
  };
  send("INVITE", 1, media.description());
  tag = tag_in(bob.last("SIP/2.0 200"), "To");
  ASSERT_FALSE(tag.empty());
  send("ACK", 1, {});
  send("INVITE", 2, media.description("sendonly"));
  send("ACK", 2, {});
  ASSERT_EQ(phone.count("INVITE"), 2U) << "on hold";
  send("INVITE", 3, {});
  EXPECT_NE(bob.last("SIP/2.0 200").find("m=audio "), std::string::npos) << "an offer";
  EXPECT_EQ(phone.count("INVITE"), 2U) << "taken off hold by nobody";
  send("ACK", 3, media.description("sendonly"));
  EXPECT_EQ(phone.count("INVITE"), 2U);
  send("BYE", 4, {});
  EXPECT_EQ(phone.count("BYE"), 1U);
  EXPECT_EQ(metrics_of(1).calls.completed, 1U);
  expect_nothing_left();
}

} // namespace
} // namespace jackfield
