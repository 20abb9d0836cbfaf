#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/actor.hpp>

#include "actors/call/call_recovery.hpp"
#include "actors/call/registration_recovery.hpp"
#include "actors/call/resumption_tally.hpp"
#include "actors/load/run_history.hpp"
#include "actors/node/node.hpp"
#include "app/keep_options.hpp"
#include "storage/kept_registrations.hpp"
#include "storage/rocks_store.hpp"
#include "storage/run_book.hpp"

namespace jackfield::app {

/// A command's state directory while it runs: opened before anything is done, closed when the node
/// is gone. Its faults are told in one line on standard error, and are the command's exit code.
class kept_state {
public:
  /// Opens the directory, ends the runs that a crash cut off, and tells what was found. Nothing
  /// where none was asked for.
  static storage::outcome<std::unique_ptr<kept_state>> open(const keep_options& options);

  /// The port of each lane's UDP socket that the calls left by a crash know us by; 0: none does.
  [[nodiscard]] std::vector<uint16_t> former_ports() const;

  /// Begins a run, or the one that goes on again, and has the node keep its calls; `watcher` as in
  /// `node::keep_calls`. Before the node starts.
  storage::outcome<void> begin(node& engine, storage::run_record run, const caf::actor& watcher);
  /// The load run that a crash cut off and that is to go on; null: none is.
  [[nodiscard]] const storage::run_record* cut_off() const noexcept {
    return cut_off_ ? &cut_off_->record : nullptr;
  }
  /// What happened in that.
  storage::outcome<std::shared_ptr<const run_history>> history(const load_plan& plan,
                                                               unsigned lanes) const;
  /// Has the services, one a lane, take up who was registered before, after a crash or not. Before
  /// the node starts.
  storage::outcome<void> restore_bindings(const std::vector<caf::actor>& services) const;
  /// Takes the calls that a crash left and that are to go on and can, by lane: those that came in,
  /// or those of the run that goes on. Before `recover`, which has the rest.
  std::vector<std::vector<storage::interrupted_call>> resumable(unsigned lanes);
  /// The same of those of which `which` says so, which is asked once for each.
  std::vector<std::vector<storage::interrupted_call>>
  resumable(unsigned lanes, const std::function<bool(const storage::interrupted_call&)>& which) {
    return take(lanes, which);
  }
  /// Calls that a crash left, of which nobody has taken up any.
  [[nodiscard]] const std::vector<storage::interrupted_call>& left() const noexcept {
    return left_;
  }
  /// Any thread may read there.
  [[nodiscard]] const storage::store& store() const noexcept { return *store_; }
  /// Has the calls that a crash left end at their peers, over such connections; `watcher` gets
  /// `calls_recovered` for each of the lanes that this returns the number of. After `begin`.
  unsigned recover(node& engine, const std::shared_ptr<const transport::open_settings>& connections,
                   const caf::actor& watcher);
  /// Has the bindings that registrations of load runs have left at their registrars removed, by
  /// users of these that they are of; `watcher` gets `registrations_recovered` for each of the
  /// lanes that this returns the number of. After `begin`.
  unsigned remove_bindings(node& engine,
                           const std::shared_ptr<const transport::open_settings>& connections,
                           std::span<const std::shared_ptr<const call_target>> users,
                           const caf::actor& watcher);
  /// These tell what became of them.
  void tell_recovered(const parting_counts& counts) const;
  void tell_resumed(const calls_resumed& counts) const;
  void tell_removed(const unbinding_counts& counts) const;
  /// That there are such bindings, where nobody will remove them now.
  void tell_bindings_left() const;
  /// The node is gone. Ends the run.
  storage::outcome<void> end(std::string_view ended_by);

private:
  kept_state(keep_options options, std::unique_ptr<storage::rocks_store> opened)
      : options_(std::move(options)), store_(std::move(opened)) {
    // nop
  }
  storage::outcome<void> take_stock();
  storage::outcome<void> take_registrations();
  /// Takes some of what a crash left, by lane.
  std::vector<std::vector<storage::interrupted_call>>
  take(unsigned lanes, const std::function<bool(const storage::interrupted_call&)>& which);

  keep_options options_;
  std::unique_ptr<storage::rocks_store> store_;
  /// It is one of those that go on.
  [[nodiscard]] bool goes_on(const storage::interrupted_call& call) const;

  std::vector<storage::interrupted_call> left_;               // by a crash, to be ended or to go on
  std::vector<storage::interrupted_registration> registered_; // likewise, to be removed
  uint64_t expired_ = 0;                                      // of these, before this start
  std::optional<storage::open_run> cut_off_;
  uint64_t run_ = 0;
};

/// Tells a fault; returns its exit code.
int tell_fault(const storage::fault& what);

} // namespace jackfield::app
