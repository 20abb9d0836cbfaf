#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/sip/digest.hpp"
#include "storage/kept_registrations.hpp"
#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/crash_points.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;
using kind = registration_report::kind;

std::vector<storage::interrupted_registration> records_in(const storage::store& s) {
  return storage::interrupted_registrations(s).value();
}

/// The REGISTERs that users send, whichever process they are of. Each must have its record in the
/// store, and a CSeq above those before it that a process to come cannot take for a new one.
class said_by_users final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    if (direction != wire_direction::sent || !bytes.starts_with("REGISTER "))
      return;
    const std::string message{bytes};
    const auto call_id = header_line(message, "Call-ID").substr(9);
    const auto cseq = static_cast<uint32_t>(std::stoul(header_line(message, "CSeq").substr(6)));
    const auto via = header_line(message, "Via");
    auto& last = latest[call_id];
    if (via == last.via)
      return; // sent again
    EXPECT_GT(cseq, last.cseq) << message;
    last = {cseq, via};
    ++requests;
    if (store == nullptr)
      return;
    for (const auto& [key, record] : records_in(*store))
      if (record.call_id == call_id) {
        EXPECT_LE(cseq, record.cseq + kept_registration::unrecorded_requests);
        return;
      }
    ADD_FAILURE() << "nothing is kept of\n" << message;
  }

  const storage::store* store = nullptr;
  struct request {
    uint32_t cseq = 0;
    std::string via;
  };
  std::map<std::string, request> latest; ///< by Call-ID
  size_t requests = 0;
};

/// Users of a load run, whose process is killed, and their registrar, which asks for credentials.
struct registered_users {
  explicit registered_users(transport::protocol p = transport::protocol::udp)
      : world(17, link()), phones(world.add_site("10.0.0.1", p)),
        registrar(world.add_site("10.0.0.2", p)) {
    registrar_settings who;
    for (size_t i = 0; i < count; ++i) {
      const auto name = "user" + std::to_string(i);
      auto& hashes = who.users[name];
      for (const auto a : {sip::digest_algorithm::md5, sip::digest_algorithm::sha256,
                           sip::digest_algorithm::sha512_256})
        hashes[static_cast<size_t>(a)] = sip::digest_ha1(a, name, who.realm, "secret");
      auto target = std::make_shared<call_target>();
      target->uri = "sip:" + registrar.address.to_string();
      target->from = "<sip:" + name + "@10.0.0.2>";
      target->credentials.emplace_back(name, "*", "secret", std::vector<std::string>{"10.0.0.2"});
      users.push_back(std::move(target));
    }
    world.answer(registrar, answer_manner_of(registrar), who);
    said.store = &store;
    phones.context.router.set_tap(&said);
    world.keep_calls(phones, store, storage::begin_run(store, {}).value());
  }
  ~registered_users() {
    phones.context.router.set_tap(nullptr);
    if (next != nullptr)
      next->context.router.set_tap(nullptr);
  }

  static lane::sim_link link() {
    lane::sim_link made;
    made.delay = 10ms;
    made.jitter = 3ms;
    return made;
  }

  /// They register, refresh once or not, and leave.
  void run(unsigned refreshes) {
    auto plan = std::make_shared<load_plan>();
    plan->flow = load_flow::register_;
    plan->arrivals.calls = count;
    plan->arrivals.phases = {{100, 100, 1h}};
    plan->targets = users;
    plan->refreshes = refreshes;
    plan->expires = lifetime;
    plan->stay = 50ms;
    world.run_load(phones, plan, manner(phones));
  }
  std::shared_ptr<const call_manner> manner(const sim_site& from) const {
    return std::make_shared<const call_manner>(manner_between(from, registrar.target()));
  }
  caf::strong_actor_ptr enrol(uint64_t number) {
    registration::plan plan;
    plan.number = number;
    return world.register_user(phones, manner(phones), users.at(number), plan);
  }

