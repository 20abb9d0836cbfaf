#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/report/histogram.hpp"
#include "engine/report/html_page.hpp"
#include "engine/report/svg_plot.hpp"
#include "engine/simulation/distribution.hpp"
#include "engine/simulation/estimate.hpp"

/// What the pages of a study and of a day have in common.
namespace jackfield::simulation {

/// As people round: "94.1 %"; "-" for nothing.
[[nodiscard]] std::string shown_share(std::optional<double> share);
/// "3.9 s", "148 s", "12 min 05 s".
[[nodiscard]] std::string shown_wait(std::optional<double> seconds);
/// " ± 2.2", which does not break, of a figure that is shown `times` as great; nothing without an
/// interval.
[[nodiscard]] std::string shown_margin(const std::optional<estimate>& figure, double times);
/// "20 s" of a bound, unrounded.
[[nodiscard]] std::string shown_length(duration length);

/// How long they waited until they were answered, or hung up, in per cent of all these.
[[nodiscard]] report::svg_plot plot_of_waits(std::string title, const report::histogram& answered,
                                             const report::histogram& abandoned);

/// A card with a text for each name, all of them markup.
struct defined {
  std::string name;
  std::string text;
};
void write_defined(report::html_page& w, std::string_view title, const std::vector<defined>& rows);

/// How the figures that both pages have are defined.
[[nodiscard]] std::vector<defined> figures_defined();

} // namespace jackfield::simulation
