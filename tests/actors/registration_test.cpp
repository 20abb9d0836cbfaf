#include <array>
#include <unordered_set>

#include <gtest/gtest.h>

#include "engine/sip/digest.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;
using kind = registration_report::kind;

class registration_actor_test : public testing::Test {
protected:
  explicit registration_actor_test(const lane::sim_link& link = {})
      : world_(3, link), users_(world_.add_site("10.0.0.1")),
        registrar_(world_.add_site("10.0.0.2")) {}

  void serve() { world_.answer(registrar_, answer_manner_of(registrar_), who_); }

  /// Adds a user to whom the registrar asks for credentials.
  void admit(const std::string& name, const std::string& password) {
    auto& hashes = who_.users[name];
    for (const auto a : {sip::digest_algorithm::md5, sip::digest_algorithm::sha256,
                         sip::digest_algorithm::sha512_256})
      hashes[static_cast<size_t>(a)] = sip::digest_ha1(a, name, who_.realm, password);
  }

  std::shared_ptr<call_target> user(const std::string& name, const std::string& password = {},
                                    const std::string& login = {}) {
    auto target = std::make_shared<call_target>();
    target->uri = "sip:" + registrar_.address.to_string();
    target->from = "<sip:" + name + "@10.0.0.2>";
    if (!password.empty())
      target->credentials.emplace_back(login.empty() ? name : login, "*", password,
                                       std::vector<std::string>{"10.0.0.2"});
    return target;
  }

  caf::strong_actor_ptr enrol(const std::shared_ptr<const call_target>& target,
                              registration::plan plan = {}) {
    plan.number = number_++;
    return world_.register_user(
      users_, std::make_shared<const call_manner>(manner_between(users_, registrar_.target())),
      target, plan);
  }
  void enrol_at(const raw_peer& registrar, registration::plan plan) {
    plan.number = number_++;
    const transport::target there{transport::protocol::udp, registrar.address()};
    world_.register_user(users_, std::make_shared<const call_manner>(manner_between(users_, there)),
                         target_of(registrar.address()), plan);
  }
  void leave_at(lane::duration when, caf::strong_actor_ptr whom) {
    world_.at(when, [this, whom = std::move(whom)] { lane::tell(world_.lane(), whom, hang_up{}); });
  }

  std::vector<kind> reports() {
    std::vector<kind> out;
    for (const auto& r : world_.heard().registrations)
      out.push_back(r.what);
    return out;
  }
  /// What the registrar says.
  const report::registration_counts& counted() {
    world_.ask_for_metrics();
    return world_.metrics_of(1).registrations;
  }
  uint64_t bindings() { return counted().current; }
  static std::array<uint64_t, 5> summed(const report::registration_counts& c) {
    return {c.attempted, c.succeeded, c.failed, c.refreshed, c.refresh_failed};
  }

  sim_world world_;
  sim_site& users_;
  sim_site& registrar_;
  registrar_settings who_;
  uint64_t number_ = 0;
};

/// The statuses of what a site sends, in order.
class sent_statuses final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    if (direction == wire_direction::sent)
      seen.emplace_back(bytes.substr(8, 3));
  }
  std::vector<std::string> seen;
};

TEST_F(registration_actor_test, digest_then_refresh_then_unregister) {
  admit("alice", "secret");
  serve();
  registration::plan plan;
  plan.expires = 60;
  leave_at(130s, enrol(user("alice", "secret"), plan));
  world_.pass(1s);
  EXPECT_EQ(reports(), std::vector{kind::registered});
  EXPECT_EQ(world_.heard().registrations[0].wire.requests, 2U) << "401, then 200";
  EXPECT_EQ(bindings(), 1U);
  world_.pass(128s);
  EXPECT_EQ(reports(), (std::vector{kind::registered, kind::refreshed, kind::refreshed}));
  EXPECT_EQ(world_.heard().registrations.back().wire.requests, 4U) << "the nonce was not reused";
  EXPECT_EQ(bindings(), 1U);
  world_.pass(2s);
  EXPECT_EQ(reports().back(), kind::over);
  EXPECT_FALSE(world_.heard().registrations.back().failure.failed());
  EXPECT_EQ(bindings(), 0U);
  EXPECT_EQ(summed(counted()), (std::array<uint64_t, 5>{1, 1, 0, 2, 0}))
    << "neither challenges nor the removal";
  world_.expect_nothing_left();
}