  /// The next process at the users' place, with a copy of what the one before kept. It is there
  /// once what that had said has arrived.
  void restart(storage::memory_store& left) {
    auto& before = next != nullptr ? *next : phones;
    said.store = nullptr;
    world.crash(before);
    before.context.router.set_tap(nullptr);
    world.pass(20ms);
    next = &world.add_site("10.0.0.1", phones.protocol);
    said.store = &left;
    next->context.router.set_tap(&said);
    EXPECT_TRUE(storage::close_interrupted(left, [](const auto&) { return false; }));
    world.keep_calls(*next, left, storage::begin_run(left, {}).value());
    world.heard().unbound.reset();
    world.remove_bindings(*next, left, users);
  }

  uint64_t bindings() {
    world.ask_for_metrics();
    return world.metrics_of(1).registrations.current;
  }
  uint64_t unbound(unbinding how) {
    return world.heard().unbound.value().at(static_cast<size_t>(how));
  }

  static constexpr size_t count = 8;
  static constexpr unsigned lifetime = 30; // seconds, in each of which a run tells how far it is
  storage::memory_store store;
  said_by_users said;
  sim_world world;
  sim_site& phones;
  sim_site& registrar;
  sim_site* next = nullptr;
  std::vector<std::shared_ptr<const call_target>> users;
};

TEST(kept_registration, is_in_the_store_before_its_register_leaves_and_erased_when_it_is_over) {
  registered_users u;
  u.run(1);
  EXPECT_TRUE(u.world.run_until_finished(1min));
  EXPECT_EQ(u.said.latest.size(), u.count);
  EXPECT_GE(u.said.requests, 4 * u.count); // also with credentials; a refresh; the removal
  EXPECT_EQ(u.world.heard().finished->metrics->registrations.succeeded, u.count);
  EXPECT_TRUE(records_in(u.store).empty());
}

TEST(kept_registration, has_what_it_takes_to_remove_its_binding) {
  registered_users u;
  (void)u.enrol(3);
  u.world.pass(1s);
  const auto records = records_in(u.store);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key, (storage::call_key{1, 3}));
  const auto& made = records[0].record;
  EXPECT_EQ(made.aor, "sip:user3@10.0.0.2");
  EXPECT_EQ(made.registrar, "sip:10.0.0.2:5060");
  EXPECT_EQ(made.contact, "<sip:10.0.0.1:5060>");
  EXPECT_EQ(made.cseq, 2U);
  EXPECT_EQ(made.target, "udp 10.0.0.2:5060");
  EXPECT_EQ(made.expires, 3600U);
  ASSERT_TRUE(made.registered);
  EXPECT_GE(*made.registered, made.started);
  EXPECT_GT(made.until, *made.registered + 59min);
  EXPECT_LT(made.until, *made.registered + 61min);
  EXPECT_TRUE(u.said.latest.contains(made.call_id));
}

TEST(kept_registration, that_cannot_be_written_fails_and_nothing_else_does) {
  registered_users u;
  u.store.fail_writes(storage::fault{storage::fault_kind::disk_full, {"D", "full"}});
  (void)u.enrol(0);
  u.world.pass(1s);
  ASSERT_EQ(u.world.heard().registrations.size(), 1U);
  EXPECT_EQ(u.world.heard().registrations[0].what, kind::over);
  EXPECT_EQ(u.world.heard().registrations[0].failure, failure_cause::not_recorded);
  EXPECT_EQ(u.said.requests, 0U);
  u.store.fail_writes({});
  u.world.pass(1s);
  EXPECT_TRUE(records_in(u.store).empty());
  (void)u.enrol(1);
  u.world.pass(1s);
  EXPECT_EQ(u.bindings(), 1U);
  EXPECT_EQ(records_in(u.store).size(), 1U);
}

