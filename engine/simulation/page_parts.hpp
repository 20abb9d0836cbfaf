#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/report/histogram.hpp"
#include "engine/report/html_page.hpp"
#include "engine/report/svg_plot.hpp"
#include "engine/simulation/estimate.hpp"
#include "engine/simulation/queue_figures.hpp"
#include "engine/simulation/single_queue.hpp"

/// What the pages of a study, of a live run and of a day have in common.
namespace jackfield::simulation {

/// As people round: "94.1 %"; "-" for nothing.
[[nodiscard]] std::string shown_share(std::optional<double> share);
/// "3.9 s", "148 s", "12 min 05 s".
[[nodiscard]] std::string shown_wait(std::optional<double> seconds);
/// The one or the other.
[[nodiscard]] std::string shown_figure(const figure_name& which, std::optional<double> value);
/// With more digits, so that what is beside it can be told apart.
[[nodiscard]] std::string exact_figure(const figure_name& which, std::optional<double> value);
/// " ± 2.2", which does not break, of a figure that is shown `times` as great; nothing without an
/// interval.
[[nodiscard]] std::string shown_margin(const std::optional<estimate>& figure, double times);

/// How long they waited until they were answered, or hung up, in per cent of all these.
[[nodiscard]] report::svg_plot plot_of_waits(std::string title, const report::histogram& answered,
                                             const report::histogram& abandoned);

/// A card with a text for each name, all of them markup.
struct defined {
  std::string name;
  std::string text;
};
void write_defined(report::html_page& w, std::string_view title, const std::vector<defined>& rows);

/// The figures as a page has them in order.
inline constexpr std::array page_figures{
  name_of(queue_figure::level_negative), name_of(queue_figure::level_ignored),
  name_of(queue_figure::level_positive), name_of(queue_figure::asa),
  name_of(queue_figure::abandoned),      name_of(queue_figure::occupancy),
  name_of(queue_figure::p_wait)};
/// Those of its headline.
inline constexpr std::array main_figures{
  name_of(queue_figure::level_negative), name_of(queue_figure::asa),
  name_of(queue_figure::abandoned), name_of(queue_figure::occupancy),
  name_of(queue_figure::p_wait)};

/// How the figures that all pages have are defined.
[[nodiscard]] std::vector<defined> figures_defined();
/// And those of a queue that is studied by itself.
[[nodiscard]] std::vector<defined> figures_defined(const single_queue& queue);
/// What its callers and agents do.
[[nodiscard]] std::vector<defined> model_defined(const single_queue& queue);

} // namespace jackfield::simulation
