#include "app/webhooks/webhooks.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/server.hpp"

namespace jackfield::webhooks {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// Receives, on a server of ours.
class receiver final : public http::handler {
public:
  receiver() {
    server_.emplace(
      http::server::listen(lane::endpoint::parse("127.0.0.1", 0).value(), {}, *this).value());
    server_->run();
  }
  ~receiver() override {
    {
      const std::lock_guard lock{mutex_};
      withheld_.clear();
    }
    server_.reset();
  }

  std::optional<http::answer> refuse(const http::request& /*head*/) override {
    return std::nullopt;
  }
  void serve(http::request what, reply answer_with) override {
    const std::lock_guard lock{mutex_};
    bodies_.push_back(std::move(what.body));
    if (status_ == 0)
      withheld_.push_back(std::move(answer_with));
    else
      answer_with({status_, "text/plain", "", {}});
    changed_.notify_all();
  }

  /// 0: with nothing.
  void answer_with(unsigned status) {
    const std::lock_guard lock{mutex_};
    status_ = status;
  }
  std::vector<std::string> wait_for(size_t bodies) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return bodies_.size() >= bodies; });
    return bodies_;
  }
  [[nodiscard]] webhook_settings hook(const std::string& name) const {
    webhook_settings made;
    made.name = name;
    made.url = webhook_url::parse("http://" + server_->address().to_string() + "/" + name).value();
    made.secret = "0123456789abcdef0123456789abcdef";
    return made;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> bodies_;
  std::vector<reply> withheld_;
  unsigned status_ = 200;
  std::optional<http::server> server_;
};

class hooks : public testing::Test {
protected:
  void add(uint64_t seq) {
    hooks_.add(seq, {"call.entered", "{\"seq\":" + std::to_string(seq) + "}"});
  }
  std::map<std::string, webhook_cursor> known() {
    const std::lock_guard lock{mutex_};
    return moved_;
  }

  std::mutex mutex_;
  std::map<std::string, webhook_cursor> moved_;
  receiver there_;
  webhooks hooks_{[this](const std::string& name, const webhook_cursor& to) {
    const std::lock_guard lock{mutex_};
    moved_[name] = to;
  }};
};

TEST_F(hooks, are_told_and_say_how_far_they_are) {
  hooks_.change({there_.hook("crm")}, {}, 0);
  for (uint64_t seq = 1; seq <= 3; ++seq)
    add(seq);
  hooks_.drain(1h);
  std::string all;
  for (const auto& each : there_.wait_for(1))
    all += each;
  for (const auto* const event : {"{\"seq\":1}", "{\"seq\":2}", "{\"seq\":3}"})
    EXPECT_THAT(all, HasSubstr(event));
  EXPECT_EQ(known().at("crm").after, 3U);
  const auto states = hooks_.states();
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0].cursor, 3U);
  EXPECT_EQ(states[0].behind, 0U);
  EXPECT_EQ(states[0].failures, 0U);
}

TEST_F(hooks, go_on_from_where_they_were_and_new_ones_with_the_next_event) {
  add(8); // nobody is told, nor waits for anything
  hooks_.change({there_.hook("old"), there_.hook("new")}, {{"old", {7, 0, 5}}}, 8);
  EXPECT_THAT(there_.wait_for(1), ElementsAre(R"({"events":[{"seq":8}],"next":8,"dropped":0})"));
  add(9);
  const auto all = there_.wait_for(3);
  EXPECT_EQ(all[1], R"({"events":[{"seq":9}],"next":9,"dropped":0})");
  EXPECT_EQ(all[2], all[1]);
}

TEST_F(hooks, begin_behind_events_that_nobody_was_told_of) {
  hooks_.change({}, {}, 0);
  hooks_.change({there_.hook("crm")}, {}, 5);
  add(6);
  EXPECT_THAT(there_.wait_for(1), ElementsAre(R"({"events":[{"seq":6}],"next":6,"dropped":0})"));
}

TEST_F(hooks, that_are_taken_away_wait_for_no_answer) {
  there_.answer_with(0);
  hooks_.change({there_.hook("crm")}, {}, 0);
  add(1);
  (void)there_.wait_for(1);
  hooks_.change({}, {}, 1);
  while (!hooks_.states().empty()) {
  }
  // It comes back, and says again what nobody is known to have taken.
  there_.answer_with(200);
  hooks_.change({there_.hook("crm")}, known(), 1);
  EXPECT_THAT(there_.wait_for(2), testing::Each(R"({"events":[{"seq":1}],"next":1,"dropped":0})"));
}

TEST_F(hooks, are_drained_without_waiting_for_who_says_nothing) {
  there_.answer_with(0);
  hooks_.change({there_.hook("crm")}, {}, 0);
  add(1);
  (void)there_.wait_for(1);
  hooks_.drain(1ms);
  EXPECT_EQ(known().at("crm").after, 0U) << "it is for the next start";
}

TEST_F(hooks, are_drained_at_once_of_what_they_would_say_later) {
  there_.answer_with(500);
  hooks_.change({there_.hook("crm")}, {}, 0);
  add(1);
  (void)there_.wait_for(1);
  while (hooks_.states().at(0).last_error.empty()) {
  }
  EXPECT_TRUE(hooks_.states().at(0).next_try);
  there_.answer_with(200);
  hooks_.drain(1h);
  EXPECT_EQ(known().at("crm").after, 1U);
}

} // namespace
} // namespace jackfield::webhooks
