#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/report/histogram.hpp"
#include "engine/simulation/centre_plan.hpp"
#include "engine/simulation/estimate.hpp"
#include "engine/simulation/service_counts.hpp"
#include "engine/simulation/simulate.hpp"

namespace jackfield::simulation {

/// A day of a contact centre.
struct day_plan {
  centre_plan centre;
  duration begins{};                            ///< since midnight: where its times count from
  duration interval = std::chrono::minutes{30}; ///< of the report
  /// By queue, the service level that it is to have, of all offered; those at the end may be left
  /// out.
  std::vector<std::optional<double>> level_targets;

  /// Of all queues together.
  static constexpr size_t most_cells = 20'000;

  /// Of the centre; and says where there are too many intervals, or arrivals that do not end.
  [[nodiscard]] result<void> check() const;
  /// The day as planned is so many intervals long, one at least; the last may be a part of one.
  /// What goes on when it is over counts as in the last.
  [[nodiscard]] size_t intervals() const;
  /// When one begins: "08:30"; beyond midnight it counts on.
  [[nodiscard]] std::string clock(size_t interval) const;
  [[nodiscard]] std::optional<double> level_target(size_t queue) const {
    return queue < level_targets.size() ? level_targets[queue] : std::nullopt;
  }
  /// Agents who serve the queue, on average over [from, to), as shifts and breaks say.
  [[nodiscard]] double planned_agents(uint32_t queue, duration from, duration to) const;
  /// Until the agents who serve the queue answer, on average; of those who take longest.
  [[nodiscard]] duration rings(uint32_t queue) const;
  /// True if all who serve the queue serve nothing else, and any of them may have any caller:
  /// Erlang has something to say of it.
  [[nodiscard]] bool has_agents_of_its_own(uint32_t queue) const;
};

/// Some callers of a day, as they fared in all runs together.
struct day_cell {
  service_counts sum; ///< of all runs
  /// Answered in time, of those offered, by runs; nothing where no run had any.
  std::optional<estimate> level;

  /// By the mean; nothing without a target, or where there was nobody to say it of.
  [[nodiscard]] std::optional<bool> reaches(std::optional<double> target) const noexcept;
  /// All of the 95 % interval says so: more runs would not tell otherwise. False of one run, which
  /// has none.
  [[nodiscard]] bool surely(double target) const noexcept;
};

/// Those of all the day.
struct day_total : day_cell {
  std::optional<estimate> asa; ///< seconds
  std::optional<estimate> abandoned;
};

struct day_interval : day_cell {
  double planned_agents = 0;
  /// The service level by Erlang A, or C, as if it had been so for ever (the "stationary
  /// independent period by period" way of planners); nothing where it has nothing to say.
  std::optional<double> theory;
  /// The least whole number of agents with whom it says that the queue has its target; nothing
  /// without a target, or where it has nothing to say (`interval_theory::needed`).
  std::optional<uint32_t> needed_agents;

  /// So many more are needed than are planned: of whole ones, as the formula has them.
  [[nodiscard]] uint32_t agents_short() const noexcept;
};

struct day_study {
  struct queue : day_total {
    std::string name;
    duration within{};
    report::histogram answered_waits;  ///< microseconds, of all runs
    report::histogram abandoned_waits; ///< microseconds, of all runs
    std::vector<day_interval> intervals;

    /// Those of some interval are known.
    [[nodiscard]] bool has_needed_agents() const noexcept;
  };

  uint32_t runs = 0;
  uint64_t seed = 0; ///< of the first
  day_total all;     ///< each caller's attempt once, from its first queue to its end
  std::vector<queue> queues;
  staff_time staff; ///< of all runs
  std::optional<estimate> occupancy;
  std::vector<staff_time> staff_by_interval;

  /// False if the whole day of a queue has less than its target; true where there is none.
  [[nodiscard]] bool reaches_targets(const day_plan& day) const noexcept;
};

/// Plays the day once for each seed: `seed`, `seed` + 1, ... `day` passed its check. The same
/// for any number of threads, and memory by their number, not by that of runs. Fails where too many
/// callers are there at once.
[[nodiscard]] result<day_study> study_day(const day_plan& day, uint32_t runs, uint64_t seed,
                                          unsigned threads, simulator plays = &simulate);

} // namespace jackfield::simulation
