#include <algorithm>

#include <gtest/gtest.h>

#include "actors/wire/server_memory.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using transport::protocol;
using transport::target_selection;

constexpr std::string_view inactive_answer = "v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\n"
                                             "c=IN IP4 10.0.0.5\r\nt=0 0\r\n"
                                             "m=audio 20000 RTP/AVP 0\r\na=inactive\r\n";
constexpr std::string_view challenge =
  "Proxy-Authenticate: Digest realm=\"edge\", nonce=\"n\", qop=\"auth\"\r\n";

/// A caller, and two servers of one name: 10.0.0.2 is tried first, 10.0.0.3 after it.
class failover_test : public testing::Test {
protected:
  explicit failover_test(protocol p = protocol::udp)
      : world_(3), caller_(world_.add_site("10.0.0.1", p)), first_(world_.add_site("10.0.0.2", p)),
        second_(world_.add_site("10.0.0.3", p)) {}

  [[nodiscard]] target_selection servers() const {
    return target_selection{{first_.target(), second_.target()}};
  }
  [[nodiscard]] std::shared_ptr<const call_manner> manner() const {
    return std::make_shared<const call_manner>(manner_between(caller_, servers()));
  }
  void serve() {
    world_.answer(first_, answer_manner_of(first_));
    world_.answer(second_, answer_manner_of(second_));
  }
  void cut(bool is_cut = true) {
    world_.lane().set_partition(caller_.address, first_.address, is_cut);
  }
  /// Both ways.
  void slow_down(const lane::endpoint& a, const lane::endpoint& b, lane::duration delay) {
    lane::sim_link slow;
    slow.delay = delay;
    world_.lane().set_link(a, b, slow);
    world_.lane().set_link(b, a, slow);
  }
  void call() { world_.call(caller_, manner(), target_of(first_.address), 1s); }
  /// Of the calls that have ended since this was asked last.
  std::vector<uint32_t> failovers() {
    std::vector<uint32_t> out;
    auto& calls = world_.heard().calls;
    for (const auto& c : calls) {
      EXPECT_FALSE(c.failure.failed()) << c.failure.name();
      out.push_back(c.wire.failovers);
    }
    calls.clear();
    return out;
  }
  uint64_t served_by(unsigned source) {
    world_.ask_for_metrics();
    return world_.metrics_of(source).calls.completed;
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& first_;
  sim_site& second_;
};

TEST_F(failover_test, this_call_goes_to_the_next_server_and_later_ones_at_once) {
  serve();
  cut();
  call();
  world_.pass(40s);
  EXPECT_EQ(failovers(), std::vector{1U});
  call();
  call();
  world_.pass(5s);
  EXPECT_EQ(failovers(), (std::vector{0U, 0U})) << "the first server rests";
  EXPECT_EQ(served_by(1), 0U);
  EXPECT_EQ(served_by(2), 3U);
  world_.expect_nothing_left();
}

/// The time to the first response is that of one: a server that was silent gave none, and one that
/// refused did.
TEST_F(failover_test, the_first_response_is_the_first_that_came) {
  serve();
  cut();
  slow_down(caller_.address, second_.address, 100ms);
  call();
  world_.pass(40s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  const auto& silent = world_.heard().calls[0].times;
  ASSERT_TRUE(silent.first_response && silent.ringing);
  EXPECT_EQ(*silent.first_response, *silent.ringing);
  EXPECT_EQ(failovers(), std::vector{1U});
  world_.expect_nothing_left();
}

TEST_F(failover_test, the_first_response_may_be_a_refusal) {
  world_.answer(second_, answer_manner_of(second_));
  auto busy = answer_manner_of(first_);
  busy.refuse_with = 503;
  world_.answer(first_, busy);
  slow_down(caller_.address, second_.address, 100ms);
  call();
  world_.pass(10s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  const auto& refused = world_.heard().calls[0].times;
  ASSERT_TRUE(refused.first_response && refused.ringing);
  EXPECT_EQ(*refused.ringing - *refused.first_response, 200ms);
  EXPECT_EQ(failovers(), std::vector{1U});
}

TEST_F(failover_test, a_single_call_finds_out_whether_a_server_is_back) {
  serve();
  cut();
  call();
  world_.pass(70s); // the rest of 32 s is over
  EXPECT_EQ(failovers(), std::vector{1U});
  for (int i = 0; i < 3; ++i)
    call();
  world_.pass(5s);
  EXPECT_EQ(failovers(), (std::vector{0U, 0U})) << "two went by; one tries";
  world_.pass(60s);
  EXPECT_EQ(failovers(), std::vector{1U});
  cut(false);
  world_.pass(10s);
  call();
  world_.pass(5s);
  call();
  world_.pass(5s);
  EXPECT_EQ(failovers(), (std::vector{0U, 0U}));
  EXPECT_EQ(served_by(1), 2U) << "it has answered, so all go there again";
  world_.expect_nothing_left();
}

TEST_F(failover_test, registrations_and_other_requests_go_on_too) {
  world_.answer(first_, answer_manner_of(first_));
  world_.answer(second_, answer_manner_of(second_));
  cut();
  auto user = target_of(first_.address);
  user->uri = "sip:" + first_.address.to_string();
  registration::plan plan;
  plan.leave = true;
  plan.stay = 1s;
  world_.register_user(caller_, manner(), user, plan);
  world_.probe(caller_, manner(), user);
  world_.pass(40s);
  const auto& heard = world_.heard();
  ASSERT_EQ(heard.registrations.size(), 2U);
  EXPECT_EQ(heard.registrations[0].what, registration_report::kind::registered);
  EXPECT_EQ(heard.registrations[1].wire.failovers, 1U);
  ASSERT_EQ(heard.probes.size(), 1U);
  EXPECT_EQ(heard.probes[0].status, 200);
  EXPECT_EQ(heard.probes[0].wire.failovers, 1U);
  world_.expect_nothing_left();
}

TEST_F(failover_test, a_load_run_counts_what_went_on) {
  serve();
  cut();
  auto plan = std::make_shared<load_plan>();
  plan->arrivals.phases = {{1, 1, std::nullopt}};
  plan->arrivals.calls = 3;
  plan->length.mean = 1s;
  plan->targets.push_back(target_of(first_.address));
  world_.run_load(caller_, plan, manner());
  ASSERT_TRUE(world_.run_until_finished(100s));
  world_.ask_for_metrics();
  const auto& m = world_.metrics_of(0);
  EXPECT_EQ(m.calls.completed, 3U);
  EXPECT_EQ(m.failovers, 2U) << "the third began when the first had waited for 1.5 s";
}

TEST_F(failover_test, calls_that_begin_while_a_server_is_silent_go_elsewhere_soon) {
  serve();
  cut();
  for (int i = 0; i < 10; ++i) {
    call();
    world_.pass(500ms);
  }
  world_.pass(40s);
  const auto went_on = failovers();
  EXPECT_EQ(std::count(went_on.begin(), went_on.end(), 1U), 3) << "those of the first 1.5 s";
  EXPECT_EQ(std::count(went_on.begin(), went_on.end(), 0U), 7);
  world_.expect_nothing_left();
}

TEST_F(failover_test, a_server_that_is_merely_slow_is_left_until_it_answers) {
  serve();
  slow_down(caller_.address, first_.address, 900ms);
  call();
  world_.pass(1600ms);
  call();
  world_.pass(10s);
  call();
  world_.pass(20s);
  EXPECT_EQ(failovers(), (std::vector{0U, 0U, 0U}));
  EXPECT_EQ(served_by(1), 2U);
  EXPECT_EQ(served_by(2), 1U);
  world_.expect_nothing_left();
}

class tcp_failover_test : public failover_test {
protected:
  tcp_failover_test() : failover_test(protocol::tcp) {}
};

TEST_F(tcp_failover_test, a_refused_connection_costs_no_time) {
  world_.answer(second_, answer_manner_of(second_));
  const target_selection some{{{protocol::tcp, first_.address.with_port(5099)}, second_.target()}};
  world_.call(caller_, std::make_shared<const call_manner>(manner_between(caller_, some)),
              target_of(second_.address), 1s);
  world_.pass(3s);
  EXPECT_EQ(failovers(), std::vector{1U});
  world_.expect_nothing_left();
}

/// Prepares a call and sends it five seconds later.
class patient_user final : public leg_user {
public:
  struct seen {
    sip::end_cause cause = sip::end_cause::none;
    uint32_t failovers = 0;
    bool answered = false;
  };
  patient_user(call_manner manner, seen& what) : manner_(std::move(manner)), seen_(what) {}

  void on_start(call_leg& leg) override {
    ASSERT_TRUE(leg.open(manner_.servers, manner_.connections));
    leg.describe(manner_.offer, 10'000);
    sip::call_options options;
    options.uri = "sip:service@10.0.0.2";
    options.from = "<sip:caller@10.0.0.1>";
    ASSERT_TRUE(leg.prepare(options));
    leg.wake_at(leg.home().now() + 5s);
  }
  void on_wake(call_leg& leg) override {
    EXPECT_EQ(leg.phase(), sip::leg_phase::prepared);
    EXPECT_TRUE(leg.send_invite());
  }
  void on_answered(call_leg& leg, const leg_answer& /*answer*/) override {
    seen_.answered = true;
    leg.hang_up();
  }
  void on_hang_up(call_leg& leg) override { leg.hang_up(); }
  void on_ended(call_leg& leg, const leg_end& end) override {
    seen_.cause = end.cause;
    seen_.failovers = leg.wire().failovers;
    leg.finish();
  }
  void on_lost(call_leg& /*leg*/) override {}

private:
  call_manner manner_;
  seen& seen_;
};

TEST_F(tcp_failover_test, a_prepared_call_outlives_the_way_that_it_was_to_take) {
  world_.answer(second_, answer_manner_of(second_));
  const target_selection some{
    {{protocol::tcp, first_.address.with_port(5099)}, second_.target()}}; // refused at once
  patient_user::seen seen;
  world_.lane().spawn<call_leg>(
    caller_.context.router, std::make_unique<patient_user>(manner_between(caller_, some), seen));
  world_.pass(4s);
  EXPECT_EQ(served_by(1), 0U);
  EXPECT_EQ(caller_.context.router.legs().size(), 1U) << "it waits";
  world_.pass(4s);
  EXPECT_TRUE(seen.answered);
  EXPECT_EQ(seen.cause, sip::end_cause::local_bye);
  EXPECT_EQ(seen.failovers, 1U);
  world_.expect_nothing_left();
}

TEST_F(failover_test, the_next_server_is_behind_a_connection) {
  auto& third = world_.add_site("10.0.0.4", protocol::tcp);
  world_.answer(third, answer_manner_of(third));
  const target_selection some{{first_.target(), third.target()}};
  cut();
  world_.call(caller_, std::make_shared<const call_manner>(manner_between(caller_, some)),
              target_of(first_.address), 1s);
  world_.pass(40s);
  EXPECT_EQ(failovers(), std::vector{1U});
  world_.expect_nothing_left();
}

/// Remembers the connection that was used last.
struct flow_spy final : wire_tap {
  void on_message(wire_direction /*direction*/, const transport::flow& over,
                  lane::time_point /*at*/, std::string_view /*bytes*/) override {
    last = over;
  }
  transport::flow last;
};

TEST_F(tcp_failover_test, a_registration_takes_a_new_connection_when_one_broke) {
  flow_spy spy;
  first_.context.router.set_tap(&spy);
  world_.answer(first_, answer_manner_of(first_));
  auto user = target_of(first_.address);
  user->uri = "sip:" + first_.address.to_string();
  registration::plan plan;
  plan.expires = 600;
  world_.register_user(
    caller_, std::make_shared<const call_manner>(manner_between(caller_, first_.target())), user,
    plan);
  world_.pass(5s);
  const auto before = spy.last;
  first_.context.router.transport().close(before);
  world_.pass(120s);
  EXPECT_NE(spy.last, before);
  first_.context.router.set_tap(nullptr);
  using kind = registration_report::kind;
  std::vector<kind> seen;
  for (const auto& r : world_.heard().registrations)
    seen.push_back(r.what);
  EXPECT_EQ(seen, (std::vector{kind::registered, kind::refreshed}));
}

/// A proxy in front of the servers, which says what a test writes.
class edge_test : public failover_test {
protected:
  edge_test() : edge_(world_.lane(), "10.0.0.5"), other_(world_.lane(), "10.0.0.6") {}

  std::shared_ptr<call_target> target_at(const std::string& host) const {
    auto target = target_of(other_.address());
    target->uri = "sip:bob@" + host;
    target->credentials.emplace_back("alice", "*", "pw", std::vector<std::string>{host});
    return target;
  }
  void know(const std::string& host) {
    caller_.context.router.hops().resolver().add_host(host, {edge_.address(), other_.address()});
  }
  static target_selection only(const raw_peer& peer) {
    return transport::target{protocol::udp, peer.address()};
  }

  raw_peer edge_;
  raw_peer other_;
};

TEST_F(edge_test, credentials_go_to_the_server_that_asked_for_them) {
  edge_.on_message = [this](const std::string& m) {
    if (m.starts_with("INVITE "))
      edge_.answer(m, edge_.count("INVITE ") == 1 ? 407 : 486, challenge);
  };
  // The URI leads elsewhere: the edge is an outbound proxy that is in no Route.
  world_.call(caller_, std::make_shared<const call_manner>(manner_between(caller_, only(edge_))),
              target_at("10.0.0.6"), 1s);
  world_.pass(1s);
  EXPECT_EQ(edge_.count("INVITE "), 2U);
  EXPECT_NE(header_line(edge_.last("INVITE "), "Proxy-Authorization"), "");
  EXPECT_TRUE(other_.messages.empty());
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls[0].status, 486);
  world_.expect_nothing_left();
}

TEST_F(edge_test, requests_within_the_dialog_try_the_servers_of_a_name) {
  know("edge.test");
  edge_.on_message = [this](const std::string& m) { // silent once the call is up
    if (m.starts_with("INVITE "))
      edge_.answer(m, 200, "Record-Route: <sip:edge.test;lr>\r\n", inactive_answer);
  };
  other_.on_message = [this](const std::string& m) {
    if (m.starts_with("BYE "))
      other_.answer(m, 200);
  };
  world_.call(caller_, std::make_shared<const call_manner>(manner_between(caller_, only(edge_))),
              target_at("10.0.0.6"), 1s);
  world_.pass(20s);
  EXPECT_GT(edge_.count("BYE "), 1U);
  EXPECT_EQ(other_.count("BYE "), 0U);
  world_.pass(20s);
  EXPECT_EQ(other_.count("BYE "), 1U);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls[0].failure.failed()) << world_.heard().calls[0].failure.name();
  EXPECT_EQ(world_.heard().calls[0].wire.failovers, 1U);
}

TEST_F(edge_test, a_late_failure_is_acknowledged_where_it_came_from) {
  edge_.on_message = [this](const std::string& m) {
    if (m.starts_with("INVITE "))
      edge_.answer(m, 503);
  };
  other_.on_message = [this](const std::string& m) {
    if (m.starts_with("INVITE "))
      other_.answer(m, 180);
  };
  world_.call(caller_,
              std::make_shared<const call_manner>(
                manner_between(caller_, target_selection{{{protocol::udp, edge_.address()},
                                                          {protocol::udp, other_.address()}}})),
              target_at("10.0.0.6"), 1s);
  world_.pass(1s);
  EXPECT_EQ(other_.count("INVITE "), 1U);
  EXPECT_EQ(edge_.count("ACK "), 1U);
  edge_.answer(edge_.last("INVITE "), 503); // as if that was lost
  world_.pass(1s);
  EXPECT_EQ(edge_.count("ACK "), 2U);
  EXPECT_EQ(other_.count("ACK "), 0U);
}

// Many calls are under way to it when it begins to refuse them: each is challenged before.
TEST_F(edge_test, a_server_that_challenges_what_it_will_refuse_rests_all_the_same) {
  const auto asks = [](raw_peer& server, const std::string& nonce, int then) {
    server.on_message = [&server, nonce, then](const std::string& m) {
      if (!m.starts_with("INVITE "))
        return;
      if (header_line(m, "Proxy-Authorization").empty())
        server.answer(m, 407,
                      "Proxy-Authenticate: Digest realm=\"edge\", nonce=\"" + nonce + "\"\r\n");
      else
        server.answer(m, then);
    };
  };
  asks(edge_, "first", 503);
  asks(other_, "second", 486);
  constexpr int call_count = 100;
  const auto manner = std::make_shared<const call_manner>(manner_between(
    caller_,
    target_selection{{{protocol::udp, edge_.address()}, {protocol::udp, other_.address()}}}));
  slow_down(caller_.address, edge_.address(), 100ms);
  for (int i = 0; i < call_count; ++i) {
    world_.call(caller_, manner, target_at("10.0.0.6"), 1s);
    world_.pass(20ms);
  }
  world_.pass(5s);
  ASSERT_EQ(world_.heard().calls.size(), size_t{call_count});
  for (const auto& c : world_.heard().calls)
    EXPECT_EQ(c.status, 486);
  // 400 ms from the first INVITE to the first 503.
  EXPECT_LE(edge_.count("INVITE "), 2 * 21U);
  for (const auto& m : edge_.messages)
    EXPECT_EQ(m.find("nonce=\"second\""), m.npos);
  for (const auto& m : other_.messages)
    EXPECT_EQ(m.find("nonce=\"first\""), m.npos);
  world_.expect_nothing_left();
}

// -- what is remembered --------------------------------------------------------------------

class server_memory_test : public testing::Test {
protected:
  static transport::target at(uint16_t port) {
    return {protocol::udp, lane::endpoint::loopback_v4(port)};
  }
  static lane::time_point after(lane::duration d) { return lane::time_point{} + 1h + d; }
  using ports = std::vector<uint16_t>;
  using failure = server_memory::failure;
  ports ordered(lane::duration now) {
    const auto out = memory_.order(target_selection{{at(1), at(2), at(3)}, "pbx.test"}, after(now));
    EXPECT_EQ(out.host(), "pbx.test");
    ports found;
    for (const auto& t : out.all())
      found.push_back(t.remote.port());
    return found;
  }

  server_memory memory_{32s};
};

TEST_F(server_memory_test, those_that_rest_come_last_until_their_time_is_up) {
  EXPECT_EQ(ordered(0s), (ports{1, 2, 3}));
  memory_.failed(at(1), after(0s), failure::unreachable);
  memory_.failed(at(2), after(0s), failure::refused, 120s); // Retry-After
  EXPECT_EQ(ordered(31s), (ports{3, 1, 2}));
  EXPECT_EQ(ordered(32s), (ports{1, 3, 2})) << "tried";
  EXPECT_EQ(ordered(33s), (ports{3, 1, 2})) << "by one only";
  EXPECT_EQ(ordered(64s), (ports{1, 3, 2})) << "whose answer may have got lost";
  memory_.answered(at(1), 200);
  EXPECT_EQ(ordered(65s), (ports{1, 3, 2}));
  EXPECT_EQ(ordered(66s), (ports{1, 3, 2}));
  EXPECT_EQ(ordered(121s), (ports{1, 2, 3}));
}

TEST_F(server_memory_test, a_later_failure_never_shortens_a_rest) {
  memory_.failed(at(1), after(0s), failure::refused, 100s);
  memory_.failed(at(1), after(10s), failure::unreachable);
  EXPECT_EQ(ordered(99s), (ports{2, 3, 1}));
}

TEST_F(server_memory_test, one_that_was_silent_is_back_by_whatever_it_says) {
  for (const int status : {100, 180, 200, 407, 486}) {
    memory_.failed(at(1), after(0s), failure::unreachable);
    EXPECT_EQ(ordered(1s), (ports{2, 3, 1}));
    memory_.answered(at(1), status);
    EXPECT_EQ(ordered(1s), (ports{1, 2, 3})) << status;
  }
}

TEST_F(server_memory_test, one_that_refused_rests_though_it_still_answers_what_it_had_before) {
  memory_.failed(at(1), after(0s), failure::refused);
  for (const int status : {100, 180, 200, 401, 407, 486})
    memory_.answered(at(1), status);
  EXPECT_EQ(ordered(31s), (ports{2, 3, 1}));
  EXPECT_EQ(ordered(32s), (ports{1, 2, 3})) << "tried";
  memory_.tries(at(1));
  for (const int status : {100, 401, 407})
    memory_.answered(at(1), status);
  EXPECT_EQ(ordered(33s), (ports{2, 3, 1})) << "it may refuse yet";
  memory_.answered(at(1), 180);
  EXPECT_EQ(ordered(33s), (ports{1, 2, 3}));
}

TEST_F(server_memory_test, one_that_refused_is_back_once_it_serves_for_want_of_another) {
  memory_.failed(at(1), after(0s), failure::unreachable);
  memory_.failed(at(2), after(0s), failure::refused, 3600s);
  memory_.failed(at(3), after(0s), failure::unreachable);
  EXPECT_EQ(ordered(1s), (ports{1, 2, 3}));
  memory_.tries(at(2)); // as the first has failed again
  memory_.answered(at(2), 200);
  EXPECT_EQ(ordered(2s), (ports{2, 1, 3}));
}

TEST_F(server_memory_test, is_bounded) {
  for (uint16_t port = 10; port < 10 + 2 * server_memory::most_servers; ++port)
    memory_.failed(at(port), after(std::chrono::seconds{port}), failure::unreachable);
  memory_.failed(at(1), after(2000s), failure::unreachable);
  EXPECT_EQ(ordered(2001s), (ports{2, 3, 1})) << "the latest is known";
  EXPECT_LE(memory_.size(), server_memory::most_servers);
}

} // namespace
} // namespace jackfield
