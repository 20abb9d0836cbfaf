#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

router_settings at_position(uint8_t position, size_t legs = leg_table::all_slots) {
  router_settings settings;
  settings.position = position;
  settings.seed = 7;
  settings.leg_capacity = legs;
  return settings;
}

/// Two routers that serve as one, each at an address of its own, and somebody who speaks to the
/// first only. The one simulated lane plays both of their lanes.
class lane_peers_test : public testing::Test {
protected:
  explicit lane_peers_test(size_t legs_of_first = leg_table::all_slots,
                           size_t legs_of_second = leg_table::all_slots,
                           transport::protocol p = transport::protocol::udp)
      : world_(5), first_(world_.add_site("10.0.0.1", p, at_position(0, legs_of_first))),
        second_(world_.add_site("10.0.0.2", p, at_position(1, legs_of_second))),
        peer_(world_.lane(), "10.0.0.9") {
    lane_peers::join({&first_.context.router, &second_.context.router});
  }

  void answer(lane::duration after = {}) {
    auto manner = answer_manner_of(first_);
    manner.answer_after = after;
    world_.answer(first_, manner);
    world_.answer(second_, manner);
  }
  [[nodiscard]] std::string invite(unsigned call, std::string_view branch = "a") const {
    return request("INVITE", call, branch);
  }
  [[nodiscard]] std::string request(std::string_view method, unsigned call, std::string_view branch,
                                    std::string_view to_tag = {}, int cseq = 1) const {
    const auto id = std::to_string(call);
    return peer_.request(method, first_.address, id + std::string{branch}, to_tag, cseq, {}, id);
  }
  void say(const std::string& text) {
    peer_.send(first_.address, text);
    world_.pass(10ms);
  }
  /// Responses of this beginning, by Call-ID.
  [[nodiscard]] std::map<std::string, unsigned> heard(std::string_view beginning,
                                                      std::string_view method = "INVITE") const {
    std::map<std::string, unsigned> out;
    for (const auto& m : peer_.messages)
      if (m.starts_with(beginning) && header_line(m, "CSeq").ends_with(method))
        ++out[header_line(m, "Call-ID")];
    return out;
  }
  [[nodiscard]] std::string tag_of(unsigned call, std::string_view beginning) const {
    for (const auto& m : peer_.messages)
      if (m.starts_with(beginning) &&
          header_line(m, "Call-ID") == "Call-ID: " + std::to_string(call))
        return tag_in(m, "To");
    return {};
  }
  void hang_up(unsigned call) {
    const auto tag = tag_of(call, "SIP/2.0 200");
    say(request("ACK", call, "k", tag));
    say(request("BYE", call, "b", tag, 2));
  }
  [[nodiscard]] uint64_t started(unsigned source) {
    world_.ask_for_metrics();
    return world_.metrics_of(source).calls.started;
  }

  sim_world world_;
  sim_site& first_;
  sim_site& second_;
  raw_peer peer_;
};

constexpr unsigned calls = 40;

TEST_F(lane_peers_test, calls_of_one_address_are_spread_and_what_belongs_to_them_finds_them) {
  answer();
  for (unsigned i = 0; i < calls; ++i)
    say(invite(i));
  ASSERT_EQ(heard("SIP/2.0 200").size(), calls);
  EXPECT_EQ(started(1) + started(2), calls);
  EXPECT_GT(started(1), calls / 4);
  EXPECT_GT(started(2), calls / 4);
  EXPECT_GT(first_.context.router.counters().handed_over, calls / 4);
  for (unsigned i = 0; i < calls; ++i)
    hang_up(i);
  EXPECT_EQ(heard("SIP/2.0 200", "BYE").size(), calls);
  say(request("BYE", 3, "b", tag_of(3, "SIP/2.0 200"), 2));
  EXPECT_EQ(heard("SIP/2.0 200", "BYE").at("Call-ID: 3"), 2U) << "a late copy is answered again";
  EXPECT_EQ(first_.context.router.counters().unexpected, 0U);
  EXPECT_EQ(second_.context.router.counters().unexpected, 0U);
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).calls.completed + world_.metrics_of(2).calls.completed, calls);
  world_.expect_nothing_left();
}

/// Counts what it sees: by direction and first word.
class counting_tap final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    ++seen[{direction, std::string{bytes.substr(0, bytes.find(' '))}}];
  }
  std::map<std::pair<wire_direction, std::string>, unsigned> seen;
};

