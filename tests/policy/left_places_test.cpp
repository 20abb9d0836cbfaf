#include "engine/policy/left_places.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1h};

TEST(left_places, who_calls_again_in_time_has_its_place_once) {
  left_places places;
  places.leave(start + 30s, "bob", start, start + 150s);
  EXPECT_EQ(places.take(start + 40s, "alice"), std::nullopt);
  EXPECT_EQ(places.take(start + 149s, "bob"), start);
  EXPECT_EQ(places.take(start + 149s, "bob"), std::nullopt);
  EXPECT_EQ(places.size(), 0U);
}

TEST(left_places, who_calls_too_late_begins_anew) {
  left_places places;
  places.leave(start, "bob", start, start + 60s);
  EXPECT_EQ(places.take(start + 60s, "bob"), std::nullopt);
  EXPECT_EQ(places.size(), 0U);
  places.leave(start + 60s, "carol", start, start + 60s);
  EXPECT_EQ(places.size(), 0U) << "for no time";
}

TEST(left_places, the_latest_of_one_counts) {
  left_places places;
  places.leave(start, "bob", start, start + 60s);
  places.leave(start + 50s, "bob", start + 10s, start + 110s);
  EXPECT_EQ(places.size(), 1U);
  EXPECT_EQ(places.take(start + 100s, "bob"), start + 10s);
}

TEST(left_places, an_older_one_that_lasts_longer_hides_no_other_that_is_over) {
  left_places places;
  places.leave(start, "bob", start, start + 1h);
  places.leave(start, "carol", start, start + 1s);
  EXPECT_EQ(places.take(start + 2s, "carol"), std::nullopt);
  EXPECT_EQ(places.take(start + 2s, "bob"), start);
}

TEST(left_places, are_bounded) {
  left_places places;
  for (size_t i = 0; i < 3 * left_places::most; ++i)
    places.leave(start, std::to_string(i), start, start + 60s);
  EXPECT_EQ(places.size(), left_places::most);
  EXPECT_EQ(places.take(start, "0"), std::nullopt);
  EXPECT_EQ(places.take(start, std::to_string(3 * left_places::most - 1)), start);
  for (size_t i = 0; i < 3 * left_places::most; ++i)
    places.leave(start, "bob", start, start + 60s);
  EXPECT_EQ(places.size(), 1U);
}

} // namespace
} // namespace jackfield::policy
