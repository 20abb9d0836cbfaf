#include "engine/simulation/timer_heap.hpp"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

TEST(timer_heap, gives_the_first_and_of_those_at_once_the_first_set) {
  timer_heap timers;
  timers.set(3, time_point{5s});
  timers.set(1, time_point{5s});
  timers.set(2, time_point{4s});
  timers.set(3, time_point{5s}); // the same: keeps its turn
  EXPECT_EQ(timers.next(), time_point{4s});
  EXPECT_EQ(timers.pop(), 2U);
  EXPECT_EQ(timers.pop(), 3U);
  EXPECT_EQ(timers.pop(), 1U);
  EXPECT_TRUE(timers.empty());
  EXPECT_EQ(timers.next(), policy::never);
}

TEST(timer_heap, is_set_anew_and_cleared) {
  timer_heap timers;
  timers.set(1, time_point{5s});
  timers.set(2, time_point{6s});
  timers.set(1, time_point{7s});
  timers.set(7, policy::never); // was not set
  EXPECT_EQ(timers.pop(), 2U);
  timers.set(1, policy::never);
  EXPECT_TRUE(timers.empty());
}

TEST(timer_heap, does_as_a_map_does) {
  timer_heap timers;
  std::map<uint32_t, time_point> known;
  std::mt19937 random{1};
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t timer = random() % 100;
    switch (random() % 4) {
    case 0:
      timers.set(timer, policy::never);
      known.erase(timer);
      break;
    case 1:
      if (!timers.empty()) {
        const auto due = timers.next();
        const auto first = timers.pop();
        ASSERT_EQ(known.at(first), due);
        for (const auto& [other, at] : known)
          ASSERT_LE(due, at);
        known.erase(first);
      }
      break;
    default:
      known[timer] = time_point{std::chrono::seconds{random() % 1000}};
      timers.set(timer, known[timer]);
    }
  }
  ASSERT_EQ(timers.empty(), known.empty());
}

} // namespace
} // namespace jackfield::simulation
