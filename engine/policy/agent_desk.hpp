#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/policy/agent_actions.hpp"
#include "engine/policy/agent_rules.hpp"
#include "engine/policy/messages.hpp"

namespace jackfield::policy {

/// What a phone made of being rung.
enum class ring_result : uint8_t { answered, rejected, no_answer, busy, unreachable, caller_gone };

/// What an agent's desk is to know again after a restart. Times are those of the desk's clock: who
/// starts it with another one moves them first (`moved`).
struct agent_snapshot {
  bool logged_in = false;
  bool reachable = false;
  bool paused = false;
  /// A pause or a logout that waits for what the agent does to end.
  bool pause_pending = false;
  bool log_out_pending = false;
  std::string pause_reason;
  /// Of a call: whose bid it came by, if by one.
  std::optional<call_id> call;
  std::optional<queue_id> call_queue;
  time_point call_since{};
  duration call_wrap_up{};
  std::vector<call_id> direct_calls;
  /// `never`: it is not wrapping up, or resting.
  time_point wrap_up_until = never;
  time_point rest_until = never;
  time_point available_since{};
  uint64_t version = 0;
  uint64_t answered_calls = 0;
  duration talk_time{};
  uint32_t unanswered = 0;

  friend bool operator==(const agent_snapshot&, const agent_snapshot&) = default;
};

/// The same with all times `by` later.
[[nodiscard]] agent_snapshot moved(agent_snapshot snapshot, duration by);

/// One agent: the only place where it is decided who may have it. Never holds two reservations, and
/// none for longer than its lease; what comes too late is known by its id, and goes nowhere.
///
/// When it becomes available it asks all its queues for their best caller, in a round, and takes
/// the best of their bids once each has answered or `agent_rules::solicit_bound` is over: of the
/// queue with the highest membership priority, then the highest caller priority, then who waits
/// longest. A bid that comes while it is simply ready is granted at once.
///
/// A pause and a logout wait for the end of a call, an offer and wrap-up; but a logout ends an
/// offer (its phone is going) and wrap-up, and a call is followed by no wrap-up then. A lost
/// registration ends an offer, but no call: that has its own signalling.
///
/// A value: no I/O, time by argument only, times never going back, one thread at a time. O(queues)
/// a step. Actions are appended to `out`.
class agent_desk {
public:
  /// Logged out, and a member of nothing. `rules` pass `agent_rules::check`.
  agent_desk(agent_id id, agent_rules rules);

  void set_rules(agent_rules rules);
  /// A membership: higher priorities go first. Of a queue that it has: the new priority. The queue
  /// is told how the agent is.
  void add_queue(time_point now, queue_id queue, int32_t priority, agent_actions& out);
  /// The membership is over, or the queue's actor is down: what the agent holds of its bids is
  /// freed, its phone stops to ring; a call that it has goes on.
  void remove_queue(time_point now, queue_id queue, agent_actions& out);

  /// Logged in by a registration that stands. Counters begin anew. While logged in: the
  /// registration is back. Takes back a logout that waits.
  void log_in(time_point now, agent_actions& out);
  void log_out(time_point now, agent_actions& out);
  /// Its registration is gone, or back. A logged-in agent's only.
  void set_reachable(time_point now, bool reachable, agent_actions& out);
  /// The registration that it had before a restart is back: it has been idle as long as it was.
  void regain(time_point now, agent_actions& out);
  /// Again while paused: another reason.
  void pause(time_point now, std::string_view reason, agent_actions& out);
  void unpause(time_point now, agent_actions& out);

  /// From its queues.
  void on_status_asked(queue_id queue, agent_actions& out);
  void on_bid(time_point now, const bid& what, agent_actions& out);
  void on_no_bid(time_point now, const no_bid& what, agent_actions& out);
  void on_offer(time_point now, const offer& what, agent_actions& out);
  void on_withdrawal(time_point now, const withdrawal& what, agent_actions& out);
  /// Of a bid that it does not hold any more, the queue is told `not_reserved`: nobody talks to
  /// that caller, and its owner puts it back by `queue_desk::join` with the joined time that it
  /// had.
  void on_assigned(time_point now, const assignment& what, agent_actions& out);

