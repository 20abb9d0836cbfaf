#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/load/answering_users.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// Users who register at a registrar and to whose calls somebody listens, and a PBX that rings
/// them.
class user_calls_test : public testing::Test {
protected:
  user_calls_test()
      : world_(5), registrar_(world_.add_site("10.0.0.2")), users_(world_.add_site("10.0.0.3")),
        pbx_(world_.lane(), "10.0.0.4"), media_(world_.lane(), "10.1.0.4") {}

  void begin(std::function<answer_plan(size_t user, uint64_t n)> answers = {}) {
    world_.answer(registrar_, answer_manner_of(registrar_));
    auto manner = answer_manner_of(users_);
    add_audio(manner);
    world_.answer(users_, manner);
    std::vector<std::shared_ptr<const call_target>> all;
    for (const auto* name : {"alice", "carol"}) {
      auto target = std::make_shared<call_target>();
      target->uri = "sip:10.0.0.2";
      target->from = std::string{"<sip:"} + name + "@10.0.0.2>";
      target->contact_user = name;
      all.push_back(std::move(target));
    }
    register_users share;
    share.directory = std::make_shared<const user_directory>(all);
    share.manner = std::make_shared<const call_manner>(manner_between(users_, registrar_.target()));
    share.alone = true;
    share.calls.answers = std::move(answers);
    world_.listen_for(users_, std::move(share));
    world_.pass(1s);
    ASSERT_TRUE(world_.heard().standing);
    ASSERT_EQ(world_.heard().standing->registered, 2U);
  }

  [[nodiscard]] std::string request(std::string_view method, const std::string& call,
                                    const std::string& user, int cseq,
                                    std::string_view headers = {}) const {
    const bool invites = method == "INVITE";
    const bool same = invites || method == "CANCEL"; // transaction
    auto text = pbx_.request(method, users_.address, same ? call : call + std::string{method},
                             same ? std::string{} : tag_of(call), cseq, headers, call,
                             invites ? media_.description() : std::string{});
    for (auto at = text.find("sip:service@"); at != std::string::npos;
         at = text.find("sip:service@"))
      text.replace(at + 4, 7, user);
    return text;
  }
  void send(const std::string& text) { pbx_.send(users_.address, text); }
  void invite(const std::string& call, const std::string& user, std::string_view headers = {}) {
    send(request("INVITE", call, user, 1, headers));
  }
  void acknowledge(const std::string& call, const std::string& user) {
    send(request("ACK", call, user, 1));
  }
  void bye(const std::string& call, const std::string& user) {
    send(request("BYE", call, user, 2));
  }
  /// Rings the user, is answered, and acknowledges.
  void call(const std::string& call, const std::string& user) {
    invite(call, user);
    world_.pass(10ms);
    ASSERT_EQ(status_of(call), 200);
    acknowledge(call, user);
    world_.pass(10ms);
  }
  [[nodiscard]] std::string last_of(const std::string& call, std::string_view what) const {
    for (auto m = pbx_.messages.rbegin(); m != pbx_.messages.rend(); ++m)
      if (m->starts_with("SIP/2.0") && m->find("\r\nCall-ID: " + call + "\r\n") != m->npos &&
          header_line(*m, "CSeq").ends_with(what))
        return *m;
    return {};
  }
  /// Of the INVITE; 0: none yet.
  [[nodiscard]] int status_of(const std::string& call, std::string_view method = "INVITE") const {
    const auto text = last_of(call, method);
    return text.empty() ? 0 : std::stoi(text.substr(8));
  }
  [[nodiscard]] std::string tag_of(const std::string& call) const {
    return tag_in(last_of(call, "INVITE"), "To");
  }
  const report::call_counts& counts() {
    world_.ask_for_metrics();
    return world_.metrics_of(2).calls;
  }
  void expect_accounted_for() {
    const auto& calls = counts();
    EXPECT_EQ(calls.offered, calls.started);
    EXPECT_EQ(calls.started, calls.completed + calls.failed + calls.busy + calls.unanswered);
    EXPECT_EQ(calls.current, 0U);
    EXPECT_EQ(calls.failed, 0U);
  }
  /// Each that rang is over, and was told of so once.
  void expect_all_free() {
    auto& heard = world_.heard();
    ASSERT_EQ(heard.rung.size(), heard.free.size());
    for (const auto& each : heard.rung)
      EXPECT_EQ(std::ranges::count(heard.free, each.call, &user_free::call), 1) << each.call;
  }
  void leave() {
    world_.drain(users_);
    world_.pass(5s);
    EXPECT_EQ(world_.heard().stopped, std::vector{2U});
    world_.expect_nothing_left();
  }