TEST_F(registration_actor_test, the_registrar_counts_users_once_and_copies_never) {
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  const auto bind = peer.request("REGISTER", registrar_.address, "1", {}, 1, "Expires: 60\r\n");
  const auto refresh = peer.request("REGISTER", registrar_.address, "2", {}, 2, "Expires: 60\r\n");
  for (const auto& request : {bind, bind, refresh, refresh}) {
    peer.send(registrar_.address, request);
    world_.pass(1s);
  }
  EXPECT_EQ(summed(counted()), (std::array<uint64_t, 5>{1, 1, 0, 1, 0}));
  world_.pass(70s);
  peer.send(registrar_.address,
            peer.request("REGISTER", registrar_.address, "3", {}, 3, "Expires: 60\r\n"));
  world_.pass(1s);
  EXPECT_EQ(summed(counted()), (std::array<uint64_t, 5>{2, 2, 0, 1, 0})) << "it had lapsed";
}

// RFC 3261 §17.2.2: each message comes twice, as after a 200 that was lost.
TEST_F(registration_actor_test, a_copy_with_credentials_gets_the_answer_again) {
  lane::sim_link twice;
  twice.duplication = 1;
  world_.lane().set_link(users_.address, registrar_.address, twice);
  sent_statuses sent;
  registrar_.context.router.set_tap(&sent);
  admit("alice", "secret");
  serve();
  enrol(user("alice", "secret"));
  world_.pass(1s);
  registrar_.context.router.set_tap(nullptr);
  EXPECT_EQ(sent.seen, (std::vector<std::string>{"401", "401", "200", "200"}));
}

