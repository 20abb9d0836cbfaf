#include "engine/simulation/day_study.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <fmt/format.h>

#include "engine/simulation/in_threads.hpp"
#include "engine/simulation/interval_theory.hpp"
#include "engine/simulation/simulate.hpp"

namespace jackfield::simulation {

namespace {

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

duration overlap(const time_span& span, duration from, duration to) {
  return std::max(duration::zero(), std::min(span.to, to) - std::max(span.from, from));
}

/// When the agent is there, of [from, to).
duration there(const agent_plan& agent, duration from, duration to) {
  auto sum = agent.shifts.empty() ? to - from : duration::zero();
  for (const auto& shift : agent.shifts)
    sum += overlap(shift, from, to);
  for (const auto& each : agent.breaks) {
    if (agent.shifts.empty())
      sum -= overlap(each.when, from, to);
    for (const auto& shift : agent.shifts)
      sum -=
        overlap({std::max(shift.from, each.when.from), std::min(shift.to, each.when.to)}, from, to);
  }
  return sum;
}

bool serves(const agent_plan& agent, uint32_t queue) {
  return std::ranges::any_of(agent.queues, [&](const auto& part) { return part.queue == queue; });
}

/// But for rounding: ten runs' 0.8 are 0.7999999999999999 on average.
bool at_least(double level, double target) noexcept {
  constexpr double rounding = 1e-9;
  return level >= target - rounding;
}

/// As formulas have them.
uint32_t whole(double agents) noexcept {
  return static_cast<uint32_t>(std::lround(agents));
}

/// What each run has of a figure: nothing where there was nobody to say it of.
class run_values {
public:
  explicit run_values(uint32_t runs) : of_(runs) {}
  void set(uint32_t run, std::optional<double> value) { of_[run] = value; }
  [[nodiscard]] std::optional<estimate> mean() const {
    std::vector<double> known;
    for (const auto& each : of_)
      if (each)
        known.push_back(*each);
    return known.empty() ? std::nullopt : std::optional{estimate_mean(known)};
  }

private:
  std::vector<std::optional<double>> of_;
};

struct summed_cell {
  summed_cell(day_cell& cell, uint32_t runs) : into(&cell), levels(runs) {}

  void add(uint32_t run, const service_counts& counts) {
    into->sum += counts;
    if (const auto of_run = counts.levels())
      levels.set(run, of_run->abandoned_negative);
  }

  day_cell* into;
  run_values levels;
};

struct summed_total {
  summed_total(day_total& total, uint32_t runs) : into(&total), asa(runs), abandoned(runs) {}

  void add(uint32_t run, const service_counts& counts) {
    asa.set(run, counts.asa());
    abandoned.set(run, counts.share_abandoned());
  }

  day_total* into;
  run_values asa;
  run_values abandoned;
};

/// Runs, summed up as they come in: all sums are of whole numbers, so their order is nothing to
/// them.
class summing {
public:
  summing(const day_plan& day, uint32_t runs, day_study& study)
      : study_(study), intervals_(day.intervals()), occupancy_(runs) {
    study_.staff_by_interval.resize(intervals_);
    study_.queues.resize(day.centre.queues.size());
    cells_.emplace_back(study_.all, runs);
    totals_.emplace_back(study_.all, runs);
    for (auto& queue : study_.queues) {
      queue.intervals.resize(intervals_);
      cells_.emplace_back(queue, runs);
      totals_.emplace_back(queue, runs);
      for (auto& each : queue.intervals)
        cells_.emplace_back(each, runs);
    }
  }

