#include "actors/centre/caller_check.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/actors/guarded_centre.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

class sec_25 : public guarded_centre {};
class sec_28 : public guarded_centre {};

// All methods x {no credentials, a wrong password, another user's}: nothing is done for any.
TEST_F(sec_25, no_method_does_anything_without_the_senders_own_credentials) {
  begin();
  const auto before = world_.events().size();
  for (const std::string whom : {"100", "carol", "999"})
    for (const std::string method : {"INVITE", "OPTIONS", "REGISTER"}) {
      SCOPED_TRACE(method + " " + whom);
      // Its own address to register at is the one that it claims to be.
      const std::string called = method == "REGISTER" ? "alice" : whom;
      EXPECT_EQ(status_of(request(method, "alice", called)), 401);
      EXPECT_FALSE(header_line(peer_.last("SIP/2.0 401"), "WWW-Authenticate").empty());
      EXPECT_EQ(status_of(request(method, "alice", called,
                                  credentials(method, called, "alice", "guessed"))),
                401);
      EXPECT_EQ(status_of(request(method, "alice", called,
                                  credentials(method, called, "mallory", "pw-alice"))),
                401)
        << "who is not there is asked as who is";
      EXPECT_EQ(status_of(request(method, "alice", called,
                                  credentials(method, called, "carol", "pw-carol"))),
                403);
      EXPECT_EQ(status_of(request(method, "alice", called, "Authorization: Digest garbage\r\n")),
                400);
    }
  for (const std::string method : {"MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "INFO",
                                   "UPDATE", "BYE", "PRACK", "CANCEL", "FOO"}) {
    const auto status = status_of(request(method, "alice", "carol"));
    EXPECT_TRUE(status == 405 || status == 481 || status == 501) << method << ": " << status;
  }
  EXPECT_EQ(world_.events().size(), before) << "nobody has called, nor is anybody gone";
  expect_nothing_left();
}

// Guesses come from one address; others are heard meanwhile, and it is again after a while.
TEST_F(sec_28, who_guesses_passwords_is_not_answered_for_a_while) {
  begin();
  raw_peer guesser{world_.lane(), "10.0.0.66"};
  const auto guess = [&](const std::string& method, const std::string& who) {
    return status_of(guesser,
                     request(guesser, method, who, who, credentials(method, who, who, "guessed")));
  };
  int refused = 0;
  while (refused < 100 && guess(refused % 2 == 0 ? "REGISTER" : "INVITE", "alice") == 401)
    ++refused;
  EXPECT_EQ(refused, 20) << "and then nothing";
  EXPECT_EQ(world_.centre().registrars->bans, 1U);
  EXPECT_EQ(guess("REGISTER", "alice"), 0) << "nor for the right one, which it cannot tell";
  EXPECT_EQ(status_of(guesser, request(guesser, "INVITE", "alice", "carol")), 0);
  EXPECT_EQ(status_of(request("OPTIONS", "alice", "100",
                              credentials("OPTIONS", "100", "alice", "pw-alice"))),
            200)
    << "from another address";
  world_.pass(5min);
  EXPECT_EQ(guess("REGISTER", "alice"), 401);
  expect_nothing_left();
}

TEST_F(sec_25, an_agent_is_served_for_its_own_credentials) {
  begin();
  EXPECT_EQ(status_of(request("OPTIONS", "alice", "100",
                              credentials("OPTIONS", "100", "alice", "pw-alice"))),
            200);
  call("alice", "100");
  world_.pass(10s);
  EXPECT_EQ(events(kind::entered), 1U);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls.back().failure.failed())
    << "its BYE was not asked for credentials: " << world_.heard().calls.back().failure.text();
  call("alice", "alice");
  world_.pass(10s);
  ASSERT_EQ(world_.heard().calls.size(), 2U);
  EXPECT_FALSE(world_.heard().calls.back().failure.failed()) << "her own phone rings";
  expect_nothing_left();
}

// CVE-2025-47779: an authenticated user speaks for another.
TEST_F(sec_25, whom_from_names_is_who_has_proved_it) {
  begin();
  call("carol", "100");
  call("anonymous", "alice");
  world_.pass(2s);
  ASSERT_EQ(world_.heard().calls.size(), 2U);
  for (const auto& call : world_.heard().calls)
    EXPECT_EQ(call.failure, report::failure_cause::from_status(403));
  EXPECT_EQ(events(kind::entered), 0U);
  expect_nothing_left();
}

TEST_F(sec_25, an_invite_that_was_taken_is_not_taken_again) {
  begin();
  const auto line = credentials("INVITE", "999", "alice", "pw-alice");
  const auto first = request("INVITE", "alice", "999", line);
  EXPECT_EQ(status_of(first), 404);
  EXPECT_EQ(status_of(first), 401) << "the same";
  EXPECT_EQ(status_of(request("INVITE", "alice", "999", line)), 401) << "another with its nonce";
  EXPECT_NE(peer_.last("SIP/2.0 401").find("stale=true"), std::string::npos);
  expect_nothing_left();
}

// Lanes that serve as one remember each for itself which nonces were used.
TEST_F(sec_25, an_invite_that_one_lane_took_is_taken_by_no_other) {
  auto& second = world_.add_site("10.0.0.4", transport::protocol::udp, at_position(1));
  lane_peers::join({&centre_.context.router, &second.context.router});
  lanes_.push_back(&second.context);
  begin();
  const auto line = credentials("INVITE", "999", "alice", "pw-alice");
  const auto handed = centre_.context.router.counters().handed_over;
  EXPECT_EQ(status_of(request("INVITE", "alice", "999", line)), 404);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(status_of(request("INVITE", "alice", "999", line)), 401) << "in another call";
  EXPECT_GT(centre_.context.router.counters().handed_over, handed + 4) << "on both lanes";
  EXPECT_EQ(
    status_of(request("INVITE", "carol", "999", credentials("INVITE", "999", "carol", "pw-carol"))),
    404);
  expect_nothing_left();
}

TEST_F(sec_25, strangers_call_queues_alone_and_where_they_may) {
  begin();
  EXPECT_EQ(status_of(request("INVITE", "bob", "100")), 200);
  EXPECT_EQ(status_of(request("INVITE", "bob", "alice")), 401);
  EXPECT_EQ(status_of(request("INVITE", "bob", "999")), 401) << "nor is it told who is there";
  EXPECT_EQ(status_of(request("INVITE", "%61lice", "100")), 401) << "an agent's name, escaped";
  expect_nothing_left();
}

TEST_F(sec_25, strangers_call_nobody_where_trunks_alone_may) {
  plan_.anyone_calls = false;
  begin();
  for (const auto* whom : {"100", "alice", "999"})
    EXPECT_EQ(status_of(request("INVITE", "bob", whom)), 401) << whom;
  EXPECT_EQ(events(kind::entered), 0U);
  expect_nothing_left();
}

TEST_F(sec_25, without_passwords_strangers_call_queues_where_they_may_alone) {
  plan_.anyone_calls = false;
  begin(false);
  EXPECT_EQ(status_of(request("INVITE", "bob", "100")), 403);
  EXPECT_EQ(status_of(request("OPTIONS", "bob", "100")), 200);
  expect_nothing_left();
}

} // namespace
} // namespace jackfield
