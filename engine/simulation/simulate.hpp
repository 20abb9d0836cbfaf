#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/report/histogram.hpp"
#include "engine/simulation/centre_plan.hpp"
#include "engine/simulation/service_counts.hpp"

namespace jackfield::simulation {

/// How a caller's attempt came to its end.
enum class call_end : uint8_t {
  served,        ///< the talk with the agent was over
  agent_failed,  ///< the agent's phone was gone in the middle of it
  abandoned,     ///< hung up while it waited
  overflowed,    ///< was sent on to where no queue is
  refused,       ///< was not let in, and there was nowhere to send it
  still_waiting, ///< at the end of the simulation
};

/// A caller's attempt, told once it is over. Times are since the beginning.
struct call_outcome {
  uint64_t number = 0;  ///< of the caller, in the order in which they came, from 1
  uint32_t attempt = 0; ///< 0, and more for one who redials
  duration came{};
  uint32_t queue = 0;            ///< at the end
  std::optional<uint32_t> agent; ///< who answered
  std::optional<duration> answered;
  duration ended{};
  call_end how = call_end::served;

  friend bool operator==(const call_outcome&, const call_outcome&) = default;
};

struct simulation_options {
  uint64_t seed = 1;
  /// So many first callers, and agents' time until then, are not in the figures.
  uint64_t warm_up = 0;
  /// After these so many more come, and are in the figures; 0: as many as the plan says, which then
  /// must not be endless.
  uint64_t calls = 0;
  /// Figures by this time of day, too; 0: not. What is later than the plan is counted in its last
  /// interval.
  duration interval{};
};

struct interval_counts {
  std::vector<service_counts> queues;
  staff_time staff;
};

struct simulation_figures {
  struct queue {
    service_counts counts;
    report::histogram answered_waits;  ///< microseconds
    report::histogram abandoned_waits; ///< microseconds
  };
  std::vector<queue> queues;
  /// All callers' attempts, each once, from the first queue that let it in to its end.
  service_counts all;
  staff_time staff;
  std::vector<interval_counts> intervals;
  /// How much of the simulated time is in the figures.
  duration measured{};
  /// Callers at once, who wait, talk, or will call again.
  uint64_t most_live = 0;
};

/// More callers at once than these end a simulation: memory goes by them.
inline constexpr uint64_t most_live_calls = 1'000'000;

/// Plays a plan with the desks that serve live calls (policy::queue_desk, policy::agent_desk), each
/// message between them delivered at once and in order. As fast as it can; memory goes by the calls
/// that are up, not by how many there were. `plan` passed its `check`. Two runs of the same plan,
/// options and seed are the same in all.
///
/// The same plan with other agents, or other rules, has the same callers with the same patience and
/// the same to talk about: what differs in the figures is the change's doing.
[[nodiscard]] result<simulation_figures>
simulate(const centre_plan& plan, const simulation_options& options,
         const std::function<void(const call_outcome&)>& on_call = {});

/// As `simulate`, by whatever serves; on any thread.
using simulator =
  result<simulation_figures> (*)(const centre_plan& plan, const simulation_options& options,
                                 const std::function<void(const call_outcome&)>& on_call);

} // namespace jackfield::simulation
