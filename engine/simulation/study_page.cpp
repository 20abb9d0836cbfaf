#include "engine/simulation/study_page.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/simulation/page_parts.hpp"
#include "engine/simulation/report_parts.hpp"

namespace jackfield::simulation {

namespace {

using report::escape_markup;
using report::html_page;
using report::svg_plot;
using shape = svg_plot::series::shape;
using metric = staffing_target::metric;

/// Which targets may be of it.
std::optional<metric> target_of(queue_figure which) {
  switch (which) {
  case queue_figure::level_negative:
    return metric::service_level;
  case queue_figure::asa:
    return metric::asa;
  case queue_figure::p_wait:
    return metric::p_wait;
  case queue_figure::abandoned:
    return metric::abandoned;
  case queue_figure::occupancy:
    return metric::occupancy;
  case queue_figure::level_ignored:
  case queue_figure::level_positive:
    break;
  }
  return std::nullopt;
}

constexpr auto level = name_of(queue_figure::level_negative);
constexpr auto asa = name_of(queue_figure::asa);
constexpr auto abandoned = name_of(queue_figure::abandoned);
constexpr auto occupancy = name_of(queue_figure::occupancy);
constexpr auto p_wait = name_of(queue_figure::p_wait);

class page_of_study {
public:
  explicit page_of_study(const study_report& report)
      : report_(report), staffing_(report.staffing), one_(staffing_.chosen()),
        w_("Jackfield: a simulated queue") {}

  std::string write() {
    write_header();
    if (one_ != nullptr && one_->study)
      write_tiles(*one_->study);
    else
      write_tiles_of_range();
    if (staffing_.steps.size() > 1)
      write_steps();
    if (one_ != nullptr && one_->study) {
      write_figures(*one_);
      write_waits(*one_);
    }
    write_about();
    return std::move(w_).take();
  }

private:
  [[nodiscard]] bool shows(const figure_name& which) const {
    return report_.queue.patience.has_value() || !which.of_patience;
  }
  [[nodiscard]] bool is_target(const figure_name& which) const {
    return staffing_.target && target_of(which.which) == staffing_.target->what;
  }
  [[nodiscard]] std::string within() const { return shown_length(report_.queue.answer_within); }

  void write_header() {
    const auto& target = staffing_.target;
    const auto& steps = staffing_.steps;
    const auto condition = target ? escape_markup(target->text) : "";
    std::string title;
    if (target && one_ != nullptr)
      title =
        fmt::format("{} agents are the least with {}", report::grouped(one_->agents), condition);
    else if (target)
      title = fmt::format("No number of agents up to {} has {}",
                          report::grouped(steps.back().agents), condition);
    else if (steps.size() > 1)
      title = fmt::format("One queue with {} to {} agents", report::grouped(steps.front().agents),
                          report::grouped(steps.back().agents));
    else
      title = fmt::format("One queue with {} agent{}", report::grouped(steps.front().agents),
                          steps.front().agents == 1 ? "" : "s");
    w_.put("<header><h1>{}</h1>", title);
    if (target)
      w_.put("<span class=\"badge {}\">{}</span>", one_ != nullptr ? "good" : "bad",
             one_ != nullptr ? "TARGET MET" : "TARGET MISSED");
    w_.put("<div class=\"about\">{}.", escape_markup(study_model(report_)));
    if (report_.options.seeds > 1)
      w_.raw(" ± is the 95 % interval over the runs.");
    w_.raw("</div></header>\n");
    auto remarks = study_remarks(report_);
    if (target && one_ != nullptr && !target->surely_met_by(*one_->study))
      remarks.emplace_back("The target is met by the mean, not by all of its 95 % interval: more "
                           "--calls tell better");
    if (remarks.empty())
      return;
    w_.raw("<div class=\"note\"><ul>");
    for (const auto& remark : remarks)
      w_.put("<li>{}.</li>", escape_markup(remark));
    w_.raw("</ul></div>\n");
  }

