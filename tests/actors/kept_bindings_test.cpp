#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "storage/kept_bindings.hpp"
#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/crash_points.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = registration_report::kind;

lane::sim_link slow_link() {
  lane::sim_link made;
  made.delay = 10ms;
  made.jitter = 3ms;
  return made;
}

/// What a site said to its peers, that it has to stand by.
class promises final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    const std::string message{bytes};
    if (direction != wire_direction::sent || !message.starts_with("SIP/2.0 200"))
      return;
    if (header_line(message, "CSeq").ends_with("REGISTER"))
      registered[user_in(message)] = !header_line(message, "Contact").empty();
    else if (header_line(message, "CSeq").ends_with("INVITE"))
      answered.insert(header_line(message, "Call-ID").substr(9));
  }
  static std::string user_in(const std::string& message) {
    const auto to = header_line(message, "To");
    const auto at = to.find("sip:") + 4;
    return to.substr(at, to.find('@') - at);
  }
  std::map<std::string, bool> registered; ///< user -> is; who was told nothing is not there
  std::set<std::string> answered;         ///< Call-IDs
};

/// Users who register at an answering engine that is killed.
struct served_users {
  explicit served_users(transport::protocol p = transport::protocol::udp)
      : world(5, slow_link()), phones(world.add_site("10.0.0.1", p)),
        service(world.add_site("10.0.0.2", p)), asker(world.lane(), "10.0.0.8") {
    service.context.router.set_tap(&said);
    world.keep_calls(service, store, storage::begin_run(store, {}).value());
    world.answer(service, answer_manner_of(service));
  }
  ~served_users() { service.context.router.set_tap(nullptr); }

  caf::strong_actor_ptr enrol(const std::string& name, const registration::plan& plan = {}) {
    auto target = std::make_shared<call_target>();
    target->uri = "sip:10.0.0.2";
    target->from = "<sip:" + name + "@10.0.0.2>";
    return world.register_user(
      phones, std::make_shared<const call_manner>(manner_between(phones, service.target())), target,
      plan);
  }

  /// The next process at the service's place, with a copy of what that kept.
  sim_site& restart(storage::memory_store& left) {
    world.crash(service);
    auto& next = world.add_site("10.0.0.2", service.protocol);
    EXPECT_TRUE(storage::close_interrupted(left, [](const auto&) { return false; }));
    world.keep_calls(next, left, storage::begin_run(left, {}).value());
    world.answer(next, answer_manner_of(next));
    world.restore_bindings(next, left);
    world.recover(next, left);
    return next;
  }

  /// The contacts of a user, as a REGISTER without any has them told (RFC 3261 §10.2.3).
  std::string contacts_of(const std::string& name) {
    const auto number = std::to_string(++queries);
    asker.send(
      lane::endpoint::parse("10.0.0.2", 5060).value(),
      "REGISTER sip:10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.8:5060;branch=z9hG4bKq" + number +
        "\r\nMax-Forwards: 70\r\nFrom: <sip:q@10.0.0.8>;tag=q\r\nTo: <sip:" + name +
        "@10.0.0.2>\r\nCall-ID: q" + number + "\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n");
    const auto heard = asker.messages.size();
    while (asker.messages.size() == heard && world.lane().step())
      ;
    EXPECT_TRUE(asker.messages.back().starts_with("SIP/2.0 200")) << asker.messages.back();
    return header_line(asker.messages.back(), "Contact");
  }

  storage::memory_store store;
  promises said;
  sim_world world;
  sim_site& phones;
  sim_site& service;
  raw_peer asker;
  unsigned queries = 0;
};

std::vector<storage::kept_bindings> bindings_in(const storage::store& s) {
  return storage::read_bindings(s).value();
}

