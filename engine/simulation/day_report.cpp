#include "engine/simulation/day_report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/simulation/report_parts.hpp"
#include "engine/simulation/wait_groups.hpp"

namespace jackfield::simulation {

namespace {

using json = nlohmann::ordered_json;

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string percent(std::optional<double> share) {
  return share ? fmt::format("{:.1f} %", *share * 100) : "-";
}

std::string in_seconds(std::optional<double> value) {
  return value ? fmt::format("{:.1f} s", *value) : "-";
}

/// Of one run.
double mean(uint64_t count, const day_study& study) {
  return static_cast<double>(count) / study.runs;
}

std::string count_text(uint64_t count, const day_study& study) {
  return report::grouped(static_cast<uint64_t>(std::llround(mean(count, study))));
}

std::string level_text(const std::optional<estimate>& level) {
  if (!level)
    return "-";
  return level->margin ? fmt::format("{:.1f} % ± {:.1f}", level->mean * 100, *level->margin * 100)
                       : fmt::format("{:.1f} %", level->mean * 100);
}

std::optional<double> answered_in_time(const service_counts& c) {
  const auto levels = c.levels();
  return levels ? std::optional{levels->abandoned_negative} : std::nullopt;
}

/// What is below its target, a line each.
void write_missed(std::string& out, const day_plan& day, const day_study& study) {
  for (size_t q = 0; q < study.queues.size(); ++q) {
    const auto& queue = study.queues[q];
    const auto target = day.level_target(q);
    if (queue.reaches(target).value_or(true))
      continue;
    const auto& level = *queue.level;
    out += fmt::format("{} misses its target: service level {:.2f} %",
                       report::escape_terminal(queue.name), level.mean * 100);
    if (level.margin)
      out += fmt::format(" (95 % interval {:.2f} % to {:.2f} %)", *level.low() * 100,
                         *level.high() * 100);
    out += fmt::format(", expected {:g} %{}\n", *target * 100,
                       queue.surely(*target) ? ""
                       : level.margin        ? "; not surely, the interval spans it"
                                             : "; not surely, of one run");
  }
}

void write_queues(std::string& out, const day_study& study) {
  out += fmt::format("\n{:<16} {:>8} {:>9} {:>10} {:>9} {:>16} {:>8} {:>8}\n", "queue", "offered",
                     "answered", "abandoned", "sent on", "service level", "ASA", "AHT");
  const auto line = [&](const std::string& name, const day_cell& cell) {
    const auto& c = cell.sum;
    out += fmt::format("{:<16} {:>8} {:>9} {:>10} {:>9} {:>16} {:>8} {:>8}\n", name,
                       count_text(c.offered, study), count_text(c.answered, study),
                       percent(c.share_abandoned()), count_text(c.overflowed + c.refused, study),
                       level_text(cell.level), in_seconds(c.asa()), in_seconds(c.aht()));
  };
  for (const auto& queue : study.queues)
    line(report::escape_terminal(queue.name), queue);
  if (study.queues.size() > 1)
    line("all callers", study.all);
  out += fmt::format("\noccupancy {} of {:.4g} hours of agents\n", percent(study.staff.occupancy()),
                     seconds(study.staff.staffed()) / 3600 / study.runs);
}

void write_levels(std::string& out, const day_study& study) {
  out += fmt::format("\n{:<16} {:>9} {:>15} {:>23} {:>23}\n", "service level", "within",
                     "of offered", "short abandons ignored", "short abandons as met");
  for (const auto& queue : study.queues)
    if (const auto levels = queue.sum.levels())
      out += fmt::format("{:<16} {:>9} {:>15} {:>23} {:>23}\n", report::escape_terminal(queue.name),
                         fmt::format("{:g} s", seconds(queue.within)),
                         percent(levels->abandoned_negative), percent(levels->abandoned_ignored),
                         percent(levels->abandoned_positive));
}

void write_waits(std::string& out, const day_study& study) {
  out += fmt::format("\n{:<16}", "answered after");
  for (const auto& group : grouped_waits({}, {}))
    out += fmt::format(" {:>7}", group.name());
  out += '\n';
  for (const auto& queue : study.queues) {
    if (queue.answered_waits.empty())
      continue;
    out += fmt::format("{:<16}", report::escape_terminal(queue.name));
    for (const auto& group : grouped_waits(queue.answered_waits, queue.abandoned_waits))
      out += fmt::format(" {:>7}", percent(static_cast<double>(group.answered) /
                                           static_cast<double>(queue.answered_waits.count())));
    out += '\n';
  }
}

/// And so many more than are planned: "  95   +2".
std::string needed_text(const day_interval& cell) {
  const auto missing = cell.agents_short();
  return fmt::format(" {:>7} {:>5}", cell.needed_agents ? std::to_string(*cell.needed_agents) : "-",
                     missing > 0 ? fmt::format("+{}", missing) : "");
}

void write_intervals(std::string& out, const day_plan& day, const day_study& study,
                     const day_study::queue& queue, bool by_erlang_a) {
  const bool theory =
    std::ranges::any_of(queue.intervals, [](const auto& each) { return each.theory.has_value(); });
  const bool needs = queue.has_needed_agents();
  out += fmt::format("\n{:<16} {:>8}{} {:>8} {:>10} {:>16} {:>8}{}\n",
                     report::escape_terminal(queue.name), "agents",
                     needs ? fmt::format(" {:>7} {:>5}", "needed", "more") : "", "offered",
                     "abandoned", "service level", "ASA",
                     theory ? fmt::format(" {:>10}", by_erlang_a ? "Erlang A" : "Erlang C") : "");
  for (size_t i = 0; i < queue.intervals.size(); ++i) {
    const auto& cell = queue.intervals[i];
    if (cell.sum.offered == 0 && cell.planned_agents == 0)
      continue;
    out += fmt::format("{:<16} {:>8.1f}{} {:>8} {:>10} {:>16} {:>8}{}\n", day.clock(i),
                       cell.planned_agents, needs ? needed_text(cell) : "",
                       count_text(cell.sum.offered, study), percent(cell.sum.share_abandoned()),
                       level_text(cell.level), in_seconds(cell.sum.asa()),
                       theory ? fmt::format(" {:>10}", percent(cell.theory)) : "");
  }
}

json cell_of(const day_cell& cell, const day_study& study) {
  const auto& c = cell.sum;
  const auto levels = c.levels();
  const auto level = [&](auto policy::service_levels::*which) {
    return levels ? json_number((*levels).*which) : json(nullptr);
  };
  const auto bound = [&](std::optional<double> (estimate::*which)() const noexcept) {
    return cell.level ? json_number(((*cell.level).*which)()) : json(nullptr);
  };
  return {{"offered", json_number(mean(c.offered, study))},
          {"answered", json_number(mean(c.answered, study))},
          {"abandoned", json_number(mean(c.abandoned, study))},
          {"overflowed", json_number(mean(c.overflowed, study))},
          {"refused", json_number(mean(c.refused, study))},
          {"waiting_at_the_end", json_number(mean(c.waiting, study))},
          {"service_level", level(&policy::service_levels::abandoned_negative)},
          {"service_level_ci95_low", bound(&estimate::low)},
          {"service_level_ci95_high", bound(&estimate::high)},
          {"service_level_abandoned_ignored", level(&policy::service_levels::abandoned_ignored)},
          {"service_level_abandoned_positive", level(&policy::service_levels::abandoned_positive)},
          {"share_abandoned", json_number(c.share_abandoned())},
          {"p_wait", json_number(c.p_wait())},
          {"asa_s", json_number(c.asa())},
          {"abandoned_after_s", json_number(c.mean_abandoned_wait())},
          {"longest_wait_s", json_number(seconds(c.longest_wait))},
          {"aht_s", json_number(c.aht())}};
}

json waits_of(const day_study::queue& queue, const day_study& study) {
  json groups = json::array();
  for (const auto& each : grouped_waits(queue.answered_waits, queue.abandoned_waits))
    groups.push_back({{"up_to_s", each.up_to_s ? json(*each.up_to_s) : json(nullptr)},
                      {"answered", json_number(mean(each.answered, study))},
                      {"abandoned", json_number(mean(each.abandoned, study))}});
  return groups;
}

} // namespace

std::string day_text(const day_plan& day, const day_study& study) {
  std::string out;
  write_missed(out, day, study);
  out += fmt::format("a day of {} calls, {} {}, {} agents; {} {}, seed {}{}\n",
                     count_text(study.all.sum.offered, study), study.queues.size(),
                     study.queues.size() == 1 ? "queue" : "queues",
                     report::grouped(day.centre.agents.size()), study.runs,
                     study.runs == 1 ? "run" : "runs", study.seed,
                     study.runs == 1 ? "" : "; ± is the 95 % interval of their mean");
  write_queues(out, study);
  write_levels(out, study);
  write_waits(out, study);
  for (size_t q = 0; q < study.queues.size(); ++q)
    write_intervals(out, day, study, study.queues[q], day.centre.queues[q].patience.has_value());
  return out;
}

std::string day_json(const study_info& info, const day_plan& day, const day_study& study) {
  json j{{"program", "jackfield"},  {"version", info.version},
         {"command", info.command}, {"mode", "virtual"},
         {"seed", study.seed},      {"seeds", study.runs},
         {"begins", day.clock(0)},  {"interval_s", json_number(seconds(day.interval))}};
  j["all"] = cell_of(study.all, study);
  j["queues"] = json::array();
  for (size_t q = 0; q < study.queues.size(); ++q) {
    const auto& queue = study.queues[q];
    const auto target = day.level_target(q);
    const auto met = queue.reaches(target);
    json one{{"name", queue.name},
             {"answer_within_s", json_number(seconds(queue.within))},
             {"service_level_target", json_number(target)},
             {"target_met", met ? json(*met) : json(nullptr)},
             {"target_met_by_interval", met ? json(*met && queue.surely(*target)) : json(nullptr)}};
    one.update(cell_of(queue, study));
    one["waits"] = waits_of(queue, study);
    one["intervals"] = json::array();
    for (size_t i = 0; i < queue.intervals.size(); ++i) {
      const auto& cell = queue.intervals[i];
      json part{{"begins", day.clock(i)},
                {"planned_agents", json_number(cell.planned_agents)},
                {"needed_agents", cell.needed_agents ? json(*cell.needed_agents) : json(nullptr)}};
      part.update(cell_of(cell, study));
      part["service_level_theory"] = json_number(cell.theory);
      one["intervals"].push_back(std::move(part));
    }
    j["queues"].push_back(std::move(one));
  }
  const auto staff_of = [&](const staff_time& staff) {
    return json{{"staffed_hours", json_number(seconds(staff.staffed()) / 3600 / study.runs)},
                {"occupancy", json_number(staff.occupancy())}};
  };
  j["agents"] = staff_of(study.staff);
  j["agents"]["number"] = day.centre.agents.size();
  j["agents"]["intervals"] = json::array();
  for (size_t i = 0; i < study.staff_by_interval.size(); ++i) {
    json part{{"begins", day.clock(i)}};
    part.update(staff_of(study.staff_by_interval[i]));
    j["agents"]["intervals"].push_back(std::move(part));
  }
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string day_csv(const day_plan& day, const day_study& study) {
  std::string out = "queue,begins,planned_agents,offered,answered,abandoned,overflowed,refused,"
                    "service_level,service_level_theory,asa_s,aht_s,needed_agents\n";
  const auto cell = [](std::optional<double> value) {
    return value ? fmt::format(",{:.6g}", *value) : std::string{","};
  };
  for (const auto& queue : study.queues) {
    std::string name;
    for (const char c : queue.name)
      name.append(c == '"' ? "\"\"" : std::string(1, c));
    for (size_t i = 0; i < queue.intervals.size(); ++i) {
      const auto& part = queue.intervals[i];
      const auto& c = part.sum;
      out += fmt::format("\"{}\",{}", name, day.clock(i));
      for (const auto& each :
           {std::optional{part.planned_agents}, std::optional{mean(c.offered, study)},
            std::optional{mean(c.answered, study)}, std::optional{mean(c.abandoned, study)},
            std::optional{mean(c.overflowed, study)}, std::optional{mean(c.refused, study)},
            answered_in_time(c), part.theory, c.asa(), c.aht()})
        out += cell(each);
      out += part.needed_agents ? fmt::format(",{}\n", *part.needed_agents) : std::string{",\n"};
    }
  }
  return out;
}

} // namespace jackfield::simulation
