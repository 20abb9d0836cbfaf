#include "engine/simulation/live_page.hpp"

#include <algorithm>
#include <array>
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
using report::grouped;
using report::html_page;
using report::svg_plot;

/// A figure on a line of its own: what is expected as a bar, and what was live and else on it. Told
/// apart by their shapes, not by colours alone.
class range_drawing {
public:
  range_drawing(const figure_name& which, const live_figure& figure)
      : which_(which), figure_(figure) {
    for (const auto& each :
         {figure.live, figure.twin, figure.theory, figure.expected_low, figure.expected_high})
      if (each) {
        from_ = any_ ? std::min(from_, *each) : *each;
        to_ = any_ ? std::max(to_, *each) : *each;
        any_ = true;
      }
    // What is as good as the same is not drawn apart.
    const double wider = ((which.seconds ? 0.1 : 0.01) - (to_ - from_)) / 2;
    if (wider > 0) {
      from_ -= wider;
      to_ += wider;
    }
  }

  std::string draw() {
    if (!any_)
      return "-";
    put("<svg viewBox=\"0 0 {} 24\" style=\"width:{}px\" role=\"img\" "
        "aria-label=\"{}\"><title>{}</title>"
        "<line class=\"axis\" x1=\"0\" y1=\"12\" x2=\"{}\" y2=\"12\"/>",
        width, width, description(), description(), width);
    if (figure_.expected_low && figure_.expected_high)
      put("<rect class=\"bars c2\" fill-opacity=\"0.45\" x=\"{:.1f}\" y=\"6\" width=\"{:.1f}\" "
          "height=\"12\" rx=\"2\"/>",
          x(*figure_.expected_low) - 1, x(*figure_.expected_high) - x(*figure_.expected_low) + 2);
    if (figure_.theory)
      put("<line class=\"bound\" x1=\"{0:.1f}\" y1=\"1\" x2=\"{0:.1f}\" y2=\"23\"/>",
          x(*figure_.theory));
    if (figure_.live && figure_.inside())
      put("<circle class=\"dot c1\" cx=\"{:.1f}\" cy=\"12\" r=\"4.5\"/>", x(*figure_.live));
    else if (figure_.live)
      put("<path class=\"missed\" d=\"M{:.1f} 7h12l-6 10z\"/>", x(*figure_.live) - 6);
    if (figure_.twin)
      put("<circle class=\"line c5\" cx=\"{:.1f}\" cy=\"12\" r=\"7\"/>", x(*figure_.twin));
    out_ += "</svg>";
    return std::move(out_);
  }

private:
  static constexpr double width = 190;
  static constexpr double margin = 9; ///< of the marks

  template <class... Ts>
  void put(fmt::format_string<Ts...> format, Ts&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Ts>(values)...);
  }
  [[nodiscard]] double x(double value) const {
    return margin + (value - from_) / (to_ - from_) * (width - 2 * margin);
  }
  [[nodiscard]] std::string description() const {
    return fmt::format(
      "{}: live {}, expected {} to {}", which_.title, exact_figure(which_, figure_.live),
      exact_figure(which_, figure_.expected_low), exact_figure(which_, figure_.expected_high));
  }

  const figure_name& which_;
  const live_figure& figure_;
  bool any_ = false;
  double from_ = 0;
  double to_ = 0;
  std::string out_;
};

