#include "engine/scenario/dial_plan.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(dial_plan, has_digits_and_the_times_at_which_they_begin) {
  const auto read = [](std::string_view text) { return parse_dial_plan("--dtmf", text).value(); };
  EXPECT_THAT(read("123#"), ElementsAre(dial_part{0s, "123#"}));
  EXPECT_THAT(read("2s:1,500s:{pin}#"), ElementsAre(dial_part{2s, "1"}, dial_part{500s, "{pin}#"}));
  EXPECT_THAT(read("9,1.5s:12,34,300s:5"),
              ElementsAre(dial_part{0s, "9"}, dial_part{1500ms, "12"}, dial_part{1500ms, "34"},
                          dial_part{300s, "5"}));
  EXPECT_THAT(read("3:7"), ElementsAre(dial_part{3s, "7"})) << "seconds, as elsewhere";
}

TEST(dial_plan, errors_say_what_was_expected) {
  const auto said = [](std::string_view text) {
    return parse_dial_plan("--dtmf", text).error().to_string();
  };
  const auto without = [](const std::string& text) {
    return "--dtmf: \"" + text +
           "\" has a part without digits, expected such as 12#, or 2s:1234,10s:{pin}#";
  };
  for (const auto* text : {"", "1,", ",1", "2s:", "1,,2"})
    EXPECT_EQ(said(text), without(text));
  EXPECT_EQ(said("5s:1,2s:3"),
            "--dtmf: \"2s:3\" is before the part that it follows, expected parts "
            "in the order of their times");
  EXPECT_EQ(said("soon:1"),
            "--dtmf: \"soon\" is no duration, expected a number with ms, s, m or h (30s)");
}

} // namespace
} // namespace jackfield::scenario
