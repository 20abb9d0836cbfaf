#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "engine/lane/timer_wheel.hpp"
#include "engine/policy/agent_desk.hpp"
#include "engine/policy/messages.hpp"

/// What calls, queues and agents say to one another; they live on any lanes.
namespace jackfield {

struct wait_announcement;
struct callback_terms;

struct recording_settings;

/// How a call left a queue.
enum class queue_exit : uint8_t {
  answered,   ///< an agent took it
  abandoned,  ///< the caller hung up
  timed_out,  ///< it had waited for as long as it may
  full,       ///< too many waited
  no_agents,  ///< there was nobody to wait for
  closed,     ///< the queue, or the whole engine, takes no more
  called_back ///< its caller was promised that, and keeps the place
};

struct agent_address {
  std::string name;
  std::string address_of_record; ///< a SIP URI: whom phones are registered for
  caf::strong_actor_ptr actor;
};

/// A queue's offer of a call to an agent.
struct offer_key {
  policy::queue_id queue{};
  policy::bid_id bid{};

  friend bool operator==(const offer_key&, const offer_key&) = default;
};

// -- a call and its queue ----------------------------------------------------------

/// A call to a queue: it waits there; the sender is the call, whose actor's number is its number.
struct enter_queue {
  std::string call_id;
  std::string from; ///< a URI
  int priority = 0; ///< higher is served first
  /// Since when it waits.
  lane::time_point since;
  bool returns = false;  ///< it waited here before a restart
  bool promised = false; ///< its caller is called back, and has kept the place: it is let in
};

/// A call to its queue: its caller has gone.
struct leave_queue {
  bool to_be_called = false; ///< back, which it was promised
};

/// A call to its queue: its caller, who waited there before a restart, has not come back.
struct caller_lost {
  enter_queue call;
  bool hung_up = false; ///< by itself
};

/// A call to its queue: caller and agent hear each other.
struct call_taken {
  policy::bid_id bid{};
  std::string agent;
};

/// Where a call may wait.
struct queue_ticket {
  std::string name; ///< of the queue
  caf::strong_actor_ptr queue;
  int priority = 0;
  std::shared_ptr<const recording_settings> record = {};   ///< null: what is said is not recorded
  std::shared_ptr<const wait_announcement> announces = {}; ///< null: nothing is
  std::shared_ptr<const callback_terms> calls_back = {};   ///< null: nobody
};

/// A queue to a call that waits: its caller may be told.
struct wait_told {
  uint32_t position = 1; ///< 1: next
  std::optional<lane::duration> expected_wait;
};

/// A queue to a call: it does not wait there any more, but there, or nowhere.
struct queue_dismissed {
  queue_exit why = queue_exit::closed;
  std::optional<queue_ticket> next = {};
};

// -- a queue and an agent: the messages of engine/policy ---------------------------

/// A queue to an agent; the sender is the queue.
struct queue_to_agent {
  std::variant<policy::bid, policy::no_bid, policy::offer, policy::withdrawal, policy::assignment>
    what;
  caf::strong_actor_ptr call = {}; ///< of an offer
};

/// A queue to an agent: from now on it is a member with that priority, or none any more. The sender
/// is the queue, which says it after what else it had to say to a member.
struct membership_told {
  policy::queue_id queue{};
  std::optional<int32_t> priority; ///< higher goes first
};

/// A queue to an agent: what is its status? The sender is the queue.
struct ask_agent_status {
  policy::queue_id queue{};
};

/// An agent to a queue.
struct agent_to_queue {
  struct status {
    policy::agent_status now;
    policy::round_id round = policy::no_round;
  };
  std::variant<status, policy::bid_answer, policy::offer_outcome> what;
};

// -- an agent and a call -----------------------------------------------------------

/// An agent to a call that it was offered: ring my phones. Answered by one `ring_over`.
struct ring_agent {
  offer_key offer;
  agent_address agent;
};

/// A call to an agent. Said again, with what came, if it was answered and is over before it was
/// connected.
struct ring_over {
  offer_key offer;
  policy::ring_result how = policy::ring_result::no_answer;
};

/// An agent to a call: stop it, or hang up what was answered.
struct stop_ringing {
  offer_key offer;
};

/// An agent to a call that it answered: caller and agent are to hear each other.
struct connect_agent {
  offer_key offer;
};

/// A call to the agent whom it was connected to.
struct talk_over {
  offer_key offer;
};

/// A call to the agent who had it before a restart: it is there again, and may go on. Ends by
/// `talk_over` of `offer_before_restart`.
struct talk_goes_on {};
inline constexpr offer_key offer_before_restart{};

// -- a call and its owner ----------------------------------------------------------

/// A call to its owner, which answers with `contacts_found`.
struct look_up_contacts {
  std::string uri;
  uint64_t ticket = 0;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::enter_queue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leave_queue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::caller_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ring_agent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::stop_ringing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::queue_dismissed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::wait_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::queue_to_agent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::membership_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_agent_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::agent_to_queue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ring_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::connect_agent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::talk_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::talk_goes_on)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::look_up_contacts)