/// Live waits are short where talks are; none of them is nothing, as some are in simulated time.
constexpr std::array<std::pair<uint64_t, const char*>, 14> wait_bounds{{
  {100'000, "0.1"},
  {200'000, "0.2"},
  {500'000, "0.5"},
  {1'000'000, "1"},
  {2'000'000, "2"},
  {5'000'000, "5"},
  {10'000'000, "10"},
  {20'000'000, "20"},
  {30'000'000, "30"},
  {60'000'000, "60"},
  {120'000'000, "120"},
  {300'000'000, "300"},
  {600'000'000, "600"},
  {report::histogram::largest, "∞"},
}};

/// In per cent of `all`, up to each bound and longer than the one before.
std::vector<std::optional<double>> shares_of(const report::histogram& waits, uint64_t all) {
  std::vector<std::optional<double>> shares;
  uint64_t before = 0;
  for (const auto& [bound, name] : wait_bounds) {
    const auto by =
      bound == report::histogram::largest ? waits.count() : waits.count_at_most(bound);
    shares.emplace_back(
      all == 0 ? 0 : 100 * static_cast<double>(by - before) / static_cast<double>(all));
    before = by;
  }
  return shares;
}

svg_plot plot_of_live_waits(const live_study& study) {
  using shape = svg_plot::series::shape;
  svg_plot plot;
  plot.title = "How long callers waited";
  plot.unit = "% of calls";
  plot.along = "seconds waited, up to";
  plot.wide = true;
  const auto live = study.answered_waits.count() + study.abandoned_waits.count();
  auto twin_waits = study.twin_answered_waits;
  twin_waits.merge(study.twin_abandoned_waits);
  plot.lines = {
    {"answered", 1, shape::bars, shares_of(study.answered_waits, live), {}, false},
    {"hung up", 5, shape::bars, shares_of(study.abandoned_waits, live), {}, false},
    {"policies alone", 6, shape::steps, shares_of(twin_waits, twin_waits.count()), {}, false}};
  size_t shown = wait_bounds.size();
  while (shown > 0 && std::ranges::all_of(
                        plot.lines, [&](const auto& line) { return *line.values[shown - 1] <= 0; }))
    --shown; // nobody waited so long
  for (auto& line : plot.lines)
    line.values.resize(shown);
  for (size_t i = 0; i < shown; ++i) {
    plot.at.push_back(static_cast<double>(i));
    plot.names.emplace_back(wait_bounds[i].second);
  }
  if (study.abandoned_waits.empty())
    plot.lines.erase(plot.lines.begin() + 1);
  return plot;
}

class page_of_live_run {
public:
  explicit page_of_live_run(const live_report& report)
      : report_(report), study_(report.study), queue_(report.plan.queue),
        w_("Jackfield: a live queue") {}

  std::string write() {
    write_header();
    write_tiles();
    write_figures();
    w_.raw("<h2>Calls</h2>\n<div class=\"grid\">\n");
    w_.raw(render(plot_of_live_waits(study_)));
    write_calls();
    w_.raw("</div>\n");
    write_about();
    return std::move(w_).take();
  }

private:
  [[nodiscard]] bool shows(const figure_name& which) const {
    return says_something(report_.plan, which);
  }

  void write_badge() {
    const auto& how = report_.conditions;
    if (!how.invalid_reasons.empty()) {
      w_.raw("<span class=\"badge bad\">NOT VALID</span>");
      return;
    }
    if (how.cut) {
      w_.raw("<span class=\"badge bad\">CUT</span>");
      return;
    }
    const auto shown =
      std::ranges::count_if(all_figures, [&](const auto& each) { return shows(each); });
    const auto inside = std::ranges::count_if(
      all_figures, [&](const auto& each) { return shows(each) && study_[each.which].inside(); });
    w_.put("<span class=\"badge {}\">{} OF {} FIGURES AS EXPECTED</span>",
           inside == shown ? "good" : "bad", inside, shown);
  }

  void write_header() {
    w_.put("<header><h1>{} live agent{}, {} calls</h1>", grouped(queue_.agents),
           queue_.agents == 1 ? "" : "s", grouped(study_.counts.offered));
    write_badge();
    w_.put("<div class=\"about\">{}. {}.</div></header>\n", escape_markup(live_setting(report_)),
           escape_markup(model_text(queue_)));
    write_notes("note bad", live_warnings(report_));
    write_notes("note", live_remarks(report_));
  }

  void write_notes(std::string_view style, const std::vector<std::string>& notes) {
    if (notes.empty())
      return;
    w_.put("<div class=\"{}\"><ul>", style);
    for (const auto& note : notes)
      w_.put("<li>{}.</li>", escape_markup(note));
    w_.raw("</ul></div>\n");
  }

  void write_tiles() {
    w_.raw("<div class=\"tiles\">\n");
    for (const auto& which : main_figures) {
      if (!shows(which))
        continue;
      const auto& f = study_[which.which];
      w_.tile(shown_figure(which, f.live), fmt::format("{}<br/>policies alone: {}", title_of(which),
                                                       shown_figure(which, f.twin)));
    }
    if (study_.added)
      w_.tile(shown_shift(study_.added->mean),
              fmt::format("added to waits, on average<br/>95 % up to {}",
                          shown_shift(study_.added->p95)));
    const auto& how = report_.conditions;
    if (how.mos_mean)
      w_.tile(fmt::format("{:.2f}", *how.mos_mean), "MOS, on average");
    if (how.lost_share)
      w_.tile(shown_share(how.lost_share), "of packets lost");
    w_.raw("</div>\n");
  }

  [[nodiscard]] std::string title_of(const figure_name& which) const {
    return which.which == queue_figure::level_negative
             ? fmt::format("{} ({})", which.title, shown_length(queue_.answer_within))
             : std::string{which.title};
  }

  void write_figures() {
    w_.raw("<h2>Beside runs like this</h2>\n<div class=\"stack\">\n");
    w_.begin_table(
      fmt::format("<small>grey: 95 % of runs like this; ● live, ▽ live and outside; "
                  "○ policies alone; ┊ {}</small>",
                  queue_.formula()),
      {"", "live", "", "95 % of runs like this", "policies alone", queue_.formula(), ""});
    for (const auto& which : page_figures) {
      if (!shows(which))
        continue;
      const auto& f = study_[which.which];
      w_.table_row({title_of(which), live_cell(which, f), range_drawing{which, f}.draw(),
                    fmt::format("{} to {}", exact_figure(which, f.expected_low),
                                exact_figure(which, f.expected_high)),
                    exact_figure(which, f.twin), exact_figure(which, f.theory), live_verdict(f)});
    }
    w_.end_table();
    w_.raw("</div>\n");
  }

  static std::string live_cell(const figure_name& which, const live_figure& f) {
    const auto value = exact_figure(which, f.live);
    return f.inside() ? value : fmt::format("<strong class=\"bad\">▼ {}</strong>", value);
  }

  void write_calls() {
    const auto& c = study_.counts;
    std::vector<defined> rows{{"Offered", grouped(c.offered)},
                              {"Answered", grouped(c.answered)},
                              {"Abandoned", grouped(c.abandoned)}};
    const auto add = [&](const char* name, uint64_t count) {
      if (count > 0)
        rows.push_back({name, grouped(count)});
    };
    add("Refused", c.refused);
    add("Sent on", c.overflowed);
    add("Still waiting", c.waiting);
    add("Agent failed", study_.agent_failed);
    rows.push_back(
      {"As policies alone",
       fmt::format("{} of {} ended alike", grouped(study_.ended_alike), grouped(study_.in_both))});
    if (const auto added = added_waits_text(study_))
      rows.push_back({"Waits", escape_markup(*added)});
    for (const auto& [cause, count] : report_.conditions.failures)
      rows.push_back({"Failed", fmt::format("{}: {}", grouped(count), escape_markup(cause))});
    write_defined(w_, "What became of them", rows);
  }

  void write_about() {
    const auto& how = report_.conditions;
    const auto& plan = report_.plan;
    w_.raw("<h2>What was run</h2>\n<div class=\"stack\">\n");
    std::vector<defined> rows{
      {"Command", fmt::format("<code>{}</code>", escape_markup(report_.info.command))},
      {"Served by", escape_markup(how.target)},
      {"Calls",
       fmt::format("{}{}, of seed {}: the same seed has the same callers", grouped(plan.calls),
                   plan.warm_up > 0
                     ? fmt::format(", after {} that are in no figure", grouped(plan.warm_up))
                     : "",
                   plan.seed)},
      {"Caller ID", fmt::format("with {} calls to agents, {} taken in order",
                                grouped(how.matched_by_caller_id), grouped(how.matched_in_order))},
      {"Version", fmt::format("Jackfield {}", escape_markup(report_.info.version))}};
    std::ranges::move(model_defined(queue_), std::back_inserter(rows));
    write_defined(w_, "The queue", rows);

    auto figures = figures_defined(queue_);
    figures.push_back({"Policies alone", "the very same callers, with the same patience and as "
                                         "much to say, served in simulated time: what is beside "
                                         "it was added by the engine, the network and phones."});
    figures.push_back(
      {"Runs like this", fmt::format("{} runs in simulated time with other seeds, as many callers "
                                     "and begun as empty. 95 % of them lie between the bounds: "
                                     "quantiles 0.025 and 0.975, at the place p (n + 1) in order.",
                                     grouped(plan.comparisons))});
    write_defined(w_, "How figures are defined", figures);
    w_.raw("</div>\n");
  }

  const live_report& report_;
  const live_study& study_;
  const single_queue& queue_;
  html_page w_;
};

} // namespace

std::string live_html(const live_report& report) {
  return page_of_live_run{report}.write();
}

} // namespace jackfield::simulation
