#include "actors/live/live_callers.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "actors/wire/wire_tap.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;

/// To a `desk`: let the callers go.
struct close_desk {};

} // namespace
} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::close_desk)

namespace jackfield {
namespace {

/// What is told of callers.
struct told_of_callers {
  std::vector<uint64_t> answered;
  std::map<uint64_t, std::vector<bool>> gone; ///< answered?
  std::vector<service_stopped> stopped;
};

/// Whoever listens to them.
class desk final : public lane::lane_actor {
public:
  desk(caf::actor_config& config, lane::lane& home, told_of_callers& t)
      : lane::lane_actor(config, home), told_(t) {}
  caf::actor callers;

protected:
  caf::behavior make_behavior() override {
    return {
      [this](const caller_answered& a) { told_.answered.push_back(a.ticket); },
      [this](const caller_gone& g) { told_.gone[g.ticket].push_back(g.answered); },
      [this](const service_stopped& s) { told_.stopped.push_back(s); },
      [this](close_desk) { send(std::exchange(callers, nullptr), callers_go{}); },
    };
  }

private:
  told_of_callers& told_;
};

/// The Froms of INVITEs that come to a site.
class invites_seen final : public wire_tap {
public:
  explicit invites_seen(sim_site& site) : router_(site.context.router) { router_.set_tap(this); }
  ~invites_seen() override { router_.set_tap(nullptr); }
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    if (direction == wire_direction::received && bytes.starts_with("INVITE "))
      from.push_back(header_line(std::string{bytes}, "From"));
  }
  std::vector<std::string> from;

private:
  sip_router& router_;
};

class live_callers_test : public testing::Test {
protected:
  live_callers_test()
      : world_(3), home_(world_.add_site("10.0.0.1")), queue_(world_.add_site("10.0.0.2")) {}

  void begin(const answer_manner& how) {
    world_.answer(queue_, how);
    begin_calling(queue_.address);
  }
  void begin_calling(const lane::endpoint& whom) {
    auto manner = manner_between(home_, transport::target{transport::protocol::udp, whom});
    manner.ringing_limit = 24h;
    manner.callee_hangs_up = callee_hang_up::allowed;
    desk_ = world_.lane().spawn<desk>(told_);
    callers_ = world_.lane().spawn<live_callers>(
      home_.context, std::make_shared<const call_manner>(manner), target_of(whom), source,
      caf::actor_cast<caf::strong_actor_ptr>(desk_));
    caf::actor_cast<desk*>(desk_)->callers = callers_;
    world_.let_stay(2);
  }
  template <class T>
  void tell(T what) {
    lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(callers_), what);
  }
  void place(uint64_t ticket) { tell(place_caller{ticket, world_.lane().now()}); }
  void hang_up_all_and_go() {
    callers_ = nullptr;
    lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(desk_), close_desk{});
  }
  /// The callers' own, once they went.
  const report::call_counts& counts() { return told_.stopped.at(0).metrics->calls; }
  void expect_over(uint64_t ticket, bool answered) {
    EXPECT_EQ(told_.gone[ticket], std::vector{answered}) << "of caller " << ticket;
  }
  void go_and_expect_nothing_left() {
    hang_up_all_and_go();
    world_.pass(2min);
    expect_gone();
  }
  void expect_gone() {
    ASSERT_EQ(told_.stopped.size(), 1U);
    EXPECT_EQ(told_.stopped[0].source, source);
    EXPECT_EQ(counts().started,
              counts().completed + counts().failed + counts().busy + counts().unanswered);
    EXPECT_EQ(counts().current, 0U);
    world_.let_go(1);
    world_.stop_services();
    world_.pass(1min);
    world_.expect_nothing_left();
  }

  static constexpr unsigned source = 17;
  told_of_callers told_; // until the desk has ended
  sim_world world_;
  sim_site& home_;
  sim_site& queue_;
  caf::actor desk_;
  caf::actor callers_;
};

