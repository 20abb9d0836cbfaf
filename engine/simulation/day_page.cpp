#include "engine/simulation/day_page.hpp"

#include <algorithm>
#include <cmath>
#include <map>
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

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string plural(uint64_t count, const char* what) {
  return fmt::format("{} {}{}", report::grouped(count), what, count == 1 ? "" : "s");
}

std::optional<double> percent(std::optional<double> share) {
  return share ? std::optional{*share * 100} : std::nullopt;
}

class page_of_day {
public:
  page_of_day(const study_info& info, const day_plan& day, const day_study& study)
      : info_(info), day_(day), study_(study), w_("Jackfield: a simulated day"),
        formulas_(std::ranges::any_of(study.queues, [](const auto& queue) {
          return std::ranges::any_of(queue.intervals,
                                     [](const auto& each) { return each.theory.has_value(); });
        })) {}

  std::string write() {
    write_header();
    write_tiles();
    write_queues();
    write_all_by_interval();
    w_.raw("<h2>Each queue through the day</h2>\n");
    for (size_t q = 0; q < study_.queues.size(); ++q)
      write_queue_by_interval(q);
    write_waits();
    w_.raw("<h2>Each queue by interval</h2>\n<div class=\"stack\">\n");
    for (size_t q = 0; q < study_.queues.size(); ++q)
      write_table(q);
    w_.raw("</div>\n");
    write_about();
    return std::move(w_).take();
  }

private:
  /// Of one run.
  [[nodiscard]] double mean(uint64_t count) const {
    return static_cast<double>(count) / study_.runs;
  }
  [[nodiscard]] std::string count(uint64_t sum) const {
    return report::grouped(static_cast<uint64_t>(std::llround(mean(sum))));
  }
  [[nodiscard]] bool misses(const day_cell& cell, size_t queue) const {
    return !cell.reaches(day_.level_target(queue)).value_or(true);
  }
  static std::optional<double> needed(const day_interval& cell) {
    return cell.needed_agents ? std::optional<double>{*cell.needed_agents} : std::nullopt;
  }
  [[nodiscard]] bool has_targets() const {
    return std::ranges::any_of(day_.level_targets,
                               [](const auto& each) { return each.has_value(); });
  }
  [[nodiscard]] std::string name_of(size_t queue) const {
    return escape_markup(study_.queues[queue].name);
  }
  /// As planners have it.
  static std::string aht_text(const service_counts& c) {
    const auto aht = c.aht();
    return aht ? fmt::format("{:.0f} s", *aht) : "-";
  }
  [[nodiscard]] const char* formula(size_t queue) const {
    return day_.centre.queues[queue].patience ? "Erlang A" : "Erlang C";
  }
  /// Marked where it misses the target of that queue.
  [[nodiscard]] std::string level_text(const day_cell& cell, std::optional<size_t> queue) const {
    if (!cell.level)
      return "-";
    const auto text = shown_share(cell.level->mean) + shown_margin(cell.level, 100);
    return queue && misses(cell, *queue) ? fmt::format("<strong class=\"bad\">▼ {}</strong>", text)
                                         : text;
  }

  void write_header() {
    w_.put("<header><h1>A simulated day: {} calls, {}, {}</h1>", count(study_.all.sum.offered),
           plural(study_.queues.size(), "queue"), plural(day_.centre.agents.size(), "agent"));
    if (has_targets()) {
      size_t with_target = 0;
      size_t met = 0;
      for (size_t q = 0; q < study_.queues.size(); ++q)
        if (day_.level_target(q) && study_.queues[q].level) {
          ++with_target;
          met += misses(study_.queues[q], q) ? 0 : 1;
        }
      if (with_target > 0)
        w_.put("<span class=\"badge {}\">{} OF {} {}</span>", met == with_target ? "good" : "bad",
               met, with_target,
               with_target == 1 ? "QUEUE REACHES ITS TARGET" : "QUEUES REACH THEIR TARGET");
    }
    w_.put("<div class=\"about\">Figures are means of {}", plural(study_.runs, "run"));
    if (study_.runs > 1)
      w_.put(" with seeds {} to {}; ± is the 95 % interval of the mean", study_.seed,
             study_.seed + study_.runs - 1);
    else
      w_.put(" with seed {}; one run says nothing of its own error", study_.seed);
    w_.raw(".</div></header>\n");
  }

