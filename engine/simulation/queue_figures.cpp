#include "engine/simulation/queue_figures.hpp"

namespace jackfield::simulation {

queue_figures<std::optional<double>> figures_of(const simulation_figures& run) {
  queue_figures<std::optional<double>> f;
  const auto& all = run.all;
  f.p_wait = all.p_wait();
  f.asa = all.asa();
  f.abandoned = all.share_abandoned();
  f.occupancy = run.staff.occupancy();
  if (const auto levels = all.levels()) {
    f.level_negative = levels->abandoned_negative;
    f.level_ignored = levels->abandoned_ignored;
    f.level_positive = levels->abandoned_positive;
  }
  return f;
}

queue_figures<double> figures_of(const policy::erlang_figures& theory) {
  queue_figures<double> f;
  f.p_wait = theory.p_wait;
  f.asa = theory.mean_answered;
  f.abandoned = theory.abandoned;
  f.occupancy = theory.occupancy;
  f.level_negative = theory.within.abandoned_negative;
  f.level_ignored = theory.within.abandoned_ignored;
  f.level_positive = theory.within.abandoned_positive;
  return f;
}

} // namespace jackfield::simulation