  void write_tiles(const queue_study& study) {
    w_.raw("<div class=\"tiles\">\n");
    for (const auto& which : main_figures) {
      if (!shows(which))
        continue;
      const auto& f = study[which.which];
      std::string name{which.title};
      if (which.which == queue_figure::level_negative)
        name += fmt::format(" ({})", within());
      name += shown_margin(f.simulated, which.seconds ? 1 : 100);
      if (is_target(which))
        name += fmt::format("<br/>target {}", escape_markup(staffing_.target->text));
      if (f.theory)
        name += fmt::format("<br/>{}: {}", report_.queue.formula(), shown_figure(which, f.theory));
      w_.tile(shown_figure(which, f.simulated.mean), name);
    }
    write_tile_of_calls();
    w_.raw("</div>\n");
  }

  void write_tile_of_calls() {
    w_.tile(report::short_figure(report_.queue.calls_per_second * 3600),
            fmt::format("calls offered an hour<br/>{} Erlangs",
                        report::short_figure(report_.queue.demand().offered_load())));
  }

  /// From the first number of agents that keeps up to the last one.
  void write_tiles_of_range() {
    const auto first = std::ranges::find_if(
      staffing_.steps, [](const auto& step) { return step.study.has_value(); });
    if (first == staffing_.steps.end())
      return;
    const auto& last = staffing_.steps.back();
    w_.raw("<div class=\"tiles\">\n");
    for (const auto& which : main_figures)
      if (shows(which) && last.study)
        w_.tile(fmt::format("{} – {}",
                            shown_figure(which, ((*first->study)[which.which]).simulated.mean),
                            shown_figure(which, ((*last.study)[which.which]).simulated.mean)),
                fmt::format("{}<br/>{} – {} agents", which.title, report::grouped(first->agents),
                            report::grouped(last.agents)));
    write_tile_of_calls();
    w_.raw("</div>\n");
  }

  /// A figure over the numbers of agents.
  void draw(const figure_name& which, std::string title) {
    const double times = which.seconds ? 1 : 100;
    svg_plot plot;
    plot.title = std::move(title);
    plot.unit = which.seconds ? "s" : "%";
    plot.along = "agents";
    svg_plot::series simulated{"simulated", 1, shape::points, {}, {}, false};
    svg_plot::series theory{report_.queue.formula(), 5, shape::dashes, {}, {}, false};
    for (const auto& step : staffing_.steps) {
      if (&step == one_)
        plot.marked = plot.at.size();
      plot.at.push_back(step.agents);
      plot.names.push_back(report::grouped(step.agents));
      const auto* const f = step.study ? &((*step.study)[which.which]) : nullptr;
      const auto scaled = [&](std::optional<double> value) {
        return value ? std::optional{*value * times} : std::nullopt;
      };
      simulated.values.push_back(f != nullptr ? scaled(f->simulated.mean) : std::nullopt);
      simulated.margins.push_back(f != nullptr ? scaled(f->simulated.margin) : std::nullopt);
      theory.values.push_back(f != nullptr ? scaled(f->theory) : std::nullopt);
    }
    if (!which.seconds && which.which != queue_figure::abandoned)
      plot.most = 100;
    if (is_target(which))
      plot.target =
        svg_plot::bound{staffing_.target->bound * times,
                        fmt::format("target {:g} {}", staffing_.target->bound * times, plot.unit),
                        which.which == queue_figure::level_negative, "misses it"};
    plot.lines = {std::move(simulated), std::move(theory)};
    w_.raw(render(plot));
  }