  sim_world world_;
  sim_site& registrar_;
  sim_site& users_;
  raw_peer pbx_;
  raw_media media_;
};

TEST_F(user_calls_test, are_told_as_they_go) {
  begin();
  invite("one", "carol", "P-Asserted-Identity: \"Bob\" <sip:+499000000007@10.0.0.4>\r\n");
  world_.pass(10ms);
  auto& heard = world_.heard();
  ASSERT_EQ(heard.rung.size(), 1U);
  EXPECT_EQ(heard.rung[0].user, 1U) << "the place of carol";
  EXPECT_EQ(heard.rung[0].callers, (std::vector<std::string>{"+499000000007", "raw"}));
  EXPECT_TRUE(heard.talking.empty()) << "nobody has acknowledged the answer";
  acknowledge("one", "carol");
  world_.pass(10ms);
  ASSERT_EQ(heard.talking.size(), 1U);
  EXPECT_EQ(heard.talking[0].user, 1U);
  EXPECT_EQ(heard.talking[0].call, heard.rung[0].call);
  world_.pass(5s);
  EXPECT_TRUE(heard.free.empty());
  bye("one", "carol");
  world_.pass(10ms);
  ASSERT_EQ(heard.free.size(), 1U);
  EXPECT_EQ(heard.free[0].user, 1U);
  EXPECT_EQ(heard.free[0].call, heard.rung[0].call);
  world_.pass(5s);
  expect_all_free();
  EXPECT_EQ(counts().completed, 1U);
  expect_accounted_for();
  leave();
}

TEST_F(user_calls_test, of_a_caller_who_is_not_named) {
  begin();
  auto text = request("INVITE", "one", "alice", 1, "P-Asserted-Identity: tel:+4930123\r\n");
  text.replace(text.find("<sip:raw@10.0.0.4:5060>"), 23, "<sip:anonymous.invalid>");
  send(text);
  world_.pass(10ms);
  ASSERT_EQ(world_.heard().rung.size(), 1U);
  for (const auto& name : world_.heard().rung[0].callers)
    EXPECT_NE(name, "raw");
  EXPECT_EQ(status_of("one"), 200) << "it rings and is answered all the same";
  acknowledge("one", "alice");
  world_.pass(10ms);
  bye("one", "alice");
  world_.pass(5s);
  expect_all_free();
  leave();
}

TEST_F(user_calls_test, another_is_refused_after_a_moment) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  world_.pass(90ms);
  EXPECT_EQ(status_of("two"), 0) << "the first may be just over";
  world_.pass(20ms);
  EXPECT_EQ(status_of("two"), 486);
  acknowledge("two", "alice");
  invite("three", "carol");
  world_.pass(10ms);
  EXPECT_EQ(status_of("three"), 200) << "one user's call is not another's";
  acknowledge("three", "carol");
  world_.pass(1s);
  EXPECT_EQ(world_.heard().rung.size(), 2U) << "who is refused at once does not ring";
  EXPECT_TRUE(world_.heard().free.empty());
  bye("one", "alice");
  bye("three", "carol");
  world_.pass(5s);
  expect_all_free();
  EXPECT_EQ(counts().busy, 1U);
  EXPECT_EQ(counts().completed, 2U);
  expect_accounted_for();
  call("four", "alice");
  bye("four", "alice");
  world_.pass(5s);
  EXPECT_EQ(counts().completed, 3U);
  leave();
}

