#include "engine/report/svg_plot.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::report {
namespace {

using shape = svg_plot::series::shape;

/// In per cent, at four positions, beside a target of 80.
svg_plot plot_of(std::vector<std::optional<double>> values, shape as = shape::points) {
  svg_plot plot;
  plot.title = "level";
  plot.unit = "%";
  plot.along = "time";
  plot.at = {0, 1, 2, 3};
  plot.names = {"a", "b", "c", "d"};
  plot.most = 100;
  plot.target = svg_plot::bound{80, "target", true, "below"};
  plot.lines.push_back({"values", 1, as, std::move(values), {}, false});
  return plot;
}

struct place {
  bool at_left = false;
  bool above = false;
};

/// Where the target's name is, by its line.
place label_of(const svg_plot& plot) {
  const auto svg = render(plot);
  const auto number = [&](const std::string& tag, const std::string& name) {
    const auto at = svg.find(name + "=\"", svg.find(tag));
    return std::stod(svg.substr(at + name.size() + 2));
  };
  const auto text = svg.substr(svg.find("<text class=\"halo\""));
  return {text.substr(0, text.find('>')).find("text-anchor") == std::string::npos,
          number("<text class=\"halo\"", "y") < number("<line class=\"bound\"", "y1")};
}

TEST(svg_plot, names_the_target_where_lines_leave_room) {
  const auto expect = [](std::vector<std::optional<double>> values, bool at_left, bool above) {
    const auto label = label_of(plot_of(std::move(values)));
    EXPECT_EQ(label.at_left, at_left);
    EXPECT_EQ(label.above, above);
  };
  expect({95, 95, 95, 95}, true, true);
  expect({85, 85, 30, 30}, false, true);
  expect({85, 85, 85, 85}, true, false);
  expect({std::nullopt, 85, 85, 85}, true, true);
  expect({85, 75, 75, 85}, true, false);
  // An error bar hides it as a line does.
  auto plot = plot_of({95, 30, 30, 30});
  plot.lines[0].margins = {14, std::nullopt, std::nullopt, std::nullopt};
  EXPECT_FALSE(label_of(plot).at_left);
  // No room above the uppermost line of all.
  plot = plot_of({50, 50, 50, 50});
  plot.target->value = 100;
  EXPECT_FALSE(label_of(plot).above);
  plot.target->value = 0;
  EXPECT_TRUE(label_of(plot).above);
}

TEST(svg_plot, draws_steps_as_wide_as_their_positions_and_dashed_ones) {
  const auto solid = render(plot_of({10, std::nullopt, 20, 30}, shape::steps));
  const auto dashed = render(plot_of({10, std::nullopt, 20, 30}, shape::dashed_steps));
  const auto path = [](const std::string& svg, const std::string& of) {
    const auto at = svg.find("<path class=\"" + of + " c1\" d=\"");
    EXPECT_NE(at, std::string::npos) << svg;
    const auto from = svg.find(" d=\"", at) + 4;
    return svg.substr(from, svg.find('"', from) - from);
  };
  const auto steps = path(solid, "line");
  EXPECT_EQ(steps, path(dashed, "line dashes"));
  EXPECT_EQ(std::count(steps.begin(), steps.end(), 'M'), 2) << "the gap: " << steps;
  EXPECT_EQ(std::count(steps.begin(), steps.end(), 'H'), 3) << steps;
  EXPECT_NE(dashed.find("<li class=\"dashes c1\">values</li>"), std::string::npos);
  EXPECT_NE(solid.find("<path class=\"under\""), std::string::npos);
}

} // namespace
} // namespace jackfield::report
