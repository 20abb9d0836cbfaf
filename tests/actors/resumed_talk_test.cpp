// Calls that agents had when the centre's process was killed: both sides come back, and hear each
// other again; or both end, and the agent wraps up.

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/centre/centre_keeping.hpp"
#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "actors/media/webrtc_services.hpp"
#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/centre_world.hpp"
#include "tests/actors/tone_phone.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using kind = centre_event::kind;
using transport::protocol;

std::shared_ptr<audio_settings> tone(uint16_t hz) {
  auto out = std::make_shared<audio_settings>();
  out->source = audio::source_spec::tone(hz);
  return out;
}

std::shared_ptr<const sdp::offer_template> g711(const sim_site& site) {
  sdp::media_capabilities can;
  can.rtcp_mux = true;
  static constexpr std::array codecs{audio::codec::pcmu, audio::codec::pcma};
  describe_codecs(can, codecs);
  accept_any_protection(can);
  return std::make_shared<sdp::offer_template>(site.context.media.address().address(), can);
}

/// A connection that breaks without a word is noticed after 1.5 s.
router_settings watchful() {
  router_settings made;
  made.transport.keep_alive.websocket = 500ms;
  made.transport.keep_alive.pong_timeout = 1s;
  return made;
}

/// Offers within calls that come to a site.
class offers_seen final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    if (direction != wire_direction::received || !bytes.starts_with("INVITE "))
      return;
    const auto to = bytes.find("\r\nTo: ");
    const auto line = bytes.substr(to, bytes.find("\r\n", to + 2) - to);
    if (line.find(";tag=") != std::string_view::npos)
      cseqs_.emplace(bytes.substr(bytes.find("\r\nCSeq: "), 14));
  }
  [[nodiscard]] size_t count() const noexcept { return cseqs_.size(); }

private:
  std::set<std::string> cseqs_; // some are sent again
};

/// Callers who say 440 Hz, a centre that keeps its state, on one lane or two, with the queue
/// "support" that plays 700 Hz, and agents who say 1,000 Hz, answer at once and wrap up for 30 s.
struct talk_across_crash {
  explicit talk_across_crash(protocol over = protocol::udp, size_t agents = 1, uint8_t lanes = 1)
      : world(7), callers(world.add_site("10.0.0.1")), over_(over), lane_count_(lanes) {
    callers.context.router.set_tap(&at_caller);
    plan.queues.push_back({"support", {"100"}, {}, tone(700), {}});
    for (size_t i = 0; i < agents; ++i) {
      const auto name = "agent" + std::to_string(i);
      plan.agents.push_back({name, {.wrap_up = 30s}, true});
      plan.queues.front().members.push_back({i, {}, 0});
    }
    begin();
    world.keep_calls(centre, store, storage::begin_run(store, {}).value());
    world.serve_at(contexts(), plan, bridging(), {});
    for (size_t i = 0; i < agents; ++i) {
      auto& site = world.add_site("10.0.1." + std::to_string(i + 1), over, watchful());
      phones.push_back(std::make_unique<tone_phone>(site, 1000, g711(site)));
      sites.push_back(&site);
    }
    enrol();
    world.pass(1s);
  }
  ~talk_across_crash() { callers.context.router.set_tap(nullptr); }
  talk_across_crash(const talk_across_crash&) = delete;
  talk_across_crash& operator=(const talk_across_crash&) = delete;

  /// The process that comes, and what it listens with.
  void begin() {
    // Each process has a certificate of its own.
    const auto webrtc = webrtc_services::make_simulated({}).value();
    centre.clear();
    for (uint8_t i = 0; i < lane_count_; ++i) {
      router_settings settings;
      settings.position = i;
      settings.seed = 7;
      centre.push_back(
        &world.add_site("10.0.0." + std::to_string(2 + i), protocol::udp, settings, webrtc));
      auto& site = *centre.back();
      if (over_ != protocol::udp) {
        EXPECT_TRUE(site.context.router.transport().listen(over_, site.address));
      }
    }
    if (lane_count_ == 2)
      lane_peers::join({&centre[0]->context.router, &centre[1]->context.router});
  }
  [[nodiscard]] std::vector<lane_context*> contexts() const {
    std::vector<lane_context*> all;
    for (auto* each : centre)
      all.push_back(&each->context);
    return all;
  }
  [[nodiscard]] std::shared_ptr<const bridge_manner> bridging() const {
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto made = std::make_shared<bridge_manner>();
    made->media = g711(*centre.front());
    made->audio = std::move(listens);
    made->connections = centre.front()->connections;
    return made;
  }
  /// Each agent's phone registers: at the last lane, or at the first.
  void enrol(bool at_first = false) {
    const auto& at = at_first ? *centre.front() : *centre.back();
    for (size_t i = 0; i < sites.size(); ++i) {
      auto who = std::make_shared<call_target>();
      who->uri = "sip:10.0.0.2";
      who->from = "<sip:agent" + std::to_string(i) + "@10.0.0.2>";
      const auto manner =
        manner_between(*sites[i], transport::target{sites[i]->protocol, at.address});
      users.push_back(
        world.register_user(*sites[i], std::make_shared<const call_manner>(manner), who, {}));
    }
  }
  /// Each notices that its connection is over, and makes another.
  void come_back(bool at_first = false) {
    world.pass(2s);
    enrol(at_first);
  }

