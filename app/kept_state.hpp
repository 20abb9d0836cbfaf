#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <caf/actor.hpp>

#include "actors/node/node.hpp"
#include "app/keep_options.hpp"
#include "storage/rocks_store.hpp"

namespace jackfield::app {

/// A command's state directory while it runs: opened before anything is done, closed when the node
/// is gone. Its faults are told in one line on standard error, and are the command's exit code.
class kept_state {
public:
  /// Opens the directory, closes what a crash left there, and tells what that was. Nothing where
  /// none was asked for.
  static storage::outcome<std::unique_ptr<kept_state>> open(const keep_options& options);

  /// Begins a run, and has the node keep its calls; `watcher` as in `node::keep_calls`. Before the
  /// node starts.
  storage::outcome<void> begin(node& engine, std::string_view kind, const std::string& command,
                               uint64_t seed, const caf::actor& watcher);
  /// The node is gone. Ends the run.
  storage::outcome<void> end(std::string_view ended_by);

private:
  kept_state(keep_options options, std::unique_ptr<storage::rocks_store> opened)
      : options_(std::move(options)), store_(std::move(opened)) {
    // nop
  }

  keep_options options_;
  std::unique_ptr<storage::rocks_store> store_;
  uint64_t run_ = 0;
};

/// Tells a fault; returns its exit code.
int tell_fault(const storage::fault& what);

} // namespace jackfield::app
