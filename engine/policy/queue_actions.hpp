#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/policy/messages.hpp"
#include "engine/policy/queue_rules.hpp"

/// What a queue's desk tells its owner to do, in this order.
namespace jackfield::policy {

/// Hand `what` to the agent's desk: `on_bid`, `on_no_bid`, `on_offer`, `on_withdrawal`.
template <class Message>
struct to_agent {
  agent_id agent{};
  Message what;
};

/// Ask the agent for its status (`agent_desk::on_status_asked`): it became a member.
struct ask_status {
  agent_id agent{};
};

/// The caller has left the queue for this agent. Hand `what` to the agent's desk
/// (`on_assigned`), and bring the two calls together.
struct assigned {
  agent_id agent{};
  assignment what;
  /// Since it came in.
  duration waited{};
};

/// The caller has left the queue, and goes elsewhere.
struct overflowed {
  call_id call{};
  overflow_reason why = overflow_reason::max_wait;
  std::string to;
  duration waited{};
};

/// Tell the caller. Nobody's place changes by it.
struct announce {
  call_id call{};
  uint32_t position = 1; ///< 1: next
  std::optional<duration> expected_wait;
};

using queue_action = std::variant<to_agent<bid>, to_agent<no_bid>, to_agent<offer>,
                                  to_agent<withdrawal>, ask_status, assigned, overflowed, announce>;

/// Appended to, never cleared by a desk. One input gives a few; but as many as there are members
/// where a queue rings all, and as there are callers where it is closed.
using queue_actions = std::vector<queue_action>;

} // namespace jackfield::policy