TEST(kept_registration, told_to_leave_before_it_is_written_sends_nothing) {
  registered_users u;
  const auto user = u.enrol(0);
  lane::tell(u.world.lane(), user, hang_up{});
  u.world.pass(1s);
  EXPECT_EQ(u.said.requests, 0U);
  EXPECT_TRUE(records_in(u.store).empty());
}

TEST(kept_registration, is_removed_after_a_crash_over_tcp_too) {
  registered_users u{transport::protocol::tcp};
  (void)u.enrol(0);
  (void)u.enrol(1);
  u.world.pass(1s);
  ASSERT_EQ(u.bindings(), 2U);
  storage::memory_store left{u.store};
  u.restart(left);
  u.world.pass(1s);
  EXPECT_EQ(u.unbound(unbinding::removed), 2U);
  EXPECT_EQ(u.bindings(), 0U);
  EXPECT_TRUE(records_in(left).empty());
}

TEST(kept_registration, of_a_registrar_that_is_silent_is_kept_for_the_next_start) {
  registered_users u;
  (void)u.enrol(0);
  u.world.pass(1s);
  storage::memory_store left{u.store};
  u.world.lane().set_partition(u.phones.address, u.registrar.address, true);
  u.restart(left);
  u.world.pass(1min);
  EXPECT_EQ(u.unbound(unbinding::kept), 1U);
  const auto records = records_in(left);
  ASSERT_EQ(records.size(), 1U);
  u.world.lane().set_partition(u.phones.address, u.registrar.address, false);
  storage::memory_store again{left};
  u.restart(again);
  u.world.pass(1s);
  EXPECT_EQ(u.unbound(unbinding::removed), 1U);
  EXPECT_EQ(u.bindings(), 0U);
  EXPECT_TRUE(records_in(again).empty());
}

TEST(kept_registration, whose_user_is_not_known_any_more_is_kept) {
  registered_users u;
  (void)u.enrol(0);
  u.world.pass(1s);
  storage::memory_store left{u.store};
  u.users.clear();
  u.restart(left);
  u.world.pass(1s);
  EXPECT_EQ(u.unbound(unbinding::kept), 1U);
  EXPECT_EQ(records_in(left).size(), 1U);
}

/// A registrar that answers what a test says.
struct answered_removal {
  explicit answered_removal(int status) {
    storage::registration_record made;
    made.aor = "sip:alice@10.0.0.9";
    made.registrar = "sip:10.0.0.9";
    made.contact = "<sip:10.0.0.1:5099>";
    made.call_id = "of-another-process";
    made.cseq = 7;
    made.target = "udp 10.0.0.9:5060";
    storage::batch b;
    b.put(storage::keyspace::registrations, storage::registration_key({1, 0}), storage::pack(made));
    EXPECT_TRUE(u.store.write(b, storage::durability::async));
    registrar.on_message = [this, status](const std::string& m) { registrar.answer(m, status); };
    u.world.remove_bindings(u.phones, u.store, {});
    u.world.pass(1min);
  }

  registered_users u;
  raw_peer registrar{u.world.lane(), "10.0.0.9"};
};

TEST(kept_registration, asks_for_its_removal_as_the_process_before_would_have) {
  answered_removal r{200};
  EXPECT_EQ(r.u.unbound(unbinding::removed), 1U);
  ASSERT_EQ(r.registrar.messages.size(), 1U);
  const auto& asked = r.registrar.messages[0];
  EXPECT_TRUE(asked.starts_with("REGISTER sip:10.0.0.9 SIP/2.0\r\n"));
  EXPECT_EQ(header_line(asked, "Call-ID"), "Call-ID: of-another-process");
  EXPECT_EQ(header_line(asked, "CSeq"), "CSeq: 24 REGISTER");
  EXPECT_EQ(header_line(asked, "Contact"), "Contact: <sip:10.0.0.1:5099>;expires=0");
  EXPECT_TRUE(header_line(asked, "To").ends_with("<sip:alice@10.0.0.9>"));
  EXPECT_TRUE(records_in(r.u.store).empty());
}

