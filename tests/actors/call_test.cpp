#include <set>
#include <string>

#include <gtest/gtest.h>

#include "engine/report/verdict.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;

constexpr std::string_view inactive_answer = "v=0\r\n"
                                             "o=- 1 1 IN IP4 10.0.0.3\r\n"
                                             "s=-\r\n"
                                             "c=IN IP4 10.0.0.3\r\n"
                                             "t=0 0\r\n"
                                             "m=audio 20000 RTP/AVP 0\r\n"
                                             "a=inactive\r\n";

/// A caller and an answering service ten milliseconds apart.
class call_test : public testing::Test {
protected:
  static lane::sim_link quiet() {
    lane::sim_link link;
    link.delay = 10ms;
    return link;
  }

  call_test()
      : world_(1, quiet()), caller_(world_.add_site("10.0.0.1")),
        callee_(world_.add_site("10.0.0.2")), answers_(answer_manner_of(callee_)) {}

  void serve() { world_.answer(callee_, answers_); }

  caf::strong_actor_ptr call(lane::duration length = 1s) {
    return call_to(callee_.target(), length);
  }
  caf::strong_actor_ptr call_to(const transport::target& to, lane::duration length = 1s) {
    return world_.call(caller_, std::make_shared<const call_manner>(manner_between(caller_, to)),
                       target_of(to.remote), length);
  }
  void hang_up_at(lane::duration when, caf::strong_actor_ptr call) {
    world_.at(when, [this, call = std::move(call)] { lane::tell(world_.lane(), call, hang_up{}); });
  }
  void lose(bool from_caller, double loss) {
    auto link = quiet();
    link.loss = loss;
    const auto& a = from_caller ? caller_ : callee_;
    const auto& b = from_caller ? callee_ : caller_;
    world_.lane().set_link(a.address, b.address, link);
  }
  const call_finished& only_call() {
    EXPECT_EQ(world_.heard().calls.size(), 1U);
    return world_.heard().calls.at(0);
  }
  const report::run_metrics& served() {
    world_.ask_for_metrics();
    return world_.metrics_of(1);
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
  answer_manner answers_;
};

TEST_F(call_test, plain_call) {
  serve();
  call(5s);
  world_.pass(4s);
  EXPECT_EQ(world_.heard().answered.size(), 1U);
  EXPECT_EQ(caller_.context.router.legs().size(), 1U);
  EXPECT_EQ(callee_.context.router.legs().size(), 1U);
  world_.pass(2s);
  const auto& c = only_call();
  EXPECT_FALSE(c.failure.failed()) << c.failure.name();
  EXPECT_EQ(c.cause, sip::end_cause::local_bye);
  EXPECT_EQ(c.status, 200);
  EXPECT_EQ(*c.times.answered - c.times.started, 20ms);
  EXPECT_EQ(*c.times.bye_sent - *c.times.answered, 5s);
  EXPECT_EQ(*c.times.ended - *c.times.bye_sent, 20ms);
  EXPECT_EQ(c.wire.requests, 3U);
  EXPECT_EQ(c.wire.retransmissions, 0U);
  EXPECT_EQ(served().calls.completed, 1U);
  world_.expect_nothing_left();
}

/// The callee answers 20 ms after the INVITE came, at 30 ms; the CANCEL leaves 5 ms before.
TEST_F(call_test, cancel_crossing_200) {
  answers_.answer_after = 20ms;
  serve();
  hang_up_at(25ms, call());
  world_.pass(1s);
  const auto& c = only_call();
  EXPECT_EQ(c.cause, sip::end_cause::cancelled_but_answered);
  EXPECT_EQ(c.failure, failure_cause{failure_cause::stopped});
  EXPECT_EQ(served().calls.answered, 1U);
  EXPECT_EQ(served().calls.completed, 1U); // ACKed and hung up
  world_.expect_nothing_left();
}

TEST_F(call_test, cancel_while_ringing) {
  answers_.answer_after = 10s;
  serve();
  hang_up_at(2s, call());
  world_.pass(3s);
  const auto& c = only_call();
  EXPECT_EQ(c.cause, sip::end_cause::cancelled);
  EXPECT_EQ(c.status, 487);
  EXPECT_EQ(served().calls.answered, 0U);
  EXPECT_EQ(served().calls.failed, 1U);
  world_.expect_nothing_left();
}

/// Told to end at every millisecond of a call's first 70, over a path that loses a third.
TEST_F(call_test, hung_up_at_any_moment) {
  answers_.answer_after = 20ms;
  auto link = quiet();
  link.loss = 0.33;
  world_.lane().set_link(link);
  serve();
  for (int i = 0; i < 210; ++i)
    hang_up_at(std::chrono::milliseconds{i / 3}, call(50ms));
  world_.pass(200s);
  EXPECT_EQ(world_.heard().calls.size(), 210U);
  world_.expect_nothing_left();
  const auto& calls = served().calls;
  EXPECT_EQ(calls.started, calls.completed + calls.failed);
}

TEST_F(call_test, bye_crossing_bye) {
  answers_.length = 990ms; // hangs up when the caller does: the answer takes 10 ms to it
  serve();
  call(980ms);
  world_.pass(1005ms);
  // Answered there at 10 ms, here at 20: both hang up at 1,000.
  world_.pass(1s);
  const auto& c = only_call();
  EXPECT_FALSE(c.failure.failed()) << c.failure.name();
  EXPECT_EQ(*c.times.ended - *c.times.bye_sent, 10ms) << "the BYEs did not cross";
  EXPECT_EQ(served().calls.completed, 1U);
  world_.expect_nothing_left();
}

TEST_F(call_test, callee_hangs_up_first) {
  answers_.length = 500ms;
  serve();
  call(5s);
  world_.pass(10s);
  EXPECT_EQ(only_call().failure, failure_cause{failure_cause::early_hangup});
  EXPECT_EQ(served().calls.completed, 1U);
  world_.expect_nothing_left();
}

/// A callee that hangs up 500 ms and 2 s after its answer, of calls of 5 s.
TEST_F(call_test, callee_that_hangs_up_is_judged_as_asked) {
  struct row {
    callee_hang_up asked;
    lane::duration up;
    failure_cause::own expected;
  };
  constexpr row rows[] = {{callee_hang_up::usual, 500ms, failure_cause::early_hangup},
                          {callee_hang_up::usual, 2s, failure_cause::none},
                          {callee_hang_up::allowed, 500ms, failure_cause::none},
                          {callee_hang_up::fails, 2s, failure_cause::early_hangup},
                          {callee_hang_up::expected, 2s, failure_cause::none},
                          {callee_hang_up::expected, 10s, failure_cause::callee_stayed}};
  uint8_t host = 10;
  for (const auto& r : rows) {
    auto& callee = world_.add_site("10.0.0." + std::to_string(host++));
    auto answers = answer_manner_of(callee);
    answers.length = r.up;
    world_.answer(callee, answers);
    auto manner = manner_between(caller_, callee.target());
    manner.callee_hangs_up = r.asked;
    world_.call(caller_, std::make_shared<const call_manner>(manner), target_of(callee.address),
                5s);
    world_.pass(7s);
    EXPECT_EQ(world_.heard().calls.back().failure.name(), failure_cause{r.expected}.name())
      << "row " << &r - rows;
  }
}

TEST_F(call_test, what_the_peer_said_of_a_failure_is_told) {
  raw_peer peer{world_.lane(), "10.0.0.3"};
  peer.on_message = [&](const std::string& m) {
    if (m.starts_with("INVITE "))
      peer.answer(m, 503,
                  "Retry-After: 30\r\nWarning: 399 gw \"no channel\"\r\n"
                  "Reason: Q.850;cause=34\r\n");
  };
  call_to({transport::protocol::udp, peer.address()});
  world_.pass(2s);
  EXPECT_EQ(only_call().failure, failure_cause::from_status(503));
  EXPECT_EQ(only_call().detail,
            "Whatever; Warning 399 gw \"no channel\"; Retry-After 30; Reason Q.850;cause=34")
    << "its reason phrase is no usual one";
}

/// SIPp's tn: as many connections as calls, and none stays.
TEST_F(call_test, each_call_has_a_connection_of_its_own_where_asked) {
  auto& callee = world_.add_site("10.0.0.6", transport::protocol::tcp);
  world_.answer(callee, answer_manner_of(callee));
  auto& caller = world_.add_site("10.0.0.5", transport::protocol::tcp);
  auto manner = manner_between(caller, callee.target());
  for (const bool shared : {true, false}) {
    auto connections = std::make_shared<transport::open_settings>(*manner.connections);
    connections->share = shared;
    manner.connections = connections;
    const auto before = caller.context.router.transport().counters().opened;
    for (int i = 0; i < 5; ++i)
      world_.call(caller, std::make_shared<const call_manner>(manner), target_of(callee.address),
                  1s);
    world_.pass(3s);
    EXPECT_EQ(caller.context.router.transport().counters().opened - before, shared ? 1U : 5U);
  }
  ASSERT_EQ(world_.heard().calls.size(), 10U);
  for (const auto& c : world_.heard().calls)
    EXPECT_FALSE(c.failure.failed()) << c.failure.name();
  EXPECT_EQ(caller.context.router.transport().connections(), 1U) << "the shared one";
  world_.expect_nothing_left();
}

/// RFC 3261 §18.4: ICMP says at once that nobody is there, and nobody waits for timer B.
TEST_F(call_test, a_port_that_nobody_is_at_is_told_at_once) {
  const auto nobody = callee_.address.with_port(5999);
  call_to({transport::protocol::udp, nobody});
  world_.pass(1s);
  EXPECT_EQ(only_call().failure.name(), "connect_failed");
  EXPECT_EQ(only_call().detail, "nobody is at that port (ICMP)");
  EXPECT_EQ(only_call().wire.retransmissions, 0U);
  world_.expect_nothing_left();
}

/// What is said of another's port, or was said before the request left, is not said of it.
TEST_F(call_test, a_port_that_another_was_refused_at_is_not_its_own) {
  const auto refuse = [this](const lane::endpoint& by) {
    caller_.context.router.on_peer_refused({{}, transport::protocol::udp, 0, caller_.address, by});
  };
  answers_.answer_after = 3s;
  serve();
  const auto another = callee_.address.with_port(5999);
  world_.at(1s, [=] { refuse(another); }); // legs are told at once, and of the next at 1250 ms
  world_.at(1100ms, [=, this] { refuse(callee_.address); });
  world_.at(1240ms, [this] { call(1s); });
  world_.at(1245ms, [=] { refuse(another); });
  world_.pass(7s);
  EXPECT_FALSE(only_call().failure.failed()) << only_call().failure.name();
  world_.expect_nothing_left();
}

/// A callee that goes away for a moment after its answer: a call that is up outlives that, and its
/// BYE does not wait.
TEST_F(call_test, a_call_that_is_up_outlives_its_peers_port) {
  serve();
  call(5s);
  world_.at(2s, [this] {
    caller_.context.router.on_peer_refused(
      {{}, transport::protocol::udp, 0, caller_.address, callee_.address});
  });
  world_.pass(7s);
  EXPECT_FALSE(only_call().failure.failed()) << only_call().failure.name();
  world_.expect_nothing_left();
}

TEST_F(call_test, a_connection_that_nobody_takes_is_told_as_such) {
  auto& caller = world_.add_site("10.0.0.5", transport::protocol::tcp);
  const transport::target nobody{transport::protocol::tcp,
                                 lane::endpoint::parse("10.0.0.2", 5999).value()};
  world_.call(caller, std::make_shared<const call_manner>(manner_between(caller, nobody)),
              target_of(nobody.remote), 1s);
  world_.pass(40s);
  EXPECT_EQ(only_call().failure.name(), "connect_failed");
  EXPECT_NE(only_call().detail, "") << "the system said why";
  world_.expect_nothing_left();
}

TEST_F(call_test, answer_sent_again_after_a_lost_ack) {
  serve();
  call(3s);
  world_.at(15ms, [this] { lose(true, 1); }); // the INVITE is through, the ACK at 20 ms is not
  world_.at(1s, [this] { lose(true, 0); });
  world_.pass(5s);
  const auto& c = only_call();
  EXPECT_FALSE(c.failure.failed()) << c.failure.name();
  EXPECT_GE(c.wire.retransmissions, 1U) << "the ACK was not repeated";
  EXPECT_GE(served().retransmissions, 1U);
  EXPECT_EQ(served().calls.completed, 1U);
  world_.expect_nothing_left();
}

/// The ACK never comes, nor what follows; the callee hangs up and its own BYE comes through.
TEST_F(call_test, callee_gives_up_without_ack) {
  serve();
  call(20s);
  world_.at(15ms, [this] { lose(true, 1); });
  world_.pass(100s);
  const auto& c = only_call();
  EXPECT_FALSE(c.failure.failed()) << c.failure.name();
  EXPECT_EQ(*c.times.ended - c.times.started, 32s + 20ms) << "64*T1 after the answer";
  EXPECT_EQ(served().calls.failures.at(failure_cause::no_ack), 1U);
  world_.expect_nothing_left();
}

TEST_F(call_test, nobody_there) {
  call_to({transport::protocol::udp, lane::endpoint::parse("10.0.0.9", 5060).value()});
  world_.pass(31s);
  EXPECT_TRUE(world_.heard().calls.empty());
  world_.pass(2s);
  EXPECT_EQ(only_call().failure, failure_cause{failure_cause::timeout});
  EXPECT_EQ(only_call().wire.retransmissions, 6U);
  world_.expect_nothing_left();
}

TEST_F(call_test, refused_everywhere) {
  for (const int status : {404, 486, 503, 603}) {
    sim_world world{7, quiet()};
    auto& from = world.add_site("10.0.0.1");
    auto& to = world.add_site("10.0.0.2");
    auto answers = answer_manner_of(to);
    answers.refuse_with = status;
    world.answer(to, answers);
    world.call(from, std::make_shared<const call_manner>(manner_between(from, to.target())),
               target_of(to.address), 1s);
    world.pass(1s);
    ASSERT_EQ(world.heard().calls.size(), 1U);
    EXPECT_EQ(world.heard().calls[0].failure, failure_cause::from_status(status));
    world.expect_nothing_left();
  }
}

TEST_F(call_test, partition_that_heals) {
  serve();
  call(2s);
  world_.at(1s, [this] { world_.lane().set_partition(caller_.address, callee_.address, true); });
  world_.at(10s, [this] { world_.lane().set_partition(caller_.address, callee_.address, false); });
  world_.pass(9s);
  EXPECT_TRUE(world_.heard().calls.empty());
  world_.pass(10s);
  EXPECT_FALSE(only_call().failure.failed()) << only_call().failure.name();
  EXPECT_EQ(served().calls.completed, 1U);
  world_.expect_nothing_left();
}

TEST_F(call_test, host_killed_within_a_call) {
  serve();
  call(2s);
  world_.at(1s, [this] { world_.kill(callee_); });
  world_.pass(33s);
  EXPECT_TRUE(world_.heard().calls.empty());
  world_.pass(2s);
  EXPECT_EQ(only_call().failure, failure_cause{failure_cause::bye_timeout});
  EXPECT_EQ(caller_.context.router.legs().size(), 0U);
  // What was up on the dead host is hung up by whoever ends its actors.
  world_.stop_services();
  world_.pass(60s);
  EXPECT_EQ(world_.heard().stopped.size(), 1U);
  world_.expect_nothing_left();
}

TEST_F(call_test, stopping_service_hangs_up) {
  serve();
  for (int i = 0; i < 20; ++i)
    call(60s);
  world_.pass(1s);
  world_.stop_services();
  world_.pass(1s);
  EXPECT_EQ(world_.heard().stopped.size(), 1U);
  ASSERT_EQ(world_.heard().calls.size(), 20U);
  for (uint64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(world_.heard().calls[i].number, i) << "hung up in another order";
    EXPECT_EQ(world_.heard().calls[i].failure, failure_cause{failure_cause::early_hangup});
  }
  call();
  world_.pass(1s);
  EXPECT_EQ(world_.heard().calls.back().failure, failure_cause::from_status(480));
  world_.expect_nothing_left();
}

TEST_F(call_test, overloaded_lane_refuses_new_calls_only) {
  serve();
  call(5s);
  world_.at(1s, [this] { world_.lane().set_lag(1s); });
  world_.at(2s, [this] { call(); });
  world_.at(3s, [this] { world_.lane().set_lag(0s); });
  world_.pass(10s);
  ASSERT_EQ(world_.heard().calls.size(), 2U);
  EXPECT_EQ(world_.heard().calls[0].failure, failure_cause::from_status(503));
  EXPECT_FALSE(world_.heard().calls[1].failure.failed());
  EXPECT_EQ(callee_.context.router.counters().overload_refusals, 1U);
  // The lag forgotten, calls are taken again.
  for (int i = 0; i < 100; ++i)
    world_.at(10s + std::chrono::milliseconds{i}, [] {});
  world_.at(11s, [this] { call(); });
  world_.pass(5s);
  ASSERT_EQ(world_.heard().calls.size(), 3U);
  EXPECT_FALSE(world_.heard().calls[2].failure.failed());
  const auto& calls = served().calls;
  EXPECT_EQ(calls.offered, 3U) << "one that was refused was a call, too";
  EXPECT_EQ(calls.started, calls.completed + calls.failed);
  EXPECT_EQ(calls.failures,
            (std::map<failure_cause, uint64_t>{{failure_cause::refused_locally, 1}}));
  EXPECT_FALSE(report::judge(served()).valid);
  world_.expect_nothing_left();
}

TEST_F(call_test, options) {
  serve();
  world_.probe(caller_,
               std::make_shared<const call_manner>(manner_between(caller_, callee_.target())),
               target_of(callee_.address));
  world_.pass(1s);
  ASSERT_EQ(world_.heard().probes.size(), 1U);
  EXPECT_EQ(world_.heard().probes[0].status, 200);
  EXPECT_EQ(world_.heard().probes[0].took, 20ms);
  world_.expect_nothing_left();
}

// -- peers that do as they please ----------------------------------------------------

/// Calls the answering service with messages written by hand.
class served_test : public call_test {
protected:
  served_test() : peer_(world_.lane(), "10.0.0.3") { serve(); }

