#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/live/live_day.hpp"
#include "actors/node/node.hpp"
#include "app/answer_options.hpp"
#include "app/live_options.hpp"
#include "app/registered_users.hpp"
#include "engine/error/error.hpp"
#include "engine/report/run_metrics.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::app {

/// Callers and agents of a live simulation, on a node of their own: agents register at whatever
/// serves them, callers call it. Made, used and destroyed on one thread, which waits for them.
class live_players {
public:
  /// Opens sockets. Blocks as long as a DNS look-up does; an error names the option. `options` has
  /// URIs for both, logins of the agents, and outlives this; a server's certificate may be one of
  /// `trusted_pem`, too.
  static result<std::unique_ptr<live_players>> make(const live_options& options,
                                                    const std::string& trusted_pem, bool quiet);
  ~live_players();
  live_players(const live_players&) = delete;
  live_players& operator=(const live_players&) = delete;

  /// Has all agents registered; fails if one is not. Once, first. `plan` and `cut` outlive this.
  result<void> log_in(const simulation::centre_plan& plan, uint64_t seed,
                      const std::function<bool()>& cut);
  /// After that, once.
  result<live_day_result> play(const simulation::centre_plan& plan,
                               const simulation::simulation_options& options,
                               const live_watch& watch);
  /// All hang up, and agents leave. Ends what is there, whatever was before; once.
  void stop();

  // Once stopped.
  [[nodiscard]] const report::run_metrics& callers() const noexcept { return callers_metrics_; }
  [[nodiscard]] const report::run_metrics& agents() const noexcept { return agents_metrics_; }
  /// A part was ended by an error.
  [[nodiscard]] bool lost() const noexcept { return lost_; }
  [[nodiscard]] unsigned lanes() const noexcept { return engine_->lanes(); }

private:
  live_players(const live_options& options, bool quiet);
  result<void> open(const std::string& trusted_pem);
  void start(const simulation::centre_plan& plan, uint64_t seed);

  const live_options& options_;
  answer_options phones_; // of the agents
  std::optional<registered_users> users_;
  std::unique_ptr<node> engine_;
  std::vector<std::shared_ptr<const call_manner>> manners_; // of callers, by lane
  std::shared_ptr<const call_target> whom_;
  std::shared_ptr<const answer_manner> answers_;
  std::optional<caf::scoped_actor> self_;
  std::vector<caf::actor> callers_;
  std::vector<caf::actor> services_;
  report::run_metrics callers_metrics_;
  report::run_metrics agents_metrics_;
  bool lost_ = false;
};

} // namespace jackfield::app
