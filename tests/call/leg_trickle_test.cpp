#include "actors/call/leg_trickle.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield {
namespace {

sdp::ice_fragment::stream with(std::vector<std::string> candidates, bool complete = false) {
  return {"ufrag", "password", "0", std::move(candidates), complete};
}

TEST(leg_trickle, has_one_info_on_its_way_with_all_that_is_there) {
  leg_trickle t;
  t.peer_takes = true;
  EXPECT_EQ(t.next(), nullptr);
  t.tell(with({"a"}));
  ASSERT_NE(t.next(), nullptr);
  t.on_sent(7);
  t.tell(with({"a", "b"}));
  t.tell(with({"a", "b", "c"}, true));
  EXPECT_EQ(t.next(), nullptr) << "one is under way";
  EXPECT_FALSE(t.on_response(8, 200)) << "of another request";
  EXPECT_TRUE(t.on_response(7, 200));
  ASSERT_NE(t.next(), nullptr);
  EXPECT_EQ(*t.next(), with({"a", "b", "c"}, true));
  t.on_sent(8);
  EXPECT_TRUE(t.on_response(8, 200));
  EXPECT_EQ(t.next(), nullptr);
  t.tell(with({"a", "b", "c"}, true));
  EXPECT_EQ(t.next(), nullptr) << "it was told";
}

TEST(leg_trickle, sends_nothing_to_a_peer_that_does_not_take_it) {
  leg_trickle t;
  t.tell(with({"a"}));
  EXPECT_EQ(t.next(), nullptr);
  t.peer_takes = true; // it says so later
  EXPECT_NE(t.next(), nullptr);
}

TEST(leg_trickle, stops_where_one_is_refused_or_unanswered) {
  for (const int status : {0, 300, 415, 469, 481, 503}) {
    leg_trickle t;
    t.peer_takes = true;
    t.tell(with({"a"}));
    t.on_sent(1);
    EXPECT_TRUE(t.on_response(1, status));
    t.tell(with({"a", "b"}));
    EXPECT_EQ(t.next(), nullptr) << status;
  }
}

/// Any 2xx says that it was taken (RFC 3261 §7.2).
TEST(leg_trickle, goes_on_where_one_was_taken) {
  for (const int status : {200, 202, 299}) {
    leg_trickle t;
    t.peer_takes = true;
    t.tell(with({"a"}));
    t.on_sent(1);
    EXPECT_TRUE(t.on_response(1, status));
    EXPECT_EQ(t.next(), nullptr) << status;
    t.tell(with({"a", "b"}));
    EXPECT_NE(t.next(), nullptr) << status;
  }
}

TEST(leg_trickle, repeats_what_was_overtaken_a_few_times) {
  leg_trickle t;
  t.peer_takes = true;
  t.tell(with({"a"}));
  uint32_t sent = 0;
  for (; t.next() != nullptr && sent < 100; ++sent) {
    t.on_sent(sent + 1);
    EXPECT_TRUE(t.on_response(sent + 1, 500));
  }
  EXPECT_EQ(sent, 5U);
}

TEST(leg_trickle, keeps_the_latest_of_what_comes_too_early) {
  leg_trickle t;
  for (int i = 0; i < 10; ++i)
    t.keep({{with({std::to_string(i)})}});
  const auto kept = t.take_kept();
  ASSERT_EQ(kept.size(), leg_trickle::most_kept);
  EXPECT_EQ(kept.front().streams[0].candidates[0], "6");
  EXPECT_EQ(kept.back().streams[0].candidates[0], "9");
  EXPECT_TRUE(t.take_kept().empty());
}

} // namespace
} // namespace jackfield
