#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include "actors/call/leg_reporter.hpp"
#include "actors/node/node.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// To a commander: give this command, and tell the asker what came of it.
struct give_command {
  caf::actor leg;
  leg_command command;
};
/// To whoever waits for legs: one has been made for a call that came in.
struct leg_made {
  caf::actor leg;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::give_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_made)

namespace jackfield {
namespace {

using outcome = leg_result::outcome;

/// Longer than any step takes, on the slowest machine under a sanitizer: for a test that hangs.
constexpr std::chrono::seconds patience{120};

caf::behavior commander_behavior(caf::event_based_actor* self) {
  return {
    [self](const give_command& order) {
      auto answer = self->make_response_promise();
      self->request(order.leg, caf::infinite, order.command)
        .then([answer](const leg_result& r) mutable { answer.deliver(r); },
              [answer](const caf::error& e) mutable { answer.deliver(leg_result_of(e)); });
    },
  };
}

/// Commands legs from a lane.
class lane_commander final : public lane::lane_actor {
public:
  using lane::lane_actor::lane_actor;
  caf::behavior make_behavior() override { return commander_behavior(this); }
};

/// Commands them from one of CAF's own threads.
class pool_commander final : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;
  caf::behavior make_behavior() override { return commander_behavior(this); }
};

/// Makes a leg for each call that comes to a lane; its owner is the test.
class service final : public uas_service {
public:
  service(lane_context& context, leg_reporter::settings settings)
      : context_(context), settings_(std::move(settings)) {}

  void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) override {
    context_.home.spawn<call_leg>(context_.router, std::make_unique<leg_reporter>(settings_),
                                  invite, transaction,
                                  std::shared_ptr<const transport::open_settings>{});
  }
  void on_request(const sip_arrival_ptr& request) override {
    context_.router.answer(*request, 405);
  }

private:
  lane_context& context_;
  leg_reporter::settings settings_;
};

enum class place : uint8_t { own_lane, other_lane, worker };

/// A calling leg on lane 1 and the called one on lane 0, driven by messages alone.
class leg_reporter_test : public testing::TestWithParam<place> {
protected:
  leg_reporter_test() {
    node_settings settings;
    settings.lanes = 2;
    settings.media.address = lane::endpoint::loopback_v4(0);
    node_ = std::move(node::make(settings).value());
    self_.emplace(node_->system());
    auto& answering = node_->context(0);
    target_ = answering.router.transport()
                .listen(transport::protocol::udp, lane::endpoint::loopback_v4(0))
                .value();
    auto& calling = node_->context(1);
    own_ = calling.router.transport()
             .listen(transport::protocol::udp, lane::endpoint::loopback_v4(0))
             .value();
    service_.emplace(answering, settings_of());
    answering.router.set_service(&*service_);
    commander_ = make_commander();
    whom_ = std::make_shared<call_target>();
    whom_->uri = "sip:bob@" + target_.to_string();
    whom_->from = "<sip:alice@" + own_.to_string() + ">";
  }
  ~leg_reporter_test() override {
    // One on a CAF worker may hold legs, which must not outlive their lanes.
    caf::anon_send_exit(commander_, caf::exit_reason::user_shutdown);
    self_->ptr()->wait_for(commander_);
    commander_ = nullptr;
    caller_ = callee_ = nullptr;
    self_.reset();
    node_.reset(); // what is left in mailboxes goes with the lanes
  }

  leg_reporter::settings settings_of() {
    leg_reporter::settings s;
    s.owner = caf::actor_cast<caf::strong_actor_ptr>(caf::actor_cast<caf::actor>(*self_));
    s.media = std::make_shared<sdp::offer_template>("127.0.0.1", sdp::media_capabilities{});
    s.port = 20'000;
    s.wanted = {sip::method::info, sip::method::message};
    return s;
  }
  caf::actor make_commander() {
    switch (GetParam()) {
    case place::own_lane:
      return node_->context(0).home.spawn<lane_commander>();
    case place::other_lane:
      return node_->context(1).home.spawn<lane_commander>();
    case place::worker:
      break;
    }
    return node_->system().spawn<pool_commander>();
  }

  void place_call(bool wait = false) {
    leg_reporter::calling calling;
    calling.servers = transport::target{transport::protocol::udp, target_};
    calling.whom = whom_;
    calling.wait = wait;
    auto& context = node_->context(1);
    caller_ = context.home.spawn<call_leg>(
      context.router, std::make_unique<leg_reporter>(settings_of(), std::move(calling)));
    node_->start();
  }

