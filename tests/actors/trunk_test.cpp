#include "actors/centre/trunk.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/actors/guarded_centre.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;
using report::failure_cause;

/// A provider's server that does as it is told, and takes calls.
class provider {
public:
  provider(lane::sim_lane& home, const std::string& address)
      : peer(home, address), audio(home, sim_world::media_address(address).address()) {
    peer.on_message = [this](const std::string& m) { on(m); };
  }

  raw_peer peer;
  raw_media audio;
  bool silent = false;
  int refuses_with = 0; ///< calls; 0: they are answered
  bool rings = false;   ///< before
  int options_with = 200;
  std::string challenge; ///< of requests without credentials: header lines; empty: none

private:
  void on(const std::string& m) {
    if (silent || m.starts_with("SIP/2.0") || m.starts_with("ACK "))
      return;
    if (!challenge.empty() && m.find("uthorization: ") == std::string::npos &&
        !m.starts_with("CANCEL ")) {
      peer.answer(m, 407, challenge);
      return;
    }
    if (m.starts_with("OPTIONS "))
      peer.answer(m, options_with);
    else if (m.starts_with("REGISTER "))
      peer.answer(m, 200, "Expires: 60\r\n");
    else if (m.starts_with("INVITE ")) {
      if (rings)
        peer.answer(m, 180);
      peer.answer(m, refuses_with == 0 ? 200 : refuses_with, {},
                  refuses_with == 0 ? audio.description() : std::string{});
    } else {
      peer.answer(m, 200);
    }
  }
};

/// The centre has two trunks, "a" and "b", to which "+" leads.
class trunk_test : public guarded_centre {
protected:
  trunk_test() : a_(world_.lane(), "10.0.1.1"), b_(world_.lane(), "10.0.1.2") {
    plan_.anyone_calls = false;
    for (const auto& [name, address] : {std::pair{"a", "10.0.1.1"}, std::pair{"b", "10.0.1.2"}}) {
      trunk_profile made;
      made.name = name;
      made.uri = std::string{"sip:"} + address;
      made.from = {lane::address_range::parse(address).value()};
      plan_.trunks.push_back(std::move(made));
    }
    plan_.routes.push_back({"+", {0, 1}, 1, "00"});
  }

  trunk_profile& a() { return plan_.trunks[0]; }
  trunk_profile& b() { return plan_.trunks[1]; }
  [[nodiscard]] const trunk_line& line(size_t place) {
    return *world_.centre().book->lines.at(place);
  }
  /// Alice calls +49123; how that failed.
  failure_cause result_of_call(lane::duration limit = 10s) {
    const auto before = world_.heard().calls.size();
    call("alice", "+49123", 5s);
    world_.pass(limit);
    EXPECT_EQ(world_.heard().calls.size(), before + 1);
    return world_.heard().calls.empty() ? failure_cause{failure_cause::internal}
                                        : world_.heard().calls.back().failure;
  }
  [[nodiscard]] std::vector<std::string> states_of(const std::string& trunk) const {
    std::vector<std::string> out;
    for (const auto& e : world_.events())
      if (e.what == kind::trunk_state && e.trunk == trunk)
        out.push_back(e.detail);
    return out;
  }

  provider a_;
  provider b_;
};

TEST_F(trunk_test, an_agent_calls_out_through_the_first_one) {
  a().caller = "+4930555";
  begin();
  EXPECT_FALSE(result_of_call().failed());
  const auto invite = a_.peer.last("INVITE ");
  EXPECT_TRUE(invite.starts_with("INVITE sip:0049123@10.0.1.1 SIP/2.0")) << invite;
  EXPECT_TRUE(header_line(invite, "From").starts_with("From: <sip:+4930555@10.0.1.1>"))
    << header_line(invite, "From");
  EXPECT_EQ(invite.find("alice"), std::string::npos) << invite;
  EXPECT_EQ(header_line(invite, "Max-Forwards"), "Max-Forwards: 69");
  EXPECT_GT(a_.audio.heard, 200U) << "what she says";
  EXPECT_EQ(a_.peer.count("BYE "), 1U);
  EXPECT_EQ(b_.peer.count("INVITE "), 0U);
  EXPECT_EQ(line(0).placed(), 1U);
  EXPECT_EQ(line(0).calls(), 0U);
  expect_nothing_left();
}