TEST_F(lane_peers_test, a_tap_sees_all_of_a_call_on_the_lane_that_has_it) {
  answer();
  counting_tap at_first;
  counting_tap at_second;
  first_.context.router.set_tap(&at_first);
  second_.context.router.set_tap(&at_second);
  for (unsigned i = 0; i < calls; ++i) {
    say(invite(i));
    hang_up(i);
  }
  say("nonsense");
  for (const auto* method : {"INVITE", "ACK", "BYE"}) {
    const std::pair key{wire_direction::received, std::string{method}};
    EXPECT_EQ(at_first.seen[key] + at_second.seen[key], calls) << method;
    EXPECT_EQ(at_first.seen[key], started(1)) << method;
    EXPECT_EQ(at_second.seen[key], started(2)) << method;
  }
  const std::pair answers{wire_direction::sent, std::string{"SIP/2.0"}};
  EXPECT_EQ(at_first.seen[answers], 3 * started(1)) << "180, 200, and 200 to BYE";
  EXPECT_EQ(at_second.seen[answers], 3 * started(2));
  EXPECT_EQ((at_first.seen[{wire_direction::received, "nonsense"}]), 1U);
  first_.context.router.set_tap(nullptr);
  second_.context.router.set_tap(nullptr);
}

TEST_F(lane_peers_test, copies_find_the_call_and_so_does_cancel) {
  answer(10s);
  for (unsigned i = 0; i < calls; ++i) {
    say(invite(i));
    say(invite(i));
    say(request("CANCEL", i, "a"));
  }
  for (const auto& [call, times] : heard("SIP/2.0 180"))
    EXPECT_EQ(times, 2U) << call;
  EXPECT_EQ(heard("SIP/2.0 487").size(), calls);
  EXPECT_EQ(heard("SIP/2.0 200", "CANCEL").size(), calls);
  EXPECT_EQ(started(1) + started(2), calls) << "a copy is no call";
  for (unsigned i = 0; i < calls; ++i)
    say(request("ACK", i, "a", tag_of(i, "SIP/2.0 487")));
  world_.expect_nothing_left();
}

TEST_F(lane_peers_test, a_merged_request_is_seen_whichever_lane_has_the_call) {
  answer(10s);
  for (unsigned i = 0; i < calls; ++i) {
    say(invite(i, "one-way"));
    say(invite(i, "another-way"));
  }
  EXPECT_EQ(heard("SIP/2.0 482").size(), calls);
  EXPECT_EQ(started(1) + started(2), calls);
  EXPECT_GT(started(2), calls / 4);
}

TEST_F(lane_peers_test, an_identifier_of_a_lane_that_there_is_not_is_nobodys) {
  answer();
  const auto tag = sip::leg_id{200, 1, 1, 1}.text();
  say(request("BYE", 1, "x", {tag.data(), tag.size()}));
  EXPECT_EQ(heard("SIP/2.0 481", "BYE").size(), 1U);
}

/// A lane that ends before the others is asked for nothing any more.
TEST(lane_peers, go_on_without_one_that_is_gone) {
  sim_world world{5};
  auto& first = world.add_site("10.0.0.1", transport::protocol::udp, at_position(0)).context.router;
  auto& second =
    world.add_site("10.0.0.2", transport::protocol::udp, at_position(1, 0)).context.router;
  auto third = std::make_unique<sip_router>(world.lane(), at_position(2));
  lane_peers::join({&first, &second, third.get()});
  EXPECT_EQ(first.peers().with_room(), uint8_t{2}) << "the second one has room for none";
  EXPECT_EQ(third->peers().with_room(), uint8_t{0});
  third.reset();
  EXPECT_EQ(first.peers().with_room(), std::nullopt);
  EXPECT_EQ(second.peers().with_room(), uint8_t{0});
  transport::flow theirs;
  theirs.lane = 2;
  EXPECT_FALSE(first.peers().send(theirs, "OPTIONS", 0));
  first.peers().post(2, [](sip_router&) { FAIL() << "it is gone"; });
  first.peers().post_to_all([](sip_router&) {}, [](const sip_router&) { return true; });
  world.pass(1s);
}

class full_lane_test : public lane_peers_test {
protected:
  full_lane_test() : lane_peers_test(0, 30) {}
};

