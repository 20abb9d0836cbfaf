#include "engine/simulation/single_queue.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <fmt/format.h>

#include "engine/simulation/in_threads.hpp"

namespace jackfield::simulation {

namespace {

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

bool is_exponential(const distribution& d) {
  return d.is() == distribution::kind::exponential;
}

bool is_nothing(const distribution& d) {
  return d.is() == distribution::kind::constant && d.mean() == duration::zero();
}

/// More take minutes, and are hardly what was meant.
constexpr uint64_t most_warm_up = 100'000'000;

/// What is kept of a run.
struct run_figures {
  double p_wait, asa, abandoned, occupancy;
  policy::service_levels levels;
};

run_figures figures_of(const simulation_figures& run) {
  const auto& c = run.all;
  return {c.p_wait().value_or(0), c.asa().value_or(0), c.share_abandoned().value_or(0),
          run.staff.occupancy().value_or(0), c.levels().value_or(policy::service_levels{})};
}

} // namespace

policy::erlang_demand single_queue::demand() const noexcept {
  return {calls_per_second, handling_time(), agents, answer_within};
}

double single_queue::busy_agents() const noexcept {
  const auto in_vain =
    seconds(policy::queue_rules{}.ring_time) + seconds(policy::agent_rules{}.after_no_answer);
  return calls_per_second * (seconds(handling_time()) + seconds(answers_after.mean()) +
                             in_vain * no_answer / (1 - no_answer));
}

result<policy::erlang_figures> single_queue::theory() const {
  return patience ? policy::erlang_a(demand(), patience->mean()) : policy::erlang_c(demand());
}

centre_plan single_queue::plan() const {
  centre_plan plan;
  auto& queue = plan.queues.emplace_back();
  queue.name = "queue";
  queue.rules.service_level_within = answer_within;
  queue.arrivals = arrival_plan::steady(calls_per_second);
  queue.talk = talk;
  queue.wrap_up = wrap_up;
  queue.patience = patience;
  agent_plan agent;
  agent.queues.push_back({});
  agent.answers_after = answers_after;
  agent.no_answer = no_answer;
  plan.agents.assign(agents, agent);
  for (size_t i = 0; i < plan.agents.size(); ++i)
    plan.agents[i].name = fmt::format("agent {}", i + 1);
  return plan;
}

std::optional<duration> single_queue::relaxation() const noexcept {
  auto busy = demand();
  busy.handling_time = std::chrono::duration_cast<duration>(
    std::chrono::duration<double>(busy_agents() / calls_per_second));
  return policy::erlang_relaxation(busy, patience ? std::optional{patience->mean()} : std::nullopt);
}

std::optional<uint64_t> single_queue::warm_up() const noexcept {
  constexpr double times = 5;
  const auto longest = relaxation();
  if (!longest)
    return std::nullopt;
  return static_cast<uint64_t>(
    std::ceil(times * calls_per_second * (seconds(handling_time()) + seconds(*longest))));
}

result<queue_study> study_queue(const single_queue& queue, const study_options& options) {
  const auto plan = queue.plan();
  if (auto sound = plan.check(); !sound)
    return tl::unexpected{std::move(sound.error())};
  auto theory = queue.theory();
  if (!theory)
    return tl::unexpected{std::move(theory.error())};
  const auto warm_up = queue.warm_up();
  if (!queue.patience && queue.busy_agents() >= queue.agents)
    return fail("agents", fmt::format("the line would grow for ever, expected more than {}",
                                      static_cast<uint64_t>(queue.busy_agents())));
  if (!warm_up)
    return fail("agents", "so few take more than a century to settle, expected more");
  if (*warm_up > most_warm_up)
    return fail("calls", fmt::format("{} would have to warm up, expected {} at most: fewer "
                                     "arrivals, shorter times, or agents who are less busy",
                                     *warm_up, most_warm_up));
  const double length = static_cast<double>(*warm_up + options.calls) / queue.calls_per_second;
  if (length > seconds(arrival_process::latest) * 0.9)
    return fail("calls",
                fmt::format("{} that warm up and {} take more than two centuries, expected "
                            "fewer, or more arrivals",
                            *warm_up, options.calls));

  queue_study study;
  std::mutex merging;
  std::vector<run_figures> runs(options.seeds);
  std::vector<std::optional<error>> failures(options.seeds);
  in_threads(options.threads, options.seeds, [&](uint32_t i) {
    simulation_options run;
    run.seed = options.seed + i;
    run.warm_up = *warm_up;
    run.calls = options.calls;
    auto played = options.plays(plan, run, {});
    if (!played)
      failures[i] = std::move(played.error());
    else if (played->all.answered == 0)
      failures[i] =
        error{"answers", "nobody was answered, expected phones that are answered within "
                         "20 s"};
    else {
      runs[i] = figures_of(*played);
      const std::lock_guard lock{merging};
      study.answered_waits.merge(played->queues.front().answered_waits);
      study.abandoned_waits.merge(played->queues.front().abandoned_waits);
    }
  });
  for (auto& failure : failures)
    if (failure)
      return tl::unexpected{std::move(*failure)};

  const auto over_runs = [&](auto&& of, double expected) {
    std::vector<double> values;
    values.reserve(runs.size());
    for (const auto& run : runs)
      values.push_back(of(run));
    return compared_figure{estimate_mean(values), expected};
  };
  study.p_wait = over_runs([](const auto& r) { return r.p_wait; }, theory->p_wait);
  study.asa = over_runs([](const auto& r) { return r.asa; }, theory->mean_answered);
  study.abandoned = over_runs([](const auto& r) { return r.abandoned; }, theory->abandoned);
  study.occupancy = over_runs([](const auto& r) { return r.occupancy; }, theory->occupancy);
  study.level_negative = over_runs([](const auto& r) { return r.levels.abandoned_negative; },
                                   theory->within.abandoned_negative);
  study.level_ignored = over_runs([](const auto& r) { return r.levels.abandoned_ignored; },
                                  theory->within.abandoned_ignored);
  study.level_positive = over_runs([](const auto& r) { return r.levels.abandoned_positive; },
                                   theory->within.abandoned_positive);
  study.calls = options.calls;
  study.warm_up = *warm_up;
  study.relaxations =
    static_cast<double>(options.calls) / (queue.calls_per_second * seconds(*queue.relaxation()));
  study.by_erlang_a = queue.patience.has_value();
  study.theory_exact = is_exponential(queue.talk) && is_nothing(queue.wrap_up) &&
                       (!queue.patience || is_exponential(*queue.patience)) &&
                       is_nothing(queue.answers_after) && queue.no_answer == 0;
  return study;
}

} // namespace jackfield::simulation
