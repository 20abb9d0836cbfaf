#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jackfield::report {

/// A chart over positions that have names, such as a day's intervals or numbers of agents, as
/// inline SVG with its legend, styled by the page's classes. All texts are markup. Each position
/// has a tooltip with all its values.
struct svg_plot {
  struct series {
    enum class shape : uint8_t {
      bars,         ///< on top of those of the series before
      points,       ///< with a line through them
      dashes,       ///< a dashed line
      steps,        ///< as wide as their positions
      dashed_steps, ///< such, of a dashed line
    };
    std::string label;
    int colour = 1; ///< one of the style sheet's, 1 to 6
    shape as = shape::points;
    std::vector<std::optional<double>> values; ///< of each position; nothing leaves a gap
    /// How far the error bar of each goes up and down; empty: there are none.
    std::vector<std::optional<double>> margins;
    bool right = false; ///< by the axis at the right side
  };
  /// What the first series' values are to reach, or not to exceed: a line across. Values that do
  /// not keep to it have another mark.
  struct bound {
    double value = 0;
    std::string label;
    bool at_least = true;
    std::string missed; ///< of that mark, in the legend

    [[nodiscard]] bool met_by(double v) const noexcept {
      return at_least ? v >= value : v <= value;
    }
  };

  std::string title;
  std::string unit;       ///< of the axis at the left: "%", "s"
  std::string right_unit; ///< of that at the right, if there is one
  /// So much by the right axis is as high as 1 by the left one; else each has a scale of its own.
  std::optional<double> right_per_left;
  std::string along;      ///< what the positions are: "time of day"
  std::vector<double> at; ///< positions, ascending
  std::vector<std::string> names;
  std::vector<series> lines;
  std::optional<bound> target;
  std::optional<double> most;   ///< where the left axis ends, whatever the values; else by them
  std::optional<size_t> marked; ///< a position that stands out
  bool wide = false;            ///< as for a column twice as wide
};
[[nodiscard]] std::string render(const svg_plot& plot);

} // namespace jackfield::report
