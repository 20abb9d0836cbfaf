#pragma once

#include <cstdint>
#include <vector>

#include "engine/policy/ids.hpp"
#include "engine/policy/queue_figures.hpp"
#include "engine/policy/queue_rules.hpp"
#include "engine/policy/wait_estimate.hpp"

namespace jackfield::policy {

/// What a queue's desk is to know again after a restart; its rules are the configuration's. Times
/// are those of the desk's clock: who starts it with another one moves them first (`moved`).
struct queue_snapshot {
  struct waiting {
    call_id id{};
    int32_t priority = 0;
    std::vector<wanted_skill> wants; ///< of its own
    time_point joined{};             ///< its place
    time_point entered{};            ///< when it came in
    time_point announce_at = never;

    friend bool operator==(const waiting&, const waiting&) = default;
  };
  struct member {
    agent_id id{};
    uint64_t order = 0; ///< of becoming a member
    membership part;

    friend bool operator==(const member&, const member&) = default;
  };

  std::vector<waiting> line;   ///< in its order
  std::vector<member> members; ///< in the order in which they became such
  /// The member bid for last in each tier that had one: round-robin goes on after it.
  struct turn {
    uint16_t tier = 0;
    uint32_t position = 0;
    uint64_t order = 0;

    friend bool operator==(const turn&, const turn&) = default;
  };
  std::vector<turn> turns;
  uint64_t last_bid = 0;
  queue_figures figures;
  wait_estimate estimate;

  friend bool operator==(const queue_snapshot&, const queue_snapshot&) = default;
};

/// The same with all times `by` later.
[[nodiscard]] queue_snapshot moved(queue_snapshot snapshot, duration by);

} // namespace jackfield::policy