  void call(lane::duration length, const std::string& from = "bob") {
    auto manner = manner_between(callers, {transport::target{protocol::udp, centre[0]->address}});
    add_audio(manner, callers);
    auto says = tone(440);
    says->listens = true;
    manner.audio = says;
    auto target = std::make_shared<call_target>();
    target->uri = "sip:100@10.0.0.2";
    target->from = "<sip:" + from + "@10.0.0.1>";
    world.call(callers, std::make_shared<const call_manner>(manner), target, length);
  }

  void crash() {
    auto copy = std::make_unique<storage::memory_store>(left ? *left : store);
    for (size_t i = 1; i < centre.size(); ++i) {
      world.kill(*centre[i]);
      centre[i]->context.router.legs().end_all();
    }
    world.crash_centre(*centre.front());
    for (size_t i = 1; i < centre.size(); ++i)
      world.crash(*centre[i]);
    left = std::move(copy);
    seen = world.events().size();
  }
  void restart() {
    begin();
    world.serve_again(centre, *left, plan, bridging());
  }
  /// Killed for a second, in mid-call.
  void crash_and_restart() {
    crash();
    world.pass(1s);
    restart();
  }

  [[nodiscard]] std::vector<centre_event> events(kind what) const {
    std::vector<centre_event> some;
    std::copy_if(world.events().begin() + static_cast<ptrdiff_t>(seen), world.events().end(),
                 std::back_inserter(some), [&](const auto& each) { return each.what == what; });
    return some;
  }
  [[nodiscard]] std::string state_of(const std::string& agent) const {
    std::string now = "logged_out";
    for (const auto& e : events(kind::agent_state))
      if (e.agent == agent)
        now = e.detail;
    return now;
  }
  /// Of callers' legs.
  [[nodiscard]] std::vector<storage::call_ended> records(bool of_callers = true) const {
    std::vector<storage::call_ended> all;
    EXPECT_TRUE(
      (left ? *left : store)
        .scan(storage::keyspace::events, {}, {}, [&](std::string_view, std::string_view value) {
          const auto event = storage::unpack_event(value).value();
          const auto* call = std::get_if<storage::call_ended>(&event.what);
          if (call != nullptr && call->queueing.has_value() == of_callers)
            all.push_back(*call);
          return true;
        }));
    return all;
  }
  [[nodiscard]] storage::agent_record kept_of(const std::string& agent) const {
    return storage::read_centre(left ? *left : store).value().agents.at(agent);
  }
  [[nodiscard]] size_t under_way() const {
    return storage::interrupted_calls(left ? *left : store).value().size();
  }
  /// Removes from what is left the record of a leg.
  void forget_leg(bool of_caller) {
    const auto up = storage::interrupted_calls(*left).value();
    for (const auto& each : up) {
      if (each.record.incoming != of_caller)
        continue;
      storage::batch erased;
      erased.erase(storage::keyspace::calls, storage::key_of(each.key));
      ASSERT_TRUE(left->write(erased, storage::durability::async));
    }
  }
  void cut(const sim_site& site, bool off) {
    for (auto* each : centre)
      world.lane().set_partition(site.address, each->address, off);
  }
  void expect_agent_serves_again() {
    const auto before = events(kind::completed).size();
    call(5s, "later");
    world.pass(15s);
    ASSERT_EQ(events(kind::completed).size(), before + 1) << "the agent is stuck";
    EXPECT_EQ(under_way(), 0U);
  }

