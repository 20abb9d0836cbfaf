#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/call/call_resumption.hpp"
#include "actors/call/recorded_peer.hpp"
#include "actors/media/media_protection.hpp"
#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"
#include "tests/actors/webrtc_ends.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using storage::keyspace;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::StartsWith;

/// What comes to a site.
class heard_messages final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& over, lane::time_point /*at*/,
                  std::string_view bytes) override {
    if (direction != wire_direction::received)
      return;
    all.emplace_back(bytes);
    protocols.insert(over.protocol);
  }
  [[nodiscard]] std::vector<std::string> of(std::string_view method) const {
    std::vector<std::string> found;
    for (const auto& message : all)
      if (message.starts_with(std::string{method} + ' '))
        found.push_back(message);
    return found;
  }
  /// INVITEs with a To tag.
  [[nodiscard]] std::vector<std::string> reinvites() const {
    auto found = of("INVITE");
    std::erase_if(found,
                  [](const auto& m) { return field(m, "To").find(";tag=") == std::string::npos; });
    return found;
  }
  static std::string field(const std::string& message, const std::string& name) {
    const auto at = message.find("\r\n" + name + ": ");
    if (at == std::string::npos)
      return {};
    const auto begin = at + name.size() + 4;
    return message.substr(begin, message.find('\r', begin) - begin);
  }
  static uint32_t cseq(const std::string& message) {
    return static_cast<uint32_t>(std::stoul(field(message, "CSeq")));
  }

  std::vector<std::string> all;
  std::set<transport::protocol> protocols;
};

/// What became of the calls of a store.
std::map<storage::call_key, std::string> causes_in(const storage::store& s) {
  std::map<storage::call_key, std::string> causes;
  EXPECT_TRUE(s.scan(keyspace::events, {}, {}, [&](std::string_view, std::string_view value) {
    const auto event = storage::unpack_event(value).value();
    if (const auto* call = std::get_if<storage::call_ended>(&event.what)) {
      EXPECT_TRUE(causes.emplace(call->call, call->cause).second) << "two records of a call";
    }
    return true;
  }));
  return causes;
}

size_t under_way_in(const storage::store& s) {
  return storage::interrupted_calls(s).value().size();
}

constexpr uint64_t calls = 20;

/// Calls with audio between two sites, of which one keeps its own and is killed.
struct kept_calls {
  explicit kept_calls(transport::protocol p = transport::protocol::udp,
                      sdp::protection how = sdp::protection::none,
                      std::string_view caller_address = "10.0.0.1",
                      std::string_view callee_address = "10.0.0.2")
      : world(11, link()),
        caller(world.add_site(caller_address, p, settings(), simulated_services(false))),
        callee(world.add_site(callee_address, p, {}, simulated_services(false))),
        answering(answer_manner_of(callee)), calling(manner_between(caller, callee.target())) {
    add_audio(calling, caller);
    require_protection(calling.capabilities, how);
    calling.offer = std::make_shared<const sdp::offer_template>(
      caller.context.media.address().address(), calling.capabilities);
    add_audio(answering);
    answering.connections = callee.connections;
    auto takes = answering.media->capabilities();
    accept_any_protection(takes);
    answering.media =
      std::make_shared<const sdp::offer_template>(callee.context.media.address().address(), takes);
    world.answer(callee, answering);
  }

  /// The end of a simulated host comes without a word: it is noticed by who asks.
  static router_settings settings() {
    router_settings made;
    made.transport.keep_alive.websocket = 500ms;
    return made;
  }
  static lane::sim_link link() {
    lane::sim_link made;
    made.delay = 10ms;
    return made;
  }

  void run(lane::duration length) {
    plan = std::make_shared<load_plan>();
    plan->arrivals.calls = calls;
    plan->arrivals.phases = {{100, 100, 1h}};
    plan->length.mean = length;
    plan->targets = {target_of(callee.address)};
    world.run_load(caller, plan, std::make_shared<const call_manner>(calling));
  }

