#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include "engine/policy/messages.hpp"
#include "engine/policy/queue_actions.hpp"
#include "engine/policy/queue_figures.hpp"
#include "engine/policy/queue_rules.hpp"
#include "engine/policy/queue_snapshot.hpp"

namespace jackfield::policy {

/// A caller who comes to a queue.
struct caller {
  call_id id{};
  /// Higher ones go first.
  int32_t priority = 0;
  std::vector<wanted_skill> wants; ///< none: as the rules say
  /// The place that it has: now, or earlier for one who keeps it (called again after having hung
  /// up, is called back, came out of an assignment that failed). Later than now is taken for now.
  time_point joined{};
  /// It was let in before, and has been promised its place: no rule keeps it out.
  bool promised = false;
};

/// Why a caller was not let in.
enum class join_refusal : uint8_t {
  closed,
  full,
  nobody_logged_in,
  nobody_working,  ///< all are away or paused
  wait_too_long,   ///< expected to be
  already_waiting, ///< the same call
};

/// Why a caller leaves by itself, or by its owner.
enum class leave_reason : uint8_t {
  hung_up,   ///< counts as abandoned
  withdrawn, ///< by a menu, a transfer, for a callback
};

/// One queue: who waits, who may serve, and who is brought to whom. It decides nothing about agents
/// but for whom to bid: an agent may serve several queues, and its own desk grants.
///
/// After each step, no caller waits without a bid who could be brought to an agent that this queue
/// knows to be available. One who is offered, or bid for, holds up nobody behind it. Callers stand
/// in order of priority and joined time (`queue_rules::priority_worth`); an agent gets the first of
/// them whom it may serve, a caller the agent that the strategy picks among those that may serve
/// it.
///
/// A bid has a lease, an offer an end: an agent that does not answer in time is withdrawn from and
/// left alone, the caller goes to the next. An answer that comes after that is withdrawn again, so
/// that no agent stays reserved for nothing. A caller who is over the longest wait, in a queue that
/// is closed to it or too short for it, is sent on once nothing rings for it.
///
/// A value: no I/O, time by argument only, times never going back, one thread at a time. Actions
/// are appended to `out`.
///
/// Cost, with m members available and c callers waiting: O(log m + log c) for joins, leaves, and
/// statuses where no skills are wanted and tiers are open, plus moving up to 32 bytes a caller in
/// one block; O(m) or O(c) comparisons where skills or closed tiers keep the first ones apart; O(m)
/// for ring-all; O(m log m + c log c) for `set_rules`.
class queue_desk {
public:
  /// `seed`: for `strategy::random`. `rules` pass `queue_rules::check`.
  queue_desk(queue_id id, queue_rules rules, uint64_t seed);
  ~queue_desk();
  queue_desk(queue_desk&&) noexcept;
  queue_desk& operator=(queue_desk&&) noexcept;

  /// From now on, for those who wait, too; what rings goes on. A shorter queue sends on who stands
  /// at its end.
  void set_rules(time_point now, queue_rules rules, queue_actions& out);

  /// Adds a member, or changes it. A new one serves once its status has come: it is asked for.
  void put_member(time_point now, agent_id agent, membership part, queue_actions& out);
  /// The membership is over, or the agent's actor is down: what was bid or offered is withdrawn.
  void remove_member(time_point now, agent_id agent, queue_actions& out);

  [[nodiscard]] tl::expected<void, join_refusal> join(time_point now, const caller& who,
                                                      queue_actions& out);
  /// False if that call does not wait here (any more: assigned or overflowed).
  bool leave(time_point now, call_id call, leave_reason why, queue_actions& out);
  /// False likewise.
  bool set_priority(time_point now, call_id call, int32_t priority, queue_actions& out);

  /// From its members. A status with a round is answered by a bid or a no_bid.
  void on_status(time_point now, const agent_status& what, round_id round, queue_actions& out);
  void on_bid_answer(time_point now, const bid_answer& what, queue_actions& out);
  void on_outcome(time_point now, const offer_outcome& what, queue_actions& out);

  /// To be called at `next_deadline` or later; early calls do nothing.
  void on_time(time_point now, queue_actions& out);
  /// `never` if nothing is due.
  [[nodiscard]] time_point next_deadline() const noexcept;

  [[nodiscard]] queue_id id() const noexcept;
  [[nodiscard]] const queue_rules& rules() const noexcept;
  /// Those being offered among them.
  [[nodiscard]] size_t waiting() const noexcept;
  [[nodiscard]] size_t members() const noexcept;
  /// Members that may be bid for now.
  [[nodiscard]] size_t available() const noexcept;
  /// Members that are not away; neither away nor paused.
  [[nodiscard]] size_t logged_in() const noexcept;
  [[nodiscard]] size_t working() const noexcept;
  /// Bids and offers on their way.
  [[nodiscard]] size_t bids() const noexcept;
  /// In the order in which callers would be served, from 1; nothing if it does not wait here.
  [[nodiscard]] std::optional<size_t> position(call_id call) const;
  /// Of who stands there, or comes to stand there: `wait_estimate`.
  [[nodiscard]] std::optional<duration> expected_wait(time_point now, size_t position) const;
  /// Of who waits now, since it came in; zero if nobody does.
  [[nodiscard]] duration longest_wait(time_point now) const;
  /// In their order.
  [[nodiscard]] std::vector<call_id> line() const;
  [[nodiscard]] const queue_figures& figures() const noexcept;
  /// Gives them out, and begins anew.
  queue_figures take_figures() noexcept;

  [[nodiscard]] queue_snapshot snapshot() const;
  /// The same without the line and the members: in no time.
  [[nodiscard]] queue_snapshot totals() const;
  /// On a new desk. Those who waited wait again, in their places; what was bid or offered is
  /// forgotten, and members are asked for their status.
  void restore(time_point now, const queue_snapshot& snapshot, queue_actions& out);
  /// One of those who waited then, where the snapshot was restored without its line: it waits
  /// again, in its place. It is in the figures already. Nothing for a call that waits.
  void take_back(time_point now, const queue_snapshot::waiting& who, queue_actions& out);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace jackfield::policy