  void add(uint32_t run, const simulation_figures& figures) {
    const std::lock_guard lock{mutex_};
    auto cell = cells_.begin();
    (cell++)->add(run, figures.all);
    totals_.front().add(run, figures.all);
    study_.staff += figures.staff;
    occupancy_.set(run, figures.staff.occupancy());
    for (size_t i = 0; i < figures.intervals.size(); ++i)
      study_.staff_by_interval[i] += figures.intervals[i].staff;
    for (size_t q = 0; q < study_.queues.size(); ++q) {
      const auto& of_run = figures.queues[q];
      study_.queues[q].answered_waits.merge(of_run.answered_waits);
      study_.queues[q].abandoned_waits.merge(of_run.abandoned_waits);
      (cell++)->add(run, of_run.counts);
      totals_[q + 1].add(run, of_run.counts);
      for (size_t i = 0; i < intervals_; ++i, ++cell)
        if (i < figures.intervals.size())
          cell->add(run, figures.intervals[i].queues[q]);
    }
  }
  void finish() {
    for (const auto& cell : cells_)
      cell.into->level = cell.levels.mean();
    for (const auto& total : totals_) {
      total.into->asa = total.asa.mean();
      total.into->abandoned = total.abandoned.mean();
    }
    study_.occupancy = occupancy_.mean();
  }

private:
  std::mutex mutex_;
  day_study& study_;
  size_t intervals_;
  std::vector<summed_cell> cells_;
  std::vector<summed_total> totals_; ///< all callers, then each queue's
  run_values occupancy_;
};

} // namespace

size_t day_plan::intervals() const {
  return std::max<size_t>(
    1, static_cast<size_t>((centre.length() + interval - duration{1}) / interval));
}

std::string day_plan::clock(size_t number) const {
  const auto minutes = (begins + interval * static_cast<int64_t>(number)) / std::chrono::minutes{1};
  return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

result<void> day_plan::check() const {
  if (auto sound = centre.check(); !sound)
    return sound;
  if (std::ranges::any_of(centre.queues, [](const auto& q) { return q.arrivals.endless(); }))
    return fail("arrivals", "are endless, expected those of a day");
  if (centre.queues.size() * intervals() > most_cells)
    return fail("interval", fmt::format("{} queues have {} intervals each, expected at most {} of "
                                        "all together",
                                        centre.queues.size(), intervals(), most_cells));
  return {};
}

double day_plan::planned_agents(uint32_t queue, duration from, duration to) const {
  duration sum{};
  for (const auto& agent : centre.agents)
    if (serves(agent, queue))
      sum += there(agent, from, to);
  return seconds(sum) / seconds(to - from);
}

duration day_plan::rings(uint32_t queue) const {
  duration longest{};
  for (const auto& agent : centre.agents)
    if (serves(agent, queue))
      longest = std::max(longest, agent.answers_after.mean());
  return longest;
}

bool day_plan::has_agents_of_its_own(uint32_t queue) const {
  const auto& rules = centre.queues[queue].rules;
  const bool sent_to = std::ranges::any_of(centre.queues, [&](const auto& other) {
    const auto& to = other.rules.overflow_to;
    const auto& name = centre.queues[queue].name;
    return to.max_wait == name || to.no_agents == name || to.closed == name || to.shrunk == name;
  });
  return !sent_to && rules.wants.empty() && rules.tiers.empty() &&
         std::ranges::none_of(centre.agents, [&](const auto& agent) {
           return serves(agent, queue) && agent.queues.size() > 1;
         });
}

uint32_t day_interval::agents_short() const noexcept {
  const auto planned = whole(planned_agents);
  return needed_agents.value_or(0) > planned ? *needed_agents - planned : 0;
}

bool day_study::queue::has_needed_agents() const noexcept {
  return std::ranges::any_of(intervals,
                             [](const auto& each) { return each.needed_agents.has_value(); });
}

std::optional<bool> day_cell::reaches(std::optional<double> target) const noexcept {
  return target && level ? std::optional{at_least(level->mean, *target)} : std::nullopt;
}

bool day_cell::surely(double target) const noexcept {
  return level && level->margin &&
         at_least(*level->low(), target) == at_least(*level->high(), target);
}

bool day_study::reaches_targets(const day_plan& day) const noexcept {
  for (size_t q = 0; q < queues.size(); ++q)
    if (!queues[q].reaches(day.level_target(q)).value_or(true))
      return false;
  return true;
}

result<day_study> study_day(const day_plan& day, uint32_t runs, uint64_t seed, unsigned threads,
                            simulator plays) {
  day_study study;
  study.runs = runs;
  study.seed = seed;
  summing sums{day, runs, study};
  std::vector<std::optional<error>> failures(runs);
  in_threads(threads, runs, [&](uint32_t i) {
    simulation_options options;
    options.seed = seed + i;
    options.interval = day.interval;
    if (auto run = plays(day.centre, options, {}))
      sums.add(i, *run);
    else
      failures[i] = std::move(run.error());
  });
  for (auto& failure : failures)
    if (failure)
      return tl::unexpected{std::move(*failure)};
  sums.finish();

  for (uint32_t q = 0; q < study.queues.size(); ++q) {
    auto& queue = study.queues[q];
    queue.name = day.centre.queues[q].name;
    queue.within = day.centre.queues[q].rules.service_level_within;
    const auto target = day.level_target(q);
    const interval_theory theory{day.centre.queues[q], day.rings(q)};
    const bool own = day.has_agents_of_its_own(q);
    for (size_t i = 0; i < queue.intervals.size(); ++i) {
      auto& cell = queue.intervals[i];
      const auto from = day.interval * static_cast<int64_t>(i);
      const auto to = from + day.interval;
      cell.planned_agents = day.planned_agents(q, from, to);
      if (own)
        cell.theory = theory.level(from, to, whole(cell.planned_agents));
      if (own && target)
        cell.needed_agents = theory.needed(from, to, *target);
    }
  }
  return study;
}

} // namespace jackfield::simulation