  void write_tiles() {
    const auto& all = study_.all;
    w_.raw("<div class=\"tiles\">\n");
    w_.tile(all.level ? shown_share(all.level->mean) : "-",
            fmt::format("service level{}", shown_margin(all.level, 100)));
    w_.tile(shown_wait(all.sum.asa()),
            fmt::format("average speed of answer{}", shown_margin(all.asa, 1)));
    w_.tile(shown_share(all.sum.share_abandoned()),
            fmt::format("abandoned{}", shown_margin(all.abandoned, 100)));
    w_.tile(
      shown_share(study_.staff.occupancy()),
      fmt::format("occupancy{} of {} agent hours", shown_margin(study_.occupancy, 100),
                  report::short_figure(seconds(study_.staff.staffed()) / 3600 / study_.runs)));
    w_.tile(count(all.sum.offered),
            fmt::format("calls offered, {} answered", count(all.sum.answered)));
    if (has_targets()) {
      size_t intervals = 0;
      size_t missed = 0;
      for (size_t q = 0; q < study_.queues.size(); ++q)
        for (const auto& each : study_.queues[q].intervals)
          if (day_.level_target(q) && each.level) {
            ++intervals;
            missed += misses(each, q) ? 1 : 0;
          }
      w_.tile(report::grouped(missed),
              fmt::format("of {} below the target", plural(intervals, "interval")));
    }
    w_.raw("</div>\n");
  }

  void write_queues() {
    w_.raw("<h2>The day by queue</h2>\n<div class=\"stack\">\n");
    w_.begin_table("", {"queue", "service level", "within", "target", "ASA", "abandoned", "offered",
                        "answered", "sent on", "longest wait", "AHT"});
    each_total([&](const std::string& name, const day_total& total, std::optional<size_t> queue) {
      const auto& c = total.sum;
      const auto target = queue ? day_.level_target(*queue) : std::nullopt;
      w_.table_row({name, level_text(total, queue),
                    queue ? shown_length(study_.queues[*queue].within) : "its queue’s",
                    target ? fmt::format("{:g} %", *target * 100) : "-",
                    shown_wait(c.asa()) + shown_margin(total.asa, 1),
                    shown_share(c.share_abandoned()), count(c.offered), count(c.answered),
                    count(c.overflowed + c.refused),
                    c.offered > 0 ? shown_wait(seconds(c.longest_wait)) : "-", aht_text(c)});
    });
    w_.end_table();
    w_.begin_table("Service level by its three formulas",
                   {"queue", "of all offered", "short abandons ignored", "short abandons as met"});
    each_total([&](const std::string& name, const day_total& total, std::optional<size_t>) {
      const auto levels = total.sum.levels();
      w_.table_row({name, total.level ? shown_share(total.level->mean) : "-",
                    levels ? shown_share(levels->abandoned_ignored) : "-",
                    levels ? shown_share(levels->abandoned_positive) : "-"});
    });
    w_.end_table();
    w_.raw("</div>\n");
  }

  /// Each queue; and all callers, if there are several.
  template <class Row>
  void each_total(Row&& row) const {
    for (size_t q = 0; q < study_.queues.size(); ++q)
      row(name_of(q), study_.queues[q], std::optional{q});
    if (study_.queues.size() > 1)
      row("all callers", study_.all, std::nullopt);
  }