  std::string invite(std::string_view branch = "1") {
    return peer_.request("INVITE", callee_.address, branch);
  }
  void say(const std::string& text) {
    peer_.send(callee_.address, text);
    world_.pass(100ms);
  }

  raw_peer peer_;
};

TEST_F(served_test, invite_again_after_the_call) {
  say(invite());
  const auto tag = tag_in(peer_.last("SIP/2.0 200"), "To");
  ASSERT_FALSE(tag.empty());
  say(peer_.request("ACK", callee_.address, "2", tag));
  const auto bye = peer_.request("BYE", callee_.address, "3", tag, 2);
  say(bye);
  EXPECT_EQ(callee_.context.router.legs().size(), 0U);
  const auto answers = peer_.messages.size();
  say(invite());
  EXPECT_EQ(peer_.messages.size(), answers) << "answered again";
  EXPECT_EQ(callee_.context.router.legs().size(), 0U) << "a ghost call";
  // The BYE again has the same answer, the CANCEL comes too late.
  say(bye);
  EXPECT_TRUE(peer_.messages.back().starts_with("SIP/2.0 200"));
  say(peer_.request("CANCEL", callee_.address, "1"));
  EXPECT_TRUE(peer_.messages.back().starts_with("SIP/2.0 200"));
  EXPECT_EQ(served().calls.offered, 1U);
  EXPECT_GE(served().retransmissions_received, 3U);
  // The linger over, it is a new call, which nobody ACKs.
  world_.pass(60s);
  say(invite());
  EXPECT_EQ(served().calls.offered, 2U);
  world_.expect_nothing_left();
}

/// RFC 3262: a caller that requires it gets its 180 reliably, and the answer once it has that.
TEST_F(served_test, reliable_ringing_where_the_caller_requires_it) {
  say(peer_.request("INVITE", callee_.address, "1", {}, 1, "Require: 100rel\r\n"));
  const auto ringing = peer_.last("SIP/2.0 180");
  ASSERT_FALSE(ringing.empty());
  EXPECT_EQ(header_line(ringing, "Require"), "Require: 100rel");
  const auto rseq = header_line(ringing, "RSeq").substr(6);
  EXPECT_EQ(peer_.count("SIP/2.0 200"), 0U) << "answered before the PRACK";
  say(peer_.request("PRACK", callee_.address, "2", tag_in(ringing, "To"), 2,
                    "RAck: " + rseq + " 1 INVITE\r\n"));
  EXPECT_EQ(peer_.count("SIP/2.0 200"), 2U) << "of the PRACK and of the INVITE";
  say(peer_.request("ACK", callee_.address, "3", tag_in(ringing, "To")));
  say(peer_.request("BYE", callee_.address, "4", tag_in(ringing, "To"), 3));
  EXPECT_EQ(served().calls.completed, 1U);
  world_.expect_nothing_left();
}

TEST_F(served_test, method_that_is_not_allowed_out_of_dialog) {
  say(peer_.request("MESSAGE", callee_.address, "1"));
  const auto refusal = peer_.last("SIP/2.0 405");
  ASSERT_FALSE(refusal.empty());
  const auto allow = refusal.find("\r\nAllow:");
  ASSERT_NE(allow, std::string::npos);
  EXPECT_EQ(refusal.find("\r\nAllow:", allow + 1), std::string::npos) << "two of them";
  EXPECT_EQ(header_line(refusal, "Allow").find("MESSAGE"), std::string::npos);
}

TEST_F(served_test, merged_request) {
  say(invite("1"));
  say(invite("2"));
  EXPECT_EQ(peer_.count("SIP/2.0 482"), 1U);
  EXPECT_EQ(callee_.context.router.legs().size(), 1U);
  EXPECT_EQ(served().calls.offered, 1U);
  world_.expect_nothing_left();
}

/// RFC 3261 §16.6: a proxy forks to several users of ours, and tries the next after one's refusal.
/// Each is a UAS of its own.
TEST_F(served_test, a_request_that_was_forked_to_another_user_is_not_merged) {
  auto other = invite("2");
  const auto whom = other.find("service@");
  other.replace(whom, 7, "another");
  say(invite("1"));
  say(other);
  EXPECT_EQ(peer_.count("SIP/2.0 482"), 0U);
  EXPECT_EQ(callee_.context.router.legs().size(), 2U);
  EXPECT_EQ(served().calls.offered, 2U);
}

/// RFC 3261 §8.2.2.2: another CSeq is another request, as where a client answers a challenge.
TEST_F(served_test, requests_of_one_call_with_other_cseqs_are_not_merged) {
  auto& other = world_.add_site("10.0.0.5");
  auto manner = answer_manner_of(other);
  manner.answer_after = 10s;
  world_.answer(other, manner);
  for (int cseq = 1; cseq <= 2; ++cseq)
    peer_.send(other.address,
               peer_.request("INVITE", other.address, std::to_string(cseq), {}, cseq));
  world_.pass(100ms);
  EXPECT_EQ(peer_.count("SIP/2.0 482"), 0U);
  EXPECT_EQ(other.context.router.legs().size(), 2U);
}

TEST_F(served_test, request_for_a_dead_dialog) {
  say(peer_.request("BYE", callee_.address, "1", "aaaaaaaaaaaaaaaaaaaaaaaaaa"));
  EXPECT_EQ(peer_.count("SIP/2.0 481"), 1U);
  say(peer_.request("INVITE", callee_.address, "2", "some-tag"));
  EXPECT_EQ(peer_.count("SIP/2.0 481"), 2U);
  say(peer_.request("CANCEL", callee_.address, "3"));
  EXPECT_EQ(peer_.count("SIP/2.0 481"), 3U);
  say(peer_.request("ACK", callee_.address, "4", "some-tag"));
  EXPECT_EQ(peer_.messages.size(), 3U) << "an ACK was answered";
  EXPECT_EQ(served().unexpected, 4U);
  world_.expect_nothing_left();
}

/// Whoever learned the tag of a leg, but not the rest of its dialog, cannot end it.
TEST_F(served_test, stranger_with_our_tag) {
  say(invite());
  const auto tag = tag_in(peer_.last("SIP/2.0 200"), "To");
  say(peer_.request("ACK", callee_.address, "2", tag));
  raw_peer stranger{world_.lane(), "10.0.0.4"};
  stranger.tag = "another";
  stranger.send(callee_.address, stranger.request("BYE", callee_.address, "9", tag, 5));
  world_.pass(1s);
  EXPECT_EQ(stranger.count("SIP/2.0 481"), 1U);
  EXPECT_EQ(callee_.context.router.legs().size(), 1U);
  say(peer_.request("BYE", callee_.address, "3", tag, 2));
  EXPECT_EQ(callee_.context.router.legs().size(), 0U);
  world_.expect_nothing_left();
}

/// Both routers have index 0 and give out the same slots: what is one's must not be the other's.
TEST_F(call_test, legs_of_two_routers_are_not_confused) {
  serve();
  call(10s);
  world_.pass(1s);
  raw_peer eavesdropper{world_.lane(), "10.0.0.3"};
  // The caller's own tag, presented to the callee, names no leg there.
  call_to({transport::protocol::udp, eavesdropper.address()});
  world_.pass(100ms);
  const auto tag = tag_in(eavesdropper.last("INVITE"), "From");
  ASSERT_FALSE(tag.empty());
  eavesdropper.send(callee_.address, eavesdropper.request("BYE", callee_.address, "1", tag));
  world_.pass(1s);
  EXPECT_EQ(eavesdropper.count("SIP/2.0 481"), 1U);
  EXPECT_EQ(callee_.context.router.legs().size(), 1U);
  world_.pass(100s);
  world_.expect_nothing_left();
}

/// Answers our calls with messages written by hand.
class answered_by_hand_test : public call_test {
protected:
  answered_by_hand_test() : peer_(world_.lane(), "10.0.0.3") {
    peer_.on_message = [this](const std::string& m) {
      if (m.starts_with("INVITE "))
        peer_.answer(m, 200, {}, inactive_answer);
      else if (m.starts_with("BYE "))
        on_bye(m);
    };
  }
  virtual void on_bye(const std::string& bye) { peer_.answer(bye, bye_status, bye_headers); }

