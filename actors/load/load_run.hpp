#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/load/load_generator.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield {

/// To a run's observer, about once a second: where it stands. `metrics` are those of all lanes,
/// with what the answering side heard if that is ours.
struct run_progress {
  lane::duration elapsed{};
  std::shared_ptr<const report::run_metrics> metrics;
  bool draining = false;
};

/// To a run's observer, last.
struct run_finished {
  lane::duration elapsed{}; ///< to the end of the last call
  std::shared_ptr<const report::run_metrics> metrics;
};

struct start_run;

/// A load run: starts its generators together, gathers what they measure, ends when all are done.
/// A run that goes on after a crash covers both parts: its clock and its figures go on, the time in
/// between is none of it.
/// Watches them: a part that an error ends is counted, and the run comes to its end without it.
/// Lives on one of the lanes. Messages: `load_drain`, `load_abort`, `load_give_up`.
class load_run final : public lane::lane_actor {
public:
  struct parts {
    std::vector<caf::actor> generators;
    /// Answering services that the run calls, on the generators' lanes; may be empty.
    std::vector<caf::actor> answerers;
  };

  /// `observer` gets progress and call lines. The generators are made after the run, which they
  /// need: `start_run` brings them.
  load_run(caf::actor_config& config, lane::lane& home, caf::actor observer);

  const char* name() const override { return "load_run"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void start(const start_run& how);
  void ask();
  void on_snapshot(const metrics_snapshot& snapshot);
  void on_done(unsigned source);
  /// An error ended a part: what it measured last stands, what it still owed will not come.
  void on_lost(const caf::actor_addr& who);
  /// All that was asked for is here.
  void report();
  template <class Order>
  void tell_generators(Order order);

  struct part {
    caf::actor who = {}; // null: lost
    std::shared_ptr<const report::run_metrics> measured = {};
    bool answers = false; // else it generates
    bool asked = false;   // and has not answered yet
    bool done = false;    // a generator whose calls are over
  };

  caf::actor observer_;
  std::shared_ptr<const run_history> history_; // null: it began here
  std::vector<part> parts_;                    // by source: generators, then answerers
  lane::actor_timer timer_;
  lane::time_point start_{};
  lane::time_point last_end_{};
  size_t missing_ = 0; // snapshots asked for and not here yet
  size_t running_ = 0; // generators not done
  uint64_t lost_ = 0;
  bool draining_ = false;
  bool final_ = false;
};

/// To a run: begin.
struct start_run {
  load_run::parts parts;
  std::shared_ptr<const run_history> history; ///< of a run that goes on; else null
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::run_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::run_finished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::start_run)
