#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "tests/actors/centre_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

std::shared_ptr<bridge_manner> bridging(const sim_site& site) {
  sdp::media_capabilities can;
  can.rtcp_mux = true;
  static constexpr std::array codecs{audio::codec::opus, audio::codec::pcma, audio::codec::pcmu};
  describe_codecs(can, codecs);
  accept_any_protection(can);
  auto listens = std::make_shared<audio_settings>();
  listens->mode = audio_mode::listen;
  listens->silence_limit = 30s;
  auto made = std::make_shared<bridge_manner>();
  made->media = std::make_shared<sdp::offer_template>(site.context.media.address().address(), can);
  made->audio = std::move(listens);
  return made;
}

/// Callers over UDP, a contact centre with one queue, "support", and the phones of its agents, each
/// at a site of its own.
class centre_test : public testing::Test {
protected:
  explicit centre_test(const lane::sim_link& link = {})
      : world_(7, link), callers_(world_.add_site("10.0.0.1")),
        centre_(world_.add_site("10.0.0.2")) {
    auto music = std::make_shared<audio_settings>();
    music->source = audio::source_spec{};
    plan_.queues.push_back({"support", {"100"}, {}, std::move(music), {}});
  }

  policy::queue_rules& rules() { return plan_.queues.front().rules; }

  /// An agent who is a member of the queue, with these phones, which answer so.
  void add_agent(const std::string& name, const std::vector<answer_manner>& phones,
                 policy::agent_rules rules = {}, uint16_t tier = 0) {
    const auto place = plan_.agents.size();
    plan_.agents.push_back({name, rules, true});
    plan_.queues.front().members.push_back({place, {tier, static_cast<uint32_t>(place), {}}, 0});
    for (const auto& manner : phones)
      phones_.push_back({name, manner});
  }
  /// Of a phone at a site that there is yet to be.
  static answer_manner picks_up(lane::duration after = 1s) {
    answer_manner manner;
    manner.answer_after = after;
    return manner;
  }

  /// Starts the centre, and has the phones registered.
  void begin() {
    world_.serve(centre_, plan_, bridging(centre_));
    for (size_t i = 0; i < phones_.size(); ++i) {
      auto& site = world_.add_site("10.0.1." + std::to_string(i + 1));
      sites_.push_back(&site);
      auto manner = answer_manner_of(site);
      add_audio(manner);
      manner.answer_after = phones_[i].manner.answer_after;
      manner.refuse_with = phones_[i].manner.refuse_with;
      manner.length = phones_[i].manner.length;
      world_.answer(site, manner);
      users_.push_back(world_.register_phone(site, centre_, phones_[i].agent));
    }
    world_.pass(1s);
    ASSERT_EQ(world_.heard().registrations.size(), phones_.size());
  }
  caf::strong_actor_ptr call(lane::duration length, const std::string& whom = "100") {
    auto manner = manner_between(callers_, centre_.target());
    add_audio(manner, callers_);
    auto target = std::make_shared<call_target>();
    target->uri = "sip:" + whom + "@10.0.0.2";
    target->from = "<sip:bob@10.0.0.1>";
    return world_.call(callers_, std::make_shared<const call_manner>(manner), target, length);
  }

  [[nodiscard]] std::vector<centre_event> events(kind what) {
    std::vector<centre_event> some;
    std::ranges::copy_if(world_.events(), std::back_inserter(some),
                         [&](const centre_event& e) { return e.what == what; });
    return some;
  }
  [[nodiscard]] std::string state_of(const std::string& agent) {
    std::string last;
    for (const auto& e : events(kind::agent_state))
      if (e.agent == agent)
        last = e.detail;
    return last;
  }
  /// Calls that phones were sent, by all of them.
  uint64_t rung() {
    world_.ask_for_metrics();
    uint64_t sum = 0;
    for (unsigned i = 1; i <= phones_.size(); ++i)
      sum += world_.metrics_of(i).calls.started;
    return sum;
  }
  void expect_nothing_left() {
    for (auto& user : users_)
      lane::tell(world_.lane(), std::exchange(user, nullptr), hang_up{});
    users_.clear();
    world_.expect_nothing_left();
  }

  struct phone {
    std::string agent;
    answer_manner manner;
  };
  centre_world world_;
  sim_site& callers_;
  sim_site& centre_;
  centre_plan plan_;
  std::vector<phone> phones_;
  std::vector<sim_site*> sites_;
  std::vector<caf::strong_actor_ptr> users_;
};

