// Callers who press a key are called back, and keep their place.

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/centre/callback_book.hpp"
#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "storage/memory_store.hpp"
#include "tests/actors/centre_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;
using testing::ElementsAre;
using testing::IsEmpty;
using names = std::vector<std::string>;

/// Alice and Bob serve the queue "support". "+" leads to a trunk, where callers come from, too, and
/// where whoever is called answers after a second.
class callback_test : public testing::Test {
protected:
  callback_test()
      : world_(7), outside_(world_.add_site("10.0.1.1")), centre_(&world_.add_site("10.0.0.2")) {
    auto music = std::make_shared<audio_settings>();
    music->source = audio::source_spec{};
    plan_.queues.push_back({"support", {"100"}, {}, music, {}});
    for (const auto* name : {"alice", "bob"}) {
      plan_.queues.front().members.push_back({plan_.agents.size(), {}, 0});
      plan_.agents.push_back({name, {}, true});
    }
    trunk_profile made;
    made.name = "outside";
    made.uri = "sip:10.0.1.1";
    made.from = {lane::address_range::parse("10.0.1.1").value()};
    plan_.trunks.push_back(std::move(made));
    plan_.routes.push_back({"+", {0}, 0, ""});
    terms_.key = '1';
    terms_.promise = {music, 2s};
    terms_.retry_after = 60s;
    terms_.most_attempts = 2;
    there_ = answer_manner_of(outside_);
    add_audio(there_);
    there_.answer_after = 1s;
    there_.length = 20s;
  }

  /// Nobody works yet. With passwords, no phone is registered.
  void begin(bool passwords = false) {
    plan_.queues.front().calls_back = std::make_shared<const callback_terms>(terms_);
    world_.keep_calls(*centre_, store_, storage::begin_run(store_, {}).value());
    registrar_settings who;
    if (passwords)
      who.add_user("alice", "pw");
    world_.serve(*centre_, plan_, bridging(), nullptr, std::move(who));
    world_.answer(outside_, there_);
    for (size_t i = 0; i < plan_.agents.size() && !passwords; ++i) {
      auto& phone = world_.add_site("10.0.2." + std::to_string(i + 1));
      auto manner = answer_manner_of(phone);
      add_audio(manner);
      world_.answer(phone, manner);
      users_.push_back(world_.register_phone(phone, *centre_, plan_.agents[i].name));
    }
    world_.pass(1s);
    for (size_t i = 0; i < plan_.agents.size(); ++i)
      wish(i, agent_wish::kind::pause);
    world_.pass(100ms);
  }
  [[nodiscard]] std::shared_ptr<const bridge_manner> bridging() const {
    sdp::media_capabilities can;
    can.rtcp_mux = true;
    static constexpr std::array codecs{audio::codec::pcmu};
    describe_codecs(can, codecs);
    accept_any_protection(can);
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto made = std::make_shared<bridge_manner>();
    made->media =
      std::make_shared<sdp::offer_template>(centre_->context.media.address().address(), can);
    made->audio = std::move(listens);
    return made;
  }
  void wish(size_t agent, agent_wish::kind what) {
    lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(world_.centre().agents[agent]),
               agent_wish{what, {}});
  }
  /// Somebody comes through the trunk, and presses that key three seconds later, if any.
  void come(const std::string& number, const std::string& key = {},
            dtmf_mode by = dtmf_mode::rfc4733, sim_site* from = nullptr) {
    auto& site = from != nullptr ? *from : outside_;
    auto manner = manner_between(site, centre_->target());
    add_audio(manner, site);
    manner.dials_by = by;
    auto target = std::make_shared<call_target>();
    target->uri = "sip:100@10.0.0.2";
    target->from = "<sip:" + number + "@" + site.address.host() + ">";
    if (!key.empty()) {
      manner.steps.push_back({3s, call_step::kind::dial, 0});
      target->digits.push_back(key);
    }
    world_.call(site, std::make_shared<const call_manner>(manner), target, 10min);
  }
  /// The process is killed; the next one, at its place, has what the store had by then.
  void crash_and_restart() {
    left_ = std::make_unique<storage::memory_store>(store_);
    world_.crash_centre(*centre_);
    seen_ = world_.events().size();
    centre_ = &world_.add_site("10.0.0.2");
    world_.serve_again({centre_}, *left_, plan_, bridging());
  }

  // Since the last crash.
  [[nodiscard]] std::vector<centre_event> events(kind what) const {
    std::vector<centre_event> all;
    for (size_t i = seen_; i < world_.events().size(); ++i)
      if (world_.events()[i].what == what)
        all.push_back(world_.events()[i]);
    return all;
  }
  [[nodiscard]] names details(kind what) const {
    names all;
    for (const auto& each : events(what))
      all.push_back(each.detail);
    return all;
  }
  /// The numbers of whom it befell.
  [[nodiscard]] names whom(kind what) const {
    names all;
    for (const auto& each : events(what))
      all.push_back(each.from.substr(4, each.from.find('@') - 4));
    return all;
  }
  /// Calls that came to the outside.
  uint64_t dialled() {
    world_.ask_for_metrics();
    return world_.metrics_of(1).calls.started; // the services in turn: the outside is the first
  }
  [[nodiscard]] size_t promises() const {
    return storage::read_centre(left_ ? *left_ : store_).value().callbacks.size();
  }
  void expect_nothing_left() {
    for (auto& each : std::exchange(users_, {}))
      lane::tell(world_.lane(), each, hang_up{});
    world_.pass(40s);
    world_.expect_nothing_left();
    EXPECT_EQ(promises(), 0U);
  }

  centre_world world_;
  storage::memory_store store_;
  std::unique_ptr<storage::memory_store> left_; // by a crash
  sim_site& outside_;
  sim_site* centre_;
  centre_plan plan_;
  callback_terms terms_;
  answer_manner there_;
  std::vector<caf::strong_actor_ptr> users_;
  size_t seen_ = 0;
};

