#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/load/answering_users.hpp"
#include "engine/simulation/call_samples.hpp"
#include "engine/simulation/simulate.hpp"

/// A contact centre's day over real SIP: the callers and agents of `centre_day` in real time, who
/// call somebody's queue and answer its calls. What serves them is not known but by what it sends.
namespace jackfield {

/// How it goes.
struct live_progress {
  std::chrono::nanoseconds elapsed{};
  uint64_t came = 0; ///< callers, until now
  size_t waiting = 0;
  size_t talking = 0;
  size_t ready = 0; ///< agents
};

/// Whoever looks on; both are called some twenty times a second.
struct live_watch {
  std::function<bool()> cut; ///< is it to end now?
  std::function<void(const live_progress&)> tell;
};

struct live_day_result {
  simulation::simulation_figures figures;
  std::vector<simulation::call_outcome> calls; ///< of all callers
  uint64_t came = 0;                           ///< callers, each attempt
  /// Offers to agents, by how it was found out whose call it was: by the caller ID, by its turn in
  /// the line, or nobody's of ours.
  uint64_t matched = 0;
  uint64_t in_order = 0;
  uint64_t strangers = 0;
  /// Users whose registration failed while it went on.
  uint64_t unregistered = 0;
  /// Callers whom the queue left waiting for a minute while agents were free and it rang none: that
  /// ended it. 0: it did not.
  size_t left_waiting = 0;
  bool cut = false;  ///< it was ended from outside before its time, or as somebody was lost
  bool lost = false; ///< whom `self` monitors: it has ended
};

/// How the agents of a plan answer their phones, by the seed that the day is played with. `plan`
/// outlives it.
[[nodiscard]] std::function<answer_plan(size_t agent, uint64_t n)>
live_answers(const simulation::centre_plan& plan, uint64_t seed);

/// Plays it, on the thread of `self`, which waits. `callers` (`live_callers`, one a lane; calls go
/// to each in turn) tell `self`, and so do answering services with the agents as their users, in
/// the order of the plan, registered already. `self` monitors all of these: without one of them the
/// day would not end, so it ends then. The plan passed its check; its agents are there from
/// beginning to end, each wrap-up is constant and kept by what serves them, and agents' phones do
/// not fail. Fails as `simulate` does.
[[nodiscard]] result<live_day_result>
play_live(const simulation::centre_plan& plan, const simulation::simulation_options& options,
          caf::scoped_actor& self, const std::vector<caf::actor>& callers, const live_watch& watch);

} // namespace jackfield
