#include "actors/centre/caller_menu.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/actors/guarded_centre.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;
using policy::menu_target;

/// The menu "main" at "500" leads to the queues "support" (1) and, without a key, "sales", and to
/// the menu "more" (2), which leads back (*), to "sales" (3), and hangs up (0). Alice serves both.
class caller_menu_test : public guarded_centre {
protected:
  caller_menu_test() {
    plan_.queues.push_back(plan_.queues.front());
    plan_.queues.back().name = "sales";
    plan_.queues.back().numbers = {"200"};
    for (auto& queue : plan_.queues)
      queue.members.push_back({0, {}, 0});
    auto prompt = std::make_shared<audio_settings>();
    prompt->source = audio::source_spec::tone(440);
    prompt_ =
      prompt->cache->get(prompt->source, audio::codec::pcma, std::chrono::milliseconds{20}, {})
        .value()
        ->frame_count() *
      std::chrono::milliseconds{20};
    const auto to = [](const std::string& text) { return menu_target::parse(text).value(); };
    plan_.menus.push_back(
      {{"main", {{'1', to("queue:support")}, {'2', to("menu:more")}}, 3s, 1, to("queue:sales")},
       {"500"},
       prompt});
    plan_.menus.push_back(
      {{"more", {{'*', to("menu:main")}, {'3', to("queue:sales")}, {'0', {}}}, 3s, 0, {}},
       {},
       prompt});
  }

  /// Bob calls the menu and presses these keys, one each second from the second on.
  caf::strong_actor_ptr call_menu(const std::string& keys, dtmf_mode how = dtmf_mode::rfc4733,
                                  lane::duration length = 20s) {
    auto manner = manner_between(phone_, centre_.target());
    add_audio(manner, phone_);
    manner.dials_by = how;
    auto target = std::make_shared<call_target>();
    target->uri = "sip:500@10.0.0.2";
    target->from = "<sip:bob@10.0.0.9>";
    for (uint16_t i = 0; i < keys.size(); ++i) {
      manner.steps.push_back({(i + 1) * 1s, call_step::kind::dial, i});
      target->digits.emplace_back(1, keys[i]);
    }
    return world_.call(phone_, std::make_shared<const call_manner>(manner), target, length);
  }
  /// The queues that calls got into, in turn.
  [[nodiscard]] std::vector<std::string> entered() const {
    std::vector<std::string> out;
    for (const auto& e : world_.events())
      if (e.what == kind::entered)
        out.push_back(e.queue);
    return out;
  }

  lane::duration prompt_{}; // how long it takes
};

TEST_F(caller_menu_test, a_key_leads_into_a_queue_over_the_same_call) {
  begin(false);
  for (const auto how : {dtmf_mode::rfc4733, dtmf_mode::info}) {
    call_menu("1", how);
    world_.pass(25s);
  }
  EXPECT_EQ(entered(), (std::vector<std::string>{"support", "support"}));
  EXPECT_EQ(events(kind::connected), 2U);
  EXPECT_EQ(events(kind::completed), 2U);
  ASSERT_EQ(world_.heard().calls.size(), 2U);
  for (const auto& call : world_.heard().calls) {
    EXPECT_FALSE(call.failure.failed()) << call.failure.text();
    ASSERT_TRUE(call.media);
    EXPECT_NEAR(static_cast<double>(call.media->received.packets), 1000, 20)
      << "the prompt, music, and alice";
  }
  expect_nothing_left();
}

TEST_F(caller_menu_test, a_menu_leads_to_another_and_back) {
  begin(false);
  call_menu("2*23");
  world_.pass(25s);
  EXPECT_EQ(entered(), std::vector<std::string>{"sales"});
  EXPECT_EQ(events(kind::completed), 1U);
  expect_nothing_left();
}

TEST_F(caller_menu_test, who_presses_nothing_hears_it_again_and_goes_on_otherwise) {
  begin(false);
  call_menu("");
  const auto whole = 2 * (prompt_ + 3s);
  world_.pass(whole - 500ms);
  EXPECT_TRUE(entered().empty());
  world_.pass(1s);
  EXPECT_EQ(entered(), std::vector<std::string>{"sales"});
  world_.pass(25s);
  EXPECT_EQ(events(kind::completed), 1U);
  expect_nothing_left();
}

TEST_F(caller_menu_test, keys_that_mean_nothing_count_as_none) {
  begin(false);
  call_menu("79");
  world_.pass(5s);
  EXPECT_EQ(entered(), std::vector<std::string>{"sales"});
  world_.pass(20s);
  expect_nothing_left();
}

TEST_F(caller_menu_test, a_key_may_hang_up) {
  begin(false);
  call_menu("20");
  world_.pass(10s);
  EXPECT_TRUE(entered().empty());
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls.front().failure.name(), "none") << "the callee may, after 1 s";
  expect_nothing_left();
}

TEST_F(caller_menu_test, whoever_hangs_up_in_a_menu_leaves_nothing) {
  begin(false);
  call_menu("", dtmf_mode::rfc4733, 2s);
  world_.pass(1s);
  auto other = call_menu("", dtmf_mode::rfc4733, 60s);
  world_.pass(1s);
  world_.stop_centre(true);
  other = nullptr;
  world_.pass(10s);
  EXPECT_EQ(world_.heard().calls.size(), 2U);
  EXPECT_TRUE(entered().empty());
  EXPECT_EQ(world_.stopped().size(), 1U);
}

// Keys while talking are the other side's, not the menu's.
TEST_F(caller_menu_test, keys_after_the_menu_are_passed_on) {
  begin(false);
  call_menu("1###");
  world_.pass(25s);
  EXPECT_EQ(entered(), std::vector<std::string>{"support"});
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).media.dtmf_received, 3U) << "by alice's phone";
  expect_nothing_left();
}

} // namespace
} // namespace jackfield