TEST_F(live_callers_test, call_and_hang_up_when_they_are_told) {
  begin(answer_manner_of(queue_));
  invites_seen seen{queue_};
  place(1);
  place(2);
  world_.pass(10s);
  EXPECT_EQ(told_.answered, (std::vector<uint64_t>{1, 2}));
  EXPECT_TRUE(told_.gone.empty());
  ASSERT_EQ(seen.from.size(), 2U);
  EXPECT_TRUE(seen.from[0].starts_with("From: <sip:9000000001@10.0.0.1>")) << seen.from[0];
  EXPECT_TRUE(seen.from[1].starts_with("From: <sip:9000000002@10.0.0.1>")) << seen.from[1];
  tell(hang_up_caller{2});
  tell(hang_up_caller{2});
  tell(hang_up_caller{99});
  world_.pass(1s);
  expect_over(2, true);
  EXPECT_FALSE(told_.gone.contains(1));
  tell(hang_up_caller{1});
  world_.pass(1s);
  expect_over(1, true);
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().answered, 2U);
  EXPECT_EQ(counts().completed, 2U);
  EXPECT_EQ(counts().ended_by_caller, 2U);
}

TEST_F(live_callers_test, hang_up_while_it_rings) {
  auto manner = answer_manner_of(queue_);
  manner.answer_after = 1min;
  begin(manner);
  place(5);
  world_.pass(10s);
  tell(hang_up_caller{5});
  world_.pass(1s);
  EXPECT_TRUE(told_.answered.empty());
  expect_over(5, false);
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().unanswered, 1U);
  EXPECT_EQ(counts().failed, 0U) << "that is no fault";
}

TEST_F(live_callers_test, hang_up_before_anything_has_come) {
  begin(answer_manner_of(queue_));
  place(5);
  tell(hang_up_caller{5});
  world_.pass(1min);
  ASSERT_EQ(told_.gone[5].size(), 1U);
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().failed, 0U);
  EXPECT_EQ(counts().started, 1U);
}

TEST_F(live_callers_test, hang_up_as_the_answer_comes) {
  auto manner = answer_manner_of(queue_);
  manner.answer_after = 1s;
  begin(manner);
  uint64_t ticket = 0;
  for (auto early = -20ms; early <= 20ms; early += 1ms) {
    place(++ticket);
    world_.pass(1s + early);
    tell(hang_up_caller{ticket});
    world_.pass(1min);
    EXPECT_EQ(told_.gone[ticket].size(), 1U) << early.count() << " ms after the answer";
  }
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().failed, 0U);
  EXPECT_GT(counts().completed, 0U);
  EXPECT_GT(counts().unanswered, 0U);
}

TEST_F(live_callers_test, who_is_refused_failed) {
  auto manner = answer_manner_of(queue_);
  manner.refuse_with = 486;
  begin(manner);
  place(3);
  world_.pass(1s);
  expect_over(3, false);
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().failures,
            (std::map<failure_cause, uint64_t>{{failure_cause::from_status(486), 1}}));
}

TEST_F(live_callers_test, who_hears_nothing_failed_in_the_end) {
  begin_calling(lane::endpoint::parse("10.0.0.9", 5060).value());
  place(3);
  world_.pass(1min);
  expect_over(3, false);
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().failures, (std::map<failure_cause, uint64_t>{{failure_cause::timeout, 1}}));
}

TEST_F(live_callers_test, the_queue_hangs_up) {
  auto manner = answer_manner_of(queue_);
  manner.length = 300ms;
  begin(manner);
  place(3);
  world_.pass(5s);
  EXPECT_EQ(told_.answered, std::vector<uint64_t>{3});
  expect_over(3, true);
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().completed, 1U);
  EXPECT_EQ(counts().ended_by_callee, 1U);
}