TEST_F(centre_test, an_agent_takes_who_waits) {
  add_agent("alice", {picks_up(1s)}, {.wrap_up = 5s});
  begin();
  EXPECT_EQ(state_of("alice"), "ready");
  call(10s);
  world_.pass(12s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  const auto& done = world_.heard().calls.front();
  EXPECT_FALSE(done.failure.failed()) << done.failure.text();
  ASSERT_TRUE(done.media);
  EXPECT_NEAR(static_cast<double>(done.media->received.packets), 500, 8) << "music, then alice";
  ASSERT_EQ(events(kind::connected).size(), 1U);
  EXPECT_EQ(events(kind::connected).front().agent, "alice");
  EXPECT_NEAR(std::chrono::duration<double>(events(kind::connected).front().waited).count(), 1,
              0.1);
  ASSERT_EQ(events(kind::completed).size(), 1U);
  const auto completed = events(kind::completed).front();
  EXPECT_NEAR(std::chrono::duration<double>(completed.talked).count(), 9, 0.1);
  EXPECT_TRUE(completed.by_caller);
  EXPECT_EQ(completed.from, "sip:bob@10.0.0.1");
  EXPECT_EQ(state_of("alice"), "wrap_up");
  world_.ask_for_metrics();
  EXPECT_NEAR(static_cast<double>(world_.metrics_of(1).media.received.received), 450, 8)
    << "the caller, as alice heard it";
  world_.pass(5s);
  EXPECT_EQ(state_of("alice"), "ready");
  expect_nothing_left();
}

TEST_F(centre_test, callers_wait_in_their_order) {
  add_agent("alice", {picks_up(100ms)});
  begin();
  for (int i = 0; i < 3; ++i)
    world_.at(2s + i * 1s, [this] { call(10s); });
  world_.pass(40s);
  const auto entered = events(kind::entered);
  const auto connected = events(kind::connected);
  ASSERT_EQ(entered.size(), 3U);
  ASSERT_EQ(connected.size(), 3U);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(connected[i].call_id, entered[i].call_id);
  EXPECT_EQ(entered[1].position, 1U) << "the first one is an agent's by then";
  EXPECT_EQ(entered[2].position, 2U);
  expect_nothing_left();
}

// FS#1245 and its like: the caller goes while the agent's phone rings.
TEST_F(centre_test, a_caller_who_goes_in_mid_offer_stops_the_phone) {
  add_agent("alice", {picks_up(60s)});
  rules().ring_time = 90s;
  begin();
  auto calling = call(200s);
  world_.pass(5s);
  EXPECT_EQ(state_of("alice"), "offered");
  lane::tell(world_.lane(), std::exchange(calling, nullptr), hang_up{});
  world_.pass(1s);
  EXPECT_EQ(state_of("alice"), "ready") << "and not in a call with nobody";
  EXPECT_EQ(events(kind::abandoned).size(), 1U);
  EXPECT_TRUE(events(kind::connected).empty());
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).calls.current, 0U);
  expect_nothing_left();
}

TEST_F(centre_test, an_agent_who_rejects_is_left_alone_and_another_rung) {
  add_agent("alice", {picks_up()}, {.after_rejected = 20s});
  phones_.front().manner.refuse_with = 603;
  add_agent("carol", {picks_up(2s)});
  rules().picks = policy::strategy::top_down;
  begin();
  call(10s);
  world_.pass(2s);
  EXPECT_EQ(state_of("alice"), "resting");
  world_.pass(12s);
  ASSERT_EQ(events(kind::not_taken).size(), 1U);
  EXPECT_EQ(events(kind::not_taken).front().detail, "rejected");
  EXPECT_EQ(events(kind::not_taken).front().agent, "alice");
  ASSERT_EQ(events(kind::connected).size(), 1U);
  EXPECT_EQ(events(kind::connected).front().agent, "carol");
  expect_nothing_left();
}

TEST_F(centre_test, a_phone_that_nobody_picks_up_rings_no_longer_than_it_is_to) {
  add_agent("alice", {picks_up(10min)}, {.after_no_answer = 60s, .most_unanswered = 1});
  add_agent("carol", {picks_up(1s)});
  rules().picks = policy::strategy::top_down;
  rules().ring_time = 15s;
  begin();
  call(30s);
  world_.pass(14s);
  EXPECT_EQ(state_of("alice"), "offered");
  world_.pass(4s);
  EXPECT_EQ(state_of("alice"), "paused") << "one unanswered, and no more";
  EXPECT_EQ(state_of("carol"), "in_call");
  ASSERT_EQ(events(kind::not_taken).size(), 1U);
  EXPECT_EQ(events(kind::not_taken).front().detail, "no_answer");
  world_.pass(20s);
  expect_nothing_left();
}