  caf::strong_actor_ptr call_peer(lane::duration length = 1s) {
    return call_to({transport::protocol::udp, peer_.address()}, length);
  }

  raw_peer peer_;
  int bye_status = 200;
  std::string bye_headers;
};

TEST_F(answered_by_hand_test, late_2xx_of_the_same_dialog_is_acked) {
  call_peer();
  world_.pass(2s);
  EXPECT_FALSE(only_call().failure.failed());
  EXPECT_EQ(peer_.count("ACK "), 1U);
  peer_.answer(peer_.messages.front(), 200, {}, inactive_answer);
  world_.pass(1s);
  EXPECT_EQ(peer_.count("ACK "), 2U);
  EXPECT_EQ(peer_.count("BYE "), 1U);
  world_.expect_nothing_left();
}

/// However a call ended that had no answer: one that comes after all is ACKed and hung up.
TEST_F(answered_by_hand_test, late_2xx_of_a_call_that_failed_is_hung_up) {
  int number = 0;
  for (const int status : {0, 404, 486, 487, 603}) {
    SCOPED_TRACE(status);
    std::string invite;
    peer_.messages.clear();
    peer_.tag = "first" + std::to_string(++number);
    peer_.on_message = [&, this](const std::string& m) {
      if (m.starts_with("INVITE ") && std::exchange(invite, m).empty() && status != 0)
        peer_.answer(m, status == 487 ? 180 : status);
      else if (m.starts_with("CANCEL ")) {
        peer_.answer(m, 200);
        peer_.answer(invite, 487);
      }
    };
    const auto call = call_peer();
    if (status == 487)
      hang_up_at(world_.elapsed() + 1s, call);
    world_.pass(status == 0 ? 33s : 2s);
    EXPECT_EQ(world_.heard().calls.size(), static_cast<size_t>(number));
    peer_.messages.clear();
    peer_.tag = "late";
    peer_.on_message = [this](const std::string& m) {
      if (m.starts_with("BYE "))
        peer_.answer(m, 200);
    };
    peer_.answer(invite, 200, {}, inactive_answer);
    world_.pass(1s);
    EXPECT_EQ(peer_.count("ACK "), 1U);
    EXPECT_EQ(peer_.count("BYE "), 1U);
    EXPECT_EQ(tag_in(peer_.last("BYE "), "To"), "late");
  }
  peer_.on_message = nullptr;
  world_.expect_nothing_left();
}

/// A second callee answers when the call is over: ACKed and hung up, and the BYE sent until it has
/// an answer.
TEST_F(answered_by_hand_test, late_2xx_of_a_fork_is_hung_up) {
  call_peer();
  world_.pass(2s);
  EXPECT_FALSE(only_call().failure.failed());
  const auto invite = peer_.messages.front();
  const auto byes = peer_.count("BYE ");
  peer_.tag = "second";
  size_t unanswered = 3;
  peer_.on_message = [&, this](const std::string& m) {
    if (m.starts_with("BYE ") && unanswered-- == 0)
      peer_.answer(m, 200);
  };
  peer_.answer(invite, 200, {}, inactive_answer);
  world_.pass(10s);
  EXPECT_EQ(tag_in(peer_.last("ACK "), "To"), "second");
  EXPECT_EQ(peer_.count("BYE "), byes + 4) << "0, 0.5, 1.5 and 3.5 s";
  peer_.on_message = nullptr;
  world_.expect_nothing_left();
}

/// Another fork answers from elsewhere, and leaves its BYE unanswered: what goes to it does not
/// draw the call's own BYE after it.
TEST_F(answered_by_hand_test, forks_do_not_draw_away_what_is_sent_again) {
  raw_peer second{world_.lane(), "10.0.0.4"};
  second.tag = "second";
  second.peer = caller_.address;
  size_t unanswered = 2;
  peer_.on_message = [&, this](const std::string& m) {
    if (m.starts_with("INVITE ")) {
      peer_.answer(m, 200, {}, inactive_answer);
      second.answer(m, 200, {}, inactive_answer);
    } else if (m.starts_with("BYE ") && unanswered-- == 0) {
      peer_.answer(m, 200);
    }
  };
  call_peer();
  world_.pass(3s);
  EXPECT_FALSE(only_call().failure.failed());
  EXPECT_EQ(peer_.count("ACK "), 1U);
  EXPECT_EQ(peer_.count("BYE "), 3U);
  EXPECT_EQ(tag_in(peer_.last("BYE "), "To"), "raw-tag");
  EXPECT_EQ(second.count("ACK "), 1U);
  EXPECT_GE(second.count("BYE "), 3U);
  for (const auto& m : second.messages)
    EXPECT_EQ(tag_in(m, "To"), "second");
  peer_.on_message = nullptr;
  world_.expect_nothing_left();
}

TEST_F(answered_by_hand_test, bye_for_a_dialog_that_is_gone) {
  bye_status = 481;
  call_peer();
  world_.pass(2s);
  EXPECT_EQ(only_call().failure, failure_cause{failure_cause::dialog_gone});
  world_.expect_nothing_left();
}

TEST_F(answered_by_hand_test, answer_without_a_usable_description) {
  peer_.on_message = [this](const std::string& m) {
    if (m.starts_with("INVITE ") || m.starts_with("BYE "))
      peer_.answer(m, 200);
  };
  auto manner =
    manner_between(caller_, transport::target{transport::protocol::udp, peer_.address()});
  add_audio(manner, caller_);
  world_.call(caller_, std::make_shared<const call_manner>(manner), target_of(peer_.address()), 1s);
  world_.pass(1s);
  EXPECT_EQ(only_call().failure, failure_cause{failure_cause::bad_sdp});
  EXPECT_EQ(peer_.count("ACK "), 1U);
  EXPECT_EQ(peer_.count("BYE "), 1U);
  world_.expect_nothing_left();
}

/// RFC 7616 §5.12: a cnonce is not to be foretold, be it from that of another call.
TEST_F(answered_by_hand_test, calls_have_cnonces_of_their_own) {
  std::set<std::string> cnonces;
  peer_.on_message = [&, this](const std::string& m) {
    const auto authorization = header_line(m, "Proxy-Authorization");
    if (m.starts_with("BYE ")) {
      peer_.answer(m, 200);
    } else if (m.starts_with("INVITE ") && authorization.empty()) {
      peer_.answer(m, 407, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n");
    } else if (m.starts_with("INVITE ")) {
      const auto at = authorization.find("cnonce=\"");
      ASSERT_NE(at, std::string::npos) << authorization;
      cnonces.insert(authorization.substr(at, authorization.find('"', at + 8) - at));
      peer_.answer(m, 200, {}, inactive_answer);
    }
  };
  auto target = target_of(peer_.address());
  target->credentials.emplace_back("bob", "*", "secret", std::vector<std::string>{"10.0.0.3"});
  const auto manner = std::make_shared<const call_manner>(
    manner_between(caller_, transport::target{transport::protocol::udp, peer_.address()}));
  for (int n = 0; n < 3; ++n) {
    world_.call(caller_, manner, target, 1s);
    world_.pass(3s);
  }
  ASSERT_EQ(world_.heard().calls.size(), 3U);
  EXPECT_FALSE(world_.heard().calls.back().failure.failed());
  EXPECT_EQ(cnonces.size(), 3U);
}

// -- security ------------------------------------------------------------------------

class sec_24 : public answered_by_hand_test {};

/// A callee that challenges the BYE with the realm of our trunk learns nothing.
TEST_F(sec_24, callee_that_challenges_a_bye) {
  bye_status = 407;
  bye_headers = "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"abc\", qop=\"auth\"\r\n";
  const auto proxy = lane::endpoint::parse("10.0.0.2", 5060).value();
  auto target = target_of(proxy);
  target->credentials.emplace_back("user", "trunk", "password",
                                   std::vector<std::string>{"10.0.0.2"});
  // The call goes to the proxy's address by its URI; the peer that answers is elsewhere.
  const auto manner = std::make_shared<const call_manner>(
    manner_between(caller_, transport::target{transport::protocol::udp, peer_.address()}));
  world_.call(caller_, manner, target, 1s);
  world_.pass(5s);
  EXPECT_EQ(peer_.count("BYE "), 1U);
  for (const auto& m : peer_.messages)
    EXPECT_EQ(m.find("uthorization:"), std::string::npos) << m;
  EXPECT_EQ(only_call().failure, failure_cause{failure_cause::auth_failed});
  world_.expect_nothing_left();
}

class sec_32 : public answered_by_hand_test {};

/// RFC 4475 §3.3.10: a 200 that is not for us, with a broadcast address in its second Via.
TEST_F(sec_32, response_with_a_broadcast_via_is_discarded) {
  peer_.send(caller_.address, "SIP/2.0 200 OK\r\n"
                              "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
                              "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n"
                              "Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf\r\n"
                              "CSeq: 35 INVITE\r\n"
                              "From: sip:user@example.com;tag=11141343\r\n"
                              "To: sip:user@example.edu;tag=2229\r\n"
                              "Content-Length: 0\r\n\r\n");
  world_.pass(1s);
  EXPECT_EQ(caller_.context.router.counters().unexpected, 1U);
  EXPECT_EQ(world_.lane().health().datagrams_out, 1U) << "something was sent";
  world_.expect_nothing_left();
}

/// Whatever a request's Via says, its answer goes to where it came from.
TEST_F(sec_32, answers_go_to_the_source_only) {
  raw_peer victim{world_.lane(), "10.0.0.4"};
  for (const auto* host : {"10.0.0.4:5060", "255.255.255.255", "224.0.0.1", "0.0.0.0"}) {
    auto text = peer_.request("OPTIONS", caller_.address, host);
    const auto here = peer_.address().to_string() + ";branch";
    text.replace(text.find(here), here.size(), std::string{host} + ";branch");
    peer_.send(caller_.address, text);
  }
  world_.pass(1s);
  EXPECT_EQ(peer_.count("SIP/2.0 480"), 4U); // nobody serves there
  EXPECT_TRUE(victim.messages.empty());
  EXPECT_EQ(world_.lane().health().datagrams_out, 8U);
  world_.expect_nothing_left();
}

/// A callee whose Contact is a broadcast or multicast address gets neither ACK nor BYE sent there.
TEST_F(sec_32, contact_that_nothing_may_be_sent_to) {
  for (const auto* host : {"255.255.255.255", "224.0.0.1", "0.0.0.0"}) {
    peer_.on_message = [&](const std::string& m) {
      if (!m.starts_with("INVITE "))
        return;
      std::string out = "SIP/2.0 200 OK\r\n";
      for (const auto* name : {"Via", "From", "Call-ID", "CSeq"})
        out += header_line(m, name) + "\r\n";
      out +=
        header_line(m, "To") + ";tag=t\r\nContact: <sip:" + host + ">\r\nContent-Length: 0\r\n\r\n";
      peer_.send(caller_.address, out);
    };
    call_peer();
    world_.pass(1s);
  }
  peer_.on_message = nullptr;
  world_.pass(100s);
  ASSERT_EQ(world_.heard().calls.size(), 3U);
  for (const auto& c : world_.heard().calls)
    EXPECT_EQ(c.failure, failure_cause{failure_cause::connect_failed});
  EXPECT_EQ(world_.lane().health().socket_drops, 0U) << "it was tried";
  EXPECT_EQ(peer_.count("ACK ") + peer_.count("BYE "), 0U);
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