  storage::memory_store store;
  std::unique_ptr<storage::memory_store> left;
  offers_seen at_caller;
  centre_world world;
  sim_site& callers;
  std::vector<sim_site*> centre; // by lane
  centre_plan plan;
  std::vector<sim_site*> sites;
  std::vector<std::unique_ptr<tone_phone>> phones;
  std::vector<caf::strong_actor_ptr> users;
  size_t seen = 0;

private:
  protocol over_;
  uint8_t lane_count_;
};

double seconds(lane::duration d) {
  return std::chrono::duration<double>(d).count();
}

/// How much of a tone was heard.
double seconds_of(const media_outcome& outcome, uint16_t hz) {
  std::chrono::milliseconds all{};
  for (const auto& each : outcome.heard->pieces)
    if (each.what == audio::found_sound::kind::tone && each.hz[1] == 0 &&
        std::abs(each.hz[0] - hz) <= 10)
      all += each.length;
  return seconds(all);
}

class resumed_talk : public testing::TestWithParam<protocol> {};

INSTANTIATE_TEST_SUITE_P(phones_over, resumed_talk,
                         testing::Values(protocol::udp, protocol::tcp, protocol::ws),
                         [](const auto& each) {
                           return std::string{transport::to_string(each.param)};
                         });

// The phone's connection, if it has one, breaks with the process. Who is behind a WebSocket makes
// another, and registers.
TEST_P(resumed_talk, goes_on_with_both_and_is_one_call_in_all_that_is_told) {
  talk_across_crash t{GetParam()};
  t.call(30s);
  t.world.pass(5s);
  ASSERT_EQ(t.events(kind::connected).size(), 1U);
  t.crash_and_restart();
  if (GetParam() == protocol::ws)
    t.come_back();
  t.world.pass(3s);
  ASSERT_TRUE(t.world.resumed());
  EXPECT_EQ(t.world.resumed()->resumed, 1U) << "caller and agent are one call";
  EXPECT_EQ(t.world.resumed()->lost, 0U);
  EXPECT_EQ(t.at_caller.count(), 1U) << "offers to the caller";
  EXPECT_EQ(t.phones[0]->offers, 1) << "to the agent's phone";
  EXPECT_EQ(t.state_of("agent0"), "in_call");
  EXPECT_EQ(t.under_way(), 2U);
  ASSERT_EQ(t.events(kind::resumed).size(), 1U);
  EXPECT_EQ(t.events(kind::resumed)[0].agent, "agent0");
  t.world.pass(30s);
  ASSERT_EQ(t.world.heard().calls.size(), 1U);
  EXPECT_FALSE(t.world.heard().calls[0].failure.failed())
    << t.world.heard().calls[0].failure.text();
  ASSERT_EQ(t.phones[0]->outcomes.size(), 1U);
  const auto heard = GetParam() == protocol::ws ? 26.5 : 28.5;
  EXPECT_NEAR(seconds_of(*t.world.heard().calls[0].media, 1000), heard, 1)
    << "the agent, heard by the caller before and after";
  EXPECT_NEAR(seconds_of(t.phones[0]->outcomes[0], 440), heard, 1)
    << "the caller, heard by the agent before and after";
  const auto completed = t.events(kind::completed);
  ASSERT_EQ(completed.size(), 1U);
  EXPECT_EQ(completed[0].agent, "agent0");
  EXPECT_TRUE(completed[0].by_caller);
  EXPECT_EQ(completed[0].detail, "");
  EXPECT_NEAR(seconds(completed[0].talked), 30, 0.1) << "from before the crash on";
  const auto records = t.records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].cause, "");
  EXPECT_EQ(records[0].queueing->agent, "agent0");
  EXPECT_EQ(records[0].queueing->left, "answered");
  EXPECT_NEAR(seconds(records[0].queueing->talked(records[0].ended)), 30, 0.1);
  ASSERT_EQ(t.records(false).size(), 1U) << "the agent's leg";
  EXPECT_EQ(t.records(false)[0].cause, "");
  EXPECT_EQ(t.under_way(), 0U);
  EXPECT_EQ(t.state_of("agent0"), "wrap_up");
  EXPECT_EQ(t.kept_of("agent0").answered_calls, 1U);
  EXPECT_NEAR(seconds(t.kept_of("agent0").talk_time), 30, 0.1);
  t.world.pass(30s);
  EXPECT_EQ(t.state_of("agent0"), "ready");
  t.expect_agent_serves_again();
}