TEST_F(centre_test, both_phones_of_an_agent_ring_and_the_first_to_answer_has_the_call) {
  add_agent("alice", {picks_up(3s), picks_up(1s)});
  begin();
  call(10s);
  world_.pass(12s);
  EXPECT_EQ(rung(), 2U);
  EXPECT_EQ(world_.metrics_of(1).calls.answered, 0U);
  EXPECT_EQ(world_.metrics_of(2).calls.answered, 1U);
  EXPECT_EQ(events(kind::connected).size(), 1U);
  EXPECT_EQ(events(kind::offered).size(), 1U) << "one offer, to two phones";
  expect_nothing_left();
}

TEST_F(centre_test, all_ring_and_one_has_the_call) {
  for (const auto* const name : {"alice", "carol", "dave"})
    add_agent(name, {picks_up(1s)}); // all at the same moment
  rules().picks = policy::strategy::ring_all;
  begin();
  call(10s);
  world_.pass(12s);
  EXPECT_EQ(rung(), 3U);
  EXPECT_EQ(events(kind::connected).size(), 1U) << "two agents never have one call";
  EXPECT_EQ(events(kind::completed).size(), 1U);
  for (const auto* const name : {"alice", "carol", "dave"})
    EXPECT_EQ(state_of(name), "ready") << name;
  expect_nothing_left();
}

TEST_F(centre_test, an_agent_whose_phone_is_gone_in_mid_call_is_not_stuck) {
  add_agent("alice", {picks_up(1s)});
  begin();
  call(200s);
  world_.pass(5s);
  EXPECT_EQ(state_of("alice"), "in_call");
  world_.kill(*sites_.front());
  world_.pass(100s);
  EXPECT_NE(state_of("alice"), "in_call");
  ASSERT_EQ(world_.heard().calls.size(), 1U) << "the caller is not left in silence";
  ASSERT_EQ(events(kind::completed).size(), 1U);
  EXPECT_EQ(events(kind::completed).front().detail, "media_timeout");
}

TEST_F(centre_test, an_agent_whose_phone_does_not_answer_any_more_is_not_stuck) {
  add_agent("alice", {picks_up(1s)});
  add_agent("carol", {picks_up(1s)}, {}, 1);
  rules().ring_time = 10s;
  begin();
  world_.kill(*sites_.front());
  call(60s);
  world_.pass(20s);
  EXPECT_EQ(state_of("carol"), "in_call");
  EXPECT_EQ(events(kind::not_taken).front().agent, "alice");
}