TEST_F(trunk_test, a_trunk_that_does_not_take_a_call_is_left_for_the_next) {
  begin();
  a_.refuses_with = 503;
  EXPECT_FALSE(result_of_call().failed());
  EXPECT_EQ(a_.peer.count("INVITE "), 1U);
  EXPECT_EQ(b_.peer.count("INVITE "), 1U);
  EXPECT_FALSE(result_of_call().failed());
  EXPECT_EQ(a_.peer.count("INVITE "), 1U) << "it rests";
  world_.pass(40s);
  for (const int status : {500, 408}) {
    a_.refuses_with = status;
    EXPECT_FALSE(result_of_call().failed()) << status;
    world_.pass(40s);
  }
  EXPECT_EQ(a_.peer.count("INVITE "), 3U);
  a_.silent = true;
  EXPECT_FALSE(result_of_call(60s).failed()) << "timer B";
  EXPECT_EQ(line(0).not_taken(), 4U);
  a_.silent = false;
  b_.refuses_with = 503;
  EXPECT_EQ(result_of_call(), failure_cause::from_status(408)) << "there is no other";
  expect_nothing_left();
}

TEST_F(trunk_test, what_a_callee_says_is_its_answer) {
  begin();
  for (const int status : {404, 486, 603}) {
    a_.refuses_with = status;
    EXPECT_EQ(result_of_call(), failure_cause::from_status(status));
  }
  a_.rings = true;
  a_.refuses_with = 503;
  EXPECT_EQ(result_of_call(), failure_cause::from_status(503)) << "somebody's phone rang";
  EXPECT_EQ(b_.peer.count("INVITE "), 0U);
  expect_nothing_left();
}

TEST_F(trunk_test, what_is_no_number_outside_calls_nobody_and_no_trunk_rests_for_it) {
  plan_.routes.push_back({"9", {0}, 2, {}});
  begin();
  for (const auto& [whom, status] : {std::pair{"99", 484}, std::pair{"+", 404},
                                     std::pair{"+49x", 404}, std::pair{"%2B49%3Bx", 404}}) {
    call("alice", whom);
    world_.pass(1s);
    EXPECT_EQ(world_.heard().calls.back().failure, failure_cause::from_status(status)) << whom;
  }
  EXPECT_EQ(a_.peer.count("INVITE "), 0U);
  EXPECT_EQ(line(0).placed(), 0U);
  expect_nothing_left();
}

TEST_F(trunk_test, one_that_is_full_is_left_out) {
  a().most_calls = 1;
  begin();
  call("alice", "+49123", 20s);
  world_.pass(1s);
  EXPECT_EQ(line(0).calls(), 1U);
  EXPECT_FALSE(result_of_call().failed());
  EXPECT_EQ(a_.peer.count("INVITE "), 1U);
  EXPECT_EQ(b_.peer.count("INVITE "), 1U);
  world_.pass(20s);
  EXPECT_EQ(line(0).calls(), 0U);
  expect_nothing_left();
}

TEST_F(trunk_test, supervision_takes_a_silent_one_out_of_service_until_it_answers) {
  a().options_every = 30s;
  begin();
  EXPECT_TRUE(line(0).in_service());
  a_.silent = true;
  world_.pass(36s); // asked, and 4 s
  EXPECT_FALSE(line(0).in_service());
  EXPECT_FALSE(result_of_call().failed());
  EXPECT_EQ(a_.peer.count("INVITE "), 0U) << "nobody waits for it";
  a_.silent = false;
  world_.pass(65s);
  EXPECT_TRUE(line(0).in_service());
  EXPECT_FALSE(result_of_call().failed());
  EXPECT_EQ(a_.peer.count("INVITE "), 1U);
  a_.options_with = 503;
  world_.pass(35s);
  EXPECT_FALSE(line(0).in_service()) << "it takes no calls";
  a_.options_with = 404;
  world_.pass(35s);
  EXPECT_TRUE(line(0).in_service()) << "it is there, whatever it thinks of OPTIONS";
  EXPECT_EQ(states_of("a"), (std::vector<std::string>{"out_of_service", "in_service",
                                                      "out_of_service", "in_service"}));
  for (const auto& each : world_.centre().trunks)
    lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(each), hang_up{});
}