// Also while its sides are still asked whether they go on.
TEST(resumed_talk_of_two, goes_on_after_each_of_several_crashes) {
  talk_across_crash t;
  t.call(30s);
  t.world.pass(5s);
  for (const lane::duration lived : {0ms, 1ms, 2ms, 3000ms, 5000ms}) {
    t.crash();
    t.restart();
    t.world.pass(lived);
  }
  t.world.pass(1min);
  ASSERT_EQ(t.world.heard().calls.size(), 1U);
  EXPECT_FALSE(t.world.heard().calls[0].failure.failed())
    << t.world.heard().calls[0].failure.text();
  ASSERT_EQ(t.records().size(), 1U);
  EXPECT_EQ(t.records()[0].cause, "");
  EXPECT_NEAR(seconds(t.records()[0].queueing->talked(t.records()[0].ended)), 30, 0.1);
  EXPECT_EQ(t.under_way(), 0U);
  EXPECT_EQ(t.kept_of("agent0").answered_calls, 1U);
  t.expect_agent_serves_again();
}

TEST(resumed_talk_of_two, an_agent_who_hangs_up_afterwards_ends_it) {
  talk_across_crash t;
  t.phones[0]->steps = {{12s, [](call_leg& leg) { leg.hang_up(); }}};
  t.call(1h);
  t.world.pass(5s);
  t.crash_and_restart();
  t.world.pass(2s);
  EXPECT_EQ(t.world.heard().calls.size(), 0U);
  t.world.pass(8s);
  ASSERT_EQ(t.world.heard().calls.size(), 1U) << "the caller is hung up";
  ASSERT_EQ(t.events(kind::completed).size(), 1U);
  EXPECT_FALSE(t.events(kind::completed)[0].by_caller);
  EXPECT_EQ(t.records().at(0).cause, "");
  EXPECT_NEAR(seconds(t.records()[0].queueing->talked(t.records()[0].ended)), 12, 0.1);
  EXPECT_EQ(t.state_of("agent0"), "wrap_up");
  EXPECT_EQ(t.under_way(), 0U);
}

// What is said to a leg that is not there is given up after 32 s more.
void expect_ended_by_restart(talk_across_crash& t) {
  EXPECT_EQ(t.state_of("agent0"), "wrap_up");
  ASSERT_TRUE(t.world.resumed());
  EXPECT_EQ(t.world.resumed()->resumed, 0U);
  EXPECT_EQ(t.world.resumed()->lost, 1U);
  t.world.pass(40s);
  ASSERT_EQ(t.records().size(), 1U);
  EXPECT_EQ(t.records()[0].cause, "engine_restart");
  EXPECT_EQ(t.records()[0].queueing->agent, "agent0");
  EXPECT_EQ(t.records()[0].queueing->left, "answered");
  ASSERT_EQ(t.records(false).size(), 1U);
  EXPECT_EQ(t.records(false)[0].cause, "engine_restart");
  const auto completed = t.events(kind::completed);
  ASSERT_EQ(completed.size(), 1U);
  EXPECT_EQ(completed[0].detail, "engine_restart");
  EXPECT_TRUE(t.events(kind::resumed).empty());
  EXPECT_EQ(t.under_way(), 0U);
}

// What was said to the process before is not known to this one.
TEST(resumed_talk_of_two, one_who_hung_up_meanwhile_leaves_the_other_not_up_with_nobody) {
  talk_across_crash t;
  t.phones[0]->steps = {{5500ms, [](call_leg& leg) { leg.hang_up(); }}};
  t.call(1h);
  t.world.pass(5s);
  t.crash_and_restart();
  t.world.pass(10s);
  EXPECT_EQ(t.world.heard().calls.size(), 1U) << "the caller is hung up";
  expect_ended_by_restart(t);
}

TEST(resumed_talk_of_two, an_agent_who_does_not_come_back_leaves_no_caller_in_silence) {
  talk_across_crash t;
  t.phones[0]->steps = {{3min, [](call_leg& leg) { leg.hang_up(); }}}; // nobody could tell it
  t.call(1h);
  t.world.pass(5s);
  t.crash();
  t.cut(*t.sites[0], true);
  t.restart();
  t.world.pass(40s); // timer B
  EXPECT_EQ(t.world.heard().calls.size(), 1U) << "the caller was hung up";
  expect_ended_by_restart(t);
  t.cut(*t.sites[0], false);
  t.world.pass(60s);
  EXPECT_EQ(t.state_of("agent0"), "ready");
  t.expect_agent_serves_again();
  t.world.pass(1min);
}

