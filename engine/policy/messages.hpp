#pragma once

#include <cstdint>
#include <optional>

#include "engine/policy/ids.hpp"
#include "engine/policy/time.hpp"

/// What the desk of a queue and the desk of an agent say to each other. Their owners carry these as
/// they are, in any order and with any delay: each desk knows by numbers what is out of date. That
/// one that is alive gets each of them, is the owners' to see to; that one that is not is told as
/// such.
///
///     queue                             agent
///       | <---- agent_status, round ------ |   it is available; who has a caller?
///       | -- bid (of that round) --------> |   or no_bid
///       | <---- bid_answer: granted ------ |   reserved for this bid; or refused
///       | -- offer ----------------------> |   its phone rings
///       | <---- offer_outcome: answered -- |   or rejected, no_answer, ...
///       | -- assignment -----------------> |   the call is its own; or withdrawal: somebody was
///       |                                  |   quicker, or the caller has gone
///
/// A queue may send a withdrawal at any time before the assignment. Each bid is answered once.
namespace jackfield::policy {

/// What an agent is to its queues.
enum class presence : uint8_t {
  away,      ///< logged out, or its registration is gone
  paused,    ///< logged in, and not to be called
  busy,      ///< works: reserved, rung, in a call, wrapping up, or resting after a missed call
  available, ///< may be bid for
};

/// Agent to each of its queues, whenever one of these changes, and within each answer. Of two, the
/// one with the higher version is true.
struct agent_status {
  agent_id agent{};
  uint64_t version = 0;
  presence now = presence::away;
  /// Since when it has been available; meaningless if it is not.
  time_point available_since{};
  /// Queue calls it took, of all its queues, and how long they lasted.
  uint64_t answered_calls = 0;
  duration talk_time{};

  friend bool operator==(const agent_status&, const agent_status&) = default;
};

/// A round of an agent that asks its queues for their best caller; 0: it asks for none.
enum class round_id : uint64_t {};
inline constexpr round_id no_round{};

/// Queue to agent: reserve yourself for this caller.
struct bid {
  queue_id queue{};
  bid_id id{};
  call_id call{};
  int32_t call_priority = 0;
  /// The caller's place: who joined earlier is to be served first.
  time_point joined{};
  /// The round that this answers; `no_round` if the queue asks of itself.
  round_id round = no_round;
};

/// Queue to agent: no caller for you in this round.
struct no_bid {
  queue_id queue{};
  round_id round = no_round;
};

enum class bid_verdict : uint8_t {
  granted,
  unavailable, ///< paused, logged out, in a call, ...
  reserved,    ///< for another bid
  outbid,      ///< another queue's caller came first in the round
  withdrawn,   ///< by the queue, before there was an answer
  not_member,  ///< of the queue that bid
};

/// Agent to queue, once for each bid.
struct bid_answer {
  bid_id id{};
  bid_verdict verdict = bid_verdict::unavailable;
  agent_status status;
};

/// Queue to agent that granted: ring.
struct offer {
  queue_id queue{};
  bid_id id{};
  call_id call{};
  /// When to stop ringing.
  time_point until{};
  /// Of this queue; unset: the agent's own.
  std::optional<duration> wrap_up;
};

enum class offer_result : uint8_t {
  answered,    ///< the agent wants the call; it has it once it is assigned
  rejected,    ///< declined by the agent
  no_answer,   ///< rang to the end
  busy,        ///< its phone said so
  unreachable, ///< its phone cannot be reached, or the agent logged out
  caller_gone, ///< the caller's side went while the agent's phone rang
  not_reserved ///< the reservation is over: its lease ended before the queue's next word came
};

/// Agent to queue: how an offer went; more than one where it was answered and then lost.
struct offer_outcome {
  bid_id id{};
  offer_result result = offer_result::no_answer;
  agent_status status;
};

enum class withdrawal_reason : uint8_t {
  caller_left,        ///< hung up, transferred, overflowed
  answered_elsewhere, ///< another agent was quicker
  lease_over,         ///< the agent did not answer the bid or the offer in time
  not_member,         ///< the agent is no member any more
};

/// Queue to agent: the bid is over, whatever had come of it.
struct withdrawal {
  queue_id queue{};
  bid_id id{};
  withdrawal_reason why = withdrawal_reason::caller_left;
};

/// Queue to agent that answered: the caller is yours.
struct assignment {
  queue_id queue{};
  bid_id id{};
  call_id call{};
};

} // namespace jackfield::policy