TEST_F(trunk_test, registers_and_is_in_service_while_that_stands) {
  a().registers = true;
  a().user = "4711";
  a().credentials.emplace_back("4711", "carrier", "secret", std::vector<std::string>{"10.0.1.1"});
  a_.challenge = "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\r\n";
  begin();
  EXPECT_TRUE(line(0).registered());
  EXPECT_TRUE(line(0).in_service());
  const auto sent = a_.peer.last("REGISTER ");
  EXPECT_NE(header_line(sent, "Proxy-Authorization").find("username=\"4711\""), std::string::npos);
  EXPECT_NE(header_line(sent, "Contact").find("sip:4711@10.0.0.2"), std::string::npos) << sent;
  EXPECT_EQ(states_of("a"), std::vector<std::string>{"in_service"});
  a_.silent = true;
  world_.pass(120s);
  EXPECT_FALSE(line(0).in_service());
  a_.silent = false;
  world_.pass(300s);
  EXPECT_TRUE(line(0).in_service());
  lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(world_.centre().trunks[0]),
             hang_up{});
  world_.pass(1s);
  EXPECT_NE(a_.peer.last("REGISTER ").find("xpires"), std::string::npos);
  EXPECT_NE(a_.peer.last("REGISTER ").find("expires=0"), std::string::npos)
    << a_.peer.last("REGISTER ");
  EXPECT_FALSE(line(0).in_service());
}

TEST_F(trunk_test, its_calls_reach_queues_and_nothing_else) {
  begin();
  const auto call_of = [&](const std::string& from, const std::string& whom) {
    return status_of(a_.peer, request(a_.peer, "INVITE", from, whom, {}, a_.audio.description()));
  };
  a_.silent = true; // its answers are the test's
  EXPECT_EQ(call_of("anonymous", "100"), 200) << "nobody asks for its password";
  EXPECT_EQ(line(0).calls(), 1U);
  EXPECT_EQ(call_of("alice", "alice"), 404) << "whatever it calls itself";
  EXPECT_EQ(call_of("alice", "+49123"), 404);
  EXPECT_EQ(call_of("alice", "999"), 404);
  EXPECT_EQ(status_of(a_.peer, request(a_.peer, "OPTIONS", "a", "100")), 200);
  EXPECT_EQ(line(0).came(), 4U);
  EXPECT_EQ(status_of(request("INVITE", "bob", "100")), 401) << "from elsewhere";
  world_.pass(80s);
  EXPECT_EQ(line(0).calls(), 0U) << "there was no ACK";
  expect_nothing_left();
}

TEST_F(trunk_test, its_calls_reach_what_it_is_allowed_and_no_more_than_it_may) {
  a().reaches_agents = a().reaches_trunks = true;
  a().user = "4711";
  a().most_calls = 2;
  begin();
  a_.silent = true;
  const auto call_of = [&](const std::string& whom, const std::string& to) {
    auto text = request(a_.peer, "INVITE", "x", whom, {}, a_.audio.description());
    const auto at = text.find("\r\nTo: <sip:" + whom) + 11;
    text.replace(at, whom.size(), to);
    return status_of(a_.peer, text);
  };
  EXPECT_EQ(call_of("alice", "alice"), 200);
  EXPECT_EQ(call_of("4711", "100"), 200) << "all calls come to the registered contact";
  EXPECT_EQ(call_of("100", "100"), 503) << "it has two";
  expect_nothing_left();
}

TEST_F(trunk_test, sec_24_a_trunks_credentials_are_for_its_own_host_and_realm) {
  a().user = "4711";
  a().credentials.emplace_back("4711", "carrier", "secret", std::vector<std::string>{"10.0.1.1"});
  begin();
  a_.challenge = "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\r\n";
  EXPECT_FALSE(result_of_call().failed());
  EXPECT_EQ(a_.peer.count("INVITE "), 2U);
  a_.challenge = "Proxy-Authenticate: Digest realm=\"other\", nonce=\"abc\", qop=\"auth\"\r\n";
  b_.challenge = "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\r\n";
  a_.peer.messages.clear();
  EXPECT_TRUE(result_of_call().failed());
  EXPECT_EQ(a_.peer.count("INVITE "), 1U);
  EXPECT_EQ(b_.peer.count("INVITE "), 1U);
  for (const auto* each : {&a_, &b_})
    for (const auto& m : each->peer.messages)
      EXPECT_EQ(m.find("uthorization:"), std::string::npos) << m;
  // Nor are a trunk's challenges passed on to who calls.
  EXPECT_EQ(world_.heard().calls.back().failure, failure_cause::from_status(480));
  expect_nothing_left();
}