TEST_F(registration_actor_test, what_would_be_kept_is_bounded) {
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  const auto status = [&](const std::string& contact_parameter, const std::string& call_id) {
    auto text =
      peer.request("REGISTER", registrar_.address, "b" + std::to_string(peer.messages.size()), {},
                   1, "Expires: 60\r\n", call_id);
    const auto at = text.find("Contact: <") + 10;
    text.insert(text.find('>', at), contact_parameter);
    peer.send(registrar_.address, text);
    world_.pass(1s);
    return peer.messages.empty() ? std::string{} : peer.messages.back().substr(8, 3);
  };
  EXPECT_EQ(status(";p=" + std::string(900, 'a'), "brief"), "200");
  EXPECT_EQ(status(";p=" + std::string(1'100, 'a'), "brief-too"), "400");
  EXPECT_EQ(status("", std::string(1'100, 'c')), "400");
  EXPECT_EQ(bindings(), 1U);
}

TEST_F(registration_actor_test, names_may_be_as_long_as_the_bound_together) {
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  const std::string aor = "service@10.0.0.2"; // as raw_peer names whom it speaks to
  int number = 0;
  const auto status = [&](size_t names) {
    const auto id = "n" + std::to_string(++number);
    peer.send(registrar_.address,
              peer.request("REGISTER", registrar_.address, id, {}, number, "Expires: 60\r\n",
                           std::string(names - aor.size(), 'c')));
    world_.pass(1s);
    return peer.messages.empty() ? std::string{} : peer.messages.back().substr(8, 3);
  };
  EXPECT_EQ(status(registrar_settings::max_name_bytes), "200");
  EXPECT_EQ(status(registrar_settings::max_name_bytes + 1), "400");
}

/// RFC 3261 §10.3 step 7: each of its Contacts is looked at, be it one that is not bound.
TEST_F(registration_actor_test, a_request_unbinds_some_contacts_and_binds_others) {
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  int number = 0;
  const auto bound_after = [&](const std::string& contacts, int cseq) {
    const auto id = "c" + std::to_string(++number);
    auto text = peer.request("REGISTER", registrar_.address, id, {}, cseq, {});
    const auto own = header_line(text, "Contact");
    text.replace(text.find(own), own.size(), "Contact: " + contacts);
    peer.send(registrar_.address, text);
    world_.pass(100ms);
    const auto& answer = peer.messages.back();
    EXPECT_TRUE(answer.starts_with("SIP/2.0 200")) << answer;
    std::string found;
    for (const auto* name : {"a", "b", "c", "d"})
      if (answer.find("Contact: <sip:" + std::string{name} + "@h>;expires=60") != std::string::npos)
        found += name;
    return found;
  };
  EXPECT_EQ(bound_after("<sip:a@h>;expires=60", 1), "a");
  EXPECT_EQ(bound_after("<sip:c@h>;expires=0, <sip:b@h>;expires=60", 2), "ab")
    << "one that was not bound goes, and another comes";
  EXPECT_EQ(bound_after("<sip:a@h>;expires=0, <sip:c@h>;expires=60", 3), "bc")
    << "one that was bound goes, and another comes";
  EXPECT_EQ(bound_after("<sip:c@h>;expires=0, <sip:d@h>;expires=60", 3), "bcd")
    << "one that is no older than the request stays, and another comes";
}

TEST_F(registration_actor_test, an_address_has_no_more_contacts_than_it_may) {
  who_.max_contacts = 3;
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  int number = 0;
  const auto status = [&](const std::string& name, const std::string& expires = "60") {
    const auto id = "m" + std::to_string(++number);
    auto text =
      peer.request("REGISTER", registrar_.address, id, {}, 1, "Expires: " + expires + "\r\n", id);
    text.replace(text.find("Contact: <sip:raw@"), 18, "Contact: <sip:" + name + "@");
    peer.send(registrar_.address, text);
    world_.pass(100ms);
    return peer.messages.back().substr(8, 3);
  };
  for (const auto* name : {"a", "b", "c"})
    EXPECT_EQ(status(name), "200");
  EXPECT_EQ(status("d"), "403") << "one more";
  EXPECT_EQ(status("b"), "200") << "one of them again";
  EXPECT_EQ(status("c", "0"), "200");
  EXPECT_EQ(status("d"), "200") << "in the place of one that went";
  EXPECT_EQ(status("c"), "403");
  EXPECT_EQ(bindings(), 1U);
  EXPECT_EQ(registrar_settings{}.max_contacts, 16U);
  EXPECT_EQ(registrar_settings{}.max_bindings, 1'000'000U);
}

/// In one request as well as one after the other.
TEST_F(registration_actor_test, a_request_binds_no_more_contacts_than_an_address_may_have) {
  who_.max_contacts = 3;
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  auto text = peer.request("REGISTER", registrar_.address, "1", {}, 1,
                           "Contact: <sip:b@10.0.0.3>, <sip:c@10.0.0.3>\r\n"
                           "Contact: <sip:d@10.0.0.3>\r\n");
  peer.send(registrar_.address, text);
  world_.pass(100ms);
  EXPECT_EQ(peer.count("SIP/2.0 403"), 1U);
  EXPECT_EQ(bindings(), 0U) << "none of them";
}

TEST_F(registration_actor_test, a_registrar_has_no_more_addresses_than_it_may) {
  who_.max_bindings = 3;
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  for (int i = 0; i < 5; ++i) {
    const auto id = "n" + std::to_string(i);
    auto text = peer.request("REGISTER", registrar_.address, id, {}, 1, "Expires: 60\r\n", id);
    text.replace(text.find("To: <sip:service@"), 17, "To: <sip:user" + std::to_string(i) + "@");
    peer.send(registrar_.address, text);
    world_.pass(100ms);
  }
  EXPECT_EQ(peer.count("SIP/2.0 200"), 3U);
  EXPECT_EQ(peer.count("SIP/2.0 503"), 2U);
  EXPECT_EQ(bindings(), 3U);
}

TEST_F(registration_actor_test, a_full_registrar_looks_for_expired_ones_once_a_second) {
  who_.max_bindings = 2;
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  int number = 0;
  const auto status = [&](const std::string& user, const std::string& expires) {
    const auto id = "f" + std::to_string(++number);
    auto text =
      peer.request("REGISTER", registrar_.address, id, {}, 1, "Expires: " + expires + "\r\n", id);
    const auto to = text.find("To: <sip:service@");
    text.replace(to, 16, "To: <sip:" + user);
    peer.send(registrar_.address, text);
    world_.pass(100ms);
    return peer.messages.back().substr(8, 3);
  };
  EXPECT_EQ(status("a", "3"), "200");
  EXPECT_EQ(status("b", "4"), "200");
  world_.pass(2500ms); // 2.7 s
  EXPECT_EQ(status("c", "60"), "503");
  world_.pass(400ms); // a has expired, and they were looked through 0.5 s ago
  EXPECT_EQ(status("c", "60"), "503");
  world_.pass(700ms);
  EXPECT_EQ(status("c", "60"), "200");
}

TEST_F(registration_actor_test, leaves_as_planned) {
  serve();
  registration::plan plan;
  plan.expires = 10;
  plan.leave = true;
  plan.refreshes = 2;
  enrol(user("alice"), plan);
  world_.pass(60s);
  EXPECT_EQ(reports(),
            (std::vector{kind::registered, kind::refreshed, kind::refreshed, kind::over}));
  EXPECT_EQ(bindings(), 0U);
  world_.expect_nothing_left();
}

TEST_F(registration_actor_test, wrong_password) {
  admit("alice", "secret");
  serve();
  enrol(user("alice", "guess"));
  world_.pass(10s);
  EXPECT_EQ(reports().back(), kind::over);
  EXPECT_EQ(world_.heard().registrations.back().failure, failure_cause{failure_cause::auth_failed});
  EXPECT_EQ(bindings(), 0U);
  EXPECT_EQ(summed(counted()), (std::array<uint64_t, 5>{1, 0, 1, 0, 0}));
  EXPECT_EQ(counted().failures.at(failure_cause::from_status(401)), 1U);
  world_.expect_nothing_left();
}

TEST_F(registration_actor_test, another_users_address) {
  admit("alice", "secret");
  admit("mallory", "hers");
  serve();
  leave_at(5s, enrol(user("alice", "hers", "mallory")));
  world_.pass(2s);
  ASSERT_FALSE(reports().empty());
  EXPECT_EQ(reports()[0], kind::failed);
  EXPECT_EQ(world_.heard().registrations[0].status, 403);
  EXPECT_EQ(bindings(), 0U);
  EXPECT_EQ(summed(counted()), (std::array<uint64_t, 5>{1, 0, 1, 0, 0}));
  EXPECT_EQ(counted().failures.at(failure_cause::from_status(403)), 1U);
  world_.pass(60s);
  EXPECT_EQ(reports().back(), kind::over);
  world_.expect_nothing_left();
}

TEST_F(registration_actor_test,
       a_first_one_that_is_refused_is_over_unless_it_is_to_be_tried_again) {
  for (const unsigned retries : {0U, 2U})
    for (const int status : {403, 404, 500, 503}) {
      raw_peer peer{world_.lane(), "10.0.0.9"};
      peer.on_message = [&](const std::string& request) { peer.answer(request, status); };
      world_.heard().registrations.clear();
      registration::plan plan;
      plan.retries = retries;
      enrol_at(peer, plan);
      world_.pass(600s);
      EXPECT_EQ(peer.count("REGISTER "), retries + 1U) << status;
      ASSERT_FALSE(reports().empty());
      const auto& last = world_.heard().registrations.back();
      EXPECT_EQ(last.what, kind::over) << status;
      EXPECT_EQ(last.failure, failure_cause::from_status(status));
      EXPECT_FALSE(last.had_registered || last.left);
      world_.expect_nothing_left();
    }
}

TEST_F(registration_actor_test, a_refresh_that_is_refused_for_good_is_the_end_and_another_is_not) {
  for (const int status : {403, 500}) {
    raw_peer peer{world_.lane(), "10.0.0.9"};
    peer.on_message = [&](const std::string& request) {
      const bool refused = peer.count("REGISTER ") == 2;
      peer.answer(request, refused ? status : 200,
                  refused ? "" : header_line(request, "Contact") + "\r\n");
    };
    world_.heard().registrations.clear();
    registration::plan plan;
    plan.expires = 100;
    plan.leave = true;
    plan.refreshes = 2;
    plan.retries = 0;
    enrol_at(peer, plan);
    world_.pass(600s);
    const auto& last = world_.heard().registrations.back();
    EXPECT_EQ(last.what, kind::over) << status;
    EXPECT_EQ(last.missed, failure_cause::from_status(status)) << "told, whatever came after";
    EXPECT_EQ(last.left, status == 500);
    EXPECT_EQ(last.failure, status == 403 ? failure_cause::from_status(403) : failure_cause{});
    world_.expect_nothing_left();
  }
}

TEST_F(registration_actor_test, interval_too_brief) {
  who_.min_expires = 90;
  serve();
  registration::plan plan;
  plan.expires = 30;
  leave_at(10s, enrol(user("alice"), plan));
  world_.pass(5s);
  EXPECT_EQ(reports(), std::vector{kind::registered});
  EXPECT_EQ(world_.heard().registrations[0].wire.requests, 2U) << "423, then 200";
  EXPECT_EQ(bindings(), 1U);
  world_.pass(10s);
  EXPECT_EQ(bindings(), 0U);
  world_.expect_nothing_left();
}

TEST_F(registration_actor_test, binding_lapses_without_its_user) {
  serve();
  registration::plan plan;
  plan.expires = 60;
  leave_at(100s, enrol(user("alice"), plan));
  world_.pass(1s);
  EXPECT_EQ(bindings(), 1U);
  world_.kill(users_);
  world_.pass(61s);
  EXPECT_EQ(bindings(), 0U);
  world_.pass(100s);
  EXPECT_EQ(reports().back(), kind::over);
  world_.expect_nothing_left();
}

/// A REGISTER that was overtaken by the removal of its binding must not bring it back.
TEST_F(registration_actor_test, late_register_after_removal) {
  serve();
  raw_peer peer{world_.lane(), "10.0.0.3"};
  const auto bind = peer.request("REGISTER", registrar_.address, "1", {}, 1, "Expires: 600\r\n");
  peer.send(registrar_.address, bind);
  world_.pass(1s);
  EXPECT_EQ(bindings(), 1U);
  peer.send(registrar_.address,
            peer.request("REGISTER", registrar_.address, "2", {}, 2, "Expires: 0\r\n"));
  world_.pass(1s);
  EXPECT_EQ(bindings(), 0U);
  peer.send(registrar_.address, bind);
  world_.pass(1s);
  EXPECT_EQ(peer.count("SIP/2.0 200"), 3U);
  EXPECT_EQ(bindings(), 0U);
  // Forgotten after 64*T1: then it is as good as any.
  world_.pass(60s);
  peer.send(registrar_.address, bind);
  world_.pass(1s);
  EXPECT_EQ(bindings(), 1U);
}

/// A run of registrations over a bad path, each with digest, two refreshes and a removal.
TEST_F(registration_actor_test, many_on_a_bad_path) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    uint64_t digest = 0;
    for (int again = 0; again < 2; ++again) {
      lane::sim_link link;
      link.delay = 40ms;
      link.jitter = 20ms;
      link.loss = 0.1;
      link.burst = 3;
      link.duplication = 0.02;
      sim_world world{seed, link};
      auto& from = world.add_site("10.0.0.1");
      auto& to = world.add_site("10.0.0.2");
      admit("alice", "secret");
      world.answer(to, answer_manner_of(to), who_);
      auto plan = std::make_shared<load_plan>();
      plan->flow = load_flow::register_;
      plan->arrivals.phases = {{50, 50, std::nullopt}};
      plan->arrivals.calls = 100;
      plan->expires = 20;
      plan->refreshes = 2;
      plan->targets = {user("alice", "secret")};
      world.run_load(from, plan,
                     std::make_shared<const call_manner>(manner_between(from, to.target())));
      EXPECT_TRUE(world.run_until_finished(300s)) << "seed " << seed;
      world.expect_nothing_left();
      world.ask_for_metrics();
      const auto& m = world.metrics_of(0);
      EXPECT_EQ(m.registrations.attempted, 100U);
      EXPECT_EQ(m.registrations.attempted, m.registrations.succeeded + m.registrations.failed);
      EXPECT_EQ(m.calls.started, m.calls.completed + m.calls.failed);
      EXPECT_EQ(m.registrations.current, 0U);
      EXPECT_EQ(world.metrics_of(1).registrations.current, 0U);
      if (again == 0)
        digest = world.lane().event_digest();
      else
        EXPECT_EQ(digest, world.lane().event_digest()) << "seed " << seed;
    }
  }
}

/// The connections that there were.
struct connections_spy final : wire_tap {
  void on_message(wire_direction /*direction*/, const transport::flow& over,
                  lane::time_point /*at*/, std::string_view /*bytes*/) override {
    seen.insert(over);
  }
  std::unordered_set<transport::flow> seen;
};

/// Each has a connection of its own. What was bound is gone with the registrar's process.
TEST(registered_users, outlive_a_restart_of_their_registrar) {
  for (const auto p : {transport::protocol::tcp, transport::protocol::ws}) {
    SCOPED_TRACE(transport::to_string(p));
    sim_world world{3};
    auto& phones = world.add_site("10.0.0.1", p);
    auto& before = world.add_site("10.0.0.2", p);
    connections_spy connections;
    before.context.router.set_tap(&connections);
    world.answer(before, answer_manner_of(before));
    auto manner = manner_between(phones, before.target());
    auto apart = *manner.connections;
    apart.share = false;
    manner.connections = std::make_shared<const transport::open_settings>(apart);
    const auto shared = std::make_shared<const call_manner>(manner);
    constexpr uint64_t count = 1000;
    for (uint64_t i = 0; i < count; ++i) {
      auto target = target_of(before.address);
      target->uri = "sip:10.0.0.2";
      target->from = "<sip:user" + std::to_string(i) + "@10.0.0.2>";
      registration::plan plan;
      plan.number = i;
      world.register_user(phones, shared, target, plan);
    }
    world.pass(5s);
    world.ask_for_metrics();
    ASSERT_EQ(world.metrics_of(1).registrations.current, count);
    ASSERT_EQ(connections.seen.size(), count);
    for (const auto& each : connections.seen)
      before.context.router.transport().close(each);
    before.context.router.set_tap(nullptr);
    world.pass(100ms);
    world.crash(before);
    auto& after = world.add_site("10.0.0.2", p);
    world.answer(after, answer_manner_of(after));
    world.pass(14s);
    world.ask_for_metrics();
    EXPECT_EQ(world.metrics_of(1).registrations.current, 0U) << "all at once";
    world.pass(8s);
    world.ask_for_metrics();
    const auto some = world.metrics_of(1).registrations.current;
    EXPECT_GT(some, count / 4);
    EXPECT_LT(some, count * 3 / 4);
    world.pass(10s);
    world.ask_for_metrics();
    EXPECT_EQ(world.metrics_of(1).registrations.current, count);
    for (const auto& report : world.heard().registrations) {
      EXPECT_NE(report.what, kind::failed);
      EXPECT_NE(report.what, kind::over);
    }
  }
}

} // namespace
} // namespace jackfield