  /// Another process has another certificate.
  sim_site& add_next(const sim_site& site) {
    webrtc_settings slow;
    slow.stun_server = lane::endpoint::parse("192.0.2.1", 3478).value(); // which does not answer
    return world.add_site(site.address.address(), site.protocol, {},
                          webrtc_services::make_simulated(slow).value());
  }
  /// Another process in the place of the callee's, with a copy of what that kept.
  sim_site& restart_callee(sim_site& site, storage::memory_store& now) {
    world.crash(site);
    auto& next = add_next(site);
    answering.connections = next.connections;
    world.answer(next, answering);
    world.keep_calls(next, now, storage::begin_run(now, {}).value());
    world.resume(next, now);
    return next;
  }
  /// The same for the caller's, whose run goes on.
  sim_site& restart_caller(sim_site& site, storage::memory_store& now, uint64_t run) {
    world.crash(site);
    auto& next = add_next(site);
    EXPECT_TRUE(storage::resume_run(now, run, storage::wall_time{world.lane().wall_now()}));
    world.keep_calls(next, now, run);
    world.resume_load(next, now, run, plan, std::make_shared<const call_manner>(calling));
    return next;
  }

  storage::memory_store store;
  sim_world world;
  sim_site& caller;
  sim_site& callee;
  answer_manner answering;
  call_manner calling;
  std::shared_ptr<load_plan> plan;
};

struct way {
  transport::protocol protocol;
  sdp::protection how;
  /// Only the caller can make a connection.
  [[nodiscard]] bool comes_back() const { return transport::is_websocket(protocol); }
};

class each_way : public testing::TestWithParam<way> {};

