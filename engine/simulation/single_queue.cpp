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

bool single_queue::theory_exact() const noexcept {
  return is_exponential(talk) && is_nothing(wrap_up) && (!patience || is_exponential(*patience)) &&
         is_nothing(answers_after) && no_answer == 0;
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
  std::vector<queue_figures<std::optional<double>>> runs(options.seeds);
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

  const auto expected = figures_of(*theory);
  std::vector<double> values(runs.size());
  for (const auto& each : all_figures) {
    std::ranges::transform(runs, values.begin(),
                           [&](const auto& run) { return run[each.which].value_or(0); });
    study[each.which] = {estimate_mean(values), expected[each.which]};
  }
  study.calls = options.calls;
  study.warm_up = *warm_up;
  study.relaxations =
    static_cast<double>(options.calls) / (queue.calls_per_second * seconds(*queue.relaxation()));
  study.by_erlang_a = queue.patience.has_value();
  study.theory_exact = queue.theory_exact();
  return study;
}

} // namespace jackfield::simulation
