#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/centre/bridged_call.hpp"
#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/crash_points.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// Callers over UDP, a service that connects and keeps its calls, and Alice's phone, which is
/// registered there.
struct kept_bridge {
  explicit kept_bridge(lane::duration length)
      : world(7, link()), callers(world.add_site("10.0.0.1")), service(world.add_site("10.0.0.2")),
        phone(world.add_site("10.0.0.3")) {
    world.keep_calls(service, store, storage::begin_run(store, {}).value());
    world.answer(service, connects(service));
    auto picks_up = answer_manner_of(phone);
    add_audio(picks_up);
    picks_up.answer_after = 30ms; // some are in the air
    world.answer(phone, picks_up);
    auto who = std::make_shared<call_target>();
    who->uri = "sip:10.0.0.2";
    who->from = "<sip:alice@10.0.0.2>";
    user = world.register_user(phone,
                               std::make_shared<const call_manner>(manner_between(
                                 phone, {transport::target{phone.protocol, service.address}})),
                               who, {});
    world.pass(1s);
    auto calling = manner_between(callers, service.target());
    add_audio(calling, callers);
    calling.offer = std::make_shared<const sdp::offer_template>(
      callers.context.media.address().address(), calling.capabilities);
    auto target = std::make_shared<call_target>();
    target->uri = "sip:alice@10.0.0.2";
    target->from = "<sip:bob@10.0.0.1>";
    for (unsigned i = 0; i < calls; ++i)
      world.at(1s + i * 20ms, [this, manner = std::make_shared<const call_manner>(calling), target,
                               length] { (void)world.call(callers, manner, target, length); });
  }

  static constexpr unsigned calls = 10;

  static lane::sim_link link() {
    lane::sim_link made;
    made.delay = 10ms;
    made.jitter = 3ms;
    return made;
  }
  static answer_manner connects(sim_site& site) {
    auto manner = answer_manner_of(site);
    add_audio(manner);
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto bridge = std::make_shared<bridge_manner>();
    bridge->media = manner.media;
    bridge->audio = std::move(listens);
    bridge->connections = site.connections;
    manner.connect = std::move(bridge);
    return manner;
  }

  /// The next process at the service's place, with a copy of what that kept.
  void restart(storage::memory_store& left, bool resume) {
    world.crash(service);
    auto& next = world.add_site("10.0.0.2");
    EXPECT_TRUE(storage::close_interrupted(left, [](const auto&) { return false; }));
    world.keep_calls(next, left, storage::begin_run(left, {}).value());
    world.answer(next, connects(next));
    world.restore_bindings(next, left);
    if (resume)
      world.resume(next, left);
    else
      world.recover(next, left);
  }

  [[nodiscard]] size_t up_at_peers() {
    return callers.context.router.legs().size() + phone.context.router.legs().size() - 1; // user
  }

  storage::memory_store store;
  sim_world world;
  sim_site& callers;
  sim_site& service;
  sim_site& phone;
  caf::strong_actor_ptr user;
};

std::vector<storage::call_ended> ended_in(const storage::store& s) {
  std::vector<storage::call_ended> all;
  EXPECT_TRUE(
    s.scan(storage::keyspace::events, {}, {}, [&](std::string_view, std::string_view value) {
      const auto event = storage::unpack_event(value).value();
      if (const auto* call = std::get_if<storage::call_ended>(&event.what))
        all.push_back(*call);
      return true;
    }));
  return all;
}

