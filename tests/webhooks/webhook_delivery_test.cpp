#include "app/webhooks/webhook_delivery.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::webhooks {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

class delivery : public testing::Test {
protected:
  void add(const std::string& name, size_t size = 0) {
    ++seq_;
    backlog_.add(seq_, {name, "{\"seq\":" + std::to_string(seq_) + std::string(size, ' ') + "}"});
  }
  void add(int count) {
    for (int i = 0; i < count; ++i)
      add("call.entered");
  }
  /// What is sent now; empty: nothing is.
  std::string sent() {
    const auto* const message = hook_.begin(now_, backlog_);
    return message == nullptr ? "" : message->body;
  }
  std::chrono::milliseconds pause() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(*hook_.next_try() - now_);
  }

  event_backlog backlog_{1000, 1'000'000};
  uint64_t seq_ = 0;
  webhook_delivery hook_{{}, {0, 0, 0xabc}};
  webhook_delivery::clock::time_point now_{};
};

TEST_F(delivery, sends_what_there_is_one_message_at_a_time) {
  EXPECT_EQ(sent(), "");
  add(2);
  EXPECT_EQ(sent(), R"({"events":[{"seq":1},{"seq":2}],"next":2,"dropped":0})");
  add(1);
  EXPECT_EQ(sent(), "") << "the first is not taken yet";
  EXPECT_EQ(hook_.cursor().after, 0U);
  hook_.on_answer(204, now_);
  EXPECT_EQ(hook_.cursor().after, 2U);
  EXPECT_EQ(hook_.deliveries(), 1U);
  EXPECT_EQ(sent(), R"({"events":[{"seq":3}],"next":3,"dropped":0})");
  hook_.on_answer(200, now_);
  EXPECT_EQ(sent(), "");
}

TEST_F(delivery, sends_a_message_again_as_it_was_until_it_is_taken) {
  add(1);
  const auto* const first = hook_.begin(now_, backlog_);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->id, "msg_0000000000000abc_1_1");
  const auto id = first->id;
  const auto body = first->body;
  add(1);
  hook_.on_answer(500, now_);
  EXPECT_EQ(hook_.last_error(), "the receiver answered 500");
  EXPECT_EQ(sent(), "") << "not at once";
  now_ = *hook_.next_try() - 1ms;
  EXPECT_EQ(sent(), "");
  now_ += 1ms;
  const auto* const again = hook_.begin(now_, backlog_);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->id, id);
  EXPECT_EQ(again->body, body);
  hook_.on_failure("nobody is there", now_);
  EXPECT_EQ(hook_.last_error(), "nobody is there");
  EXPECT_EQ(hook_.failures(), 2U);
  now_ = *hook_.next_try();
  ASSERT_EQ(sent(), body);
  hook_.on_answer(200, now_);
  EXPECT_EQ(hook_.last_error(), "");
  EXPECT_EQ(hook_.cursor().after, 1U);
  EXPECT_THAT(sent(), HasSubstr("{\"seq\":2}"));
}

