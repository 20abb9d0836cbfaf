#include "app/http/remembered_answers.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace jackfield::http {
namespace {

using namespace std::chrono_literals;

request deletion(std::string key, std::string target = "/v1/calls/1") {
  request made;
  made.method = "DELETE";
  made.target = std::move(target);
  made.idempotency_key = std::move(key);
  made.has_idempotency_key = true;
  return made;
}

TEST(remembered_answers, are_given_again) {
  remembered_answers all{10, 24h};
  const remembered_answers::clock::time_point now{};
  EXPECT_FALSE(all.begin(deletion("a"), now)) << "it is new";
  EXPECT_EQ(all.begin(deletion("a"), now)->status, 409u) << "it is not done yet";
  all.finish("a", {202, "application/json", "done"});
  const auto again = all.begin(deletion("a"), now + 23h);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->status, 202u);
  EXPECT_EQ(again->body, "done");
  EXPECT_EQ(all.begin(deletion("a", "/v1/calls/2"), now)->status, 409u) << "another request";
  EXPECT_FALSE(all.begin(deletion("b"), now)) << "another key";
}

TEST(remembered_answers, are_forgotten_after_a_day) {
  remembered_answers all{10, 24h};
  const remembered_answers::clock::time_point now{};
  EXPECT_FALSE(all.begin(deletion("a"), now));
  all.finish("a", {});
  EXPECT_FALSE(all.begin(deletion("a"), now + 24h));
}

TEST(remembered_answers, what_was_not_done_may_be_tried_again) {
  remembered_answers all{10, 24h};
  const remembered_answers::clock::time_point now{};
  EXPECT_FALSE(all.begin(deletion("a"), now));
  all.forget("a");
  EXPECT_FALSE(all.begin(deletion("a"), now));
}

TEST(remembered_answers, are_so_many_at_most) {
  remembered_answers all{3, 24h};
  const remembered_answers::clock::time_point now{};
  for (const std::string key : {"a", "b", "c", "d"}) {
    EXPECT_FALSE(all.begin(deletion(key), now)) << key;
    all.finish(key, {});
  }
  EXPECT_EQ(all.size(), 3u);
  EXPECT_TRUE(all.begin(deletion("b"), now));
  EXPECT_FALSE(all.begin(deletion("a"), now)) << "the oldest went";
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(all.begin(deletion("again"), now)) << i;
    all.forget("again");
  }
  EXPECT_LE(all.size(), 3u);
}

TEST(remembered_answers, keys_are_short_and_plain) {
  remembered_answers all{3, 24h};
  for (const std::string& key : {std::string{}, std::string(256, 'a'), std::string{"a b"},
                                 std::string{"a\nb"}, std::string{"\xc3\xa9"}})
    EXPECT_EQ(all.begin(deletion(key), {})->status, 400u) << key;
  EXPECT_FALSE(all.begin(deletion(std::string(255, 'a')), {}));
}

} // namespace
} // namespace jackfield::http