TEST(kept_bindings, a_user_is_told_so_once_it_is_in_the_store) {
  served_users u;
  (void)u.enrol("alice");
  while (u.said.registered.empty())
    ASSERT_TRUE(u.world.lane().step());
  const auto kept = bindings_in(u.store);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].address, "alice@10.0.0.2");
  ASSERT_EQ(kept[0].record.contacts.size(), 1U);
  EXPECT_FALSE(kept[0].record.contacts[0].removed);
}

TEST(kept_bindings, a_user_is_registered_after_a_crash_refreshes_and_leaves) {
  served_users u;
  registration::plan plan;
  plan.expires = 60;
  const auto alice = u.enrol("alice", plan);
  u.world.pass(20s);
  const auto before = u.contacts_of("alice");
  storage::memory_store left{u.store};
  u.restart(left);
  const auto after = u.contacts_of("alice");
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(after.substr(0, after.find(";expires=")), before.substr(0, before.find(";expires=")));
  EXPECT_TRUE(after.ends_with(";expires=40")) << after;
  u.world.pass(2min);
  EXPECT_FALSE(u.contacts_of("alice").empty()) << "it has refreshed";
  for (const auto& report : u.world.heard().registrations)
    EXPECT_NE(report.what, kind::failed);
  lane::tell(u.world.lane(), alice, hang_up{});
  u.world.pass(1s);
  EXPECT_EQ(u.contacts_of("alice"), "");
  u.world.pass(70s); // a REGISTER on its way, and half a minute in which it is found
  EXPECT_TRUE(bindings_in(left).empty()) << "what is over is not kept for ever";
}

TEST(kept_bindings, what_expired_while_nobody_served_is_forgotten) {
  served_users u;
  registration::plan plan;
  plan.expires = 60;
  (void)u.enrol("alice", plan);
  u.world.pass(1s);
  storage::memory_store left{u.store};
  u.world.crash(u.phones);
  u.world.crash(u.service);
  u.world.pass(2min);
  u.restart(left);
  EXPECT_EQ(u.contacts_of("alice"), "");
  u.world.pass(1s);
  EXPECT_TRUE(bindings_in(left).empty());
}

TEST(kept_bindings, an_old_register_does_not_bring_back_who_left_before_the_crash) {
  served_users u;
  raw_peer phone{u.world.lane(), "10.0.0.3"};
  const auto bind = phone.request("REGISTER", u.service.address, "1", {}, 1, "Expires: 60\r\n");
  phone.send(u.service.address, bind);
  u.world.pass(1s);
  phone.send(u.service.address,
             phone.request("REGISTER", u.service.address, "2", {}, 2, "Expires: 0\r\n"));
  u.world.pass(1s);
  storage::memory_store left{u.store};
  auto& next = u.restart(left);
  phone.send(next.address, bind); // was on its way
  u.world.pass(1s);
  EXPECT_EQ(u.contacts_of("service"), "");
}

TEST(kept_bindings, a_contact_that_goes_with_its_connection_is_not_kept) {
  served_users u{transport::protocol::ws};
  (void)u.enrol("alice");
  u.world.pass(1s);
  ASSERT_TRUE(u.said.registered["alice"]);
  EXPECT_TRUE(bindings_in(u.store).empty());
}

TEST(kept_bindings, of_a_tcp_client_the_address_is_kept) {
  served_users u{transport::protocol::tcp};
  (void)u.enrol("alice");
  u.world.pass(1s);
  ASSERT_TRUE(u.said.registered["alice"]);
  EXPECT_EQ(bindings_in(u.store).size(), 1U);
}