  /// The next event of that kind; what comes meanwhile stays.
  template <class Event>
  Event expect(caf::actor* from = nullptr) {
    std::optional<Event> got;
    self_->ptr()->receive(
      [&](const Event& e) {
        got = e;
        if (from != nullptr)
          *from = caf::actor_cast<caf::actor>(self_->ptr()->current_sender());
      },
      caf::after(patience) >> [] { FAIL() << "the event has not come"; });
    return got.value_or(Event{});
  }
  /// Has the commander give a command and waits for the answer, of which there must be one.
  template <class Command>
  leg_result command(const caf::actor& leg, Command c) {
    std::optional<leg_result> got;
    self_->ptr()
      ->request(commander_, caf::infinite, give_command{leg, leg_command{std::move(c)}})
      .receive([&](const leg_result& r) { got = r; },
               [](const caf::error&) { FAIL() << "no answer to a command"; });
    return got.value_or(leg_result{});
  }
  /// Gives a command whose answer waits for the other side.
  template <class Command>
  auto begin(const caf::actor& leg, Command c) {
    return self_->ptr()->request(commander_, caf::infinite,
                                 give_command{leg, leg_command{std::move(c)}});
  }
  template <class Handle>
  leg_result finish(Handle& handle) {
    std::optional<leg_result> got;
    handle.receive([&](const leg_result& r) { got = r; },
                   [](const caf::error&) { FAIL() << "no answer to a command"; });
    return got.value_or(leg_result{});
  }
  /// Rings, is accepted, and is up on both sides.
  void connect() {
    place_call();
    expect<leg_events::prepared>();
    expect<leg_events::incoming>(&callee_);
    EXPECT_EQ(command(callee_, leg_commands::ring{}).what, outcome::done);
    EXPECT_EQ(expect<leg_events::ringing>().status, 180);
    EXPECT_EQ(command(callee_, leg_commands::accept{}).what, outcome::done);
    EXPECT_EQ(expect<leg_events::answered>().status, 200);
    expect<leg_events::confirmed>();
  }
  /// Every command there is, none of which can be done.
  void expect_all(const caf::actor& leg, outcome what) {
    using namespace leg_commands;
    const auto check = [&](const leg_result& r, const char* which) {
      EXPECT_EQ(r.what, what) << which << ": " << r.why;
      EXPECT_FALSE(r.why.empty()) << which;
    };
    check(command(leg, send{}), "send");
    check(command(leg, ring{}), "ring");
    check(command(leg, send_early_media{}), "early media");
    check(command(leg, accept{}), "accept");
    check(command(leg, refuse{}), "refuse");
    check(command(leg, redirect{{"sip:carol@127.0.0.1"}}), "redirect");
    check(command(leg, offer{}), "offer");
    check(command(leg, answer_offer{1}), "answer an offer");
    check(command(leg, refuse_offer{1}), "refuse an offer");
    check(command(leg, request{}), "request");
    check(command(leg, answer_request{1}), "answer a request");
    check(command(leg, dial{"1"}), "dial");
  }

  std::unique_ptr<node> node_;
  std::optional<caf::scoped_actor> self_;
  std::optional<service> service_;
  lane::endpoint target_;
  lane::endpoint own_;
  std::shared_ptr<call_target> whom_;
  caf::actor commander_;
  caf::actor caller_;
  caf::actor callee_;
};

TEST_P(leg_reporter_test, a_whole_call) {
  connect();

  // hold and resume, by the caller
  for (const auto& [wanted, seen] :
       {std::pair{sdp::direction::sendonly, sdp::direction::recvonly},
        std::pair{sdp::direction::sendrecv, sdp::direction::sendrecv}}) {
    auto offering = begin(caller_, leg_commands::offer{wanted});
    const auto offered = expect<leg_events::offered>();
    EXPECT_TRUE(offered.has_offer);
    EXPECT_EQ(offered.way, seen);
    EXPECT_EQ(command(callee_, leg_commands::answer_offer{offered.number, seen}).what,
              outcome::done);
    EXPECT_EQ(finish(offering).what, outcome::done);
    EXPECT_EQ(command(callee_, leg_commands::answer_offer{offered.number, seen}).what,
              outcome::not_now)
      << "answered twice";
  }

  // INFO, answered by the owner; the ACK of the re-INVITE is there before it
  auto asking = begin(
    caller_, leg_commands::request{sip::method::info, "Signal=5\r\n", "application/dtmf-relay"});
  const auto requested = expect<leg_events::requested>();
  EXPECT_EQ(requested.what, sip::method::info);
  EXPECT_EQ(requested.body, "Signal=5\r\n");
  EXPECT_EQ(requested.content_type, "application/dtmf-relay");
  EXPECT_EQ(command(callee_, leg_commands::answer_request{requested.number, 415}).what,
            outcome::done);
  const auto answered = finish(asking);
  EXPECT_EQ(answered.what, outcome::refused);
  EXPECT_EQ(answered.status, 415);

  // the callee offers, in an UPDATE, and is refused; all stays
  auto offering = begin(callee_, leg_commands::offer{sdp::direction::inactive, true});
  const auto offered = expect<leg_events::offered>();
  EXPECT_EQ(command(caller_, leg_commands::refuse_offer{offered.number, 488}).what, outcome::done);
  const auto refused = finish(offering);
  EXPECT_EQ(refused.what, outcome::refused);
  EXPECT_EQ(refused.status, 488);

  // and OPTIONS, by default
  EXPECT_EQ(command(callee_, leg_commands::request{sip::method::options}).status, 200);

  EXPECT_EQ(command(callee_, leg_commands::hang_up{"Reason: Q.850;cause=16\r\n"}).what,
            outcome::done);
  expect<leg_events::ended>();
  expect<leg_events::ended>();
  expect_all(caller_, outcome::over);
  expect_all(callee_, outcome::over);
  EXPECT_EQ(command(callee_, leg_commands::hang_up{}).what, outcome::over);
}