TEST_F(user_calls_test, the_next_may_come_a_little_before_the_end_of_the_one_before) {
  begin();
  int calls = 0;
  for (auto early = 0ms; early <= 200ms; early += 5ms) {
    const auto one = "one" + std::to_string(calls);
    const auto two = "two" + std::to_string(calls++);
    call(one, "alice");
    invite(two, "alice");
    if (early > 0ms)
      world_.pass(early);
    bye(one, "alice");
    world_.pass(10ms);
    EXPECT_EQ(status_of(one, "BYE"), 200);
    if (early == 100ms) { // either
      acknowledge(two, "alice");
      world_.pass(1s);
    } else {
      EXPECT_EQ(status_of(two), early < 100ms ? 200 : 486) << early.count() << " ms before";
      acknowledge(two, "alice");
      world_.pass(1s);
    }
    if (status_of(two) == 200)
      bye(two, "alice");
    world_.pass(5s);
    expect_all_free();
  }
  expect_accounted_for();
  leave();
}

TEST_F(user_calls_test, the_next_comes_with_the_end_of_the_one_before) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  bye("one", "alice");
  world_.pass(10ms);
  EXPECT_EQ(status_of("two"), 200);
  acknowledge("two", "alice");
  world_.pass(1s);
  bye("two", "alice");
  invite("three", "alice");
  world_.pass(10ms);
  EXPECT_EQ(status_of("three"), 200);
  acknowledge("three", "alice");
  world_.pass(1s);
  bye("three", "alice");
  world_.pass(5s);
  const auto& heard = world_.heard();
  ASSERT_EQ(heard.rung.size(), 3U);
  ASSERT_EQ(heard.free.size(), 3U);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(heard.free[i].call, heard.rung[i].call) << "in order";
  EXPECT_EQ(counts().completed, 3U);
  expect_accounted_for();
  leave();
}

TEST_F(user_calls_test, of_two_that_wait_the_first_has_the_user) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  world_.pass(10ms);
  invite("three", "alice");
  world_.pass(10ms);
  bye("one", "alice");
  world_.pass(60ms);
  EXPECT_EQ(status_of("two"), 200);
  EXPECT_EQ(status_of("three"), 0);
  acknowledge("two", "alice");
  world_.pass(60ms);
  EXPECT_EQ(status_of("three"), 486) << "its own moment is over";
  acknowledge("three", "alice");
  bye("two", "alice");
  world_.pass(5s);
  expect_all_free();
  EXPECT_EQ(counts().busy, 1U);
  expect_accounted_for();
  leave();
}

TEST_F(user_calls_test, one_that_waits_and_is_sent_again_is_one) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  for (int i = 0; i < 5; ++i) {
    world_.pass(10ms);
    invite("two", "alice");
  }
  world_.pass(100ms);
  EXPECT_EQ(status_of("two"), 486);
  acknowledge("two", "alice");
  invite("three", "alice");
  world_.pass(10ms);
  invite("three", "alice");
  bye("one", "alice");
  world_.pass(10ms);
  EXPECT_EQ(status_of("three"), 200);
  acknowledge("three", "alice");
  world_.pass(1s);
  bye("three", "alice");
  world_.pass(5s);
  EXPECT_EQ(world_.heard().rung.size(), 2U);
  EXPECT_EQ(counts().started, 3U);
  EXPECT_EQ(counts().busy, 1U);
  expect_all_free();
  expect_accounted_for();
  leave();
}

TEST_F(user_calls_test, one_that_waits_and_is_given_up) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  world_.pass(20ms);
  const auto cancel = request("CANCEL", "two", "alice", 1);
  send(cancel);
  world_.pass(500ms);
  send(cancel); // again, by its timer
  world_.pass(10ms);
  EXPECT_EQ(status_of("two"), 486);
  EXPECT_NE(status_of("two", "CANCEL"), 0) << "it is answered";
  acknowledge("two", "alice");
  bye("one", "alice");
  world_.pass(5s);
  EXPECT_EQ(world_.heard().rung.size(), 1U);
  expect_all_free();
  expect_accounted_for();
  leave();
}