  [[nodiscard]] svg_plot plot(std::string title, std::string unit) const {
    svg_plot made;
    made.title = std::move(title);
    made.unit = std::move(unit);
    made.along = "time of day";
    for (size_t i = 0; i < day_.intervals(); ++i) {
      made.at.push_back(static_cast<double>(i));
      made.names.push_back(day_.clock(i));
    }
    return made;
  }
  template <class Of>
  [[nodiscard]] std::vector<std::optional<double>> each_interval(Of&& of) const {
    std::vector<std::optional<double>> values;
    for (size_t i = 0; i < day_.intervals(); ++i)
      values.emplace_back(of(i));
    return values;
  }
  /// So many agents are busy with one call an interval.
  [[nodiscard]] std::optional<double> agents_per_call(const service_counts& c) const {
    const auto aht = c.aht();
    return aht && *aht > 0 ? std::optional{*aht / seconds(day_.interval)} : std::nullopt;
  }
  [[nodiscard]] std::string calls_unit() const {
    return fmt::format("calls in {}", report::short_figure(seconds(day_.interval) / 60) + " min");
  }

  void write_all_by_interval() {
    const size_t intervals = day_.intervals();
    std::vector<service_counts> sums(intervals);
    for (const auto& queue : study_.queues)
      for (size_t i = 0; i < intervals; ++i)
        sums[i] += queue.intervals[i].sum;
    const bool several = study_.queues.size() > 1;
    w_.put("<h2>{} through the day</h2>\n<div class=\"plots wide\">\n",
           several ? "All queues" : "The centre");
    const auto draw = [&](svg_plot made, svg_plot::series line) {
      made.wide = true;
      made.lines.push_back(std::move(line));
      w_.raw(render(made));
    };

    auto calls = plot("Calls offered and agents there", calls_unit());
    calls.right_unit = "agents";
    calls.right_per_left = agents_per_call(study_.all.sum);
    calls.lines.push_back({"calls offered",
                           2,
                           shape::bars,
                           each_interval([&](size_t i) { return mean(sums[i].offered); }),
                           {},
                           false});
    draw(std::move(calls), {"agents there",
                            1,
                            shape::steps,
                            each_interval([&](size_t i) {
                              return seconds(study_.staff_by_interval[i].staffed()) / study_.runs /
                                     seconds(day_.interval);
                            }),
                            {},
                            true});

    auto level = plot("Service level, each queue within its T", "%");
    level.most = 100;
    draw(std::move(level), {"answered in time",
                            1,
                            shape::points,
                            each_interval([&](size_t i) {
                              const auto levels = sums[i].levels();
                              return levels ? percent(levels->abandoned_negative) : std::nullopt;
                            }),
                            {},
                            false});
    draw(
      plot("Average speed of answer", "s"),
      {"ASA", 1, shape::points, each_interval([&](size_t i) { return sums[i].asa(); }), {}, false});
    auto occupancy = plot("Occupancy of the agents", "%");
    occupancy.most = 100;
    draw(std::move(occupancy),
         {"in calls and wrap-up",
          1,
          shape::points,
          each_interval([&](size_t i) { return percent(study_.staff_by_interval[i].occupancy()); }),
          {},
          false});
    w_.raw("</div>\n");
  }