TEST_F(delivery, waits_for_longer_each_time_but_never_for_more_than_five_minutes) {
  add(1);
  auto least = 1'000ms;
  for (int i = 0; i < 40; ++i) {
    ASSERT_NE(sent(), "") << "given up after " << i;
    hook_.on_failure("x", now_);
    EXPECT_GE(pause(), least);
    EXPECT_LE(pause(), least * 3 / 2);
    now_ = *hook_.next_try();
    least = std::min(2 * least, 200'000ms);
  }
  ASSERT_NE(sent(), "");
  hook_.on_answer(200, now_);
  add(1);
  ASSERT_NE(sent(), "");
  hook_.on_answer(503, now_);
  EXPECT_LE(pause(), 1'500ms) << "the next message begins anew";
}

TEST_F(delivery, of_two_hooks_comes_back_at_two_times) {
  webhook_delivery other{{}, {0, 0, 0xdef}};
  add(1);
  int same = 0;
  for (int i = 0; i < 10; ++i) {
    (void)hook_.begin(now_, backlog_);
    (void)other.begin(now_, backlog_);
    hook_.on_failure("x", now_);
    other.on_failure("x", now_);
    same += hook_.next_try() == other.next_try();
    now_ += 10min;
  }
  EXPECT_LT(same, 3);
}

TEST_F(delivery, bounds_a_message_by_events_and_by_bytes) {
  add(150);
  const auto* const first = hook_.begin(now_, backlog_);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->count, 100U);
  EXPECT_EQ(first->next, 100U);
  hook_.on_answer(200, now_);
  ASSERT_EQ(hook_.begin(now_, backlog_)->count, 50U);
  hook_.on_answer(200, now_);
  for (int i = 0; i < 5; ++i)
    add("call.entered", 100'000);
  const auto* const big = hook_.begin(now_, backlog_);
  ASSERT_NE(big, nullptr);
  EXPECT_EQ(big->count, 2U);
  EXPECT_LE(big->body.size(), webhook_delivery::most_bytes + 100);
  hook_.on_answer(200, now_);
  add("call.entered", 300'000);
  for (int i = 0; i < 2; ++i) {
    ASSERT_NE(sent(), "");
    hook_.on_answer(200, now_);
  }
  EXPECT_EQ(hook_.begin(now_, backlog_)->count, 1U) << "alone it may be too long";
}

TEST_F(delivery, passes_over_what_it_is_not_told_of) {
  webhook_delivery hook{{"agent.", "call.completed"}, {0, 0, 1}};
  add("call.entered");
  EXPECT_EQ(hook.begin(now_, backlog_), nullptr);
  EXPECT_EQ(hook.cursor().after, 1U);
  add("agent.state");
  add("call.offered");
  add("call.completed");
  add("call.entered");
  const auto* const message = hook.begin(now_, backlog_);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->body, R"({"events":[{"seq":2},{"seq":4}],"next":5,"dropped":0})");
  hook.on_answer(200, now_);
  EXPECT_EQ(hook.cursor().after, 5U);
}

TEST_F(delivery, says_how_many_events_were_gone_before_it_could_tell_them) {
  add(1);
  ASSERT_NE(sent(), "");
  hook_.on_failure("x", now_);
  add(1005);
  now_ = *hook_.next_try();
  EXPECT_THAT(sent(), StartsWith(R"({"events":[{"seq":1}])")) << "the message that it has is kept";
  hook_.on_answer(200, now_);
  // Of 1006 the last 1000 are there, 1 was told.
  const auto* const next = hook_.begin(now_, backlog_);
  ASSERT_NE(next, nullptr);
  EXPECT_THAT(next->body, StartsWith(R"({"events":[{"seq":7})"));
  EXPECT_THAT(next->body, HasSubstr(R"("dropped":5})"));
  EXPECT_EQ(hook_.dropped(), 5U);
  hook_.on_failure("x", now_);
  now_ = *hook_.next_try();
  EXPECT_THAT(sent(), HasSubstr(R"("dropped":5})")) << "until that is heard";
  hook_.on_answer(200, now_);
  EXPECT_THAT(sent(), HasSubstr(R"("dropped":0})"));
  EXPECT_EQ(hook_.cursor().dropped, 0U);
}

TEST_F(delivery, keeps_in_mind_what_was_gone_where_nothing_is_told) {
  webhook_delivery hook{{"agent."}, {0, 0, 1}};
  add(1005);
  EXPECT_EQ(hook.begin(now_, backlog_), nullptr);
  EXPECT_EQ(hook.cursor(), (webhook_cursor{1005, 5, 1}));
  webhook_delivery after{{"agent."}, hook.cursor()}; // a restart
  add("agent.state");
  const auto* const message = after.begin(now_, backlog_);
  ASSERT_NE(message, nullptr);
  EXPECT_THAT(message->body, HasSubstr(R"("dropped":5})"));
}

TEST_F(delivery, stops_at_410_until_it_begins_anew) {
  add(1);
  ASSERT_NE(sent(), "");
  hook_.on_answer(410, now_);
  EXPECT_TRUE(hook_.is_stopped());
  EXPECT_FALSE(hook_.next_try());
  now_ += 24h;
  EXPECT_EQ(sent(), "");
  hook_.begin_anew({});
  EXPECT_FALSE(hook_.is_stopped());
  EXPECT_THAT(sent(), HasSubstr("{\"seq\":1}"));
}

TEST_F(delivery, that_begins_anew_does_not_wait_and_tells_what_it_is_to_tell_now) {
  add("call.entered");
  add("agent.state");
  ASSERT_NE(sent(), "");
  hook_.begin_anew({"agent."});
  hook_.on_answer(200, now_); // of what nobody waits for any more
  EXPECT_EQ(hook_.deliveries(), 0U);
  EXPECT_EQ(sent(), R"({"events":[{"seq":2}],"next":2,"dropped":0})");
  hook_.on_failure("x", now_);
  hook_.begin_anew({"agent."});
  EXPECT_NE(sent(), "");
}

TEST_F(delivery, follows_no_redirect) {
  add(1);
  ASSERT_NE(sent(), "");
  hook_.on_answer(307, now_);
  EXPECT_EQ(hook_.last_error(), "the receiver answered 307, and redirects are not followed");
  EXPECT_TRUE(hook_.next_try());
}

TEST_F(delivery, of_a_cursor_ahead_of_all_waits_for_what_is_behind_it) {
  webhook_delivery hook{{}, {7, 0, 1}};
  add(7);
  EXPECT_EQ(hook.begin(now_, backlog_), nullptr);
  add(1);
  ASSERT_NE(hook.begin(now_, backlog_), nullptr);
}

TEST(backlog, forgets_what_is_before_a_gap) {
  event_backlog all{10, 1000};
  EXPECT_EQ(all.first(), 1U);
  all.add(5, {"a", "1"});
  all.add(6, {"b", "2"});
  EXPECT_EQ(all.first(), 5U);
  EXPECT_EQ(all.at(6).name, "b");
  all.add(9, {"c", "3"});
  EXPECT_EQ(all.first(), 9U);
  EXPECT_EQ(all.last(), 9U);
}

TEST(backlog, forgets_nothing_that_it_has_if_it_has_all) {
  event_backlog all{10, 1000};
  all.pass(4);
  EXPECT_EQ(all.first(), 5U);
  all.add(5, {"a", "1"});
  all.pass(5);
  EXPECT_EQ(all.first(), 5U);
  all.pass(6);
  EXPECT_EQ(all.first(), 7U);
}

TEST(backlog, is_bounded_by_bytes) {
  event_backlog all{10, 100};
  all.add(1, {"a", std::string(60, 'x')});
  all.add(2, {"a", std::string(60, 'x')});
  EXPECT_EQ(all.first(), 2U);
  all.add(3, {"a", std::string(200, 'x')});
  EXPECT_EQ(all.first(), 3U) << "the last one is there, whatever its length";
}

} // namespace
} // namespace jackfield::webhooks
