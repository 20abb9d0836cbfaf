#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <caf/actor.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/load/load_launch.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield::tests {

/// Callers who call at once, and stay until they are told or hung up: on a node of their own, as
/// `jackfield load` has them.
class callers {
public:
  callers(const std::string& number, transport::protocol p, uint64_t calls);
  ~callers();
  callers(const callers&) = delete;
  callers& operator=(const callers&) = delete;

  /// Those who are up still hang up.
  void hang_up();
  /// Waits until all calls are over.
  report::call_counts counts();

private:
  prepared_run run_;
  std::optional<caf::scoped_actor> self_; // ends before the node
  caf::actor launched_;
};

} // namespace jackfield::tests