TEST_F(user_calls_test, a_plan_says_how_each_is_answered) {
  begin([](size_t user, uint64_t n) {
    answer_plan how;
    how.may_be_given_up = true;
    how.after = (user * 10 + n) * 1s;
    if (n == 2) {
      how.what = answer_plan::kind::ring;
      how.after = 7s;
    }
    return how;
  });
  for (const auto& [name, after] :
       std::map<std::string, lane::duration>{{"alice", 0s}, {"carol", 10s}}) {
    invite(name + "0", name);
    world_.pass(after + 10ms);
    EXPECT_EQ(status_of(name + "0"), 200) << name;
    acknowledge(name + "0", name);
    world_.pass(10ms);
    bye(name + "0", name);
    world_.pass(1s);
    invite(name + "1", name);
    world_.pass(after + 990ms);
    EXPECT_EQ(status_of(name + "1"), 180) << name;
    world_.pass(20ms);
    EXPECT_EQ(status_of(name + "1"), 200) << name;
    acknowledge(name + "1", name);
    world_.pass(10ms);
    bye(name + "1", name);
    world_.pass(1s);
    invite(name + "2", name);
    world_.pass(6990ms);
    EXPECT_EQ(status_of(name + "2"), 180) << name;
    world_.pass(20ms);
    EXPECT_EQ(status_of(name + "2"), 480) << name << " rings in vain";
    acknowledge(name + "2", name);
    world_.pass(1s);
  }
  EXPECT_EQ(world_.heard().talking.size(), 4U);
  expect_all_free();
  EXPECT_EQ(counts().unanswered, 2U);
  expect_accounted_for();
  leave();
}

TEST_F(user_calls_test, an_answer_that_nobody_acknowledges_frees_its_user) {
  begin();
  pbx_.on_message = [this](const std::string& m) {
    if (m.starts_with("BYE "))
      pbx_.answer(m, 200);
  };
  invite("one", "alice");
  world_.pass(40s);
  EXPECT_EQ(status_of("one"), 200);
  EXPECT_TRUE(world_.heard().talking.empty());
  expect_all_free();
  EXPECT_EQ(counts().current, 0U);
  call("two", "alice");
  bye("two", "alice");
  world_.pass(5s);
  expect_all_free();
  leave();
}

TEST_F(user_calls_test, a_drain_does_not_let_one_wait) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  world_.pass(10ms);
  world_.drain(users_);
  world_.pass(10ms);
  EXPECT_EQ(status_of("two"), 486);
  acknowledge("two", "alice");
  EXPECT_TRUE(world_.heard().stopped.empty()) << "the first is up";
  world_.pass(5s);
  bye("one", "alice");
  world_.pass(5s);
  EXPECT_EQ(world_.heard().stopped, std::vector{2U});
  const auto& calls = world_.metrics_of(2).calls;
  EXPECT_EQ(calls.current, 0U);
  EXPECT_EQ(calls.failed, 0U);
  EXPECT_EQ(calls.busy, 1U);
  expect_all_free();
  world_.expect_nothing_left();
}

TEST_F(user_calls_test, a_stop_does_not_let_one_wait) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  world_.pass(10ms);
  world_.stop_services();
  world_.pass(10ms);
  EXPECT_GE(status_of("two"), 480);
  EXPECT_LE(status_of("two"), 487);
  acknowledge("two", "alice");
  ASSERT_EQ(pbx_.count("BYE "), 1U);
  pbx_.answer(pbx_.last("BYE "), 200);
  world_.pass(5s);
  ASSERT_TRUE(world_.heard().snapshots.contains(2U)) << "it has stopped";
  EXPECT_EQ(world_.metrics_of(2).calls.current, 0U);
  expect_all_free();
  world_.expect_nothing_left();
}

TEST_F(user_calls_test, an_error_does_not_let_one_wait) {
  begin();
  call("one", "alice");
  invite("two", "alice");
  world_.pass(10ms);
  world_.fail_service(users_);
  world_.pass(10ms);
  EXPECT_EQ(status_of("two"), 480);
  acknowledge("two", "alice");
  ASSERT_EQ(pbx_.count("BYE "), 1U) << "nor leaves a call up";
  pbx_.answer(pbx_.last("BYE "), 200);
  world_.pass(5s);
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
