#include "actors/load/answering_users.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "actors/media/media_protection.hpp"
#include "engine/sip/digest.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;

/// Over what the requests of a method come to a site.
class request_ways final : public wire_tap {
public:
  request_ways(sim_site& site, std::string_view method)
      : router_(site.context.router), method_(std::string{method} + ' ') {
    router_.set_tap(this);
  }
  ~request_ways() override { router_.set_tap(nullptr); }
  void on_message(wire_direction direction, const transport::flow& over, lane::time_point /*at*/,
                  std::string_view bytes) override {
    if (direction == wire_direction::received && bytes.starts_with(method_))
      seen.push_back(over);
  }
  [[nodiscard]] std::vector<lane::endpoint> sources() const {
    std::vector<lane::endpoint> out;
    for (const auto& way : seen)
      out.push_back(way.remote);
    return out;
  }
  std::vector<transport::flow> seen;

private:
  sip_router& router_;
  std::string method_;
};

/// A PBX that connects calls to whoever registered there, users who do, and a caller.
class answering_users_test : public testing::TestWithParam<transport::protocol> {
protected:
  explicit answering_users_test(transport::protocol p = transport::protocol::udp)
      : world_(5), caller_(world_.add_site("10.0.0.1")), pbx_(world_.add_site("10.0.0.2")),
        users_(world_.add_site("10.0.0.3", p)), connects_(answer_manner_of(pbx_)),
        answers_(answer_manner_of(users_)) {
    if (transport::is_reliable(p)) {
      EXPECT_TRUE(pbx_.context.router.transport().listen(p, pbx_.address));
    }
    for (auto* const manner : {&connects_, &answers_}) {
      add_audio(*manner);
      auto can = manner->media->capabilities();
      accept_any_protection(can);
      manner->media = std::make_shared<sdp::offer_template>(manner->media->host(), can);
    }
    auto bridge = std::make_shared<bridge_manner>();
    bridge->media = connects_.media;
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    bridge->audio = std::move(listens);
    connects_.connect = std::move(bridge);
  }

  /// Adds a user to whom the PBX asks for credentials.
  void admit(const std::string& name, const std::string& password) {
    auto& hashes = who_.users[name];
    for (const auto a : {sip::digest_algorithm::md5, sip::digest_algorithm::sha256,
                         sip::digest_algorithm::sha512_256})
      hashes[static_cast<size_t>(a)] = sip::digest_ha1(a, name, who_.realm, password);
  }
  void add_user(const std::string& name, const std::string& password = {}) {
    auto target = std::make_shared<call_target>();
    target->uri = "sip:10.0.0.2";
    target->from = "<sip:" + name + "@10.0.0.2>";
    target->contact_user = name;
    if (!password.empty())
      target->credentials.emplace_back(name, "*", password, std::vector<std::string>{"10.0.0.2"});
    everybody_.push_back(std::move(target));
  }
  /// Both serve, and the users register. Sources of metrics: 1 the PBX, 2 the users.
  void begin(bool alone = true) {
    world_.answer(pbx_, connects_, who_);
    world_.answer(users_, answers_);
    enrol(alone);
  }
  void enrol(bool alone = true) {
    register_users all;
    all.directory = std::make_shared<const user_directory>(everybody_);
    all.manner = std::make_shared<const call_manner>(
      manner_between(users_, transport::target{users_.protocol, pbx_.address}));
    all.expires = expires_;
    all.rate = 10;
    all.alone = alone;
    world_.answer_for(users_, std::move(all));
  }
  caf::strong_actor_ptr call(const std::string& whom, lane::duration length = 2s) {
    auto manner = manner_between(caller_, pbx_.target());
    add_audio(manner, caller_);
    auto target = std::make_shared<call_target>();
    target->uri = "sip:" + whom + "@10.0.0.2";
    target->from = "<sip:bob@10.0.0.1>";
    return world_.call(caller_, std::make_shared<const call_manner>(manner), target, length);
  }
  /// Past the PBX, to a Contact.
  void call_contact(const std::string& whom, lane::duration ringing_limit = 3min) {
    auto manner = manner_between(caller_, users_.target());
    manner.ringing_limit = ringing_limit;
    auto target = std::make_shared<call_target>();
    target->uri = "sip:" + whom + "@10.0.0.3:5060";
    target->from = "<sip:bob@10.0.0.1>";
    world_.call(caller_, std::make_shared<const call_manner>(manner), target, 1s);
  }
  const report::run_metrics& metrics_of(unsigned source) {
    world_.ask_for_metrics();
    return world_.metrics_of(source);
  }
  uint64_t bindings() { return metrics_of(1).registrations.current; }
  void expect_accounted_for(const report::call_counts& calls) {
    EXPECT_EQ(calls.offered, calls.started);
    EXPECT_EQ(calls.started, calls.completed + calls.failed + calls.busy + calls.unanswered);
    EXPECT_EQ(calls.current, 0U);
  }