TEST_P(leg_reporter_test, commands_that_cannot_be_done_now) {
  connect();
  using namespace leg_commands;
  EXPECT_EQ(command(caller_, send{}).what, outcome::not_now);
  EXPECT_EQ(command(caller_, ring{}).what, outcome::not_now);
  EXPECT_EQ(command(callee_, accept{}).what, outcome::not_now);
  EXPECT_EQ(command(callee_, refuse{}).what, outcome::not_now);
  EXPECT_EQ(command(callee_, answer_offer{77}).what, outcome::not_now);
  EXPECT_EQ(command(callee_, refuse_offer{77}).what, outcome::not_now);
  EXPECT_EQ(command(callee_, answer_request{77}).what, outcome::not_now);
  EXPECT_EQ(command(callee_, dial{"1"}).what, outcome::not_now) << "there is no stream";
  EXPECT_EQ(command(caller_, request{sip::method::info, "", "", "no header line"}).what,
            outcome::not_now);
  EXPECT_EQ(command(caller_, leg_commands::hang_up{}).what, outcome::done);
  expect<leg_events::ended>();
  expect<leg_events::ended>();
}

TEST_P(leg_reporter_test, refused_and_redirected) {
  place_call();
  expect<leg_events::prepared>();
  expect<leg_events::incoming>(&callee_);
  EXPECT_EQ(command(callee_, leg_commands::refuse{486}).what, outcome::done);
  const auto one = expect<leg_events::ended>();
  const auto other = expect<leg_events::ended>();
  EXPECT_TRUE(one.cause == sip::end_cause::busy || other.cause == sip::end_cause::busy);
  EXPECT_TRUE(one.cause == sip::end_cause::refused || other.cause == sip::end_cause::refused);
}

/// A campaign journals the attempt before its INVITE leaves.
TEST_P(leg_reporter_test, prepared_call_waits_to_be_sent) {
  place_call(true);
  const auto prepared = expect<leg_events::prepared>();
  EXPECT_NE(prepared.leg.nonce, 0U);
  EXPECT_EQ(command(caller_, leg_commands::send{}).what, outcome::done);
  const auto incoming = expect<leg_events::incoming>(&callee_);
  EXPECT_TRUE(incoming.has_offer);
  EXPECT_NE(incoming.from.find(std::string{prepared.leg.text().data(), sip::leg_id::text_size}),
            std::string::npos)
    << incoming.from;
  EXPECT_EQ(command(caller_, leg_commands::hang_up{}).what, outcome::done);
  EXPECT_EQ(expect<leg_events::ended>().cause, sip::end_cause::cancelled);
  EXPECT_EQ(expect<leg_events::ended>().cause, sip::end_cause::cancelled);
}

TEST_P(leg_reporter_test, prepared_call_that_is_never_sent) {
  place_call(true);
  expect<leg_events::prepared>();
  EXPECT_EQ(command(caller_, leg_commands::hang_up{}).what, outcome::done);
  EXPECT_EQ(expect<leg_events::ended>().cause, sip::end_cause::cancelled);
  EXPECT_EQ(command(caller_, leg_commands::send{}).what, outcome::over);
}

/// A command under way when the leg ends is answered too.
TEST_P(leg_reporter_test, end_answers_what_waits) {
  connect();
  auto offering = begin(caller_, leg_commands::offer{sdp::direction::sendonly});
  expect<leg_events::offered>();
  EXPECT_EQ(command(callee_, leg_commands::hang_up{}).what, outcome::done);
  EXPECT_EQ(finish(offering).what, outcome::over);
  expect<leg_events::ended>();
  expect<leg_events::ended>();
}

/// An owner that cannot tell a leg that died from one whose call ended would take the fault for the
/// peer's.
TEST_P(leg_reporter_test, one_that_dies_is_lost_and_the_other_hung_up) {
  connect();
  caf::anon_send_exit(caller_, caf::exit_reason::kill);
  caf::actor first;
  const auto one = expect<leg_events::ended>(&first);
  const auto other = expect<leg_events::ended>();
  const bool caller_was_first = first == caller_;
  const auto& dead = caller_was_first ? one : other;
  const auto& left = caller_was_first ? other : one;
  EXPECT_TRUE(dead.lost);
  EXPECT_FALSE(left.lost);
  EXPECT_EQ(left.cause, sip::end_cause::remote_bye);
}

INSTANTIATE_TEST_SUITE_P(from, leg_reporter_test,
                         testing::Values(place::own_lane, place::other_lane, place::worker),
                         [](const auto& where) -> std::string {
                           switch (where.param) {
                           case place::own_lane:
                             return "own_lane";
                           case place::other_lane:
                             return "other_lane";
                           case place::worker:
                             break;
                           }
                           return "worker";
                         });

} // namespace
} // namespace jackfield