TEST(resumed_talk_of_two, an_agent_behind_a_websocket_is_waited_for_a_minute) {
  talk_across_crash t{protocol::ws};
  t.call(1h);
  t.world.pass(5s);
  t.crash();
  t.cut(*t.sites[0], true);
  t.restart();
  t.world.pass(55s);
  EXPECT_EQ(t.world.heard().calls.size(), 0U);
  EXPECT_EQ(t.state_of("agent0"), "in_call");
  t.world.pass(10s);
  EXPECT_EQ(t.world.heard().calls.size(), 1U);
  expect_ended_by_restart(t);
  t.world.pass(30s);
  EXPECT_EQ(t.state_of("agent0"), "unreachable") << "it wrapped up";
}

TEST(resumed_talk_of_two, a_caller_hears_music_until_the_agents_browser_is_back_and_may_hang_up) {
  talk_across_crash t{protocol::ws};
  t.call(20s);
  t.world.pass(5s);
  t.crash();
  t.cut(*t.sites[0], true);
  t.restart();
  t.world.pass(20s);
  ASSERT_EQ(t.world.heard().calls.size(), 1U);
  EXPECT_NEAR(seconds_of(*t.world.heard().calls[0].media, 700), 15, 1);
  ASSERT_TRUE(t.world.resumed());
  EXPECT_EQ(t.world.resumed()->resumed, 0U);
  EXPECT_EQ(t.world.resumed()->lost, 1U);
  EXPECT_TRUE(t.events(kind::resumed).empty());
  EXPECT_EQ(t.records().at(0).cause, "");
  EXPECT_EQ(t.state_of("agent0"), "wrap_up");
  t.world.pass(90s);
  ASSERT_EQ(t.events(kind::completed).size(), 1U);
  EXPECT_TRUE(t.events(kind::completed)[0].by_caller);
  EXPECT_EQ(t.under_way(), 0U);
  EXPECT_EQ(t.state_of("agent0"), "unreachable");
}

TEST(resumed_talk_of_two, a_caller_who_does_not_come_back_leaves_no_agent_stuck) {
  talk_across_crash t;
  t.call(1h);
  t.world.pass(5s);
  t.crash();
  t.cut(t.callers, true);
  t.restart();
  t.world.pass(40s);
  EXPECT_EQ(t.phones[0]->outcomes.size(), 1U) << "the agent's phone was hung up";
  expect_ended_by_restart(t);
  t.cut(t.callers, false);
  t.world.pass(60s);
  t.expect_agent_serves_again();
}

TEST(resumed_talk_of_two, a_call_of_which_one_record_is_missing_ends) {
  for (const bool callers : {true, false}) {
    talk_across_crash t;
    t.phones[0]->steps = {{20s, [](call_leg& leg) { leg.hang_up(); }}};
    t.call(1h);
    t.world.pass(5s);
    t.crash();
    t.forget_leg(callers);
    t.restart();
    EXPECT_EQ(t.state_of("agent0"), "wrap_up") << "callers: " << callers;
    t.world.pass(5s);
    EXPECT_EQ(t.world.resumed()->resumed + t.world.resumed()->lost, 0U);
    ASSERT_TRUE(t.world.recovered());
    EXPECT_EQ(t.world.recovered()->at(static_cast<size_t>(parting::hung_up)), 1U);
    EXPECT_EQ(t.under_way(), 0U);
    EXPECT_EQ(t.records(!callers).size(), 1U);
    t.world.pass(30s);
    EXPECT_EQ(t.state_of("agent0"), "ready");
  }
}

TEST(resumed_talk_of_two, who_was_on_hold_hears_the_queues_music_until_the_agent_is_back) {
  talk_across_crash t;
  t.phones[0]->steps = {tone_phone::holds(3s), tone_phone::resumes(12s)};
  t.call(20s);
  t.world.pass(5s);
  t.crash_and_restart();
  t.world.pass(30s);
  ASSERT_EQ(t.world.heard().calls.size(), 1U);
  EXPECT_FALSE(t.world.heard().calls[0].failure.failed());
  EXPECT_THAT(tones_of(*t.world.heard().calls[0].media), ElementsAre("1000", "700", "1000"));
  EXPECT_NEAR(seconds_of(*t.world.heard().calls[0].media, 700), 7.5, 1);
  EXPECT_EQ(t.records().at(0).cause, "");
}

