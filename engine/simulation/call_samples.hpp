#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/simulation/centre_plan.hpp"
#include "engine/simulation/random_numbers.hpp"

namespace jackfield::simulation {

/// A caller comes.
struct arrival {
  uint64_t number = 0; ///< of all queues' callers in order, from 1
  duration at{};       ///< since the beginning
  uint32_t queue = 0;
};

/// All that is left to chance in a plan, the same for whoever asks: by a caller's number, an
/// agent's and how often it was rung. So another engine that works as this one does gives each
/// caller the same start, agent and end. `plan` outlives it.
class call_samples {
public:
  call_samples(const centre_plan& plan, uint64_t seed);

  /// The next caller to come, in order of time, then of queues; nothing after the last.
  [[nodiscard]] std::optional<arrival> next_arrival();

  /// How long the caller waits in its `attempt`th attempt, from 0, before it hangs up; nothing: for
  /// ever. By the queue that it came to first.
  [[nodiscard]] std::optional<duration> patience(const arrival& who, uint32_t attempt) const;
  /// With an agent of that queue.
  [[nodiscard]] duration talk(uint64_t number, uint32_t queue) const;
  [[nodiscard]] duration wrap_up(uint64_t number, uint32_t queue) const;
  /// When it tries again after its `attempt`th attempt; nothing: never.
  [[nodiscard]] std::optional<duration> redial(const arrival& who, uint32_t attempt) const;

  /// How long the agent's phone rings before it is answered, when it is rung for the `offer`th
  /// time, from 0; nothing: it is not answered.
  [[nodiscard]] std::optional<duration> answer(uint32_t agent, uint64_t offer) const;
  /// How long the agent's phone works before its `failure`th failure, from 0, and how long that
  /// lasts.
  [[nodiscard]] duration fails_after(uint32_t agent, uint64_t failure) const;
  [[nodiscard]] duration failure_lasts(uint32_t agent, uint64_t failure) const;
  /// Of the queue's desk.
  [[nodiscard]] uint64_t strategy_seed(uint32_t queue) const;

private:
  [[nodiscard]] duration sample(const distribution& from, draw what, uint64_t number,
                                uint32_t part = 0) const {
    return from.is() == distribution::kind::constant ? from.mean()
                                                     : from.at(random_.uniform(what, number, part));
  }

  struct source {
    arrival_process process;
    std::optional<duration> next;
  };

  const centre_plan* plan_;
  random_numbers random_;
  std::vector<source> sources_;
  uint64_t arrivals_ = 0;
};

} // namespace jackfield::simulation
