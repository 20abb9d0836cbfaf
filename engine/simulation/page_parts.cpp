#include "engine/simulation/page_parts.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/simulation/report_parts.hpp"
#include "engine/simulation/wait_groups.hpp"

namespace jackfield::simulation {

using report::svg_plot;

std::string shown_share(std::optional<double> share) {
  if (!share || !std::isfinite(*share))
    return "-";
  const double percent = *share * 100;
  return percent > 0 && percent < 0.95 ? fmt::format("{:.2f} %", percent)
                                       : fmt::format("{:.1f} %", percent);
}

std::string shown_wait(std::optional<double> seconds) {
  if (!seconds || !std::isfinite(*seconds))
    return "-";
  if (*seconds > 0 && *seconds < 0.95)
    return fmt::format("{:.2f} s", *seconds);
  if (*seconds < 9.95)
    return fmt::format("{:.1f} s", *seconds);
  const auto whole = std::llround(*seconds);
  if (whole < 600)
    return fmt::format("{} s", whole);
  return whole < 7200 ? fmt::format("{} min {:02} s", whole / 60, whole % 60)
                      : fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string shown_figure(const figure_name& which, std::optional<double> value) {
  return which.seconds ? shown_wait(value) : shown_share(value);
}

std::string exact_figure(const figure_name& which, std::optional<double> value) {
  if (!value || !std::isfinite(*value))
    return "-";
  return figure_text(which.seconds ? *value : std::clamp(*value, 0., 1.), which.seconds);
}

std::string shown_margin(const std::optional<estimate>& figure, double times) {
  if (!figure || !figure->margin)
    return "";
  const double margin = *figure->margin * times;
  return fmt::format(" ±\u00a0{:.{}f}", margin,
                     margin >= 9.95                 ? 0
                     : margin > 0 && margin < 0.095 ? 2
                                                    : 1);
}

svg_plot plot_of_waits(std::string title, const report::histogram& answered,
                       const report::histogram& abandoned) {
  svg_plot plot;
  plot.title = std::move(title);
  plot.unit = "% of calls";
  plot.along = "seconds waited, up to";
  svg_plot::series served{"answered", 1, svg_plot::series::shape::bars, {}, {}, false};
  svg_plot::series lost{"hung up", 5, svg_plot::series::shape::bars, {}, {}, false};
  const auto all = static_cast<double>(answered.count() + abandoned.count());
  auto groups = grouped_waits(answered, abandoned);
  while (!groups.empty() && groups.back().answered + groups.back().abandoned == 0)
    groups.pop_back(); // nobody waited so long
  for (const auto& group : groups) {
    plot.at.push_back(static_cast<double>(plot.at.size()));
    plot.names.push_back(group.up_to_s ? std::to_string(*group.up_to_s) : "∞");
    served.values.emplace_back(100 * static_cast<double>(group.answered) / all);
    lost.values.emplace_back(100 * static_cast<double>(group.abandoned) / all);
  }
  plot.lines.push_back(std::move(served));
  if (!abandoned.empty())
    plot.lines.push_back(std::move(lost));
  return plot;
}

void write_defined(report::html_page& w, std::string_view title, const std::vector<defined>& rows) {
  w.put("<section class=\"card\"><h3>{}</h3><dl>\n", title);
  for (const auto& row : rows)
    w.put("<dt>{}</dt><dd>{}</dd>\n", row.name, row.text);
  w.raw("</dl></section>\n");
}

std::vector<defined> figures_defined() {
  return {
    {"Service level",
     "answered within T, of all calls offered: who hangs up counts as missed, however soon "
     "(“abandoned negative”). This is the one in charts and targets."},
    {"… short abandons ignored",
     "answered within T, of all offered but those who hung up within T."},
    {"… short abandons as met", "answered within T or hung up within T, of all calls offered "
                                "(“abandoned positive”)."},
    {"ASA", "average speed of answer: the mean wait of those who were answered, in the queue and "
            "while the agent’s phone rang."},
    {"Abandoned", "hung up while they waited, of all calls offered."},
    {"Occupancy", "the agents’ time in calls and wrap-up, of the time in which they are logged in, "
                  "reachable and not on a break."},
  };
}

std::vector<defined> figures_defined(const single_queue& queue) {
  auto figures = figures_defined();
  figures.push_back({"T", fmt::format("{} here.", shown_length(queue.answer_within))});
  figures.push_back({"Has to wait", "no agent was free when the caller came, of all offered."});
  figures.push_back({queue.formula(), queue.patience
                                        ? "the formula for a queue whose callers give up."
                                        : "the formula for a queue whose callers wait for ever."});
  return figures;
}

std::vector<defined> model_defined(const single_queue& queue) {
  const auto text = [](const distribution& d) { return report::escape_markup(d.to_string()); };
  return {
    {"Callers", fmt::format("{} an hour at random; talk {}; patience {}",
                            report::short_figure(queue.calls_per_second * 3600), text(queue.talk),
                            queue.patience ? text(*queue.patience) : "endless")},
    {"Agents",
     fmt::format("all alike; wrap-up {}; the phone is answered after {}, and {} of "
                 "offers are not answered",
                 text(queue.wrap_up), text(queue.answers_after), shown_share(queue.no_answer))}};
}

} // namespace jackfield::simulation