// Callers' legs and agents' are on any lane, and what an agent's browser makes anew may be on
// another one than before.
TEST(resumed_talk_of_two, goes_on_whichever_lanes_serve_it) {
  for (const auto over : {protocol::tcp, protocol::ws}) {
    constexpr size_t agents = 8;
    talk_across_crash t{over, agents, 2};
    for (size_t i = 0; i < agents; ++i)
      t.call(40s, "caller" + std::to_string(i));
    t.world.pass(5s);
    ASSERT_EQ(t.events(kind::connected).size(), agents);
    size_t split = 0;
    const auto up = storage::interrupted_calls(t.store).value();
    for (const auto& each : up)
      if (const auto& queueing = each.record.queueing)
        split += sip::leg_id::parse(each.record.leg)->lane !=
                 sip::leg_id::parse(queueing->agent_leg)->lane;
    EXPECT_GT(split, 0U) << "calls with legs on both lanes";
    t.crash_and_restart();
    if (over == protocol::ws)
      t.come_back(true); // at the other lane
    t.world.pass(3s);
    ASSERT_TRUE(t.world.resumed());
    EXPECT_EQ(t.world.resumed()->resumed, agents);
    EXPECT_EQ(t.world.resumed()->lost, 0U);
    t.world.pass(1min);
    EXPECT_EQ(t.world.heard().calls.size(), agents);
    EXPECT_EQ(t.records().size(), agents);
    for (const auto& each : t.records())
      EXPECT_EQ(each.cause, "");
    for (const auto& phone : t.phones)
      EXPECT_EQ(phone->offers, 1);
    EXPECT_EQ(t.under_way(), 0U);
  }
}

// What it is known by is that it registers, also where it was called by another's name: the queue's
// number.
TEST(resumed_talk_of_two, an_agents_websocket_that_breaks_without_a_crash_is_made_anew) {
  talk_across_crash t{protocol::ws};
  t.call(20s);
  t.world.pass(5s);
  t.cut(*t.sites[0], true);
  t.world.pass(3s);
  t.cut(*t.sites[0], false);
  t.enrol();
  t.world.pass(11s);
  EXPECT_EQ(t.phones[0]->outcomes.size(), 0U) << "it is up";
  t.world.pass(3s); // sooner than the phone would give the call up by itself
  EXPECT_EQ(t.phones[0]->outcomes.size(), 1U) << "the caller has hung up, and it was told";
  EXPECT_EQ(t.under_way(), 0U);
}

// -- by themselves -----------------------------------------------------------------------

storage::interrupted_call caller_of(const std::string& agent, const std::string& its_leg,
                                    uint64_t number, std::chrono::seconds taken) {
  storage::interrupted_call made;
  made.key = {1, number};
  made.record.incoming = made.record.bridged = true;
  made.record.answered = storage::wall_time{1s};
  made.record.dialog.emplace();
  made.record.media.emplace();
  made.record.leg = "caller" + std::to_string(number);
  made.record.queueing = storage::queueing_record{
    "support", 0, storage::wall_time{1s}, agent, storage::wall_time{taken}, "answered", its_leg};
  return made;
}

storage::interrupted_call leg_of_agent(const std::string& leg, uint64_t number) {
  storage::interrupted_call made;
  made.key = {1, number};
  made.record.bridged = true;
  made.record.answered = storage::wall_time{1s};
  made.record.dialog.emplace();
  made.record.media.emplace();
  made.record.leg = leg;
  return made;
}

constexpr auto known = [](const std::string&) { return true; };

TEST(find_returning, of_two_calls_of_an_agent_the_later_goes_on) {
  centre_memory memory;
  const auto keys = find_returning({caller_of("alice", "a", 1, 20s), leg_of_agent("a", 2),
                                    caller_of("alice", "b", 3, 30s), leg_of_agent("b", 4)},
                                   known, memory);
  EXPECT_EQ(keys, (std::set<storage::call_key>{{1, 3}, {1, 4}}));
  EXPECT_EQ(memory.talking.at("alice").since, storage::wall_time{30s});
}