  sim_world world_;
  sim_site& caller_;
  sim_site& pbx_;
  sim_site& users_;
  answer_manner connects_;
  answer_manner answers_;
  registrar_settings who_;
  std::vector<std::shared_ptr<const call_target>> everybody_;
  unsigned expires_ = 600;
};

class answering_users_over : public answering_users_test {
protected:
  answering_users_over() : answering_users_test(GetParam()) {}
};

TEST_P(answering_users_over, register_and_answer_what_the_registrar_sends_them) {
  for (const auto* name : {"alice", "carol", "dave"}) {
    admit(name, "secret");
    add_user(name, "secret");
  }
  begin();
  world_.pass(1s);
  ASSERT_TRUE(world_.heard().standing);
  EXPECT_EQ(world_.heard().standing->registered, 3U);
  EXPECT_EQ(world_.heard().standing->answered, 3U);
  EXPECT_EQ(bindings(), 3U);
  request_ways invites{users_, "INVITE"};
  for (const auto* name : {"alice", "carol", "dave", "dave"})
    call(name);
  world_.pass(10s);
  ASSERT_EQ(world_.heard().calls.size(), 4U);
  for (const auto& c : world_.heard().calls)
    EXPECT_FALSE(c.failure.failed()) << c.failure.text();
  const auto& calls = metrics_of(2).calls;
  EXPECT_EQ(calls.answered, 4U);
  EXPECT_EQ(calls.completed, 4U);
  expect_accounted_for(calls);
  EXPECT_EQ(invites.sources(), std::vector(4, pbx_.address))
    << "not over the connection that registered";
  world_.drain(users_);
  world_.pass(5s);
  EXPECT_EQ(bindings(), 0U);
  world_.expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(, answering_users_over,
                         testing::Values(transport::protocol::udp, transport::protocol::tcp,
                                         transport::protocol::ws),
                         [](const auto& one) { return std::string{to_string(one.param)}; });

class answering_users_over_tcp : public answering_users_test {
protected:
  answering_users_over_tcp() : answering_users_test(transport::protocol::tcp) {}
};

TEST_F(answering_users_over_tcp, register_anew_over_another_connection) {
  for (int i = 0; i < 20; ++i)
    add_user("user" + std::to_string(i));
  auto registers = std::make_optional<request_ways>(pbx_, "REGISTER");
  begin();
  world_.pass(5s);
  EXPECT_EQ(bindings(), 20U);
  auto& transport = users_.context.router.transport();
  EXPECT_EQ(transport.counters().opened, 1U) << "one for the lane";
  ASSERT_EQ(registers->seen.size(), 20U);
  pbx_.context.router.transport().close(registers->seen.front());
  registers.reset();
  world_.pass(41s);
  EXPECT_EQ(world_.heard().standing->registered, 20U);
  EXPECT_EQ(transport.counters().opened, 2U);
  EXPECT_EQ(bindings(), 20U);
  request_ways invites{users_, "INVITE"};
  call("user3");
  world_.pass(5s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls[0].failure.failed()) << world_.heard().calls[0].failure.text();
  EXPECT_EQ(invites.sources(), std::vector{pbx_.address});
  world_.drain(users_);
  world_.pass(5s);
  world_.expect_nothing_left();
}

TEST_F(answering_users_test, begin_one_after_the_other) {
  for (int i = 0; i < 30; ++i)
    add_user("user" + std::to_string(i));
  begin();
  world_.pass(1050ms); // 10 a second, the first at once
  EXPECT_EQ(bindings(), 11U);
  world_.pass(2s);
  EXPECT_EQ(bindings(), 30U);
  world_.drain(users_);
  world_.pass(1050ms);
  EXPECT_EQ(bindings(), 19U) << "and leave likewise";
  world_.pass(2s);
  EXPECT_EQ(bindings(), 0U);
  EXPECT_EQ(world_.heard().stopped, std::vector{2U});
  world_.expect_nothing_left();
}

TEST_F(answering_users_test, who_is_refused_for_good_is_said_and_does_not_try_again) {
  admit("alice", "secret");
  admit("mallory", "hers");
  add_user("alice", "secret");
  add_user("mallory", "guess");
  auto other = std::make_shared<call_target>(*everybody_[0]); // 403
  other->from = "<sip:mallory@10.0.0.2>";
  other->contact_user = "m2";
  everybody_.push_back(std::move(other));
  begin();
  world_.pass(10min);
  ASSERT_TRUE(world_.heard().standing);
  EXPECT_EQ(world_.heard().standing->answered, 3U);
  EXPECT_EQ(world_.heard().standing->registered, 1U);
  EXPECT_EQ(world_.heard().standing->refused, 2U);
  ASSERT_EQ(world_.heard().refused.size(), 2U);
  EXPECT_EQ(world_.heard().refused[0].user, "sip:mallory@10.0.0.2");
  EXPECT_EQ(world_.heard().refused[0].why, failure_cause{failure_cause::auth_failed});
  EXPECT_EQ(world_.heard().refused[1].why, failure_cause::from_status(403));
  EXPECT_TRUE(world_.heard().refused[1].for_good);
  const auto users = metrics_of(2).users;
  EXPECT_EQ(users.attempted, 3U);
  EXPECT_EQ(users.succeeded, 1U);
  EXPECT_EQ(users.failed, 2U);
  EXPECT_EQ(metrics_of(1).registrations.failed, 2U) << "once each";
  world_.drain(users_);
  world_.pass(1s);
  world_.expect_nothing_left();
}

TEST_F(answering_users_test, try_again_where_the_registrar_is_not_there_yet) {
  add_user("alice");
  world_.answer(users_, answers_);
  enrol();
  world_.pass(40s); // 480, as nothing serves there
  ASSERT_EQ(world_.heard().refused.size(), 1U);
  EXPECT_FALSE(world_.heard().refused[0].for_good);
  EXPECT_EQ(world_.heard().standing->registered, 0U);
  world_.answer(pbx_, connects_);
  world_.pass(60s);
  EXPECT_EQ(world_.heard().standing->registered, 1U);
  EXPECT_EQ(world_.heard().standing->answered, 1U);
  world_.stop_services();
  world_.pass(40s); // the registrar went at once
  world_.expect_nothing_left();
}

TEST_F(answering_users_test, come_back_to_a_registrar_that_lost_them) {
  for (int i = 0; i < 20; ++i)
    add_user("user" + std::to_string(i));
  expires_ = 60;
  begin();
  world_.pass(5s);
  EXPECT_EQ(bindings(), 20U);
  world_.drain(pbx_);
  world_.pass(70s); // all have found that out
  EXPECT_EQ(world_.heard().standing->registered, 0U);
  world_.answer(pbx_, connects_, who_);
  world_.pass(120s);
  EXPECT_EQ(world_.heard().standing->registered, 20U);
  call("user7");
  world_.pass(5s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls[0].failure.failed());
  world_.drain(users_);
  world_.pass(5s);
  world_.expect_nothing_left();
}

TEST_F(answering_users_test, answer_busy_or_not_at_all_in_their_shares) {
  for (int i = 0; i < 10; ++i)
    add_user("user" + std::to_string(i));
  answers_ = answer_manner_of(users_);
  answers_.busy_share = 0.2;
  answers_.answer_share = 0.5;
  answers_.answer_after = {scenario::drawn_duration::shape::uniform, 1s, 2s};
  answers_.ring_limit = 30s;
  answers_.seed = 9;
  begin();
  world_.pass(2s);
  constexpr int each = 20;
  for (int n = 0; n < each; ++n)
    for (int i = 0; i < 10; ++i)
      call_contact("user" + std::to_string(i), n % 2 == 0 ? 10s : 3min);
  world_.pass(1min);
  std::map<int, int> statuses;
  uint64_t cancelled = 0;
  for (const auto& c : world_.heard().calls) {
    ++statuses[c.status];
    cancelled += c.failure == failure_cause{failure_cause::ring_timeout} ? 1 : 0;
    if (c.times.answered) {
      EXPECT_GE(*c.times.answered - c.times.due, 1s);
      EXPECT_LE(*c.times.answered - c.times.due, 2100ms);
    }
  }
  const auto& calls = metrics_of(2).calls;
  expect_accounted_for(calls);
  EXPECT_EQ(calls.started, 10U * each);
  EXPECT_EQ(calls.failed, 0U);
  EXPECT_NEAR(static_cast<double>(calls.busy), 40, 18) << "three deviations";
  EXPECT_NEAR(static_cast<double>(calls.answered), 100, 22);
  EXPECT_EQ(calls.busy, static_cast<uint64_t>(statuses[486]));
  EXPECT_EQ(calls.answered, calls.completed);
  EXPECT_GT(statuses[480], 0);
  EXPECT_GT(cancelled, 0U);
  EXPECT_EQ(calls.unanswered, static_cast<uint64_t>(statuses[480]) + cancelled);
  world_.drain(users_);
  world_.pass(5s);
  world_.expect_nothing_left();
}

/// What a service that registers nobody does with 60 calls, in their order.
std::vector<int> statuses_by(uint64_t seed) {
  sim_world world{11};
  auto& caller = world.add_site("10.0.0.1");
  auto& service = world.add_site("10.0.0.2");
  auto manner = answer_manner_of(service);
  manner.busy_share = 0.3;
  manner.answer_share = 0.4;
  manner.ring_limit = 1s;
  manner.seed = seed;
  world.answer(service, manner);
  const auto calls = std::make_shared<const call_manner>(manner_between(caller, service.target()));
  for (int i = 0; i < 60; ++i) {
    world.call(caller, calls, target_of(service.address), 1s);
    world.pass(5s);
  }
  std::vector<int> statuses;
  for (const auto& c : world.heard().calls)
    statuses.push_back(c.status);
  world.ask_for_metrics();
  const auto& counted = world.metrics_of(1).calls;
  EXPECT_EQ(counted.completed + counted.busy + counted.unanswered, 60U);
  EXPECT_EQ(counted.busy, static_cast<uint64_t>(std::ranges::count(statuses, 486)));
  EXPECT_EQ(counted.unanswered, static_cast<uint64_t>(std::ranges::count(statuses, 480)));
  return statuses;
}

TEST(answer_shares, are_drawn_by_the_seed) {
  const auto once = statuses_by(1);
  EXPECT_EQ(once, statuses_by(1));
  EXPECT_NE(once, statuses_by(2));
}

TEST_F(answering_users_test, know_whose_a_call_is) {
  add_user("alice");
  add_user("d%20ave");
  auto file = std::make_shared<audio_settings>();
  file->source = audio::source_spec::tone(440);
  auto alice = std::make_shared<call_target>(*everybody_[0]);
  alice->audio = file;
  everybody_[0] = std::move(alice);
  begin();
  world_.pass(1s);
  call("alice");
  call_contact("d%20ave");
  call_contact("nobody");
  raw_peer stranger{world_.lane(), "10.0.0.4"};
  stranger.send(users_.address, stranger.request("REGISTER", users_.address, "1"));
  world_.pass(5s);
  EXPECT_EQ(stranger.count("SIP/2.0 405"), 1U) << "no registrar itself";
  ASSERT_EQ(world_.heard().calls.size(), 3U);
  const auto& calls = metrics_of(2).calls;
  EXPECT_EQ(calls.completed, 2U);
  EXPECT_EQ(calls.failures,
            (std::map<failure_cause, uint64_t>{{failure_cause::from_status(404), 1}}));
  expect_accounted_for(calls);
  world_.drain(users_);
  world_.pass(5s);
  world_.expect_nothing_left();
}

TEST_F(answering_users_test, answer_beside_others) {
  add_user("alice");
  begin(false);
  world_.pass(1s);
  call_contact("anybody");
  raw_peer stranger{world_.lane(), "10.0.0.4"};
  stranger.send(users_.address, stranger.request("REGISTER", users_.address, "1"));
  world_.pass(5s);
  EXPECT_EQ(metrics_of(2).calls.completed, 1U);
  EXPECT_EQ(stranger.count("SIP/2.0 200"), 1U);
  world_.drain(users_);
  world_.pass(5s);
}

TEST_F(answering_users_test, drain_removes_the_bindings_and_lets_calls_run) {
  add_user("alice");
  begin();
  world_.pass(1s);
  call("alice", 20s);
  world_.pass(5s);
  world_.drain(users_);
  world_.pass(1s);
  EXPECT_EQ(bindings(), 0U);
  call_contact("alice"); // 480
  world_.pass(5s);
  EXPECT_TRUE(world_.heard().stopped.empty()) << "the call is up";
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls[0].status, 480);
  world_.pass(30s);
  EXPECT_EQ(world_.heard().stopped, std::vector{2U});
  ASSERT_EQ(world_.heard().calls.size(), 2U);
  EXPECT_FALSE(world_.heard().calls[1].failure.failed());
  world_.expect_nothing_left();
}

TEST_F(answering_users_test, a_call_that_its_caller_gives_up_is_no_fault) {
  add_user("alice");
  answers_.answer_after = 20s;
  begin();
  world_.pass(1s);
  call_contact("alice", 5s); // a queue that tries the next
  world_.pass(30s);
  const auto& calls = metrics_of(2).calls;
  EXPECT_EQ(calls.unanswered, 1U);
  EXPECT_EQ(calls.failed, 0U);
  expect_accounted_for(calls);
  world_.drain(users_);
  world_.pass(5s);
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