  void write_queue_by_interval(size_t q) {
    const auto& queue = study_.queues[q];
    const auto name = name_of(q);
    w_.raw("<div class=\"plots\">\n");
    auto calls = plot(fmt::format("{}: calls and agents", name), calls_unit());
    calls.right_unit = "agents";
    calls.right_per_left = agents_per_call(queue.sum);
    calls.lines.push_back(
      {"calls offered",
       2,
       shape::bars,
       each_interval([&](size_t i) { return mean(queue.intervals[i].sum.offered); }),
       {},
       false});
    calls.lines.push_back(
      {"agents planned",
       1,
       shape::steps,
       each_interval([&](size_t i) { return queue.intervals[i].planned_agents; }),
       {},
       true});
    if (queue.has_needed_agents())
      calls.lines.push_back({"agents needed",
                             5,
                             shape::dashed_steps,
                             each_interval([&](size_t i) { return needed(queue.intervals[i]); }),
                             {},
                             true});
    w_.raw(render(calls));

    auto level = plot(fmt::format("{}: service level, {}", name, shown_length(queue.within)), "%");
    level.most = 100;
    level.lines.push_back({"simulated", 1, shape::points, each_interval([&](size_t i) {
                             const auto& of = queue.intervals[i].level;
                             return of ? std::optional{of->mean * 100} : std::nullopt;
                           }),
                           each_interval([&](size_t i) {
                             const auto& of = queue.intervals[i].level;
                             return of ? percent(of->margin) : std::nullopt;
                           }),
                           false});
    const auto theory = each_interval([&](size_t i) { return percent(queue.intervals[i].theory); });
    if (std::ranges::any_of(theory, [](const auto& each) { return each.has_value(); }))
      level.lines.push_back({formula(q), 5, shape::dashes, theory, {}, false});
    if (const auto target = day_.level_target(q))
      level.target = svg_plot::bound{*target * 100, fmt::format("target {:g} %", *target * 100),
                                     true, "below it"};
    w_.raw(render(level));

    auto wait = plot(fmt::format("{}: average speed of answer", name), "s");
    wait.lines.push_back({"ASA",
                          1,
                          shape::points,
                          each_interval([&](size_t i) { return queue.intervals[i].sum.asa(); }),
                          {},
                          false});
    w_.raw(render(wait));
    w_.raw("</div>\n");
  }

  void write_waits() {
    w_.raw("<h2>How long callers waited</h2>\n<div class=\"plots\">\n");
    for (size_t q = 0; q < study_.queues.size(); ++q)
      w_.raw(
        render(plot_of_waits(fmt::format("{}: waits", name_of(q)), study_.queues[q].answered_waits,
                             study_.queues[q].abandoned_waits)));
    w_.raw("</div>\n");
  }

  void write_table(size_t q) {
    const auto& queue = study_.queues[q];
    const bool theory = std::ranges::any_of(
      queue.intervals, [](const auto& each) { return each.theory.has_value(); });
    const bool needs = queue.has_needed_agents();
    std::vector<std::string_view> columns{"begins", "service level", "agents"};
    if (needs)
      columns.insert(columns.end(), {"needed", "more"});
    if (theory)
      columns.emplace_back(formula(q));
    columns.insert(columns.end(), {"ASA", "longest wait", "offered", "answered", "abandoned",
                                   "sent on", "refused", "AHT"});
    const auto target = day_.level_target(q);
    w_.begin_table(fmt::format("{} <small>service level within {}{}</small>", name_of(q),
                               shown_length(queue.within),
                               target ? fmt::format(", ▼ is below {:g} %", *target * 100) : ""),
                   columns);
    for (size_t i = 0; i < queue.intervals.size(); ++i) {
      const auto& cell = queue.intervals[i];
      const auto& c = cell.sum;
      if (c.offered == 0 && cell.planned_agents == 0)
        continue;
      std::vector<std::string> cells{day_.clock(i), level_text(cell, q),
                                     fmt::format("{:.1f}", cell.planned_agents)};
      if (needs) {
        const auto missing = cell.agents_short();
        cells.push_back(cell.needed_agents ? report::grouped(*cell.needed_agents) : "-");
        cells.push_back(
          missing > 0 ? fmt::format("<strong class=\"bad\">+{}</strong>", report::grouped(missing))
                      : "");
      }
      if (theory)
        cells.push_back(shown_share(cell.theory));
      cells.insert(cells.end(),
                   {shown_wait(c.asa()), c.offered > 0 ? shown_wait(seconds(c.longest_wait)) : "-",
                    count(c.offered), count(c.answered), count(c.abandoned), count(c.overflowed),
                    count(c.refused), aht_text(c)});
      w_.table_row(cells);
    }
    w_.end_table();
  }