TEST(find_returning, takes_no_leg_that_was_not_answered_or_is_of_nobody) {
  centre_memory memory;
  auto ringing = leg_of_agent("a", 2);
  ringing.record.answered.reset();
  EXPECT_TRUE(
    find_returning({caller_of("alice", "a", 1, 20s), ringing, leg_of_agent("b", 3)}, known, memory)
      .empty());
  EXPECT_TRUE(memory.talking.empty());
}

TEST(find_returning, who_talks_needs_no_queue_and_who_waits_does) {
  centre_memory memory;
  auto waits = caller_of("", "", 5, 0s);
  waits.record.queueing->taken.reset();
  waits.record.queueing->left.clear();
  const auto keys = find_returning(
    {caller_of("alice", "a", 1, 20s), leg_of_agent("a", 2), waits},
    [](const std::string&) { return false; }, memory);
  EXPECT_EQ(keys, (std::set<storage::call_key>{{1, 1}, {1, 2}}));
  EXPECT_TRUE(memory.returning.empty());
}

TEST(find_returning, legs_of_a_call_are_brought_to_its_callers_lane) {
  std::vector<std::vector<storage::interrupted_call>> lanes(2);
  lanes[0] = {leg_of_agent("b", 1), caller_of("alice", "a", 2, 1s)};
  lanes[1] = {caller_of("bob", "b", 3, 1s), leg_of_agent("a", 4)};
  bring_together(lanes);
  const auto first = paired(std::move(lanes[0]));
  const auto second = paired(std::move(lanes[1]));
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(first[0].caller.key.number, 2U);
  EXPECT_EQ(first[0].agent->key.number, 4U);
  EXPECT_EQ(second[0].caller.key.number, 3U);
  EXPECT_EQ(second[0].agent->key.number, 1U);
}

TEST(centre_keeping, an_agents_call_that_goes_on_is_its_call) {
  const two_clocks clocks{lane::time_point{1000s}, storage::wall_time{50'000s}};
  storage::agent_record kept;
  kept.logged_in = true;
  kept.call_since = storage::wall_time{49'000s};
  kept.call_wrap_up = 20s;
  kept.answered_calls = 3;
  const agent_talk talk{storage::wall_time{49'000s}, "support"};
  const auto next = snapshot_of(kept, {}, storage::wall_time{49'100s}, clocks, talk);
  EXPECT_EQ(next.call, policy::call_id{});
  EXPECT_EQ(next.call_since, lane::time_point{0s});
  EXPECT_EQ(next.call_wrap_up, 20s);
  EXPECT_EQ(next.answered_calls, 3U);
  EXPECT_EQ(next.wrap_up_until, policy::never);
}

// The agent's record is written at most so often; the call's is there before.
TEST(centre_keeping, an_agents_call_is_known_though_its_record_is_older) {
  const two_clocks clocks{lane::time_point{1000s}, storage::wall_time{50'000s}};
  policy::agent_rules rules;
  rules.wrap_up = 7s;
  const auto next = snapshot_of({}, rules, storage::wall_time{49'100s}, clocks,
                                agent_talk{storage::wall_time{49'000s}, "support"});
  EXPECT_TRUE(next.logged_in);
  EXPECT_TRUE(next.call);
  EXPECT_EQ(next.call_wrap_up, 7s);
  EXPECT_EQ(next.answered_calls, 1U);
}

/// An agent that takes one call after the other, and whose record is of the call before.
TEST(centre_keeping, a_call_that_began_after_the_record_counts_once_and_so_does_the_one_before) {
  const two_clocks clocks{lane::time_point{1000s}, storage::wall_time{50'000s}};
  storage::agent_record kept;
  kept.logged_in = true;
  kept.answered_calls = 6;
  kept.talk_time = 60s;
  kept.call_since = storage::wall_time{49'000s};
  const auto same = snapshot_of(kept, {}, storage::wall_time{49'100s}, clocks,
                                agent_talk{storage::wall_time{49'000s} + 20ms, "support"});
  EXPECT_EQ(same.answered_calls, 6U);
  EXPECT_EQ(same.talk_time, 60s);
  const auto newer = snapshot_of(kept, {}, storage::wall_time{49'100s}, clocks,
                                 agent_talk{storage::wall_time{49'002s}, "support"});
  EXPECT_EQ(newer.answered_calls, 7U);
  EXPECT_EQ(newer.talk_time, 62s) << "with the call before, which is over";
}

} // namespace
} // namespace jackfield