TEST_F(callback_test, who_presses_the_key_is_hung_up_and_called_in_the_place_that_it_had) {
  begin();
  come("+491", "1");
  world_.pass(1s);
  come("+492");
  world_.pass(3500ms);
  EXPECT_THAT(details(kind::callback_promised), ElementsAre("+491"));
  EXPECT_THAT(world_.heard().calls, IsEmpty()) << "it hears the promise";
  EXPECT_EQ(promises(), 1U) << "before it is hung up";
  world_.pass(3s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_EQ(world_.heard().calls.front().cause, sip::end_cause::remote_bye);
  world_.pass(1min);
  EXPECT_THAT(whom(kind::connected), IsEmpty());
  EXPECT_EQ(dialled(), 0U) << "nobody has time for it yet";
  wish(0, agent_wish::kind::unpause);
  world_.pass(5s);
  EXPECT_THAT(whom(kind::connected), ElementsAre("+491")) << "it came first";
  EXPECT_EQ(dialled(), 1U);
  world_.pass(20s); // who was called hangs up
  EXPECT_THAT(details(kind::callback_over), ElementsAre("reached"));
  ASSERT_EQ(events(kind::completed).size(), 1U);
  const auto over = events(kind::completed).front();
  EXPECT_EQ(over.agent, "alice");
  EXPECT_EQ(over.detail, "");
  EXPECT_TRUE(over.by_caller);
  EXPECT_NEAR(std::chrono::duration<double>(over.talked).count(), 20, 0.5);
  EXPECT_GT(over.waited, 60s) << "since it came first";
  EXPECT_THAT(whom(kind::connected), ElementsAre("+491", "+492"));
  EXPECT_THAT(details(kind::overflowed), ElementsAre("callback"));
  EXPECT_THAT(whom(kind::abandoned), IsEmpty());
  world_.pass(11min);
  expect_nothing_left();
}

TEST_F(callback_test, caller_and_agent_hear_each_other) {
  begin();
  come("+491", "1", dtmf_mode::info);
  world_.pass(10s);
  wish(0, agent_wish::kind::unpause);
  world_.pass(40s);
  world_.ask_for_metrics();
  EXPECT_NEAR(static_cast<double>(world_.metrics_of(1).media.received.received), 1250, 30)
    << "five seconds of music and promise, and the agent for twenty seconds";
  // A second of music before.
  EXPECT_NEAR(static_cast<double>(world_.metrics_of(2).media.received.received), 1050, 60);
  EXPECT_THAT(details(kind::callback_over), ElementsAre("reached"));
  expect_nothing_left();
}

TEST_F(callback_test, who_does_not_answer_is_tried_again_and_then_no_more) {
  there_.refuse_with = 486;
  begin();
  come("+491", "1");
  world_.pass(10s);
  wish(0, agent_wish::kind::unpause);
  world_.pass(10s);
  EXPECT_EQ(dialled(), 1U);
  EXPECT_THAT(details(kind::callback_over), IsEmpty());
  EXPECT_EQ(promises(), 1U);
  world_.pass(45s);
  EXPECT_EQ(dialled(), 1U);
  world_.pass(20s);
  EXPECT_EQ(dialled(), 2U) << "a minute later";
  EXPECT_THAT(details(kind::callback_over), ElementsAre("sip_486"));
  world_.pass(10min);
  EXPECT_EQ(dialled(), 2U);
  expect_nothing_left();
}

TEST_F(callback_test, another_key_and_a_number_without_a_way_change_nothing) {
  begin();
  come("+491", "2");
  come("123", "1");
  come("anonymous", "1");
  world_.pass(10s);
  EXPECT_THAT(details(kind::callback_promised), IsEmpty());
  EXPECT_THAT(world_.heard().calls, IsEmpty()) << "they wait";
  wish(0, agent_wish::kind::unpause);
  wish(1, agent_wish::kind::unpause);
  world_.pass(21min);
  EXPECT_EQ(events(kind::connected).size(), 2U);
  EXPECT_EQ(events(kind::abandoned).size(), 1U) << "its patience ended";
  expect_nothing_left();
}

/// Anybody may say any number: what is called costs money, and rings at somebody's.
TEST_F(callback_test, a_stranger_is_not_called_back) {
  begin(true);
  auto& stranger = world_.add_site("10.0.9.9");
  come("+491", "1", dtmf_mode::rfc4733, &stranger);
  come("+492", "1", dtmf_mode::info, &stranger);
  come("+493", "1");
  world_.pass(10s);
  EXPECT_THAT(details(kind::callback_promised), ElementsAre("+493")) << "the trunk's word for it";
}

TEST_F(callback_test, one_number_is_promised_it_once) {
  begin();
  come("+491", "1");
  world_.pass(10s);
  come("+491", "1");
  world_.pass(10s);
  EXPECT_EQ(events(kind::callback_promised).size(), 1U);
  wish(0, agent_wish::kind::unpause);
  wish(1, agent_wish::kind::unpause);
  world_.pass(12min);
  expect_nothing_left();
}

TEST_F(callback_test, what_was_dialled_when_it_is_stopped_is_no_promise_any_more) {
  there_.answer_after = 20s;
  begin();
  come("+491", "1");
  world_.pass(10s);
  wish(0, agent_wish::kind::unpause);
  world_.pass(5s);
  EXPECT_EQ(dialled(), 1U);
  world_.stop_centre(true);
  world_.pass(10s);
  EXPECT_EQ(world_.stopped().size(), 1U);
  EXPECT_EQ(promises(), 0U) << "its INVITE had left";
}

TEST_F(callback_test, promises_outlive_a_crash_in_their_places) {
  begin();
  come("+491", "1");
  world_.pass(1s);
  come("+492");
  world_.pass(1s);
  come("+493", "1");
  world_.pass(10s);
  ASSERT_EQ(events(kind::callback_promised).size(), 2U);
  crash_and_restart();
  world_.pass(5s);
  EXPECT_THAT(whom(kind::entered), testing::UnorderedElementsAre("+491", "+492", "+493"));
  wish(0, agent_wish::kind::unpause); // and her phone is registered: it was kept
  world_.pass(30s);
  wish(0, agent_wish::kind::unpause);
  world_.pass(12min);
  EXPECT_THAT(whom(kind::connected), ElementsAre("+491", "+492", "+493"));
  EXPECT_THAT(details(kind::callback_over), ElementsAre("reached", "reached"));
  expect_nothing_left();
}

TEST_F(callback_test, nobody_is_called_twice_over_a_crash) {
  begin();
  come("+491", "1");
  world_.pass(10s);
  wish(0, agent_wish::kind::unpause);
  world_.pass(500ms);
  EXPECT_EQ(dialled(), 1U);
  crash_and_restart();
  world_.pass(10min);
  EXPECT_THAT(details(kind::callback_over), ElementsAre("indeterminate"));
  EXPECT_EQ(dialled(), 1U);
  expect_nothing_left();
}

TEST_F(callback_test, who_drains_leaves_promises_to_the_next_process) {
  begin();
  come("+491", "1");
  world_.pass(10s);
  world_.stop_centre(false);
  world_.pass(5s);
  EXPECT_EQ(world_.stopped().size(), 1U) << "it waits for nobody who waits on no line";
  EXPECT_EQ(promises(), 1U);
  EXPECT_THAT(details(kind::callback_over), IsEmpty());
}

TEST_F(callback_test, a_promise_is_kept_by_a_queue_that_lets_nobody_in) {
  plan_.queues.front().rules.most_waiting = 1;
  begin();
  come("+491", "1");
  world_.pass(4s);
  come("+492"); // takes the place that became free while the promise is said
  world_.pass(10s);
  EXPECT_THAT(whom(kind::refused), IsEmpty());
  wish(0, agent_wish::kind::unpause);
  world_.pass(12min);
  EXPECT_THAT(whom(kind::connected), ElementsAre("+491", "+492"));
  expect_nothing_left();
}

} // namespace
} // namespace jackfield
