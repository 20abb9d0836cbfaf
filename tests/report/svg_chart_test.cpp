#include "engine/report/svg_chart.hpp"

#include <regex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::report {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

/// What an expression with one group finds, in order.
std::vector<std::string> found(const std::string& svg, const char* expression) {
  const std::regex each{expression};
  std::vector<std::string> all;
  for (std::sregex_iterator i{svg.begin(), svg.end(), each}, end; i != end; ++i)
    all.push_back((*i)[1]);
  return all;
}

/// A chart of one line over the seconds 0, 1, 2...
time_chart chart_of(const std::vector<double>& values) {
  time_chart chart{.title = "chart", .unit = {}, .at_s = {}, .lines = {}, .least = {}, .most = {}};
  auto& line = chart.lines.emplace_back();
  line.label = "calls";
  for (const auto value : values) {
    chart.at_s.push_back(static_cast<double>(line.values.size()));
    line.values.emplace_back(value);
  }
  return chart;
}

/// Under the vertical axis' lines, from below.
std::vector<std::string> scale_of(double most) {
  return found(render(chart_of({0, most})), R"(text-anchor="end">([^<]*)<)");
}

/// Between the labels lies 1, 2 or 5 times a power of ten, in about four steps.
TEST(time_chart, has_round_numbers_at_its_axis) {
  EXPECT_THAT(scale_of(4), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(scale_of(7), ElementsAre("0", "2", "4", "6", "8"));
  EXPECT_THAT(scale_of(19), ElementsAre("0", "5", "10", "15", "20"));
  EXPECT_THAT(scale_of(28), ElementsAre("0", "10", "20", "30"));
  EXPECT_THAT(scale_of(36), ElementsAre("0", "10", "20", "30", "40"));
  EXPECT_THAT(scale_of(0.28), ElementsAre("0", "0.1", "0.2", "0.3"));
}

TEST(time_chart, draws_what_lies_below_its_axis_at_the_axis) {
  auto chart = chart_of({1, 0.5, 5});
  chart.least = 1;
  const auto svg = render(chart);
  const auto axis = found(svg, R"x(class="axis" [^>]* y1="([0-9.]+)")x");
  ASSERT_THAT(axis, SizeIs(1));
  const auto heights = found(svg, R"([ML][0-9.]+ ([0-9.]+))");
  ASSERT_THAT(heights, SizeIs(3));
  EXPECT_EQ(heights[0], axis[0]);
  EXPECT_EQ(heights[1], axis[0]);
  EXPECT_LT(std::stod(heights[2]), std::stod(axis[0])) << "y grows downwards";
}

TEST(time_chart, tells_minutes_and_hours_where_it_is_long) {
  const auto shown = [](const std::vector<double>& at_s) {
    auto chart = chart_of(std::vector<double>(at_s.size(), 1));
    chart.at_s = at_s;
    return found(render(chart), "<title>([^\\n]*)\n");
  };
  EXPECT_THAT(shown({0, 65, 119}), ElementsAre("0 s", "65 s", "119 s"));
  EXPECT_THAT(shown({0, 65, 120}), ElementsAre("0:00", "1:05", "2:00"));
  EXPECT_THAT(shown({0, 3'900, 7'200}), ElementsAre("0:00 h", "1:05 h", "2:00 h"));
}

/// A bar is as high as its value, stands over its name, and says what it is where one points.
TEST(bar_chart, has_a_bar_and_a_name_for_each_value) {
  const bar_chart chart{
    .title = "chart",
    .unit = "ms",
    .bars = {{"0", "0 - 10 ms", 1'000}, {"10", "10 - 20 ms", 0}, {"20", "over 20 ms", 2'000}}};
  const auto svg = render(chart);
  EXPECT_THAT(found(svg, "<title>([^<]*)<"),
              ElementsAre("0 - 10 ms: 1,000", "10 - 20 ms: 0", "over 20 ms: 2,000"));
  EXPECT_THAT(found(svg, R"x(text-anchor="middle">([^<]*)<)x"), ElementsAre("0", "10", "20"));
  const auto axis = std::stod(found(svg, R"x(class="axis" [^>]* y1="([0-9.]+)")x").at(0));
  const auto top = found(svg, R"x(class="bar" x="[0-9.]+" y="([0-9.]+)")x");
  const auto height = found(svg, R"x(class="bar" [^>]*height="([0-9.]+)")x");
  ASSERT_THAT(top, SizeIs(3));
  ASSERT_THAT(height, SizeIs(3));
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(std::stod(top[i]) + std::stod(height[i]), axis, 0.1) << "it stands on the axis";
  EXPECT_EQ(height[1], "0.0");
  EXPECT_NEAR(std::stod(height[2]), 2 * std::stod(height[0]), 0.2);
  // Each name is under its bar's middle, on the line where a time chart has its times.
  const auto left = found(svg, R"x(class="bar" x="([0-9.]+)")x");
  const auto width = found(svg, R"x(class="bar" [^>]*width="([0-9.]+)")x");
  const auto name_at = found(svg, R"x(<text x="([0-9.]+)" y="\d+" text-anchor="middle")x");
  const auto name_line = R"x(<text x="[0-9.]+" y="(\d+)" text-anchor="middle")x";
  ASSERT_THAT(name_at, SizeIs(3));
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(std::stod(name_at[i]), std::stod(left[i]) + std::stod(width[i]) / 2, 0.2);
  EXPECT_THAT(found(svg, name_line),
              testing::Each(found(render(chart_of({1, 2})), name_line).at(0)));
}

TEST(bar_chart, says_so_where_nothing_was_measured) {
  for (const auto& bars : {std::vector<bar_chart::bar>{}, {{"0", "0 - 10 ms", 0}}}) {
    const auto svg = render(bar_chart{.title = "chart", .unit = "", .bars = bars});
    EXPECT_THAT(svg, testing::HasSubstr("nothing was measured"));
    EXPECT_THAT(svg, testing::Not(testing::HasSubstr("<svg")));
  }
}

/// Wherever one points, the values shown are those of the nearest position.
TEST(time_chart, has_tooltips_that_meet_half_way) {
  auto chart = chart_of({1, 2, 3, 4});
  chart.at_s = {100, 110, 140, 200};
  const auto svg = render(chart);
  const auto from = found(svg, R"x(<g class="at"><rect x="([0-9.-]+)")x");
  const auto width = found(svg, R"x(<g class="at"><rect x="[0-9.-]+" y="\d+" width="([0-9.]+)")x");
  const auto at = found(svg, R"([ML]([0-9.]+) )");
  ASSERT_THAT(from, SizeIs(4));
  ASSERT_THAT(width, SizeIs(4));
  ASSERT_THAT(at, SizeIs(4));
  EXPECT_EQ(from[0], at[0]);
  for (size_t i = 0; i < 4; ++i) {
    const auto end = std::stod(from[i]) + std::stod(width[i]);
    if (i == 3) {
      EXPECT_NEAR(end, std::stod(at[3]), 0.2);
      continue;
    }
    EXPECT_NEAR(end, std::stod(from[i + 1]), 0.2) << i;
    EXPECT_NEAR(end, (std::stod(at[i]) + std::stod(at[i + 1])) / 2, 0.2) << i;
  }
}

} // namespace
} // namespace jackfield::report