TEST(kept_registration, that_the_registrar_refuses_to_remove_is_given_up) {
  for (const int status : {403, 404, 481, 603}) {
    answered_removal r{status};
    EXPECT_EQ(r.u.unbound(unbinding::refused), 1U) << status;
    EXPECT_EQ(r.registrar.messages.size(), 1U) << status;
    EXPECT_TRUE(records_in(r.u.store).empty()) << status;
  }
}

TEST(kept_registration, that_the_registrar_cannot_remove_now_is_kept) {
  for (const int status : {408, 500, 503}) {
    answered_removal r{status};
    EXPECT_EQ(r.u.unbound(unbinding::kept), 1U) << status;
    const auto records = records_in(r.u.store);
    ASSERT_EQ(records.size(), 1U) << status;
    EXPECT_EQ(records[0].record.cseq, 24U) << "it was used";
  }
}

TEST(kept_registration, that_nothing_can_be_made_of_is_given_up) {
  registered_users u;
  storage::registration_record odd;
  odd.registrar = "none";
  odd.target = "udp 10.0.0.2:5060";
  storage::batch b;
  b.put(storage::keyspace::registrations, storage::registration_key({1, 0}), storage::pack(odd));
  odd.target = "nowhere";
  b.put(storage::keyspace::registrations, storage::registration_key({1, 1}), storage::pack(odd));
  ASSERT_TRUE(u.store.write(b, storage::durability::async));
  u.world.remove_bindings(u.phones, u.store, {});
  u.world.pass(1s);
  EXPECT_EQ(u.unbound(unbinding::refused), 1U);
  EXPECT_EQ(u.unbound(unbinding::kept), 1U);
  EXPECT_EQ(records_in(u.store).size(), 1U);
}

/// What must be so once a crash has been dealt with.
void expect_all_removed(registered_users& u, const storage::store& left, size_t event) {
  ASSERT_TRUE(u.world.heard().unbound) << "stuck after event " << event;
  ASSERT_EQ(u.unbound(unbinding::kept) + u.unbound(unbinding::refused), 0U)
    << "after event " << event;
  ASSERT_TRUE(records_in(left).empty()) << "a record is left after event " << event;
  ASSERT_EQ(u.bindings(), 0U) << "a binding is left after event " << event;
}

constexpr size_t stride = crash_stride(1, 17);

TEST(kept_registration, whenever_it_is_killed_the_next_process_removes_what_it_left) {
  size_t crashes = 0, removed = 0;
  for (size_t event = 1;; event += stride) {
    registered_users u;
    u.run(1);
    if (!play_events(u.world, event))
      break;
    ++crashes;
    storage::memory_store left{u.store};
    const auto kept = records_in(left).size();
    u.restart(left);
    u.world.pass(1s); // none expires in that
    expect_all_removed(u, left, event);
    if (testing::Test::HasFailure())
      return;
    ASSERT_EQ(u.unbound(unbinding::removed), kept) << "after event " << event;
    removed += kept;
  }
  EXPECT_GT(crashes * stride, 100U) << "events, the whole run";
  EXPECT_GT(removed, crashes);
}

TEST(kept_registration, a_second_crash_while_it_is_removed_changes_nothing) {
  size_t crashes = 0;
  for (size_t event = 5;; event += 11 * stride)
    for (size_t second = 1; second < 90; second += 4) {
      registered_users u;
      u.run(0);
      if (!play_events(u.world, event)) {
        EXPECT_GT(crashes, 20U);
        return;
      }
      storage::memory_store after_first{u.store};
      u.restart(after_first);
      for (size_t i = 0; i < second && u.world.lane().step(); ++i)
        ;
      storage::memory_store after_second{after_first};
      u.restart(after_second);
      u.world.pass(1s);
      expect_all_removed(u, after_second, event);
      if (testing::Test::HasFailure())
        return;
      ++crashes;
    }
}

} // namespace
} // namespace jackfield
