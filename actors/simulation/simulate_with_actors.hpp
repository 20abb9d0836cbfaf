#pragma once

#include <functional>

#include "engine/simulation/simulate.hpp"

namespace jackfield {

/// As `simulation::simulate`, by the actors that serve live calls (`queue`, `agent`) in simulated
/// time, on a lane of its own: the same plan, options and seed give each caller the same beginning,
/// agent and end. Slower, but what is simulated is what serves.
[[nodiscard]] result<simulation::simulation_figures>
simulate_with_actors(const simulation::centre_plan& plan,
                     const simulation::simulation_options& options,
                     const std::function<void(const simulation::call_outcome&)>& on_call = {});

} // namespace jackfield