TEST_F(live_callers_test, go_whatever_they_do) {
  auto manner = answer_manner_of(queue_);
  manner.answer_share = 0.5;
  manner.ring_limit = 1h;
  begin(manner);
  for (uint64_t ticket = 1; ticket <= 40; ++ticket)
    place(ticket);
  world_.pass(10s);
  const auto talked = told_.answered.size();
  EXPECT_GT(talked, 0U);
  EXPECT_LT(talked, 40U);
  tell(hang_up_caller{1}); // one is on its way out
  for (uint64_t ticket = 41; ticket <= 50; ++ticket)
    place(ticket);
  const auto late = callers_;
  hang_up_all_and_go();
  world_.pass(0ms);
  lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(late),
             place_caller{51, world_.lane().now()});
  world_.pass(2min);
  for (uint64_t ticket = 1; ticket <= 50; ++ticket)
    EXPECT_EQ(told_.gone[ticket].size(), 1U) << ticket;
  EXPECT_FALSE(told_.gone.contains(51)) << "they have gone: nobody calls any more";
  EXPECT_EQ(told_.stopped.size(), 1U);
  EXPECT_EQ(counts().started, 50U);
  EXPECT_EQ(counts().failed, 0U);
}

TEST_F(live_callers_test, go_though_the_queue_only_ever_rang) {
  raw_peer silent{world_.lane(), "10.0.0.4"};
  silent.on_message = [&](const std::string& m) {
    if (m.starts_with("INVITE "))
      silent.answer(m, 180);
  };
  begin_calling(silent.address());
  place(1);
  world_.pass(10s);
  hang_up_all_and_go();
  world_.pass(2min);
  EXPECT_GE(silent.count("CANCEL "), 1U);
  expect_over(1, false);
  EXPECT_EQ(told_.stopped.size(), 1U) << "it does not wait for ever";
}

TEST_F(live_callers_test, go_where_nobody_ever_called) {
  begin(answer_manner_of(queue_));
  go_and_expect_nothing_left();
  EXPECT_EQ(counts().started, 0U);
}

TEST_F(live_callers_test, an_error_hangs_all_up) {
  auto manner = answer_manner_of(queue_);
  manner.answer_share = 0.5;
  manner.ring_limit = 1h;
  begin(manner);
  for (uint64_t ticket = 1; ticket <= 20; ++ticket)
    place(ticket);
  world_.pass(10s);
  EXPECT_GT(told_.answered.size(), 0U);
  caf::anon_send_exit(std::exchange(callers_, nullptr), caf::exit_reason::unhandled_exception);
  caf::actor_cast<desk*>(desk_)->callers = nullptr;
  world_.pass(1min);
  world_.let_go(1);
  world_.ask_for_metrics();
  const auto& served = world_.metrics_of(1).calls;
  EXPECT_EQ(served.started, 20U);
  EXPECT_EQ(served.current, 0U) << "nobody is left on the line";
  world_.stop_services();
  world_.pass(1min);
  world_.expect_nothing_left();
}

TEST(caller_id, is_read_back) {
  for (uint64_t ticket = 1; ticket < 1'000'000'000; ticket = ticket * 3 + 1) {
    const auto shown = caller_id_of(ticket);
    EXPECT_EQ(shown.size(), 10U) << shown;
    EXPECT_EQ(ticket_of(shown), ticket);
    for (const auto* before : {"+49", "00", "0", "+", "9", "tel:"})
      EXPECT_EQ(ticket_of(before + shown), ticket) << before;
  }
  EXPECT_EQ(ticket_of(caller_id_of(999'999'999)), 999'999'999U);
}

TEST(caller_id, of_others_is_nobodys) {
  for (const auto* shown :
       {"", "9", "900000001", "anonymous", "9000000000", "0123456789", "90000000a1", "9000000001a",
        "-900000001", "+900000001", "90000 0001", "8999999999"})
    EXPECT_EQ(ticket_of(shown), 0U) << shown;
}

} // namespace
} // namespace jackfield
