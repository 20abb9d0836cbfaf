#include "app/http/event_feed.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class feed : public testing::Test {
protected:
  void add(uint64_t upto) {
    while (seq_ < upto) {
      ++seq_;
      feed_.add(seq_, "{\"seq\":" + std::to_string(seq_) + "}");
    }
  }
  void read(const event_feed::wish& what) {
    feed_.read(what, [this](answer a) { answers_.push_back(std::move(a)); });
  }

  event_feed feed_{3};
  uint64_t seq_ = 0;
  std::vector<answer> answers_;
  event_feed::clock::time_point now_{};
};

TEST_F(feed, is_read_on_from_where_one_was) {
  read({});
  EXPECT_EQ(answers_.back().body, "{\"events\":[],\"next\":0,\"oldest\":1,\"newest\":0}\n");
  add(3);
  read({0, 2, {}});
  EXPECT_EQ(answers_.back().body,
            "{\"events\":[{\"seq\":1},{\"seq\":2}],\"next\":2,\"oldest\":1,\"newest\":3}\n");
  read({2, 2, {}});
  EXPECT_EQ(answers_.back().body,
            "{\"events\":[{\"seq\":3}],\"next\":3,\"oldest\":1,\"newest\":3}\n");
  read({3, 2, {}});
  EXPECT_EQ(answers_.back().body, "{\"events\":[],\"next\":3,\"oldest\":1,\"newest\":3}\n");
}

TEST_F(feed, tells_who_has_missed_some) {
  add(5);
  read({1, 10, {}});
  EXPECT_EQ(answers_.back().status, 410u);
  EXPECT_THAT(answers_.back().body, HasSubstr("\"field\":\"after\""));
  EXPECT_THAT(answers_.back().body, HasSubstr("the oldest is 3"));
  read({2, 10, {}});
  EXPECT_EQ(answers_.back().status, 200u) << "it has missed none";
  read({6, 10, {}});
  EXPECT_EQ(answers_.back().status, 410u) << "of a run before";
  read({});
  EXPECT_EQ(
    answers_.back().body,
    "{\"events\":[{\"seq\":3},{\"seq\":4},{\"seq\":5}],\"next\":5,\"oldest\":3,\"newest\":5}\n");
}

TEST_F(feed, lets_wait_for_the_next) {
  add(1);
  read({1, 10, now_ + 30s});
  EXPECT_TRUE(answers_.empty()) << "there is none yet";
  add(2);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_THAT(answers_[0].body, HasSubstr("[{\"seq\":2}],\"next\":2"));
  add(3);
  EXPECT_EQ(answers_.size(), 1u) << "it was answered once";
  read({1, 10, now_ + 30s});
  EXPECT_EQ(answers_.size(), 2u) << "there are some already";
}

TEST_F(feed, waits_no_longer_than_wished) {
  read({0, 10, now_ + 30s});
  feed_.on_time(now_ + 29s);
  EXPECT_TRUE(answers_.empty());
  feed_.on_time(now_ + 30s);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].status, 200u);
  EXPECT_THAT(answers_[0].body, HasSubstr("\"events\":[]"));
}

TEST_F(feed, has_room_for_so_many_who_wait) {
  for (size_t i = 0; i < event_feed::most_waiting; ++i)
    read({0, 10, now_ + 30s});
  EXPECT_TRUE(answers_.empty());
  read({0, 10, now_ + 30s});
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].status, 503u);
  add(1);
  EXPECT_EQ(answers_.size(), 1 + event_feed::most_waiting);
}

} // namespace
} // namespace jackfield::http
