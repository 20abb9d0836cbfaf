#include "engine/simulation/live_report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/simulation/report_parts.hpp"

namespace jackfield::simulation {

namespace {

using json = nlohmann::ordered_json;
using report::escape_terminal;
using report::grouped;

std::string calls_text(uint64_t count) {
  return fmt::format("{} {}", grouped(count), count == 1 ? "call" : "calls");
}

/// "12 ms", "1.25 s".
std::string short_length(double seconds) {
  const double size = std::abs(seconds);
  return size < 1 ? fmt::format("{:.0f} ms", size * 1000) : fmt::format("{:.2f} s", size);
}

std::string cell(std::optional<double> value, bool in_seconds) {
  return value ? figure_text(*value, in_seconds) : "-";
}

std::string bounds_text(const live_figure& f, bool in_seconds) {
  if (!f.expected_low || !f.expected_high)
    return "-";
  return fmt::format("{} to {}", figure_text(*f.expected_low, in_seconds),
                     figure_text(*f.expected_high, in_seconds));
}

std::string label_of(const live_report& report, const figure_name& which) {
  return which.which == queue_figure::level_negative
           ? fmt::format("{} ({})", which.label, shown_length(report.plan.queue.answer_within))
           : std::string{which.label};
}

void write_row(std::string& out, std::string_view label, std::string_view live,
               std::string_view twin, std::string_view bounds, std::string_view theory,
               std::string_view inside) {
  out += fmt::format("{:<26} {:>10} {:>15} {:>24} {:>10}  {}\n", label, live, twin, bounds, theory,
                     inside);
}

void write_table(std::string& out, const live_report& report) {
  const auto agents = report.plan.queue.agents;
  out += '\n';
  write_row(out, fmt::format("{} agent{}", grouped(agents), agents == 1 ? "" : "s"), "live",
            "policies alone", "95 % of runs like this", report.plan.queue.formula(), "");
  out.erase(out.find_last_not_of(" \n") + 1);
  out += '\n';
  for (const auto& each : all_figures) {
    if (!says_something(report.plan, each))
      continue;
    const auto& f = report.study[each.which];
    write_row(out, label_of(report, each), cell(f.live, each.seconds), cell(f.twin, each.seconds),
              bounds_text(f, each.seconds), cell(f.theory, each.seconds), live_verdict(f));
  }
}

void write_calls(std::string& out, const live_report& report) {
  const auto& c = report.study.counts;
  out += fmt::format("\ncalls: {} offered, {} answered, {} abandoned", grouped(c.offered),
                     grouped(c.answered), grouped(c.abandoned));
  const auto add = [&](uint64_t count, std::string_view what) {
    if (count > 0)
      out += fmt::format(", {} {}", grouped(count), what);
  };
  add(c.refused, "refused");
  add(c.overflowed, "sent on");
  add(c.waiting, "still waiting");
  add(report.study.agent_failed, "whose agent failed");
  out += fmt::format("; {} of {} ended as with the policies alone\n",
                     grouped(report.study.ended_alike), grouped(report.study.in_both));
  for (const auto& [cause, count] : report.conditions.failures)
    out += fmt::format("failed: {} x {}\n", grouped(count), escape_terminal(cause));
  if (const auto added = added_waits_text(report.study))
    out += fmt::format("waits: {}\n", *added);
  const auto& how = report.conditions;
  if (how.mos_mean)
    out += fmt::format("media: MOS {:.2f} on average", *how.mos_mean);
  if (how.lost_share)
    out += fmt::format("{}{} of packets lost",
                       how.mos_mean ? ", " : "media: ", figure_text(*how.lost_share, false));
  if (how.mos_mean || how.lost_share)
    out += '\n';
}

json figure_json(const live_figure& f) {
  return {{"mean", json_number(f.live)},
          {"ci95_low", nullptr},
          {"ci95_high", nullptr},
          {"theory", json_number(f.theory)},
          {"expected_mean", json_number(f.expected_mean)},
          {"expected_low", json_number(f.expected_low)},
          {"expected_high", json_number(f.expected_high)},
          {"twin", json_number(f.twin)},
          {"inside", f.inside()},
          {"twin_inside", f.twin_inside()}};
}

json counts_json(const service_counts& c) {
  return {{"offered", c.offered},     {"had_to_wait", c.had_to_wait}, {"answered", c.answered},
          {"abandoned", c.abandoned}, {"overflowed", c.overflowed},   {"refused", c.refused},
          {"waiting", c.waiting}};
}

json added_json(const std::optional<added_waits>& added) {
  if (!added)
    return nullptr;
  return {{"calls", added->calls},          {"mean", json_number(added->mean)},
          {"min", json_number(added->min)}, {"p50", json_number(added->p50)},
          {"p95", json_number(added->p95)}, {"p99", json_number(added->p99)},
          {"max", json_number(added->max)}};
}

json failures_json(const live_conditions& how) {
  auto failures = json::object();
  for (const auto& [cause, count] : how.failures) {
    auto& sum = failures[cause];
    sum = count + (sum.is_null() ? 0 : sum.get<uint64_t>());
  }
  return failures;
}

} // namespace

std::string shown_shift(double seconds) {
  const auto size = short_length(seconds);
  return seconds < 0 && size != "0 ms" ? "-" + size : size;
}

const char* live_verdict(const live_figure& figure) noexcept {
  if (figure.inside())
    return "inside";
  return figure.twin_inside() ? "OUTSIDE" : "outside, as the policies alone";
}

bool says_something(const live_plan& plan, const figure_name& which) noexcept {
  return plan.queue.patience.has_value() || !which.of_patience;
}

std::optional<std::string> added_waits_text(const live_study& study) {
  if (!study.added)
    return std::nullopt;
  const auto& a = *study.added;
  return fmt::format("{} {} on average than with the policies alone; median {}, 95 % up to {}, "
                     "99 % up to {}, all from {} to {} ({} answered in both)",
                     short_length(a.mean), a.mean < 0 ? "shorter" : "longer", shown_shift(a.p50),
                     shown_shift(a.p95), shown_shift(a.p99), shown_shift(a.min), shown_shift(a.max),
                     calls_text(a.calls));
}

std::vector<std::string> live_warnings(const live_report& report) {
  std::vector<std::string> warnings;
  for (const auto& reason : report.conditions.invalid_reasons)
    warnings.push_back("not valid: " + reason);
  if (report.conditions.cut)
    warnings.emplace_back("cut: the run ended before its time; its figures are of the calls until "
                          "then, the bounds of whole runs");
  return warnings;
}

std::vector<std::string> live_remarks(const live_report& report) {
  std::vector<std::string> remarks;
  const auto& queue = report.plan.queue;
  remarks.push_back(
    fmt::format("policies alone: the very same callers in simulated time. Runs like this: {} of "
                "those, with other seeds, as short and begun as empty",
                grouped(report.plan.comparisons)));
  remarks.push_back(fmt::format("by chance a figure or more is outside in {:.0f} % of such runs",
                                report.study.chance_outside * 100));
  const auto settled = queue.warm_up();
  if (!settled)
    remarks.push_back(
      fmt::format("the line would grow for ever: {} has nothing to say", queue.formula()));
  else if (report.plan.warm_up < *settled)
    remarks.push_back(fmt::format("{} is of a queue that has been open for long; this one takes "
                                  "{} to forget that it began empty",
                                  queue.formula(), calls_text(*settled)));
  if (settled && !queue.theory_exact())
    remarks.push_back(inexact_theory(queue));
  const auto& how = report.conditions;
  if (how.matched_in_order > 0)
    remarks.push_back(
      how.matched_by_caller_id == 0
        ? "no caller ID came through: who had which agent was taken in order"
        : fmt::format("no caller ID came through with {} of {}: who had which agent was taken in "
                      "order",
                      grouped(how.matched_in_order),
                      calls_text(how.matched_by_caller_id + how.matched_in_order)));
  return remarks;
}

std::string live_setting(const live_report& report) {
  const auto& how = report.conditions;
  auto text = how.target;
  const auto add = [&](std::string_view what, const std::string& value) {
    if (!value.empty())
      text += fmt::format("{}{}{}", text.empty() ? "" : "; ", what, value);
  };
  add("callers over ", how.callers_over);
  add("agents over ", how.agents_over);
  add("media ", how.media);
  const auto length = std::chrono::duration<double>(std::clamp(how.seconds, 0., 1e9));
  add("", report::length_text(std::chrono::duration_cast<std::chrono::nanoseconds>(length)));
  return text;
}

std::string live_text(const live_report& report) {
  std::string out;
  const auto warnings = live_warnings(report);
  for (const auto& warning : warnings)
    out += escape_terminal(warning) + "\n";
  out += fmt::format("live: {}\n{}\n", escape_terminal(live_setting(report)),
                     model_text(report.plan.queue));
  out += fmt::format("{}, seed {}", calls_text(report.plan.calls), report.plan.seed);
  if (report.plan.warm_up > 0)
    out += fmt::format(", after {} to warm up", grouped(report.plan.warm_up));
  out += '\n';
  for (const auto& remark : live_remarks(report))
    out += remark + "\n";
  write_table(out, report);
  write_calls(out, report);
  if (warnings.empty())
    out += "valid: nothing that was watched stands against these figures\n";
  return out;
}

std::string live_json(const live_report& report) {
  const auto& plan = report.plan;
  const auto& how = report.conditions;
  const auto& study = report.study;
  json j{{"program", "jackfield"},
         {"version", report.info.version},
         {"command", report.info.command},
         {"mode", "live"},
         {"valid", how.invalid_reasons.empty()},
         {"invalid_reasons", how.invalid_reasons},
         {"cut", how.cut},
         {"target", how.target},
         {"callers_over", how.callers_over},
         {"agents_over", how.agents_over},
         {"media", how.media},
         {"seconds", json_number(how.seconds)},
         {"seed", plan.seed},
         {"agents", plan.queue.agents},
         {"warm_up_calls", plan.warm_up}};
  j["model"] = model_json(plan.queue);
  j["theory"] = {{"formula", plan.queue.formula()}, {"exact", plan.queue.theory_exact()}};
  j["comparisons"] = plan.comparisons;
  j["chance_outside"] = json_number(study.chance_outside);
  for (const auto& each : all_figures)
    j[each.key] = figure_json(study[each.which]);
  j["added_wait_s"] = added_json(study.added);
  j["calls"] = counts_json(study.counts);
  j["calls"]["agent_failed"] = study.agent_failed;
  j["twin_calls"] = counts_json(study.twin_counts);
  j["ended_alike"] = {{"calls", study.ended_alike}, {"of", study.in_both}};
  j["failures"] = failures_json(how);
  j["caller_id"] = {{"matched", how.matched_by_caller_id}, {"in_order", how.matched_in_order}};
  j["mos_mean"] = json_number(how.mos_mean);
  j["lost_share"] = json_number(how.lost_share);
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string live_csv(const live_report& report) {
  std::string out = "figure,live,twin,expected_low,expected_mean,expected_high,theory,inside\n";
  const auto value = [](std::optional<double> v) {
    return v ? fmt::format(",{:.6f}", *v) : std::string{","};
  };
  for (const auto& each : all_figures) {
    const auto& f = report.study[each.which];
    out += each.key;
    for (const auto& v :
         {f.live, f.twin, f.expected_low, f.expected_mean, f.expected_high, f.theory})
      out += value(v);
    out += f.inside() ? ",true\n" : ",false\n";
  }
  return out;
}

} // namespace jackfield::simulation