  /// From its phone. The offer's end is watched here, too: a phone that says nothing has not
  /// answered. Of the call that it has by now, anything but `answered` is the end.
  void on_ring_result(time_point now, queue_id queue, bid_id id, ring_result result,
                      agent_actions& out);
  /// A queue's call is over, by whomever. Others than the one it has are ignored.
  void on_call_ended(time_point now, call_id call, agent_actions& out);
  /// The agent is done early.
  void end_wrap_up(time_point now, agent_actions& out);
  /// Calls beside the queues, made or taken, any number at once. One that begins while it is
  /// reserved gives the reservation back; an offer that rings goes on.
  void on_direct_call(time_point now, call_id call, agent_actions& out);
  void on_direct_call_ended(time_point now, call_id call, agent_actions& out);

  /// To be called at `next_deadline` or later; early calls do nothing.
  void on_time(time_point now, agent_actions& out);
  /// `never` if nothing is due.
  [[nodiscard]] time_point next_deadline() const noexcept;

  [[nodiscard]] agent_id id() const noexcept { return id_; }
  [[nodiscard]] agent_state state() const noexcept;
  /// When the state ends by itself; `never` if it does not.
  [[nodiscard]] time_point state_until() const noexcept;
  /// In a round.
  [[nodiscard]] bool soliciting() const noexcept { return round_open_; }
  /// Of a pause that is, or waits.
  [[nodiscard]] const std::string& pause_reason() const noexcept { return pause_reason_; }
  /// As its queues are told.
  [[nodiscard]] agent_status status() const noexcept;
  /// The bid that it is reserved for, rung for, or has answered; none in a call.
  [[nodiscard]] std::optional<bid_id> reservation() const noexcept;
  /// The queue of the reservation, or of the call.
  [[nodiscard]] std::optional<queue_id> serves() const noexcept;
  [[nodiscard]] std::vector<queue_id> queues() const;

  /// A reservation is not kept: after a restart the phone does not ring for it, and the queue bids
  /// again.
  [[nodiscard]] agent_snapshot snapshot() const;
  /// Instead of `log_in`, on a new desk, before `add_queue`. A deadline that has passed is met by
  /// the next `on_time`.
  void restore(time_point now, const agent_snapshot& snapshot, agent_actions& out);

private:
  enum class activity : uint8_t { idle, reserved, offered, answered, in_call, wrap_up };

  struct queue_entry {
    queue_id id{};
    int32_t priority = 0;
    bool answered = false;   // in the round that is open
    std::optional<bid> best; // its bid in that round
  };

  /// What the agent holds of a bid, or has of a call that came by it.
  struct reservation_entry {
    queue_id queue{};
    bid_id id{};
    call_id call{};
    duration wrap_up{};
  };

  [[nodiscard]] queue_entry* find(queue_id queue) noexcept;
  [[nodiscard]] bool holds(queue_id queue, bid_id id) const noexcept;
  [[nodiscard]] bool may_be_bid_for() const noexcept;
  [[nodiscard]] presence current_presence() const noexcept;

  void answer(queue_id queue, bid_id id, bid_verdict verdict, agent_actions& out) const;
  void report(queue_id queue, bid_id id, offer_result result, agent_actions& out) const;
  void grant(time_point now, const bid& what, agent_actions& out);
  void decide_round(time_point now, agent_actions& out);
  void refuse_round(bid_verdict verdict, agent_actions& out);
  /// The reservation is over without a call, its phone does not ring any more; back to what waits.
  void release(time_point now, agent_actions& out);
  void rest(time_point now, duration how_long);
  /// After anything that may have changed what the agent is: applies what waited, tells displays
  /// and queues, opens a round.
  void settle(time_point now, agent_actions& out);
  void begin_wrap_up(time_point now, duration how_long);

  agent_id id_;
  agent_rules rules_;
  std::vector<queue_entry> queues_;
  bool logged_in_ = false;
  bool reachable_ = false;
  bool paused_ = false;
  bool pause_pending_ = false;
  bool log_out_pending_ = false;
  bool round_open_ = false;
  bool keeps_place_ = false; // became idle through no doing of its own: as long idle as before
  activity activity_ = activity::idle;
  agent_state told_ = agent_state::logged_out;
  presence told_presence_ = presence::away;
  std::string pause_reason_;
  reservation_entry held_;
  std::vector<call_id> direct_calls_;
  time_point activity_until_ = never; // lease, ring, wrap-up
  time_point rest_until_ = never;
  time_point round_until_ = never;
  time_point call_since_{};
  time_point available_since_{};
  round_id round_ = no_round;
  uint64_t version_ = 0;
  uint64_t answered_calls_ = 0;
  duration talk_time_{};
  uint32_t unanswered_ = 0;
};

} // namespace jackfield::policy