TEST(kept_bridge, each_leg_has_its_record) {
  kept_bridge k{2s};
  k.world.pass(1500ms);
  const auto up = storage::interrupted_calls(k.store).value();
  ASSERT_EQ(up.size(), 2 * kept_bridge::calls);
  for (const auto& call : up) {
    EXPECT_TRUE(call.record.bridged);
    EXPECT_TRUE(call.record.dialog);
    EXPECT_TRUE(call.record.answered);
    EXPECT_TRUE(call.record.media) << "its port and what was agreed";
  }
  k.world.pass(10s);
  EXPECT_TRUE(storage::interrupted_calls(k.store).value().empty());
  std::map<bool, size_t> ended;
  for (const auto& call : ended_in(k.store)) {
    ++ended[call.incoming];
    EXPECT_EQ(call.cause, "");
    EXPECT_EQ(call.status, 200U);
    EXPECT_TRUE(call.answered);
    EXPECT_EQ(call.from, "sip:bob@10.0.0.1");
  }
  EXPECT_EQ(ended[true], kept_bridge::calls);
  EXPECT_EQ(ended[false], kept_bridge::calls);
  for (const auto& call : k.world.heard().calls)
    EXPECT_FALSE(call.failure.failed()) << call.failure.text();
}

TEST(kept_bridge, a_phone_that_is_gone_leaves_two_records_that_say_so) {
  kept_bridge k{2s};
  k.world.pass(30ms); // the first has not been answered
  ASSERT_FALSE(storage::interrupted_calls(k.store).value().empty());
  k.world.crash(k.phone);
  k.world.pass(4min);
  ASSERT_TRUE(storage::interrupted_calls(k.store).value().empty());
  const auto ended = ended_in(k.store);
  ASSERT_EQ(ended.size(), 2 * kept_bridge::calls);
  for (const auto& call : ended) {
    EXPECT_NE(call.cause, "");
    EXPECT_FALSE(call.answered);
  }
}

/// FreeSWITCH's recovery leaves the other side of a bridged call up: BYE is not passed on any more.
/// Here a bridged call ends whole.
TEST(kept_bridge, after_a_crash_both_sides_are_hung_up_even_where_calls_go_on) {
  for (const bool resume : {false, true}) {
    kept_bridge k{1h};
    k.world.pass(2s);
    ASSERT_EQ(k.up_at_peers(), 2 * kept_bridge::calls);
    storage::memory_store left{k.store};
    k.restart(left, resume);
    k.world.pass(1s);
    EXPECT_EQ(k.up_at_peers(), 0U);
    ASSERT_TRUE(k.world.heard().recovered);
    EXPECT_EQ(k.world.heard().recovered->at(static_cast<size_t>(parting::hung_up)),
              2 * kept_bridge::calls);
    EXPECT_TRUE(storage::interrupted_calls(left).value().empty());
    for (const auto& call : ended_in(left))
      EXPECT_EQ(call.cause, "engine_restart");
  }
}

constexpr size_t stride = crash_stride(2, 31);

TEST(kept_bridge, whenever_it_is_killed_nobody_is_left_up) {
  size_t crashes = 0, cut_off = 0;
  for (size_t event = 1;; event += stride) {
    kept_bridge k{150ms};
    for (size_t i = 0; i < event && k.world.heard().calls.size() < kept_bridge::calls; ++i)
      ASSERT_TRUE(k.world.lane().step());
    if (k.world.heard().calls.size() == kept_bridge::calls)
      break;
    ++crashes;
    storage::memory_store left{k.store};
    cut_off += storage::interrupted_calls(left).value().size();
    k.restart(left, crashes % 2 == 0);
    k.world.pass(4min);
    ASSERT_TRUE(k.world.heard().recovered) << "stuck after event " << event;
    ASSERT_EQ(k.up_at_peers(), 0U) << "after event " << event;
    ASSERT_TRUE(storage::interrupted_calls(left).value().empty()) << "after event " << event;
    std::map<storage::call_key, size_t> records;
    for (const auto& call : ended_in(left))
      ASSERT_EQ(++records[call.call], 1U) << call.call.text() << " after event " << event;
  }
  EXPECT_GT(crashes * stride, 500U) << "events, the whole run";
  EXPECT_GT(cut_off, 50U);
}

} // namespace
} // namespace jackfield