TEST(kept_bindings, where_nothing_can_be_written_nobody_is_told_to_be_registered) {
  served_users u;
  u.store.fail_writes(storage::fault{storage::fault_kind::disk_full, {"D", "full"}});
  raw_peer phone{u.world.lane(), "10.0.0.3"};
  for (const auto* branch : {"1", "2"}) {
    phone.send(u.service.address,
               phone.request("REGISTER", u.service.address, branch, {}, 1, "Expires: 60\r\n"));
    u.world.pass(100ms);
    EXPECT_EQ(phone.count("SIP/2.0 200"), 0U);
  }
  EXPECT_EQ(phone.count("SIP/2.0 503"), 2U);
  EXPECT_NE(header_line(phone.last("SIP/2.0 503"), "Retry-After"), "");
  u.store.fail_writes({});
  u.world.pass(1s);
  phone.send(u.service.address,
             phone.request("REGISTER", u.service.address, "3", {}, 1, "Expires: 60\r\n"));
  u.world.pass(100ms);
  EXPECT_EQ(phone.count("SIP/2.0 200"), 1U);
}

/// 200 calls to a service at which users register, refresh and leave meanwhile.
struct busy_service : served_users {
  static constexpr unsigned users = 30;

  busy_service() {
    auto plan = std::make_shared<load_plan>();
    plan->arrivals.calls = 200;
    plan->arrivals.poisson = true;
    plan->arrivals.phases = {{400, 400, 1h}};
    plan->length.mean = 200ms;
    plan->targets = {target_of(service.address)};
    auto manner = manner_between(phones, service.target());
    world.run_load(phones, plan, std::make_shared<const call_manner>(manner));
    for (unsigned i = 0; i < users; ++i)
      world.at(i * 15ms, [this, i] {
        registration::plan stay;
        stay.expires = 60;
        if (i % 3 == 0) {
          stay.leave = true;
          stay.stay = 100ms;
        }
        (void)enrol("user" + std::to_string(i), stay);
      });
  }

  bool play(size_t events) { return play_events(world, events); }
};

constexpr size_t stride = crash_stride(1, 47);

TEST(kept_bindings, killed_at_every_event_a_service_stands_by_what_it_said) {
  size_t crashes = 0, stood = 0, gone = 0;
  for (size_t event = 1;; event += stride) {
    busy_service s;
    if (!s.play(event))
      break;
    ++crashes;
    const auto promised = s.said.registered;
    const auto answered = s.said.answered;
    storage::memory_store left{s.store};
    // Of who says something new meanwhile, nothing is known.
    s.world.crash(s.phones);
    s.restart(left);
    for (const auto& [user, there] : promised) {
      ++(there ? stood : gone);
      // Who is about to leave may be gone already, and not have been told so yet.
      if (there) {
        const auto kept = bindings_in(left);
        const auto known = std::find_if(kept.begin(), kept.end(), [&, name = user](const auto& b) {
          return b.address == name + "@10.0.0.2";
        });
        ASSERT_NE(known, kept.end()) << user << " is lost after event " << event;
        const bool leaving = known->record.contacts.back().removed;
        ASSERT_EQ(s.contacts_of(user).empty(), leaving) << user << " after event " << event;
      } else {
        ASSERT_EQ(s.contacts_of(user), "") << user << " had left before event " << event;
      }
    }
    s.world.pass(2min);
    ASSERT_TRUE(s.world.heard().recovered) << "stuck after event " << event;
    ASSERT_TRUE(storage::interrupted_calls(left).value().empty()) << "after event " << event;
    std::map<std::string, size_t> records;
    ASSERT_TRUE(
      left.scan(storage::keyspace::events, {}, {}, [&](std::string_view, std::string_view value) {
        const auto what = storage::unpack_event(value).value().what;
        if (const auto* call = std::get_if<storage::call_ended>(&what))
          ++records[call->call_id];
        return true;
      }));
    for (const auto& [call, times] : records)
      ASSERT_EQ(times, 1U) << call << " has " << times << " records after event " << event;
    for (const auto& call : answered)
      ASSERT_TRUE(records.contains(call)) << call << " has no record after event " << event;
  }
  EXPECT_GT(crashes * stride, 500U) << "events, the whole run";
  EXPECT_GT(stood, 100U);
  EXPECT_GT(gone, 100U);
}

} // namespace
} // namespace jackfield