// CVE-2021-41158: who is called asks for the trunk's credentials.
TEST_F(trunk_test, sec_24_a_callee_that_challenges_a_bye_learns_nothing) {
  a().user = "4711";
  a().credentials.emplace_back("4711", "carrier", "secret", std::vector<std::string>{"10.0.1.1"});
  begin();
  raw_peer callee{world_.lane(), "10.0.1.9"}; // in the Contact of the trunk's answer
  callee.on_message = [&](const std::string& m) {
    if (!m.starts_with("ACK "))
      callee.answer(
        m, 407, "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\r\n");
  };
  a_.peer.on_message = [&](const std::string& m) {
    if (!m.starts_with("INVITE "))
      return;
    std::string out = "SIP/2.0 200 OK\r\n";
    for (const auto* name : {"Via", "From", "Call-ID", "CSeq"})
      out += header_line(m, name) + "\r\n";
    const auto body = a_.audio.description();
    out += header_line(m, "To") + ";tag=t\r\nContact: <sip:x@10.0.1.9>\r\n" +
           "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
    a_.peer.send(a_.peer.peer, out);
  };
  (void)result_of_call();
  EXPECT_EQ(callee.count("BYE "), 1U);
  for (const auto& m : callee.messages)
    EXPECT_EQ(m.find("uthorization:"), std::string::npos) << m;
  expect_nothing_left();
}

// A -> B -> A: a call that comes back is not sent out once more.
TEST_F(trunk_test, sec_35_a_call_that_comes_back_through_a_trunk_is_refused) {
  a().reaches_trunks = true;
  begin();
  int status = 0;
  a_.peer.on_message = [&](const std::string& m) {
    if (m.starts_with("INVITE ")) {
      const auto trail = header_line(m, "X-Jackfield-Trail");
      EXPECT_FALSE(trail.empty()) << m;
      a_.peer.answer(m, 100);
      a_.peer.send(centre_.address, request(a_.peer, "INVITE", "x", "+49123",
                                            trail + ", elsewhere\r\n", a_.audio.description()));
    } else if (m.starts_with("SIP/2.0 ") && !m.starts_with("SIP/2.0 1")) {
      status = std::stoi(m.substr(8, 3));
    }
  };
  call("alice", "+49123", 5s);
  world_.pass(1s);
  EXPECT_EQ(status, 482);
  EXPECT_EQ(a_.peer.count("INVITE "), 1U);
  EXPECT_EQ(b_.peer.count("INVITE "), 0U);
  a_.peer.on_message = nullptr;
  world_.pass(60s);
  expect_nothing_left();
}

TEST_F(trunk_test, sec_35_a_call_goes_through_no_more_engines_than_it_may) {
  a().reaches_trunks = true;
  begin();
  a_.silent = true;
  const auto out = [&](const std::string& headers, const std::string& hops = "70") {
    auto text = request(a_.peer, "INVITE", "x", "+49123", headers, a_.audio.description());
    text.replace(text.find("Max-Forwards: 70"), 16, "Max-Forwards: " + hops);
    return status_of(a_.peer, text);
  };
  b_.refuses_with = 486;
  plan_.routes[0].trunks = {1};
  EXPECT_EQ(out({}, "0"), 483);
  std::string trail = "X-Jackfield-Trail: m0";
  for (int i = 1; i < 8; ++i)
    trail += ", m" + std::to_string(i);
  EXPECT_EQ(out(trail + "\r\n"), 483);
  EXPECT_EQ(b_.peer.count("INVITE "), 0U);
  expect_nothing_left();
}

} // namespace
} // namespace jackfield
