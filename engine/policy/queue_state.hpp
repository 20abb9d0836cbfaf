#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/policy/idle_pool.hpp"
#include "engine/policy/queue_desk.hpp"
#include "engine/policy/queue_parts.hpp"
#include "engine/policy/wait_estimate.hpp"

namespace jackfield::policy {

/// A queue's callers, members and bids, and how one leads to the other.
struct queue_desk::state {
  state(queue_id queue, queue_rules with, uint64_t seed);

  // Who may serve whom.
  [[nodiscard]] int32_t open_tier(const waiting_caller& who) const;
  [[nodiscard]] bool may_serve(const queue_member& whom, const waiting_caller& who) const;
  /// To whom it may be brought now; false if it is to leave, or is being brought to somebody
  /// already.
  [[nodiscard]] bool seeks(const waiting_caller& who) const;
  /// A caller looks for an agent, an agent for a caller. True if a bid was made.
  bool serve_caller(time_point now, waiting_caller& who, queue_actions& out);
  bool serve_member(time_point now, queue_member& whom, round_id round, queue_actions& out);
  /// All of them, in their order: what was closed to some may be open now.
  void serve_all(time_point now, queue_actions& out);

  // Bids.
  void make_bid(time_point now, waiting_caller& who, queue_member& whom, round_id round,
                queue_actions& out);
  void make_offer(time_point now, live_bid& b, queue_actions& out);
  /// Tells the agent, and forgets the bid but for the answer that is still to come.
  void cancel_bid(live_bid& b, withdrawal_reason why, queue_actions& out);
  /// The bid is over; its caller goes back into the line.
  void end_bid(time_point now, live_bid& b, queue_actions& out);
  void forget_bid(live_bid& b);
  void withdraw(agent_id agent, bid_id id, withdrawal_reason why, queue_actions& out) const;

  // Callers.
  void take_back(time_point now, const queue_snapshot::waiting& was, queue_actions& out);
  [[nodiscard]] place place_of(const waiting_caller& who) const noexcept;
  void set_open(waiting_caller& who, bool open);
  void stand(waiting_caller& who);
  /// It has nothing on its way: is sent on if it is to leave, else served, else waits.
  void resume(time_point now, waiting_caller& who, queue_actions& out);
  void assign(time_point now, waiting_caller& who, live_bid& b, queue_actions& out);
  void send_on(time_point now, waiting_caller& who, overflow_reason why, queue_actions& out);
  /// Takes it out of the queue; what was on its way for it is withdrawn.
  void remove(waiting_caller& who, withdrawal_reason why, queue_actions& out);
  void must_leave(time_point now, waiting_caller& who, overflow_reason why, queue_actions& out);
  /// The steps of tiers and skills that have passed. True if some had not before.
  bool widen(time_point now, waiting_caller& who);
  void set_deadline(waiting_caller& who);
  void on_caller_due(time_point now, waiting_caller& who, queue_actions& out);
  /// Sends on those for whom the queue is closed or too short.
  void close_to_some(time_point now, queue_actions& out);

  // Members.
  queue_member* find_member(agent_id agent);
  /// Takes the status if it is news, and the agent for one that speaks.
  void hear(queue_member& whom, const agent_status& status);
  void count(const queue_member& whom, int by);
  void set_pooled(queue_member& whom);
  /// Nothing is bid to it for a while, unless it is heard from.
  void leave_alone(time_point now, queue_member& whom);
  /// After members changed: a tier that nobody of lower ones holds closed any more, and whether
  /// somebody is there.
  void check_attendance(time_point now, queue_actions& out);
  [[nodiscard]] bool attended(attendance need) const noexcept;
  [[nodiscard]] bool asks_still(time_point now) const noexcept;

  queue_id id;
  queue_rules rules;
  std::unordered_map<call_id, waiting_caller> callers;
  std::unordered_map<agent_id, queue_member> members;
  std::unordered_map<bid_id, live_bid> bids;
  standing_line line; ///< all of them
  standing_line open; ///< those without a bid
  idle_pool pool;
  agenda<waiting_caller> caller_agenda;
  agenda<queue_member> member_agenda;
  agenda<live_bid> bid_agenda;
  std::map<uint16_t, size_t> logged_in_of_tier;
  int32_t lowest_tier = -1; ///< that has somebody logged in
  size_t logged_in = 0;
  size_t working = 0;
  size_t unknown = 0; ///< members whose status has not come
  time_point asked_until{};
  time_point no_agents_at = never;
  size_t found_nobody = 0; ///< callers who had to wait for an agent
  uint64_t last_order = 0;
  uint64_t last_member = 0;
  uint64_t last_bid = 0;
  queue_figures figures;
  wait_estimate estimate;
};

} // namespace jackfield::policy
