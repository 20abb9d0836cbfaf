#include "engine/simulation/interval_theory.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::simulation {

namespace {

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

} // namespace

policy::erlang_demand interval_theory::demand(duration from, duration to) const {
  policy::erlang_demand demand;
  demand.calls_per_second = plan_.arrivals.expected(from, to) / seconds(to - from);
  demand.handling_time = plan_.talk.mean() + plan_.wrap_up.mean() + rings_;
  demand.answer_within = std::max(duration::zero(), plan_.rules.service_level_within - rings_);
  return demand;
}

std::optional<double> interval_theory::level_of(const policy::erlang_demand& demand) const {
  const auto theory =
    plan_.patience ? policy::erlang_a(demand, plan_.patience->mean()) : policy::erlang_c(demand);
  if (!theory)
    return std::nullopt;
  return theory->within.abandoned_negative;
}

std::optional<double> interval_theory::level(duration from, duration to, uint32_t agents) const {
  auto of = demand(from, to);
  of.agents = agents;
  return level_of(of);
}

std::optional<uint32_t> interval_theory::needed(duration from, duration to, double target) const {
  constexpr auto most = static_cast<uint32_t>(centre_plan::most_agents);
  auto of = demand(from, to);
  const double load = of.offered_load();
  if (!(load > 0 && load < most && target < 1))
    return std::nullopt;
  // Up to `fails` none meets it, from `meets` on all do: so far as was looked. From the load on,
  // which the answer is near, in growing steps until both are known; then by halves.
  uint32_t fails = 0;
  uint32_t meets = most + 1;
  of.agents = std::max(1U, static_cast<uint32_t>(load));
  for (uint32_t step = 1; fails + 1 < meets; step *= 2) {
    (level_of(of).value_or(-1) >= target ? meets : fails) = of.agents;
    if (meets > most)
      of.agents = std::min(most, fails + step);
    else if (fails == 0)
      of.agents = meets > step ? meets - step : 1;
    else
      of.agents = fails + (meets - fails) / 2;
  }
  return meets <= most ? std::optional{meets} : std::nullopt;
}

} // namespace jackfield::simulation