TEST_P(each_way, calls_that_came_in_go_on_and_are_heard_until_their_callers_hang_up) {
  kept_calls k{GetParam().protocol, GetParam().how};
  k.world.keep_calls(k.callee, k.store, storage::begin_run(k.store, {}).value());
  k.run(10s);
  k.world.pass(3s);
  storage::memory_store left{k.store};
  ASSERT_EQ(under_way_in(left), calls);
  k.restart_callee(k.callee, left);
  k.world.pass(2s);
  ASSERT_TRUE(k.world.heard().resumed);
  EXPECT_EQ(k.world.heard().resumed->resumed, calls);
  EXPECT_EQ(k.world.heard().resumed->lost, 0U);
  EXPECT_LT(k.world.heard().resumed->slowest, GetParam().comes_back() ? 1'500ms : 200ms);
  ASSERT_TRUE(k.world.run_until_finished(30s));
  const auto& measured = *k.world.heard().finished->metrics;
  EXPECT_EQ(measured.calls.completed, calls);
  for (const auto& [cause, count] : measured.calls.failures)
    ADD_FAILURE() << count << " calls: " << cause.text();
  EXPECT_EQ(measured.media.received.lost, 0U);
  // Of the old key, one may lie in the socket when the new one is agreed on.
  EXPECT_LE(measured.media.ignored.forged, calls);
  // 10 s of 50 packets each, but for the moment in between.
  EXPECT_GT(measured.media.received.received, calls * (GetParam().comes_back() ? 420 : 490));
  k.world.pass(1s);
  const auto causes = causes_in(left);
  EXPECT_EQ(causes.size(), calls);
  for (const auto& [call, cause] : causes)
    EXPECT_EQ(cause, "") << call.text();
  EXPECT_EQ(under_way_in(left), 0U);
}

TEST_P(each_way, a_run_goes_on_with_its_calls_and_reports_both_parts) {
  kept_calls k{GetParam().protocol, GetParam().how};
  const auto run = storage::begin_run(k.store, {}).value();
  k.world.keep_calls(k.caller, k.store, run);
  heard_messages heard;
  k.callee.context.router.set_tap(&heard);
  k.run(2s);
  k.world.pass(250ms); // some are up, some in the air, some to come
  storage::memory_store left{k.store};
  k.restart_caller(k.caller, left, run);
  ASSERT_TRUE(k.world.run_until_finished(60s));
  ASSERT_TRUE(k.world.heard().resumed);
  EXPECT_GT(k.world.heard().resumed->resumed, 0U);
  EXPECT_EQ(k.world.heard().resumed->lost, 0U);
  const auto& measured = *k.world.heard().finished->metrics;
  EXPECT_EQ(measured.calls.offered, calls);
  EXPECT_EQ(measured.calls.started, calls);
  EXPECT_EQ(measured.calls.current, 0U);
  const auto in_air = calls - measured.calls.completed;
  EXPECT_LE(in_air, 4U);
  EXPECT_EQ(measured.calls.failed, in_air) << "those in the air are indeterminate";
  EXPECT_EQ(measured.calls.answered, measured.calls.completed);
  EXPECT_EQ(measured.times.setup.count(), measured.calls.answered);
  EXPECT_EQ(measured.times.call_length.count(), measured.calls.answered);
  EXPECT_EQ(measured.media.received.lost, 0U);
  std::set<std::string> made;
  for (const auto& invite : heard.of("INVITE"))
    if (heard_messages::field(invite, "To").find(";tag=") == std::string::npos)
      made.insert(heard_messages::field(invite, "Call-ID"));
  EXPECT_EQ(made.size(), calls) << "each attempt is made once";
  k.callee.context.router.set_tap(nullptr);
  k.world.pass(2min);
  EXPECT_EQ(causes_in(left).size(), calls);
  EXPECT_EQ(k.callee.context.router.legs().size(), 0U);
  EXPECT_EQ(under_way_in(left), 0U);
}

INSTANTIATE_TEST_SUITE_P(call_resumption, each_way,
                         testing::Values(way{transport::protocol::udp, sdp::protection::none},
                                         way{transport::protocol::udp, sdp::protection::sdes},
                                         way{transport::protocol::tcp, sdp::protection::none},
                                         way{transport::protocol::udp, sdp::protection::dtls},
                                         way{transport::protocol::ws, sdp::protection::dtls}),
                         [](const auto& named) {
                           const auto how = named.param.how;
                           return std::string{transport::to_string(named.param.protocol)} +
                                  (how == sdp::protection::dtls   ? "_webrtc"
                                   : how == sdp::protection::sdes ? "_sdes"
                                                                  : "_rtp");
                         });

TEST(call_resumption, a_second_crash_changes_nothing) {
  kept_calls k;
  k.world.keep_calls(k.callee, k.store, storage::begin_run(k.store, {}).value());
  k.run(10s);
  k.world.pass(3s);
  storage::memory_store after_first{k.store};
  auto& next = k.restart_callee(k.callee, after_first);
  k.world.pass(15ms); // its offers are on their way
  storage::memory_store after_second{after_first};
  k.restart_callee(next, after_second);
  ASSERT_TRUE(k.world.run_until_finished(40s));
  EXPECT_EQ(k.world.heard().finished->metrics->calls.completed, calls);
  k.world.pass(1s);
  EXPECT_EQ(causes_in(after_second).size(), calls);
}

TEST(call_resumption, whenever_a_run_is_killed_it_goes_on_and_makes_no_attempt_twice) {
  size_t crashes = 0;
  for (lane::duration when = 20ms; when < 2500ms; when += 87ms) {
    SCOPED_TRACE(std::to_string(when / 1ms) + " ms");
    kept_calls k;
    const auto run = storage::begin_run(k.store, {}).value();
    k.world.keep_calls(k.caller, k.store, run);
    heard_messages heard;
    k.callee.context.router.set_tap(&heard);
    k.run(2s);
    k.world.pass(when);
    storage::memory_store left{k.store};
    k.restart_caller(k.caller, left, run);
    ++crashes;
    ASSERT_TRUE(k.world.run_until_finished(60s));
    k.callee.context.router.set_tap(nullptr);
    k.world.pass(2min);
    std::map<std::string, std::set<std::string>> branches;
    for (const auto& invite : heard.of("INVITE"))
      if (heard_messages::field(invite, "To").find(";tag=") == std::string::npos)
        branches[heard_messages::field(invite, "Call-ID")].insert(
          heard_messages::field(invite, "Via"));
    for (const auto& [call, vias] : branches)
      EXPECT_EQ(vias.size(), 1U) << call;
    EXPECT_EQ(causes_in(left).size(), calls);
    EXPECT_EQ(under_way_in(left), 0U);
    EXPECT_EQ(k.callee.context.router.legs().size(), 0U);
    const auto& counted = k.world.heard().finished->metrics->calls;
    EXPECT_EQ(counted.offered, calls);
    EXPECT_EQ(counted.completed + counted.failed, calls);
  }
  EXPECT_EQ(crashes, 29U);
}

// What a caller offers while it is not clear yet what there is to answer with is refused (491), and
// made anew once ours has been taken.
TEST(call_resumption, what_callers_offer_meanwhile_comes_later) {
  for (const auto how : {sdp::protection::none, sdp::protection::dtls}) {
    kept_calls k{transport::protocol::udp, how};
    k.calling.steps = {{2s, call_step::kind::hold}};
    k.world.keep_calls(k.callee, k.store, storage::begin_run(k.store, {}).value());
    k.run(15s);
    k.world.pass(2s + 150ms);
    storage::memory_store left{k.store};
    k.restart_callee(k.callee, left);
    ASSERT_TRUE(k.world.run_until_finished(30s));
    const auto& measured = *k.world.heard().finished->metrics;
    EXPECT_EQ(measured.calls.completed, calls);
    EXPECT_EQ(measured.steps.hold.done, calls);
    EXPECT_EQ(measured.steps.hold.failed, 0U);
    ASSERT_TRUE(k.world.heard().resumed);
    EXPECT_EQ(k.world.heard().resumed->lost, 0U);
  }
}

// A browser's Contact (RFC 7118 §5).
TEST(call_resumption, who_comes_to_us_needs_no_address) {
  storage::call_record call;
  call.incoming = true;
  call.target = "WSS 192.0.2.7:50123";
  call.dialog.emplace().remote_target = "sip:q3k8@df7jal23ls0d.invalid;transport=ws";
  const auto peer = peer_of(call);
  ASSERT_TRUE(peer);
  EXPECT_TRUE(peer->comes_to_us);
  EXPECT_EQ(peer->protocol(), transport::protocol::wss);
  call.target = "TCP 192.0.2.7:50123";
  EXPECT_FALSE(peer_of(call)) << "is to be connected to, and is nowhere";
}

TEST(call_resumption, a_call_whose_peer_hangs_up_first_was_not_lost) {
  kept_calls k;
  const auto run = storage::begin_run(k.store, {}).value();
  k.world.keep_calls(k.caller, k.store, run);
  k.run(10s);
  k.world.pass(3s);
  storage::memory_store left{k.store};
  k.restart_caller(k.caller, left, run);
  k.world.stop_services(); // its BYEs and the offers meet
  ASSERT_TRUE(k.world.run_until_finished(60s));
  ASSERT_TRUE(k.world.heard().resumed);
  EXPECT_EQ(k.world.heard().resumed->resumed, calls);
  EXPECT_EQ(k.world.heard().resumed->lost, 0U);
  for (const auto& [call, cause] : causes_in(left))
    EXPECT_EQ(cause, "") << call.text() << ": it had run for longer than a second";
}

TEST(call_resumption, a_peer_that_is_gone_is_waited_for_and_then_given_up) {
  kept_calls k;
  k.world.keep_calls(k.callee, k.store, storage::begin_run(k.store, {}).value());
  k.run(1h);
  k.world.pass(3s);
  storage::memory_store left{k.store};
  k.world.crash(k.caller);
  k.restart_callee(k.callee, left);
  k.world.pass(2min);
  ASSERT_TRUE(k.world.heard().resumed);
  EXPECT_EQ(k.world.heard().resumed->lost, calls);
  const auto causes = causes_in(left);
  EXPECT_EQ(causes.size(), calls);
  for (const auto& [call, cause] : causes)
    EXPECT_EQ(cause, "engine_restart") << call.text();
}

/// A call that a raw peer made, whose callee is killed once it is up.
struct resumed_for_raw_peer {
  void go() {
    world.answer(first, answering);
    world.keep_calls(first, store, storage::begin_run(store, {}).value());
    peer.send(first.address, peer.request("INVITE", first.address, "invite", {}, 1, {}, "raw",
                                          media.description()));
    world.pass(500ms);
    tag = tag_in(peer.last("SIP/2.0 200"), "To");
    peer.send(first.address, peer.request("ACK", first.address, "ack", tag));
    world.pass(1s);
    left = std::make_unique<storage::memory_store>(store);
    ASSERT_EQ(under_way_in(*left), 1U);
    peer.on_message = [this](const std::string& m) {
      if (m.starts_with("INVITE ")) {
        offers.insert(header_line(m, "CSeq"));
        peer.answer(m, status);
      } else if (m.starts_with("BYE ")) {
        peer.answer(m, 200);
      }
    };
    world.crash(first);
    auto& next = world.add_site("10.0.0.2");
    answering.connections = next.connections;
    world.answer(next, answering);
    world.keep_calls(next, *left, storage::begin_run(*left, {}).value());
    world.resume(next, *left);
  }

  storage::memory_store store;
  sim_world world{11, kept_calls::link()};
  sim_site& first = world.add_site("10.0.0.2");
  answer_manner answering = [this] {
    auto made = answer_manner_of(first);
    add_audio(made);
    return made;
  }();
  raw_peer peer{world.lane(), "10.0.0.3"};
  const raw_media media{world.lane(), "10.1.0.3"};
  std::string tag; // of the callee
  std::unique_ptr<storage::memory_store> left;
  int status = 500; // of its answers to re-INVITEs
  std::set<std::string> offers;
};

/// `call_resumption::most_offers`.
TEST(call_resumption, a_peer_that_always_refuses_is_hung_up_in_the_end) {
  for (const int status : {500, 503}) {
    resumed_for_raw_peer r;
    r.status = status;
    r.go();
    r.world.pass(1min);
    EXPECT_EQ(r.offers.size(), call_resumption::most_offers) << status;
    ASSERT_TRUE(r.world.heard().resumed) << status;
    EXPECT_EQ(r.world.heard().resumed->resumed, 0U);
    EXPECT_EQ(r.world.heard().resumed->lost, 1U);
    EXPECT_EQ(r.peer.count("BYE "), 1U) << status;
    EXPECT_EQ(under_way_in(*r.left), 0U);
  }
}

/// RFC 3261 §14.2: it answers that its own is on its way. What that agrees on is the session: there
/// is nothing left to offer.
TEST(call_resumption, a_peer_that_refuses_and_offers_itself_is_not_offered_again) {
  resumed_for_raw_peer r;
  r.go();
  r.world.pass(100ms);
  ASSERT_EQ(r.offers.size(), 1U);
  r.peer.messages.clear();
  r.peer.send(r.first.address, r.peer.request("INVITE", r.first.address, "again", r.tag, 2, {},
                                              "raw", r.media.description()));
  r.world.pass(100ms);
  EXPECT_NE(r.peer.last("SIP/2.0 200").find("m=audio "), std::string::npos);
  r.peer.send(r.first.address, r.peer.request("ACK", r.first.address, "ack2", r.tag, 2));
  r.world.pass(1min);
  EXPECT_EQ(r.offers.size(), 1U);
  ASSERT_TRUE(r.world.heard().resumed);
  EXPECT_EQ(r.world.heard().resumed->resumed, 1U);
  EXPECT_EQ(r.world.heard().resumed->lost, 0U);
  EXPECT_EQ(r.peer.count("BYE "), 0U);
  r.peer.send(r.first.address, r.peer.request("BYE", r.first.address, "bye", r.tag, 3));
  r.world.pass(1s);
  EXPECT_EQ(under_way_in(*r.left), 0U);
}

// -- what FreeSWITCH's recovery got wrong ---------------------------------------------------
// Numbers are of issues and pull requests there.

/// The re-INVITEs of callees that were killed, at their callers.
struct resumed_by_callee : kept_calls {
  using kept_calls::kept_calls;
  void go(const std::function<void()>& before = [] {}) {
    caller.context.router.set_tap(&heard);
    world.keep_calls(callee, store, storage::begin_run(store, {}).value());
    run(10s);
    world.pass(2s);
    before();
    left = std::make_unique<storage::memory_store>(store);
    const auto under_way = storage::interrupted_calls(*left).value();
    for (const auto& call : under_way)
      records[call.record.call_id] = call.record;
    heard.all.clear();
    restart_callee(callee, *left);
    world.pass(1s);
    caller.context.router.set_tap(nullptr);
    reinvites = heard.reinvites();
    ASSERT_EQ(reinvites.size(), calls);
  }
  heard_messages heard;
  std::unique_ptr<storage::memory_store> left;
  std::map<std::string, storage::call_record> records; // by Call-ID
  std::vector<std::string> reinvites;
};

TEST(call_resumption, fs_1833_cseq_goes_on_behind_all_that_may_have_been_sent) {
  resumed_by_callee r;
  r.go();
  for (const auto& m : r.reinvites)
    EXPECT_GT(heard_messages::cseq(m),
              r.records.at(heard_messages::field(m, "Call-ID")).dialog->local_cseq);
}

TEST(call_resumption, fs_2037_fs_1141_parties_are_not_swapped) {
  resumed_by_callee r;
  r.go();
  for (const auto& m : r.reinvites) {
    const auto& dialog = *r.records.at(heard_messages::field(m, "Call-ID")).dialog;
    EXPECT_EQ(heard_messages::field(m, "From"), dialog.local_party);
    EXPECT_EQ(heard_messages::field(m, "To"), dialog.remote_party);
    EXPECT_FALSE(dialog.is_caller);
  }
}

TEST(call_resumption, fs_2922_neither_an_old_via_nor_a_record_route_is_sent) {
  resumed_by_callee r;
  r.go();
  for (const auto& m : r.reinvites) {
    EXPECT_EQ(heard_messages::field(m, "Record-Route"), "");
    const auto first = m.find("\r\nVia: ");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(m.find("\r\nVia: ", first + 1), std::string::npos) << m;
    EXPECT_THAT(heard_messages::field(m, "Via"), StartsWith("SIP/2.0/UDP 10.0.0.2:5060;"));
  }
}

TEST(call_resumption, fs_1679_a_call_over_tcp_goes_on_over_tcp) {
  resumed_by_callee r{transport::protocol::tcp};
  r.go();
  EXPECT_EQ(r.heard.protocols, std::set{transport::protocol::tcp});
  for (const auto& m : r.reinvites)
    EXPECT_THAT(heard_messages::field(m, "Via"), StartsWith("SIP/2.0/TCP 10.0.0.2:5060;"));
}

TEST(call_resumption, fs_2400_a_call_over_ipv6_goes_on_with_its_media) {
  resumed_by_callee r{transport::protocol::udp, sdp::protection::none, "2001:db8::1",
                      "2001:db8::2"};
  r.go();
  EXPECT_THAT(r.reinvites, Each(AllOf(HasSubstr("c=IN IP6 "), HasSubstr("m=audio "))));
  ASSERT_TRUE(r.world.run_until_finished(30s));
  EXPECT_EQ(r.world.heard().finished->metrics->calls.completed, calls);
}

TEST(call_resumption, fs_pr_322_the_address_shown_is_that_of_the_engine_that_goes_on) {
  resumed_by_callee r;
  r.go();
  for (const auto& m : r.reinvites) {
    EXPECT_THAT(heard_messages::field(m, "Contact"), HasSubstr("sip:10.0.0.2:5060"));
    EXPECT_THAT(m, HasSubstr("c=IN IP4 10.1.0.2\r\n"));
    // Where it was heard, it is heard again.
    const auto& record = r.records.at(heard_messages::field(m, "Call-ID"));
    EXPECT_THAT(m, HasSubstr("m=audio " + std::to_string(record.media->port) + " "));
  }
}

TEST(call_resumption, the_session_is_the_same_and_its_next_version) {
  resumed_by_callee r;
  r.go();
  for (const auto& m : r.reinvites) {
    const auto& record = r.records.at(heard_messages::field(m, "Call-ID"));
    EXPECT_THAT(m, HasSubstr(" " + std::to_string(record.media->agreed.version + 1) + " IN IP4 "));
  }
}

} // namespace
} // namespace jackfield
