#pragma once

#include <cstdint>
#include <optional>

#include "engine/policy/erlang.hpp"
#include "engine/simulation/centre_plan.hpp"

namespace jackfield::simulation {

/// What Erlang's formula says of a queue that has agents of its own: Erlang A where callers give
/// up, else Erlang C; of each time as if it had been so for ever (the "stationary independent
/// period by period" way of planners). Calls are those that are planned, without redials.
class interval_theory {
public:
  /// `plan`, which outlives it, is of a centre that passed its check; agents' phones ring for
  /// `rings` until they answer, on average.
  interval_theory(const queue_plan& plan, duration rings) noexcept : plan_(plan), rings_(rings) {}

  /// Share of calls of [from, to) answered in time, of those offered; nothing without calls or
  /// agents, and where the line would grow for ever.
  [[nodiscard]] std::optional<double> level(duration from, duration to, uint32_t agents) const;
  /// The least number of agents whose `level` is `target` at least. Nothing without calls, for
  /// 100 %, which no number is sure of, and where no centre that may be planned has as many.
  [[nodiscard]] std::optional<uint32_t> needed(duration from, duration to, double target) const;

private:
  [[nodiscard]] policy::erlang_demand demand(duration from, duration to) const;
  [[nodiscard]] std::optional<double> level_of(const policy::erlang_demand& demand) const;

  const queue_plan& plan_;
  duration rings_;
};

} // namespace jackfield::simulation
