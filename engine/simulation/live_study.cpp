#include "engine/simulation/live_study.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/simulation/estimate.hpp"
#include "engine/simulation/in_threads.hpp"

namespace jackfield::simulation {

namespace {

using run_figures = queue_figures<std::optional<double>>;

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

std::pair<uint64_t, uint32_t> key_of(const call_outcome& call) {
  return {call.number, call.attempt};
}

/// Those in the figures, in order.
std::vector<call_outcome> counted(std::vector<call_outcome> calls, uint64_t warm_up) {
  std::erase_if(calls, [&](const auto& call) { return call.number <= warm_up; });
  std::ranges::stable_sort(calls, {}, key_of);
  return calls;
}

std::optional<added_waits> summary_of(std::vector<double> waits) {
  if (waits.empty())
    return std::nullopt;
  std::ranges::sort(waits);
  return added_waits{waits.size(),         estimate_mean(waits).mean, waits.front(),
                     quantile(waits, 0.5), quantile(waits, 0.95),     quantile(waits, 0.99),
                     waits.back()};
}

/// Both are in order.
void compare_calls(live_study& study, const std::vector<call_outcome>& live,
                   const std::vector<call_outcome>& twin) {
  std::vector<double> added;
  auto other = twin.begin();
  for (const auto& call : live) {
    while (other != twin.end() && key_of(*other) < key_of(call))
      ++other;
    if (other == twin.end())
      break;
    if (key_of(*other) != key_of(call))
      continue;
    ++study.in_both;
    study.ended_alike += call.how == other->how ? 1 : 0;
    if (call.answered && other->answered)
      added.push_back(seconds((*call.answered - call.came) - (*other->answered - other->came)));
  }
  study.added = summary_of(std::move(added));
}

result<void> check(const live_plan& plan) {
  if (plan.queue.agents == 0)
    return fail("agents", "0 serve nobody, expected 1 or more");
  if (plan.calls == 0)
    return fail("calls", "0 are none to compare, expected 1 or more");
  if (plan.comparisons < least_comparisons)
    return fail("comparisons", fmt::format("{} have no bounds of 95 %, expected {} or more",
                                           plan.comparisons, least_comparisons));
  return {};
}

/// Virtual runs of the plan with other seeds than its own.
result<std::vector<run_figures>> runs_like(const live_plan& plan, const centre_plan& centre) {
  std::vector<run_figures> runs(plan.comparisons);
  std::vector<std::optional<error>> failures(plan.comparisons);
  in_threads(plan.threads, plan.comparisons, [&](uint32_t i) {
    simulation_options options;
    options.seed = plan.seed + 1 + i;
    options.warm_up = plan.warm_up;
    options.calls = plan.calls;
    auto played = simulate(centre, options);
    if (played)
      runs[i] = figures_of(*played);
    else
      failures[i] = std::move(played.error());
  });
  for (auto& failure : failures)
    if (failure)
      return tl::unexpected{std::move(*failure)};
  return runs;
}

void set_expected(live_figure& figure, queue_figure which, const std::vector<run_figures>& runs) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const auto& run : runs)
    if (run[which])
      values.push_back(*run[which]);
  if (values.empty())
    return;
  figure.expected_mean = estimate_mean(values).mean;
  std::ranges::sort(values);
  figure.expected_low = quantile(values, 0.025);
  figure.expected_high = quantile(values, 0.975);
}

double share_with_one_outside(const live_study& study, const std::vector<run_figures>& runs) {
  const auto outside = std::ranges::count_if(runs, [&](const auto& run) {
    return std::ranges::any_of(
      all_figures, [&](const auto& each) { return !study[each.which].expects(run[each.which]); });
  });
  return static_cast<double>(outside) / static_cast<double>(runs.size());
}

} // namespace

bool live_figure::expects(std::optional<double> value) const noexcept {
  return value && expected_low && expected_high && *value >= *expected_low &&
         *value <= *expected_high;
}

uint32_t live_study::figures_outside() const noexcept {
  return static_cast<uint32_t>(std::ranges::count_if(
    all_figures, [&](const auto& each) { return !(*this)[each.which].inside(); }));
}

result<live_study> study_live(const live_plan& plan, const live_run& run) {
  const auto centre = plan.queue.plan();
  if (auto sound = centre.check(); !sound)
    return tl::unexpected{std::move(sound.error())};
  if (auto sound = check(plan); !sound)
    return tl::unexpected{std::move(sound.error())};

  live_study study;
  simulation_options options;
  options.seed = plan.seed;
  options.warm_up = plan.warm_up;
  options.calls = plan.calls;
  std::vector<call_outcome> twins;
  const auto twin =
    simulate(centre, options, [&](const call_outcome& each) { twins.push_back(each); });
  if (!twin)
    return tl::unexpected{twin.error()};
  const auto runs = runs_like(plan, centre);
  if (!runs)
    return tl::unexpected{runs.error()};

  const auto live_figures = figures_of(run.figures);
  const auto twin_figures = figures_of(*twin);
  for (const auto& each : all_figures) {
    auto& figure = study[each.which];
    figure.live = live_figures[each.which];
    figure.twin = twin_figures[each.which];
    set_expected(figure, each.which, *runs);
  }
  // Phones that take time keep agents busy, too, of which the formula knows nothing.
  const bool lasts = plan.queue.patience || plan.queue.busy_agents() < plan.queue.agents;
  if (const auto theory = plan.queue.theory(); theory && lasts) {
    const auto of_theory = figures_of(*theory);
    for (const auto& each : all_figures)
      study[each.which].theory = of_theory[each.which];
  }
  study.chance_outside = share_with_one_outside(study, *runs);

  study.counts = run.figures.all;
  study.twin_counts = twin->all;
  if (!run.figures.queues.empty()) {
    study.answered_waits = run.figures.queues.front().answered_waits;
    study.abandoned_waits = run.figures.queues.front().abandoned_waits;
  }
  study.twin_answered_waits = twin->queues.front().answered_waits;
  study.twin_abandoned_waits = twin->queues.front().abandoned_waits;
  const auto calls = counted(run.calls, plan.warm_up);
  study.agent_failed =
    static_cast<uint64_t>(std::ranges::count(calls, call_end::agent_failed, &call_outcome::how));
  compare_calls(study, calls, counted(std::move(twins), plan.warm_up));
  return study;
}

} // namespace jackfield::simulation
