#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/policy/messages.hpp"

/// What an agent's desk tells its owner to do, in this order.
namespace jackfield::policy {

/// What an agent does, as its own desk knows it.
enum class agent_state : uint8_t {
  logged_out,
  ready,
  paused,
  reserved, ///< for a bid; its phone does not ring yet
  offered,  ///< its phone rings
  answered, ///< took an offer; the queue's assignment is on its way
  in_call,  ///< a queue's, or its own
  wrap_up,
  resting,     ///< after an offer that it did not take
  unreachable, ///< logged in, but its registration is gone
};

/// Hand to the queue's desk: `on_status`. With a round: the queue is to answer with a bid or
/// no_bid.
struct status_to_queue {
  queue_id queue{};
  agent_status what;
  round_id round = no_round;
};

/// Hand to the queue's desk: `on_bid_answer`, `on_outcome`.
template <class Message>
struct to_queue {
  queue_id queue{};
  Message what;
};

/// Ring the agent's phone for this call. Its result is told by `agent_desk::on_ring_result` with
/// this id.
struct start_ringing {
  queue_id queue{};
  bid_id id{};
  call_id call{};
  time_point until{};
};

/// Cancel what rings for this bid, or hang up if it was answered already. Said once for each
/// `start_ringing` that does not end by its own result or by `connected`.
struct stop_ringing {
  queue_id queue{};
  bid_id id{};
  call_id call{};
};

/// The agent has the caller: connect them. `agent_desk::on_call_ended` follows.
struct connected {
  queue_id queue{};
  bid_id id{};
  call_id call{};
};

/// For displays and the journal.
struct state_changed {
  agent_state from = agent_state::logged_out;
  agent_state to = agent_state::logged_out;
  /// When it ends by itself; `never` if it does not.
  time_point until = never;
  /// Of a pause.
  std::string reason;
};

using agent_action = std::variant<status_to_queue, to_queue<bid_answer>, to_queue<offer_outcome>,
                                  start_ringing, stop_ringing, connected, state_changed>;

/// Appended to, never cleared by a desk. One input gives at most two for each of the agent's
/// queues, and four more.
using agent_actions = std::vector<agent_action>;

} // namespace jackfield::policy
