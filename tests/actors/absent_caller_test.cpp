#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "actors/media/media_stream.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;

/// Calls that an answering service plays a tone to, and whose caller says only what a test writes.
class absent_caller : public testing::Test {
protected:
  absent_caller()
      : callee_(world_.add_site("10.0.0.2")), peer_(world_.lane(), "10.0.0.3"),
        media_(world_.lane(), "10.1.0.3"), manner_(answer_manner_of(callee_)) {
    add_audio(manner_);
    auto audio = *manner_.audio;
    audio.silence_limit = 60s;
    audio.unheard_limit = 30min;
    manner_.audio = std::make_shared<const audio_settings>(audio);
    manner_.check_after = 30min;
  }

  void call() {
    world_.answer(callee_, manner_);
    peer_.send(callee_.address, peer_.request("INVITE", callee_.address, "invite", {}, 1, {}, "raw",
                                              media_.description()));
    world_.pass(10ms);
    answer_ = peer_.last("SIP/2.0 200");
    ASSERT_FALSE(answer_.empty());
    theirs_ = media_address_in(answer_);
  }
  void acknowledge(int cseq = 1) {
    peer_.send(callee_.address, peer_.request("ACK", callee_.address, "ack" + std::to_string(cseq),
                                              tag_in(answer_, "To"), cseq));
    world_.pass(10ms);
  }
  void offer(int cseq, std::string_view way) {
    peer_.send(callee_.address,
               peer_.request("INVITE", callee_.address, "again" + std::to_string(cseq),
                             tag_in(answer_, "To"), cseq, {}, "raw", media_.description(way)));
    world_.pass(10ms);
    acknowledge(cseq);
  }
  void send_media(int packets) {
    for (int i = 0; i < packets; ++i) {
      media_.send_packet(theirs_);
      world_.pass(20ms);
    }
  }
  /// What has come since it was asked last.
  unsigned heard() { return std::exchange(media_.heard, 0); }
  /// The BYE is answered; how the service counts the call.
  failure_cause ended() {
    EXPECT_GE(peer_.count("BYE "), 1U);
    peer_.answer(peer_.last("BYE "), 200);
    world_.pass(100ms);
    world_.ask_for_metrics();
    const auto& calls = world_.metrics_of(1).calls;
    EXPECT_EQ(calls.completed + calls.failed, 1U) << "the call is not over";
    return calls.failures.empty() ? failure_cause{} : calls.failures.begin()->first;
  }

  sim_world world_{7};
  sim_site& callee_;
  raw_peer peer_;
  raw_media media_;
  answer_manner manner_;
  std::string answer_;
  lane::endpoint theirs_;
};

// -- media before the ACK, by which alone a caller shows that it is where it says ---------------

TEST_F(absent_caller, gets_media_for_seconds_only) {
  call();
  world_.pass(media_stream::credit);
  EXPECT_NEAR(heard(), media_stream::credit / 20ms, 2);
  world_.pass(20s);
  EXPECT_EQ(heard(), 0U) << "goes on to somebody of whom only an INVITE is known";
  acknowledge();
  world_.pass(1s);
  EXPECT_NEAR(heard(), 50, 2) << "the ACK came late";
  world_.pass(100s);
  EXPECT_EQ(peer_.count("BYE "), 0U);
}

TEST_F(absent_caller, is_trusted_once_it_is_heard) {
  call();
  send_media(3);
  world_.pass(10s);
  EXPECT_GT(heard(), 490U);
}

TEST_F(absent_caller, is_heard_after_its_credit) {
  call();
  world_.pass(10s);
  heard();
  send_media(50);
  EXPECT_GT(heard(), 45U);
}

/// RFC 3261 §15.1.1: media stop with the BYE, not when it is answered.
TEST_F(absent_caller, gets_no_media_after_our_bye) {
  call();
  send_media(1500); // no ACK, for 30 s
  world_.pass(3s);
  ASSERT_GE(peer_.count("BYE "), 1U) << "64*T1 after the answer";
  heard();
  world_.pass(30s);
  EXPECT_EQ(heard(), 0U);
}

// -- callers that vanish -------------------------------------------------------------------------

TEST_F(absent_caller, is_let_go_when_its_audio_stopped) {
  call();
  acknowledge();
  send_media(100);
  world_.pass(50s);
  EXPECT_EQ(peer_.count("BYE "), 0U);
  world_.pass(11s);
  EXPECT_EQ(ended(), failure_cause{failure_cause::media_timeout});
}

TEST_F(absent_caller, is_not_judged_by_what_it_sends_on_hold) {
  call();
  acknowledge();
  send_media(10);
  int cseq = 1;
  for (const auto* way : {"sendonly", "inactive", "recvonly"}) {
    offer(++cseq, way);
    world_.pass(200s);
    EXPECT_EQ(peer_.count("BYE "), 0U) << way;
  }
  offer(++cseq, "sendrecv");
  world_.pass(50s);
  EXPECT_EQ(peer_.count("BYE "), 0U) << "its time counts from the resumption";
  world_.pass(20s);
  EXPECT_EQ(ended(), failure_cause{failure_cause::media_timeout});
}

TEST_F(absent_caller, is_asked_if_it_was_never_heard) {
  for (const bool audio : {true, false}) {
    SCOPED_TRACE(audio ? "with audio" : "without");
    sim_world world{7};
    auto& callee = world.add_site("10.0.0.2");
    raw_peer peer{world.lane(), "10.0.0.3"};
    auto manner = answer_manner_of(callee);
    manner.check_after = 30min;
    if (audio) {
      add_audio(manner);
      manner.audio = manner_.audio;
    }
    world.answer(callee, manner);
    peer.send(callee.address, peer.request("INVITE", callee.address, "invite", {}, 1, {}, "raw",
                                           media_.description()));
    world.pass(10ms);
    const auto tag = tag_in(peer.last("SIP/2.0 200"), "To");
    peer.send(callee.address, peer.request("ACK", callee.address, "ack", tag));
    world.pass(29min);
    EXPECT_EQ(peer.count("OPTIONS "), 0U);
    world.pass(1min + 10s);
    ASSERT_GE(peer.count("OPTIONS "), 1U);
    peer.answer(peer.last("OPTIONS "), 200);
    world.pass(28min);
    EXPECT_EQ(peer.count("BYE "), 0U) << "it is there";
    world.pass(2min + 40s); // asked again, and no answer: 64*T1
    ASSERT_GE(peer.count("BYE "), 1U);
    peer.answer(peer.last("BYE "), 200);
    world.pass(100ms);
    world.ask_for_metrics();
    EXPECT_EQ(world.metrics_of(1).calls.failures.at(failure_cause::dialog_gone), 1U);
    world.expect_nothing_left();
  }
}

} // namespace
} // namespace jackfield
