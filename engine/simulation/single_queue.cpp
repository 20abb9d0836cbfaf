#include "engine/simulation/single_queue.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include <fmt/format.h>

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

/// Calls `work(i)` for each i below `count`, in some threads.
template <class Work>
void in_threads(unsigned threads, uint32_t count, Work&& work) {
  std::atomic<uint32_t> next{0};
  const auto take = [&] {
    for (uint32_t i = next++; i < count; i = next++)
      work(i);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < std::min<unsigned>(threads, count); ++i)
    others.emplace_back(take);
  take();
  for (auto& each : others)
    each.join();
}

} // namespace

policy::erlang_demand single_queue::demand() const noexcept {
  return {calls_per_second, handling_time(), agents, answer_within};
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
  return policy::erlang_relaxation(demand(),
                                   patience ? std::optional{patience->mean()} : std::nullopt);
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
  if (!warm_up)
    return fail("agents", "the line would grow for ever, expected more");

  std::vector<run_figures> runs(options.seeds);
  in_threads(options.threads, options.seeds, [&](uint32_t i) {
    simulation_options run;
    run.seed = options.seed + i;
    run.warm_up = *warm_up;
    run.calls = options.calls;
    runs[i] = figures_of(simulate(plan, run));
  });

  const auto over_runs = [&](auto&& of, double expected) {
    std::vector<double> values;
    values.reserve(runs.size());
    for (const auto& run : runs)
      values.push_back(of(run));
    return compared_figure{estimate_mean(values), expected};
  };
  queue_study study;
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
