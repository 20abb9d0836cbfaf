#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/centre/centre_events.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/centre_messages.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/policy/agent_desk.hpp"

namespace jackfield {

/// Who an agent is.
struct agent_profile {
  policy::agent_id number{};
  std::string name; ///< the user part of its address
  policy::agent_rules rules;
  /// Logs in as soon as a phone of it is registered, and is ready; else it has to be told to.
  bool ready_at_once = true;
};

/// What is kept of an agent, and what was.
struct agent_keeping {
  recorder* where = nullptr; ///< on its lane, outlives it; null: nothing is
  std::optional<storage::agent_record> before = {};
  storage::wall_time heard{}; ///< of the process before, last
  /// A call that it had then, and which says `talk_goes_on`.
  std::optional<agent_talk> talk = {};
};

/// To an agent, once: the queues that it is a member of.
struct agent_queues {
  struct part {
    policy::queue_id queue{};
    caf::strong_actor_ptr actor;
    int32_t priority = 0; ///< higher goes first
  };
  std::vector<part> all;
};

/// To an agent: it is so from now on. What runs already keeps its deadline.
struct agent_changed {
  policy::agent_rules rules;
  bool ready_at_once = true;
};

/// To an agent: it is none any more. It logs out, and ends once its calls are over.
struct agent_leaves {};

/// To an agent: phones are registered for it at that address, or none is any more.
struct agent_phones {
  std::string address_of_record; ///< a SIP URI
  bool present = false;
};

/// To an agent: where are its phones? Answered by `agent_phones`.
struct ask_agent_phones {};

/// To an agent: a call to its phone beside the queues begins, or is over.
struct direct_call {
  policy::call_id call{};
  bool up = false;
};

/// To an agent, from whoever runs its desktop.
struct agent_wish {
  enum class kind : uint8_t { log_in, log_out, pause, unpause, end_wrap_up };
  kind what = kind::log_in;
  std::string reason = {}; ///< of a pause
};

/// To an agent: how is it? Answered by `agent_state_told`. What the sender wished before has been
/// heeded then.
struct ask_agent_state {};

struct agent_state_told {
  std::string name;
  policy::agent_state state = policy::agent_state::logged_out;
  std::chrono::system_clock::time_point since;
  /// When the state ends by itself; nothing: it does not.
  std::optional<std::chrono::system_clock::time_point> until;
  std::string pause_reason; ///< of a pause that is, or waits
  /// What waits for the end of what the agent does now.
  bool pause_pending = false;
  bool log_out_pending = false;
  bool registered = false;     ///< a phone is
  uint64_t answered_calls = 0; ///< of queues, since it logged in
  lane::duration talk_time{};
};

/// An agent of a contact centre: a `policy::agent_desk`, which alone decides on its reservations,
/// with its timer, its queues and the calls that ring for it. Lives on any lane.
///
/// Ends with its owner's leave only, or having been told to; whoever spawned it watches it.
class agent final : public lane::lane_actor {
public:
  /// `watcher` gets a `centre_event` for each change of its state; null: nobody does.
  agent(caf::actor_config& config, lane::lane& home, agent_profile profile,
        caf::strong_actor_ptr watcher, agent_keeping keeping = {});

  const char* name() const override { return "agent"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  /// So long after a restart a phone that comes back is the one that was there, as whose user who
  /// had logged out stays so.
  static constexpr lane::duration return_limit = std::chrono::hours{1};

  struct ringing_call {
    offer_key key;
    policy::call_id call{};
    caf::strong_actor_ptr actor;
  };

  void on_queue(queue_to_agent& said);
  void on_membership(const membership_told& told);
  void on_phones(const agent_phones& phones);
  void on_wish(const agent_wish& wish);
  [[nodiscard]] agent_state_told state() const;
  void on_down(const caf::down_msg& down);
  void on_ring_over(const ring_over& over);
  void on_talk_over(const talk_over& over);
  /// Does what the desk said, and sets the timer.
  void carry_out(policy::agent_actions& actions);
  void come_back();
  void keep();
  void tell_queue(policy::queue_id queue, const agent_to_queue& what);
  void tell_state(const policy::state_changed& change);
  [[nodiscard]] std::vector<ringing_call>::iterator call_of(const offer_key& key);
  void forget(std::vector<ringing_call>::iterator call);

  agent_profile profile_;
  caf::strong_actor_ptr watcher_;
  policy::agent_desk desk_;
  std::vector<agent_queues::part> queues_;
  std::string address_;     // where its phones are registered; empty: nowhere yet
  bool registered_ = false; // a phone is
  std::chrono::system_clock::time_point since_; // its state
  std::vector<ringing_call> calls_;             // offered, ringing, connected: a few
  lane::actor_timer timer_;
  agent_keeping keeping_;
  paced_record record_;
  /// What was kept last.
  std::optional<std::pair<policy::agent_snapshot, bool>> kept_;
  lane::time_point returns_until_{}; // its phone, which was registered before the restart
  bool leaves_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::agent_queues)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::agent_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::agent_leaves)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::agent_phones)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_agent_phones)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::direct_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::agent_wish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_agent_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::agent_state_told)