TEST_F(full_lane_test, calls_go_where_there_is_room) {
  answer(10s);
  counting_tap at_first;
  counting_tap at_second;
  first_.context.router.set_tap(&at_first);
  second_.context.router.set_tap(&at_second);
  for (unsigned i = 0; i < 30; ++i) {
    say(invite(i));
    say(invite(i));
    say(invite(i, "another-way"));
  }
  const std::pair invites{wire_direction::received, std::string{"INVITE"}};
  EXPECT_EQ(at_first.seen[invites] + at_second.seen[invites], 90U);
  first_.context.router.set_tap(nullptr);
  second_.context.router.set_tap(nullptr);
  EXPECT_EQ(started(1), 0U);
  EXPECT_EQ(started(2), 30U);
  EXPECT_EQ(heard("SIP/2.0 482").size(), 30U);
  for (const auto& [call, times] : heard("SIP/2.0 180"))
    EXPECT_EQ(times, 2U) << call;
  EXPECT_TRUE(heard("SIP/2.0 503").empty());
  say(invite(30));
  ASSERT_EQ(heard("SIP/2.0 503").size(), 1U) << "now no lane has room";
  EXPECT_FALSE(header_line(peer_.last("SIP/2.0 503"), "Retry-After").empty());
  for (unsigned i = 0; i < 30; ++i)
    say(request("CANCEL", i, "a"));
  EXPECT_EQ(heard("SIP/2.0 487").size(), 30U);
  for (unsigned i = 0; i < 30; ++i)
    say(request("ACK", i, "a", tag_of(i, "SIP/2.0 487")));
  // Over there they are over; a copy that comes now is absorbed there, and makes no call.
  say(invite(1));
  EXPECT_EQ(started(2), 31U) << "with the one that was refused";
  say(invite(31));
  EXPECT_EQ(started(2), 32U) << "there is room again";
  say(request("CANCEL", 31, "a"));
  say(request("ACK", 31, "a", tag_of(31, "SIP/2.0 487")));
  world_.expect_nothing_left();
  EXPECT_EQ(peer_.count("SIP/2.0 503"), 1U);
}

// -- registrations -----------------------------------------------------------------

/// Answers REGISTER alone.
class registrar_service final : public uas_service {
public:
  registrar_service(sim_site& site, const std::shared_ptr<registrar_shards>& shards)
      : router_(site.context.router),
        bindings(site.context, std::make_shared<registrar_settings>(), shards) {
    router_.set_service(this);
  }
  ~registrar_service() override { router_.set_service(nullptr); }
  void on_invite(const sip_arrival_ptr& /*invite*/, uint64_t /*transaction*/) override {}
  void on_request(const sip_arrival_ptr& request) override { bindings.on_register(request); }

private:
  sip_router& router_;

public:
  registrar bindings;
};

class asker final : public lane::lane_actor {
public:
  asker(caf::actor_config& config, lane::lane& home, std::map<uint64_t, contacts_found>& heard)
      : lane::lane_actor(config, home), heard_(heard) {}
  caf::behavior make_behavior() override {
    return {[this](const contacts_found& found) { heard_[found.ticket] = found; }};
  }

private:
  std::map<uint64_t, contacts_found>& heard_;
};

/// A REGISTER of the user with this number, whose address of record says nothing of a lane.
std::string enrolment(const raw_peer& peer, unsigned user, const lane::endpoint& at, int cseq) {
  auto text = peer.request("REGISTER", at, "r" + std::to_string(user) + std::to_string(cseq), {},
                           cseq, "Expires: 600\r\n", std::to_string(user));
  text.replace(text.find("To: <sip:service@"), 17, "To: <sip:user" + std::to_string(user) + "@");
  const auto host = text.find('@', text.find("To: "));
  return text.replace(host + 1, text.find('>', host) - host - 1, "example.org");
}

