#pragma once

#include <memory>
#include <string_view>

#include "actors/centre/call_side.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/centre_messages.hpp"
#include "engine/lane/lane_actor.hpp"
#include "storage/centre_records.hpp"
#include "storage/records.hpp"

namespace caf {
struct down_msg;
}

namespace jackfield {

/// Where a call waits for an agent: in the line of one queue, or, as each may send it on, of one
/// after the other; and what is kept of that. While it `waits`, and only then, the queue of its
/// `ticket` knows of it, and the call's actor watches that queue. A queue is told how the call
/// left, unless it sent the call away itself.
///
/// A part of the call's actor, on the lane of the leg by which it is kept.
class place_in_line {
public:
  /// From queue to queue; then it is sent away: queues that are full may send it round in a circle.
  static constexpr unsigned most_moves = 16;

  // Nobody waits yet. `of`: for whom it will, by whose leg it is kept; has to stay where it is.
  // `keeps`: anything is kept.

  /// Of a new call, whose caller has not been heard yet.
  place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                std::string_view call_id, bool keeps);
  /// Of who was promised to be called back, which is the one that they had.
  place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                const storage::callback_record& promised, const two_clocks& clocks, bool keeps);
  /// Of a call that a crash left, in its place or taken already. `left` has its `queueing`.
  place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                const storage::call_record& left, const two_clocks& clocks);

  /// Of the queue where it waits, or is to, or has waited last.
  [[nodiscard]] const queue_ticket& ticket() const noexcept { return ticket_; }
  [[nodiscard]] const enter_queue& who() const noexcept { return who_; }
  [[nodiscard]] bool waits() const noexcept { return waits_; }
  /// For the leg to keep; null: nothing is.
  [[nodiscard]] const std::shared_ptr<storage::queueing_record>& kept() const noexcept {
    return kept_;
  }

  /// The caller's URI, before it waits.
  void come_from(std::string_view uri) { who_.from = uri; }
  /// It has come, then, and is to wait there.
  void come(lane::time_point at, const two_clocks& clocks);
  void come(lane::time_point at, const two_clocks& clocks, const queue_ticket& to);
  /// It waits from now on; the ticket has a queue.
  void enter();
  /// Its caller goes.
  void leave(leave_queue how = {});
  /// That agent has it.
  void leave(const call_taken& taken);
  /// The queue where it waits has sent it away. True: to where it is to `enter` next.
  [[nodiscard]] bool move_on(const queue_dismissed& dismissed);
  /// True: it is the actor of its queue that has ended, for an error within.
  [[nodiscard]] bool is_over_by(const caf::down_msg& down);

  /// It left so, which is kept at once.
  void keep_exit(queue_exit how);
  /// The same, unless it had left before, and when its leg ends.
  void note_exit(queue_exit how);
  /// It talks to that agent from now on, which is kept at once. `leg`: the text of the agent's, by
  /// which a crash leaves both; empty: it does not.
  void keep_talk(std::string_view agent, std::string_view leg = {});

  /// Without a word: the call's actor ends.
  void let_go() { ticket_ = {}; }

private:
  void keep();
  void use(queue_ticket ticket);
  [[nodiscard]] bool stop_waiting();

  lane::lane_actor& call_;
  const call_side& of_;
  queue_ticket ticket_;
  enter_queue who_;
  std::shared_ptr<storage::queueing_record> kept_;
  bool waits_ = false;
  unsigned moves_ = 0;
};

} // namespace jackfield
