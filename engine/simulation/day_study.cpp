#include "engine/simulation/day_study.hpp"

#include <algorithm>
#include <cmath>

#include "engine/policy/erlang.hpp"
#include "engine/simulation/in_threads.hpp"
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

/// The service level of so many alike intervals that they forget how they began.
std::optional<double> theory_of(const day_plan& day, uint32_t queue, duration from, duration to,
                                double agents) {
  const auto& plan = day.centre.queues[queue];
  duration rings{};
  for (const auto& agent : day.centre.agents)
    if (serves(agent, queue))
      rings = std::max(rings, agent.answers_after.mean());
  policy::erlang_demand demand;
  demand.calls_per_second = plan.arrivals.expected(from, to) / seconds(to - from);
  demand.handling_time = plan.talk.mean() + plan.wrap_up.mean() + rings;
  demand.agents = static_cast<uint32_t>(std::lround(agents));
  demand.answer_within = std::max(duration::zero(), plan.rules.service_level_within - rings);
  const auto theory =
    plan.patience ? policy::erlang_a(demand, plan.patience->mean()) : policy::erlang_c(demand);
  if (!theory)
    return std::nullopt;
  return theory->within.abandoned_negative;
}

/// Sums runs up.
class summing {
public:
  explicit summing(day_cell& into) : into_(into) {}
  ~summing() {
    if (!levels_.empty())
      into_.level = estimate_mean(levels_);
  }
  summing(const summing&) = delete;
  summing& operator=(const summing&) = delete;

  void add(const service_counts& run) {
    into_.sum += run;
    if (const auto levels = run.levels())
      levels_.push_back(levels->abandoned_negative);
  }

private:
  day_cell& into_;
  std::vector<double> levels_;
};

} // namespace

size_t day_plan::intervals() const {
  return static_cast<size_t>((centre.length() + interval - duration{1}) / interval);
}

double day_plan::planned_agents(uint32_t queue, duration from, duration to) const {
  duration sum{};
  for (const auto& agent : centre.agents)
    if (serves(agent, queue))
      sum += there(agent, from, to);
  return seconds(sum) / seconds(to - from);
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

result<day_study> study_day(const day_plan& day, uint32_t runs, uint64_t seed, unsigned threads) {
  std::vector<simulation_figures> played(runs);
  std::vector<std::optional<error>> failures(runs);
  in_threads(threads, runs, [&](uint32_t i) {
    simulation_options options;
    options.seed = seed + i;
    options.interval = day.interval;
    if (auto run = simulate(day.centre, options))
      played[i] = std::move(*run);
    else
      failures[i] = std::move(run.error());
  });
  for (auto& failure : failures)
    if (failure)
      return tl::unexpected{std::move(*failure)};

  day_study study;
  study.runs = runs;
  study.seed = seed;
  auto intervals = day.intervals();
  for (const auto& run : played)
    intervals = std::max(intervals, run.intervals.size());
  study.staff_by_interval.resize(intervals);
  {
    summing all{study.all};
    for (const auto& run : played) {
      all.add(run.all);
      study.staff += run.staff;
      for (size_t i = 0; i < run.intervals.size(); ++i)
        study.staff_by_interval[i] += run.intervals[i].staff;
    }
  }
  study.queues.resize(day.centre.queues.size());
  for (uint32_t q = 0; q < study.queues.size(); ++q) {
    auto& queue = study.queues[q];
    queue.name = day.centre.queues[q].name;
    queue.within = day.centre.queues[q].rules.service_level_within;
    queue.intervals.resize(intervals);
    summing whole{queue};
    for (const auto& run : played) {
      whole.add(run.queues[q].counts);
      queue.answered_waits.merge(run.queues[q].answered_waits);
      queue.abandoned_waits.merge(run.queues[q].abandoned_waits);
    }
    const bool own = day.has_agents_of_its_own(q);
    for (size_t i = 0; i < intervals; ++i) {
      auto& cell = queue.intervals[i];
      const auto from = day.interval * static_cast<int64_t>(i);
      cell.planned_agents = day.planned_agents(q, from, from + day.interval);
      if (own)
        cell.theory = theory_of(day, q, from, from + day.interval, cell.planned_agents);
      summing part{cell};
      for (const auto& run : played)
        if (i < run.intervals.size())
          part.add(run.intervals[i].queues[q]);
    }
  }
  return study;
}

} // namespace jackfield::simulation