  /// "100 serve sales": by the queues that they serve, as the plan has them first.
  [[nodiscard]] std::string agents_text() const {
    std::vector<std::pair<std::string, size_t>> groups;
    std::map<std::string, size_t> index;
    for (const auto& agent : day_.centre.agents) {
      std::string served;
      for (const auto& part : agent.queues)
        served += fmt::format("{}{}", served.empty() ? "" : " + ", name_of(part.queue));
      const auto [at, fresh] = index.try_emplace(served, groups.size());
      if (fresh)
        groups.emplace_back(served, 0);
      ++groups[at->second].second;
    }
    std::string text;
    for (const auto& [served, number] : groups)
      text += fmt::format("{}{} for {}", text.empty() ? "" : "; ", report::grouped(number),
                          served.empty() ? "no queue" : served);
    return text.empty() ? "none" : text;
  }

  void write_about() {
    w_.raw("<h2>What was simulated</h2>\n<div class=\"stack\">\n");
    std::vector<defined> rows{
      {"Command", fmt::format("<code>{}</code>", escape_markup(info_.command))},
      {"Runs",
       fmt::format("{} from seed {}; the same seed gives the same page", study_.runs, study_.seed)},
      {"Version", fmt::format("Jackfield {}", escape_markup(info_.version))},
      {"Agents", agents_text()}};
    for (size_t q = 0; q < study_.queues.size(); ++q) {
      const auto& plan = day_.centre.queues[q];
      const auto text = [](const distribution& d) { return escape_markup(d.to_string()); };
      const double expected = plan.arrivals.expected({}, plan.arrivals.length() + duration{1});
      rows.push_back(
        {fmt::format("Queue {}", name_of(q)),
         fmt::format("{} calls planned; talk {}, wrap-up {}; patience {}; T is {}{}",
                     report::grouped(static_cast<uint64_t>(std::llround(expected))),
                     text(plan.talk), text(plan.wrap_up),
                     plan.patience ? text(*plan.patience) : "endless",
                     shown_length(plan.rules.service_level_within),
                     plan.rules.overflow_to.max_wait.empty()
                       ? ""
                       : "; sent on to " + escape_markup(plan.rules.overflow_to.max_wait))});
    }
    write_defined(w_, "The plan", rows);

    auto figures = figures_defined();
    figures.push_back({"AHT", "average handling time: talk and wrap-up."});
    figures.push_back({"Offered", "let in to a queue, by when they came to it; who is sent on to "
                                  "another queue is offered there, too. “All callers” has each "
                                  "once."});
    figures.push_back({"Agents planned",
                       "who serve the queue, by shifts and breaks, on average "
                       "over the interval; who serves two counts in both. “Agents "
                       "there” were logged in, reachable and not on a break, "
                       "each once."});
    figures.push_back({"Calls and agents",
                       "the two scales of a chart are such that calls whose bar "
                       "reaches the line would keep all agents busy, by the "
                       "AHT of the day."});
    figures.push_back({"Longest wait", "of those who were answered or hung up, in all runs."});
    if (formulas_)
      figures.push_back({"Erlang",
                         "what Erlang’s formula says of each interval as if it had been so "
                         "for ever; where a queue’s agents serve nothing else, and "
                         "nothing else overflows into it."});
    if (has_targets())
      figures.push_back(
        {"Agents needed",
         "the least whole number with whom Erlang’s formula reaches the queue’s target in that "
         "interval, for the calls that are planned; “more” is how many that is beyond those "
         "planned. Calls that come again, phones that are not answered and failures are not in "
         "it: the simulated service level has them all. Nothing where no calls are planned; and "
         "nothing for a queue that shares agents, that others are sent on to, whose callers need "
         "a skill or whose agents come in tiers: how much of an agent is left for it depends on "
         "more than its own calls, and no formula says that."});
    if (study_.runs > 1)
      figures.push_back({"±", "half the 95 % interval of the mean over the runs, by Student’s t."});
    write_defined(w_, "How figures are defined", figures);
    w_.raw("</div>\n");
  }

  const study_info& info_;
  const day_plan& day_;
  const day_study& study_;
  html_page w_;
  bool formulas_;
};

} // namespace

std::string day_html(const study_info& info, const day_plan& day, const day_study& study) {
  return page_of_day{info, day, study}.write();
}

} // namespace jackfield::simulation