  void write_steps() {
    w_.put("<h2>By number of agents{}</h2>\n<div class=\"plots\">\n",
           one_ != nullptr ? fmt::format("; {} is marked", report::grouped(one_->agents)) : "");
    draw(level, fmt::format("Service level, {}", within()));
    draw(asa, "Average speed of answer");
    draw(occupancy, "Occupancy");
    if (shows(abandoned))
      draw(abandoned, "Abandoned");
    if (is_target(p_wait))
      draw(p_wait, "Has to wait");
    w_.raw("</div>\n");

    std::vector<std::string_view> columns{"agents", "service level", "ASA"};
    if (shows(abandoned))
      columns.emplace_back("abandoned");
    columns.emplace_back("occupancy");
    columns.emplace_back("has to wait");
    w_.raw("<div class=\"stack\">\n");
    w_.begin_table(fmt::format("Simulated <small>{} in small{}</small>", report_.queue.formula(),
                               staffing_.target ? ", ▼ misses the target" : ""),
                   columns);
    for (const auto& step : staffing_.steps) {
      std::vector<std::string> cells{report::grouped(step.agents)};
      if (&step == one_)
        cells.front() += "\u00a0✓";
      if (!step.study)
        cells.emplace_back("the line grows for ever");
      else
        for (const auto& which : main_figures)
          if (shows(which))
            cells.push_back(cell(which, *step.study));
      cells.resize(columns.size());
      if (&step == one_)
        w_.chosen_row(cells);
      else
        w_.table_row(cells);
    }
    w_.end_table();
    w_.raw("</div>\n");
  }

  [[nodiscard]] std::string cell(const figure_name& which, const queue_study& study) const {
    const auto& f = study[which.which];
    const bool missed = is_target(which) && !staffing_.target->met_by(study);
    return fmt::format("{}{}{}{} <small>{}</small>", missed ? "<strong class=\"bad\">▼ " : "",
                       shown_figure(which, f.simulated.mean),
                       shown_margin(f.simulated, which.seconds ? 1 : 100),
                       missed ? "</strong>" : "", shown_figure(which, f.theory));
  }

  void write_figures(const staffing_step& step) {
    w_.put("<h2>With {} agent{}</h2>\n<div class=\"grid\">\n", report::grouped(step.agents),
           step.agents == 1 ? "" : "s");
    w_.begin_table("", {"", "simulated", "95 % interval", report_.queue.formula()});
    for (const auto& which : page_figures) {
      if (!shows(which))
        continue;
      const auto& f = (*step.study)[which.which];
      const auto bounds = f.simulated.margin
                            ? fmt::format("{} to {}", exact_figure(which, f.simulated.low()),
                                          exact_figure(which, f.simulated.high()))
                            : "-";
      w_.table_row({which.which == queue_figure::level_negative
                      ? report::named(which.title, fmt::format("within {}", within()))
                      : std::string{which.title},
                    exact_figure(which, f.simulated.mean), bounds, exact_figure(which, f.theory)});
    }
    w_.end_table();
  }

  void write_waits(const staffing_step& step) {
    auto waits = plot_of_waits("How long callers waited", step.study->answered_waits,
                               step.study->abandoned_waits);
    waits.wide = true;
    w_.raw(render(waits));
    w_.raw("</div>\n");
  }

  void write_about() {
    const auto& o = report_.options;
    w_.raw("<h2>What was simulated</h2>\n<div class=\"stack\">\n");
    std::vector<defined> rows{
      {"Command", fmt::format("<code>{}</code>", escape_markup(report_.info.command))},
      {"Runs", fmt::format("{} from seed {}, each of {} calls{}; the same seed gives the same page",
                           o.seeds, o.seed, report::grouped(o.calls),
                           one_ != nullptr && one_->study
                             ? fmt::format(", after {} that warm it up",
                                           report::grouped(one_->study->warm_up))
                             : "")},
      {"Version", fmt::format("Jackfield {}", escape_markup(report_.info.version))}};
    std::ranges::move(model_defined(report_.queue), std::back_inserter(rows));
    write_defined(w_, "The queue", rows);

    auto figures = figures_defined(report_.queue);
    if (o.seeds > 1)
      figures.push_back({"±", "half the 95 % interval of the mean over the runs, by Student’s t."});
    write_defined(w_, "How figures are defined", figures);
    w_.raw("</div>\n");
  }

  const study_report& report_;
  const staffing_result& staffing_;
  const staffing_step* one_;
  html_page w_;
};

} // namespace

std::string study_html(const study_report& report) {
  return page_of_study{report}.write();
}

} // namespace jackfield::simulation
