#include "engine/simulation/study_report.hpp"

#include <cmath>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/simulation/report_parts.hpp"

namespace jackfield::simulation {

namespace {

using json = nlohmann::ordered_json;

json figure_of(const queue_study& study, const figure_name& which) {
  const auto& f = study[which.which];
  return {{"mean", json_number(f.simulated.mean)},
          {"ci95_low", json_number(f.simulated.low())},
          {"ci95_high", json_number(f.simulated.high())},
          {"theory", json_number(f.theory)}};
}

json step_of(const staffing_step& step) {
  json j{{"agents", step.agents}, {"stable", step.study.has_value()}};
  for (const auto& each : all_figures)
    j[each.key] = step.study ? figure_of(*step.study, each) : json(nullptr);
  return j;
}

const queue_study* any_study(const staffing_result& staffing) {
  for (const auto& step : staffing.steps)
    if (step.study)
      return &*step.study;
  return nullptr;
}

std::string margin_text(const estimate& e, bool in_seconds) {
  if (!e.margin)
    return "";
  return in_seconds ? fmt::format("± {:.2f}", *e.margin) : fmt::format("± {:.2f}", *e.margin * 100);
}

/// So many that bounds are sound, to two digits.
uint64_t calls_for_bounds(uint64_t calls, double relaxations) {
  const double least = static_cast<double>(calls) * queue_study::enough_relaxations / relaxations;
  const double digit = std::pow(10, std::floor(std::log10(least)) - 1);
  return static_cast<uint64_t>(std::ceil(least / digit) * digit);
}

void write_model(std::string& out, const study_report& report) {
  out += study_model(report) + "\n";
  const auto& o = report.options;
  const auto* const one = report.staffing.chosen();
  out += fmt::format("{} {} of {} calls, seed {}", o.seeds, o.seeds == 1 ? "run" : "runs",
                     report::grouped(o.calls), o.seed);
  if (one != nullptr && one->study)
    out += fmt::format(", after {} to warm up", report::grouped(one->study->warm_up));
  out += o.seeds == 1 ? "; no bounds of one run\n" : "; ± is the 95 % interval\n";
  for (const auto& remark : study_remarks(report))
    out += remark + "\n";
}

void write_table(std::string& out, const study_report& report, const staffing_step& step) {
  out += fmt::format("\n{:<26} {:>12} {:>10} {:>12}\n",
                     fmt::format("{} agents", report::grouped(step.agents)), "simulated", "",
                     report.queue.formula());
  for (const auto& each : all_figures) {
    const auto& f = (*step.study)[each.which];
    if (!report.queue.patience &&
        (each.which == queue_figure::level_ignored || each.which == queue_figure::level_positive))
      continue; // nobody hangs up: all three are one
    const auto label =
      each.which == queue_figure::level_negative
        ? fmt::format("{} ({})", each.label, shown_length(report.queue.answer_within))
        : std::string{each.label};
    out += fmt::format("{:<26} {:>12} {:>10} {:>12}\n", label,
                       figure_text(f.simulated.mean, each.seconds),
                       margin_text(f.simulated, each.seconds),
                       f.theory ? figure_text(*f.theory, each.seconds) : "-");
  }
}

void write_steps(std::string& out, const study_report& report) {
  out += fmt::format("\n{:>7}  {:>17} {:>17} {:>19} {:>17} {:>10}\n", "agents", "service level",
                     "has to wait", "ASA", "abandoned", "occupancy");
  const auto cell = [](const compared_figure& f, bool in_seconds) {
    return fmt::format("{} {}", figure_text(f.simulated.mean, in_seconds),
                       margin_text(f.simulated, in_seconds));
  };
  const auto* const one = report.staffing.chosen();
  for (const auto& step : report.staffing.steps) {
    if (!step.study) {
      out += fmt::format("{:>7}  the line grows for ever\n", step.agents);
      continue;
    }
    const auto& s = *step.study;
    out += fmt::format("{:>7}{} {:>18} {:>18} {:>20} {:>18} {:>10}\n", step.agents,
                       report.staffing.target && &step == one ? "*" : " ",
                       cell(s.level_negative, false), cell(s.p_wait, false), cell(s.asa, true),
                       cell(s.abandoned, false), figure_text(s.occupancy.simulated.mean, false));
  }
}

} // namespace

std::string study_model(const study_report& report) {
  return model_text(report.queue);
}

std::vector<std::string> study_remarks(const study_report& report) {
  std::vector<std::string> remarks;
  const auto* const study = any_study(report.staffing);
  const auto* const one = report.staffing.chosen();
  if (study != nullptr && !study->theory_exact)
    remarks.push_back(inexact_theory(report.queue));
  if (one != nullptr && one->study && one->study->relaxations < queue_study::enough_relaxations)
    remarks.push_back(fmt::format(
      "a run spans {:.2g} relaxation times of the queue, too few for sound bounds: "
      "expected --calls {}",
      one->study->relaxations, calls_for_bounds(report.options.calls, one->study->relaxations)));
  return remarks;
}

std::string study_text(const study_report& report) {
  const auto& staffing = report.staffing;
  const auto* const one = staffing.chosen();
  std::string out;
  if (staffing.target) {
    const auto condition = report::escape_terminal(staffing.target->text);
    if (one == nullptr)
      out += fmt::format("no number of agents up to {} has {}\n",
                         report::grouped(staffing.steps.back().agents), condition);
    else
      out +=
        fmt::format("{} agents are the least with {}{}\n", report::grouped(one->agents), condition,
                    staffing.target->surely_met_by(*one->study)
                      ? ""
                      : ", by the mean; not by all of its interval: more --calls tell better");
  }
  write_model(out, report);
  if (one != nullptr && one->study)
    write_table(out, report, *one);
  if (one == nullptr || staffing.target)
    write_steps(out, report);
  return out;
}

std::string study_json(const study_report& report) {
  const auto& staffing = report.staffing;
  const auto* const one = staffing.chosen();
  json j{{"program", "jackfield"},         {"version", report.info.version},
         {"command", report.info.command}, {"mode", "virtual"},
         {"seed", report.options.seed},    {"seeds", report.options.seeds},
         {"calls", report.options.calls}};
  j["model"] = model_json(report.queue);
  const auto* const study = any_study(staffing);
  j["theory"] = {{"formula", report.queue.formula()},
                 {"exact", study != nullptr ? json(study->theory_exact) : json(nullptr)}};
  if (staffing.target)
    j["target"] = {
      {"condition", staffing.target->text},
      {"met", one != nullptr},
      {"met_by_interval", one != nullptr && staffing.target->surely_met_by(*one->study)}};
  j["agents"] = one != nullptr ? json(one->agents) : json(nullptr);
  if (one != nullptr && one->study) {
    j["warm_up_calls"] = one->study->warm_up;
    j["relaxation_times"] = json_number(one->study->relaxations);
    for (const auto& each : all_figures)
      j[each.key] = figure_of(*one->study, each);
  }
  if (one == nullptr || staffing.target) {
    j["steps"] = json::array();
    for (const auto& step : staffing.steps)
      j["steps"].push_back(step_of(step));
  }
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string study_csv(const study_report& report) {
  std::string out = "agents";
  for (const auto& each : all_figures)
    out += fmt::format(",{0},{0}_ci95_low,{0}_ci95_high,{0}_theory", each.key);
  out += '\n';
  const auto cell = [](std::optional<double> value) {
    return value ? fmt::format(",{:.6f}", *value) : std::string{","};
  };
  for (const auto& step : report.staffing.steps) {
    out += std::to_string(step.agents);
    for (const auto& each : all_figures) {
      if (!step.study) {
        out += ",,,,";
        continue;
      }
      const auto& f = (*step.study)[each.which];
      out += cell(f.simulated.mean) + cell(f.simulated.low()) + cell(f.simulated.high()) +
             cell(f.theory);
    }
    out += '\n';
  }
  return out;
}

} // namespace jackfield::simulation
