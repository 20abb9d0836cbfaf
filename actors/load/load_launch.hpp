#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/call/call_settings.hpp"
#include "actors/load/answer_script.hpp"
#include "actors/load/load_plan.hpp"
#include "actors/load/load_run.hpp"
#include "actors/load/load_settings.hpp"
#include "actors/load/run_history.hpp"
#include "actors/node/node.hpp"

namespace jackfield {

/// A run that has been set up and not yet begun: its sockets are open, nothing has been sent.
struct prepared_run {
  std::unique_ptr<node> engine;
  unsigned lanes = 0;
  std::shared_ptr<const load_plan> plan;
  /// For each calling lane.
  std::vector<std::shared_ptr<const call_manner>> manners;
  /// How the embedded answering engine answers; nothing where the target is somebody else's.
  std::shared_ptr<const answer_manner> answers;
  /// How connections of the calling side begin.
  std::shared_ptr<const transport::open_settings> connections;
  bool audio = false; ///< calls have audio
  /// Of a run that goes on after a crash, of as many lanes; else null. And by lane the calls that
  /// go on with it: for each lane that has any the observer gets `calls_resumed`.
  std::shared_ptr<const run_history> history;
  std::vector<std::vector<storage::interrupted_call>> left;
  load_run::parts parts; ///< once launched, until it begins
};

/// Finds the target, makes the node and opens what a run needs. Blocks; may take as long as a DNS
/// look-up does. An error names the setting by its option's name.
result<prepared_run> prepare(const load_settings& settings, const std::string& user_agent);

/// Starts the actors of a prepared run, and its lanes; the run waits for `begin`, reports to
/// `observer` and takes `load_drain` and `load_abort`. `run` must outlive it. Once.
caf::actor launch(prepared_run& run, const caf::actor& observer);

/// Has the launched run make its arrivals. Once.
void begin(prepared_run& run, const caf::actor& launched);

} // namespace jackfield