TEST_F(centre_test, nobody_waits_for_ever) {
  rules().max_wait = 30s;
  begin();
  call(200s);
  world_.pass(29s);
  EXPECT_TRUE(world_.heard().calls.empty());
  world_.pass(3s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  ASSERT_EQ(events(kind::overflowed).size(), 1U);
  EXPECT_EQ(events(kind::overflowed).front().detail, "max_wait");
  expect_nothing_left();
}

TEST_F(centre_test, who_finds_a_queue_full_is_sent_on) {
  rules().most_waiting = 1;
  rules().overflow_to = {"sales", "sales", "sales", "sales"};
  plan_.queues.push_back({"sales", {"200"}, {}, plan_.queues.front().music, {}});
  add_agent("alice", {picks_up(1s)});
  std::swap(plan_.queues[0].members, plan_.queues[1].members); // alice is in sales alone
  begin();
  call(100s);
  world_.pass(1s);
  call(10s);
  world_.pass(12s);
  ASSERT_EQ(events(kind::refused).size(), 1U);
  EXPECT_EQ(events(kind::refused).front().queue, "support");
  ASSERT_EQ(events(kind::completed).size(), 1U);
  EXPECT_EQ(events(kind::completed).front().queue, "sales");
  EXPECT_EQ(events(kind::completed).front().agent, "alice");
}

TEST_F(centre_test, queues_that_are_full_do_not_send_a_call_round_for_ever) {
  rules().most_waiting = 1;
  rules().overflow_to = {"sales", "sales", "sales", "sales"};
  auto sales = plan_.queues.front();
  sales.name = "sales";
  sales.numbers = {"200"};
  sales.rules.overflow_to = {"support", "support", "support", "support"};
  plan_.queues.push_back(sales);
  begin();
  call(100s);
  call(100s, "200");
  world_.pass(1s);
  call(100s);
  world_.pass(2s);
  ASSERT_EQ(world_.heard().calls.size(), 1U) << "who found no place is hung up";
  EXPECT_EQ(events(kind::refused).size(), 17U);
}

// Who talks on the same phone already is not rung for the queue.
TEST_F(centre_test, an_agent_whom_somebody_called_is_busy_for_the_queue) {
  add_agent("alice", {picks_up(1s)});
  begin();
  call(10s, "alice");
  world_.pass(3s);
  EXPECT_EQ(state_of("alice"), "in_call");
  call(20s);
  world_.pass(5s);
  EXPECT_EQ(rung(), 1U);
  EXPECT_TRUE(events(kind::offered).empty());
  world_.pass(5s);
  EXPECT_EQ(events(kind::offered).size(), 1U) << "once that call was over";
  world_.pass(15s);
  EXPECT_EQ(events(kind::completed).size(), 1U);
  expect_nothing_left();
}

TEST_F(centre_test, a_number_that_nobody_has_is_404) {
  begin();
  call(10s, "999");
  world_.pass(2s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls.front().failure, report::failure_cause::from_status(404));
}

TEST_F(centre_test, a_draining_centre_refuses_what_is_new_and_lets_calls_end) {
  add_agent("alice", {picks_up(1s)});
  begin();
  call(20s);
  world_.pass(5s);
  world_.stop_centre(false);
  world_.pass(1s);
  call(20s);
  world_.pass(1s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls.front().failure, report::failure_cause::from_status(503));
  EXPECT_TRUE(world_.stopped().empty());
  world_.pass(20s);
  ASSERT_EQ(world_.stopped().size(), 1U);
  EXPECT_EQ(world_.stopped().front().calls, 2U);
  EXPECT_EQ(events(kind::completed).size(), 1U);
}

TEST_F(centre_test, a_centre_that_is_told_to_stop_hangs_up) {
  add_agent("alice", {picks_up(1s)});
  begin();
  call(200s);
  call(200s); // waits
  world_.pass(5s);
  world_.stop_centre(true);
  world_.pass(5s);
  EXPECT_EQ(world_.heard().calls.size(), 2U);
  EXPECT_EQ(world_.stopped().size(), 1U);
  EXPECT_EQ(state_of("alice"), "ready");
}

/// Two hundred callers, eight agents of whom some reject, do not answer or have two phones, over a
/// path that loses 5 %.
class busy_centre_test : public centre_test {
protected:
  busy_centre_test() : centre_test({.delay = 20ms, .jitter = 10ms, .loss = 0.05}) {}
};

TEST_F(busy_centre_test, every_call_is_accounted_for_once) {
  for (int i = 0; i < 8; ++i) {
    std::vector<answer_manner> phones{picks_up(500ms * (i % 3 + 1))};
    if (i % 4 == 1)
      phones.push_back(picks_up(700ms));
    if (i == 6)
      phones.front().refuse_with = 486;
    if (i == 7)
      phones.front().answer_after = 10min;
    add_agent("agent" + std::to_string(i), phones,
              {.wrap_up = 2s, .after_busy = 5s, .after_no_answer = 5s});
  }
  rules().ring_time = 5s;
  rules().max_wait = 40s;
  begin();
  for (int i = 0; i < 200; ++i)
    world_.at(5s + i * 400ms, [this, i] { call(5s + (i * 37 % 50) * 1s); });
  world_.pass(300s);
  ASSERT_EQ(world_.heard().calls.size(), 200U);
  std::map<std::string, std::map<kind, int>> of;
  for (const auto& e : world_.events())
    if (e.what != kind::agent_state)
      ++of[e.call_id][e.what];
  for (auto& [id, counts] : of) {
    EXPECT_EQ(counts[kind::entered], 1) << id;
    EXPECT_EQ(counts[kind::connected] + counts[kind::abandoned] + counts[kind::overflowed], 1)
      << id;
    EXPECT_EQ(counts[kind::completed], counts[kind::connected]) << id;
  }
  EXPECT_GT(events(kind::completed).size(), 40U);
  EXPECT_GT(events(kind::abandoned).size(), 10U);
  // Nobody has two calls at once, or is left with one.
  std::map<std::string, std::string> state;
  for (const auto& e : events(kind::agent_state)) {
    if (e.detail == "in_call") {
      EXPECT_EQ(state[e.agent], "answered") << e.agent;
    }
    state[e.agent] = e.detail;
  }
  for (const auto& [agent, last] : state)
    EXPECT_TRUE(last == "ready" || last == "resting") << agent << " is " << last;
  expect_nothing_left();
}

} // namespace
} // namespace jackfield
