#include "engine/scenario/drawn_duration.hpp"

#include <gtest/gtest.h>

namespace jackfield::scenario {
namespace {

using namespace std::chrono_literals;

TEST(drawn_duration, is_the_same_for_all_or_drawn) {
  const auto fixed = parse_drawn_duration("d", "1500ms");
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->at(0), 1500ms);
  EXPECT_EQ(fixed->at(0.99), 1500ms);
  const auto between = parse_drawn_duration("d", "uniform:1s..5s");
  ASSERT_TRUE(between);
  EXPECT_EQ(between->at(0), 1s);
  EXPECT_EQ(between->at(0.5), 3s);
  const auto memoryless = parse_drawn_duration("d", "exp:3s");
  ASSERT_TRUE(memoryless);
  EXPECT_EQ(memoryless->at(0), 0s);
  EXPECT_NEAR(std::chrono::duration<double>(memoryless->at(0.5)).count(), 2.0794, 0.001);
  EXPECT_EQ(drawn_duration{20ms}.at(0.7), 20ms);
}

TEST(drawn_duration, says_what_was_wrong) {
  for (const std::string_view text :
       {"", "exp", "exp:", "exp:-1", "uniform:", "uniform:1s", "uniform:1s..", "uniform:..2s",
        "uniform:2s..1s", "normal:1s"}) {
    const auto read = parse_drawn_duration("--answer-after", text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().place, "--answer-after") << text;
  }
}

} // namespace
} // namespace jackfield::scenario
