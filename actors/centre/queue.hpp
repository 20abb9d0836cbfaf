#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/centre/centre_events.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/centre_messages.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/policy/left_places.hpp"
#include "engine/policy/queue_desk.hpp"

namespace jackfield {

/// What a queue is.
struct queue_profile {
  policy::queue_id number{};
  std::string name;
  policy::queue_rules rules;
  uint64_t seed = 1;
};

/// What is kept of a queue, and what was.
struct queue_keeping {
  recorder* where = nullptr; ///< on its lane, outlives it; null: nothing is
  std::optional<storage::queue_record> before = {};
  uint64_t returning = 0; ///< so many of its callers will come in again
};

/// To a queue, once: who serves it, and the queues that its overflow targets name.
struct queue_parts {
  struct member {
    policy::agent_id number{};
    std::string name;
    caf::strong_actor_ptr actor;
    policy::membership part;
    int32_t priority = 0; ///< of the queue to the agent
  };
  std::vector<member> members;
  std::vector<queue_ticket> others;
};

/// To a queue: these are its rules, members and neighbours from now on. It tells the agents. What
/// rings goes on, calls that are up are untouched.
struct queue_changed {
  policy::queue_rules rules;
  queue_parts parts;
  /// Lets nobody in any more, serves with the members that it has who waits, and ends then.
  bool leaves = false;
};

/// To a queue: how is it? Answered by `queue_state`.
struct ask_queue_state {
  size_t first = 0; ///< of the line: so many are left out
  size_t most = 0;  ///< and so many told
};

struct queue_state {
  std::string name;
  policy::queue_figures figures;
  size_t waiting = 0;
  size_t logged_in = 0;
  size_t available = 0;
  lane::duration longest_wait{}; ///< of who waits now
  struct waiting_call {
    uint64_t call = 0; ///< as in `centre_event`
    std::string call_id;
    std::string from;
    int priority = 0;
    lane::duration waited{};
  };
  std::vector<waiting_call> line = {}; ///< in its order, as much as was asked for
};

/// A queue of a contact centre: a `policy::queue_desk` with its timer, the calls that wait and the
/// agents that serve it. Lives on any lane.
///
/// Ends with its owner's leave only, or having been told to; whoever spawned it watches it.
class queue final : public lane::lane_actor {
public:
  /// `watcher` gets a `centre_event` for what happens to its calls; null: nobody does.
  queue(caf::actor_config& config, lane::lane& home, queue_profile profile,
        caf::strong_actor_ptr watcher, queue_keeping keeping = {});

  const char* name() const override { return "queue"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct waiting_call {
    caf::strong_actor_ptr actor;
    std::string call_id;
    std::string from;
    int priority = 0;
    lane::time_point since;
    lane::time_point place; // earlier, of who has that of an earlier call
    bool promised = false;
  };
  using calls = std::unordered_map<uint64_t, waiting_call>; // by number

  [[nodiscard]] queue_state state(const ask_queue_state& asked) const;
  void on_parts(queue_parts& parts);
  void on_changed(queue_changed& changed);
  void set_members(std::vector<queue_parts::member>& all);
  void end_if_left();
  void on_enter(enter_queue& call);
  void on_leave(leave_queue how);
  void on_lost(caller_lost& lost);
  void keep();
  void on_taken(const call_taken& taken);
  void on_agent(const agent_to_queue& said);
  void on_outcome(const policy::offer_outcome& outcome);
  void on_down(const caf::down_msg& down);
  /// What was assigned to that agent, who will not say any more that it connects, waits again.
  void take_back(policy::agent_id agent);
  /// Does what the desk said, and sets the timer.
  void carry_out(policy::queue_actions& actions);
  /// False: it was turned away.
  bool let_in(uint64_t number, policy::queue_actions& actions);
  void turn_away(uint64_t number, queue_exit why, std::string_view to);
  void forget(calls::iterator call);
  /// What the desk is to know of one who waited before a restart.
  [[nodiscard]] policy::queue_snapshot::waiting returning(uint64_t number,
                                                          const waiting_call& call) const;
  template <class Message>
  void tell_agent(policy::agent_id agent, Message what, caf::strong_actor_ptr call = {});
  void tell(centre_event::kind what, const waiting_call& call, lane::duration waited,
            std::string_view detail = {}, std::string_view agent = {}, size_t position = 0);
  [[nodiscard]] std::string_view name_of(policy::agent_id agent) const;

  queue_profile profile_;
  caf::strong_actor_ptr watcher_;
  policy::queue_desk desk_;
  policy::left_places left_;
  std::unordered_map<uint64_t, queue_parts::member> members_; // by number
  std::vector<queue_ticket> others_;
  calls calls_;
  struct offered {
    uint64_t call = 0;
    policy::agent_id agent{};
  };
  std::unordered_map<uint64_t, offered> offers_; // by bid, until its end or the connection
  lane::actor_timer timer_;
  queue_keeping keeping_;
  paced_record record_;
  std::optional<storage::queue_record> kept_; // last
  bool leaves_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::queue_parts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::queue_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_queue_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::queue_state)