TEST_F(lane_peers_test, registrations_are_the_nodes) {
  const auto shards = std::make_shared<registrar_shards>(2);
  registrar_service one{first_, shards};
  registrar_service two{second_, shards};
  const auto enrol = [&](unsigned user, const lane::endpoint& at, int cseq) {
    peer_.send(at, enrolment(peer_, user, at, cseq));
    world_.pass(10ms);
  };
  for (unsigned user = 0; user < calls; ++user)
    enrol(user, first_.address, 1);
  EXPECT_EQ(heard("SIP/2.0 200", "REGISTER").size(), calls);
  const auto now = world_.lane().now();
  EXPECT_EQ(one.bindings.bindings(now) + two.bindings.bindings(now), calls);
  EXPECT_GT(one.bindings.bindings(now), calls / 4);
  EXPECT_GT(two.bindings.bindings(now), calls / 4);
  for (unsigned user = 0; user < calls; ++user)
    enrol(user, second_.address, 2);
  EXPECT_EQ(one.bindings.bindings(now) + two.bindings.bindings(now), calls)
    << "each is known, whichever lane it speaks to";

  std::map<uint64_t, contacts_found> found;
  auto who = caf::actor_cast<caf::strong_actor_ptr>(world_.lane().spawn<asker>(found));
  for (unsigned user = 0; user < calls; ++user) {
    const auto uri = "sip:user" + std::to_string(user) + "@EXAMPLE.org";
    one.bindings.look_up(uri, who, user);
    two.bindings.look_up(uri, who, user + 1000);
  }
  one.bindings.look_up("sip:nobody@example.org", who, 5000);
  two.bindings.look_up("no URI", who, 5001);
  world_.pass(10ms);
  for (unsigned user = 0; user < calls; ++user) {
    ASSERT_EQ(found[user].contacts.size(), 1U) << user;
    EXPECT_EQ(found[user].contacts, found[user + 1000].contacts) << user;
  }
  EXPECT_EQ(found.count(5000), 1U);
  EXPECT_EQ(found.count(5001), 1U);
  EXPECT_TRUE(found[5000].contacts.empty());
  who = nullptr;
}

// -- connections -------------------------------------------------------------------

class raw_stream final : public lane::stream_handler {
public:
  raw_stream(lane::lane& home, const lane::endpoint& remote)
      : stream(home.connect(remote, *this, lane::endpoint::parse("10.0.0.8", 0).value()).value()) {}
  void on_data(std::span<const std::byte> bytes) override {
    got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void on_closed(const error& /*why*/) override {}

  std::string got;
  std::unique_ptr<lane::stream_socket> stream;
};

/// Rings, and keeps what it hears of its connection.
class listening_leg final : public lane::lane_actor {
public:
  listening_leg(caf::actor_config& config, lane::lane& home, sip_router& router,
                sip_arrival_ptr invite, unsigned& lost)
      : lane::lane_actor(config, home), router_(router), invite_(std::move(invite)), lost_(lost),
        wire_(router, *this) {}
  caf::behavior make_behavior() override {
    EXPECT_TRUE(wire_.open(invite_->from(), nullptr));
    router_.answer(*invite_, 180);
    return {[this](const flow_lost&) {
      ++lost_;
      wire_.close();
      quit();
    }};
  }

private:
  sip_router& router_;
  sip_arrival_ptr invite_;
  unsigned& lost_;
  leg_wire wire_;
};

class ringing_service final : public uas_service {
public:
  explicit ringing_service(sim_site& site) : router_(site.context.router) {
    router_.set_service(this);
  }
  ~ringing_service() override { router_.set_service(nullptr); }
  void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) override {
    ++calls;
    router_.home().spawn<listening_leg>(router_, invite, lost);
    router_.unbind_invite(transaction);
  }
  void on_request(const sip_arrival_ptr& /*request*/) override {}

  unsigned calls = 0;
  unsigned lost = 0;

private:
  sip_router& router_;
};

class stream_peers_test : public lane_peers_test {
protected:
  stream_peers_test()
      : lane_peers_test(leg_table::all_slots, leg_table::all_slots, transport::protocol::tcp) {}
  [[nodiscard]] std::string over_tcp(std::string text) const {
    return text.replace(text.find("/UDP"), 4, "/TCP");
  }
};

