#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/report/histogram.hpp"
#include "engine/simulation/queue_figures.hpp"
#include "engine/simulation/simulate.hpp"
#include "engine/simulation/single_queue.hpp"

/// What a live run of a queue shows, beside what the same callers meet in simulated time and beside
/// what theory has for a run like it.
namespace jackfield::simulation {

struct live_plan {
  single_queue queue; ///< with its agents
  /// Callers who came before those in the figures.
  uint64_t warm_up = 0;
  /// Callers in the figures; of a run that was cut, as many as came after the others.
  uint64_t calls = 0;
  uint64_t seed = 1;
  uint32_t comparisons = 1000; ///< `least_comparisons` or more
  unsigned threads = 1;
};

/// Of fewer runs, no bounds hold 95 % of those to come.
inline constexpr uint32_t least_comparisons = 39;

/// What was counted of callers and agents with the plan's `call_samples`, whoever served them.
struct live_run {
  simulation_figures figures;
  std::vector<call_outcome> calls; ///< of all callers, in any order
};

/// One figure of a live run. Nothing where there was nobody to say it of.
struct live_figure {
  std::optional<double> live;
  /// Of the very same callers, served by the policies alone in simulated time.
  std::optional<double> twin;
  /// By Erlang's formula, of a queue that is open for ever; nothing where its line grows for ever.
  std::optional<double> theory;
  /// What theory has for a run like this one, as short and begun as empty: over virtual runs with
  /// other seeds, their mean and what 95 % of them are within (`quantile` 0.025 and 0.975).
  std::optional<double> expected_low;
  std::optional<double> expected_mean;
  std::optional<double> expected_high;

  /// Within what is expected; not, where there is nothing.
  [[nodiscard]] bool inside() const noexcept { return expects(live); }
  /// The callers of this seed are rare ones, if not, whoever serves them.
  [[nodiscard]] bool twin_inside() const noexcept { return expects(twin); }
  [[nodiscard]] bool expects(std::optional<double> value) const noexcept;
};

/// Waits of the same callers live and by their twins, live less twin, seconds: what engine,
/// network and phones add.
struct added_waits {
  uint64_t calls = 0; ///< 1 or more
  double mean = 0;
  double min = 0;
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  double max = 0;
};

struct live_study : queue_figures<live_figure> {
  service_counts counts;
  service_counts twin_counts;
  uint64_t agent_failed = 0;         ///< calls whose agent was gone in the middle, live
  report::histogram answered_waits;  ///< microseconds, as all these
  report::histogram abandoned_waits; ///< microseconds
  report::histogram twin_answered_waits;
  report::histogram twin_abandoned_waits;

  /// Of the callers in the figures who were answered in both; nothing where there are none.
  std::optional<added_waits> added;
  /// Attempts that the live run and its twin both have, and of these those that ended alike.
  uint64_t in_both = 0;
  uint64_t ended_alike = 0;

  /// Share of the virtual runs in which one of the figures, or more, is outside: so often this one
  /// has such a figure by chance.
  double chance_outside = 0;

  [[nodiscard]] uint32_t figures_outside() const noexcept;
};

/// Plays the virtual runs: the twin with the plan's seed, the others with those after it. The same
/// for any number of threads. Fails on a plan that is out of range.
[[nodiscard]] result<live_study> study_live(const live_plan& plan, const live_run& run);

} // namespace jackfield::simulation
