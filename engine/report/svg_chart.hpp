#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::report {

/// One line of a chart over time, or one bar of each group.
struct chart_line {
  std::string_view label;
  /// One of the style sheet's colours, 1 to 6.
  int colour = 1;
  /// As many as the chart has positions; nothing leaves a gap.
  std::vector<std::optional<double>> values;
};

/// A chart over time as inline SVG with its legend, styled by the page's classes. Labels are ours
/// and must need no escaping. Each position has a tooltip with all its values.
struct time_chart {
  std::string_view title;
  std::string_view unit;    ///< of the values: "calls/s", "ms", ""
  std::vector<double> at_s; ///< positions, seconds, ascending
  std::vector<chart_line> lines;
  std::optional<double> least; ///< where the vertical axis begins; 0 if nothing
  std::optional<double> most;  ///< where it ends at least
};
[[nodiscard]] std::string render(const time_chart& chart);

/// A bar for each named group of values, as inline SVG.
struct bar_chart {
  std::string_view title;
  std::string_view unit; ///< of the names: "ms"
  struct bar {
    std::string name;  ///< under the bar
    std::string range; ///< in the tooltip
    double value;
  };
  std::vector<bar> bars;
};
[[nodiscard]] std::string render(const bar_chart& chart);

} // namespace jackfield::report