TEST_F(stream_peers_test, a_lane_answers_over_anothers_connection_and_learns_of_its_end) {
  ringing_service one{first_};
  ringing_service two{second_};
  {
    raw_stream caller{world_.lane(), first_.address};
    world_.pass(10ms);
    for (unsigned i = 0; i < calls; ++i)
      EXPECT_TRUE(caller.stream->write(over_tcp(invite(i))));
    world_.pass(100ms);
    EXPECT_EQ(one.calls + two.calls, calls);
    EXPECT_GT(two.calls, calls / 4);
    unsigned rung = 0;
    for (auto at = caller.got.find("SIP/2.0 180"); at != std::string::npos;
         at = caller.got.find("SIP/2.0 180", at + 1))
      ++rung;
    EXPECT_EQ(rung, calls) << "over the one connection there is";
    EXPECT_EQ(second_.context.router.transport().connections(), 0U);
    EXPECT_EQ(one.lost + two.lost, 0U);
  }
  world_.pass(1s);
  EXPECT_EQ(one.lost, one.calls);
  EXPECT_EQ(two.lost, two.calls);
  EXPECT_EQ(first_.context.router.legs().size() + second_.context.router.legs().size(), 0U);
}

/// Whichever lane the address of record is of, and whichever the connection.
TEST_F(stream_peers_test, contacts_are_reached_over_their_connection_while_it_lives) {
  const auto shards = std::make_shared<registrar_shards>(2);
  registrar_service one{first_, shards};
  registrar_service two{second_, shards};
  std::map<uint64_t, contacts_found> found;
  auto who = caf::actor_cast<caf::strong_actor_ptr>(world_.lane().spawn<asker>(found));
  const auto look_up_all = [&] {
    found.clear();
    for (unsigned user = 0; user < calls; ++user)
      two.bindings.look_up("sip:user" + std::to_string(user) + "@example.org", who, user);
    world_.pass(10ms);
  };
  const auto enrol = [&](raw_stream& over, unsigned user, int cseq) {
    auto text = over_tcp(enrolment(peer_, user, first_.address, cseq));
    if (user % 2 == 1) { // says that it is reached over its connection only
      const auto contact = text.find('>', text.find("\r\nContact: "));
      text.insert(contact + 1, ";Reg-ID=1;+sip.instance=\"<urn:uuid:1>\"");
    }
    EXPECT_TRUE(over.stream->write(text));
    world_.pass(10ms);
  };
  const auto bindings = [&] {
    const auto now = world_.lane().now();
    return one.bindings.bindings(now) + two.bindings.bindings(now);
  };
  auto early = std::make_unique<raw_stream>(world_.lane(), first_.address);
  auto late = std::make_unique<raw_stream>(world_.lane(), first_.address);
  world_.pass(10ms);
  for (unsigned user = 0; user < calls; ++user)
    enrol(*early, user, 1);
  enrol(*late, 0, 2);
  enrol(*late, 1, 2);
  look_up_all();
  for (unsigned user = 0; user < calls; ++user) {
    ASSERT_EQ(found[user].contacts.size(), 1U) << user;
    const auto& flow = found[user].contacts.front().flow;
    EXPECT_TRUE(flow.valid()) << user;
    EXPECT_EQ(flow.lane, 0) << "the connection's, not that of whoever knows";
    EXPECT_EQ(flow == found[0].contacts.front().flow, user < 2) << user;
  }

  early.reset();
  world_.pass(1s);
  EXPECT_EQ(bindings(), calls / 2 + 1) << "those that only it led to are gone with it";
  look_up_all();
  EXPECT_TRUE(found[0].contacts.front().flow.valid()) << "it has moved before";
  EXPECT_TRUE(found[1].contacts.front().flow.valid());
  for (unsigned user = 2; user < calls; user += 2) {
    ASSERT_EQ(found[user].contacts.size(), 1U) << user;
    EXPECT_FALSE(found[user].contacts.front().flow.valid()) << "by its URI from now on";
    EXPECT_TRUE(found[user + 1].contacts.empty()) << user + 1;
  }

  late.reset();
  world_.pass(1s);
  EXPECT_EQ(bindings(), calls / 2);
  who = nullptr;
}

TEST_F(stream_peers_test, a_connection_that_ended_before_it_was_borrowed_is_lost_at_once) {
  ringing_service one{first_};
  ringing_service two{second_};
  transport::flow gone;
  gone.handle = {77, 1};
  gone.protocol = transport::protocol::tcp;
  gone.lane = 0;
  gone.remote = peer_.address();
  const auto text = over_tcp(invite(1));
  second_.context.router.on_handed(gone, text, world_.lane().now(), errand::place);
  world_.pass(10ms);
  EXPECT_EQ(two.calls, 1U);
  EXPECT_EQ(two.lost, 1U);
}

} // namespace
} // namespace jackfield
