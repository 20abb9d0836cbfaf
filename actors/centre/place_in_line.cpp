#include "actors/centre/place_in_line.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/system_messages.hpp>

namespace jackfield {

namespace {

std::string_view name_of(queue_exit how) {
  switch (how) {
  case queue_exit::answered:
    return "answered";
  case queue_exit::abandoned:
    return "abandoned";
  case queue_exit::timed_out:
    return "timed_out";
  case queue_exit::full:
    return "full";
  case queue_exit::no_agents:
    return "no_agents";
  case queue_exit::called_back:
    return "callback";
  case queue_exit::closed:
    break;
  }
  return "closed";
}

} // namespace

place_in_line::place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                             enter_queue who, std::shared_ptr<storage::queueing_record> kept)
    : call_(call), of_(of), who_(std::move(who)), kept_(std::move(kept)) {
  use(ticket);
}

place_in_line::place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                             const storage::call_record& left, const two_clocks& clocks)
    : call_(call),
      of_(of), who_{left.call_id, left.from, 0, clocks.lane_of(*left.queueing->since), true},
      kept_(std::make_shared<storage::queueing_record>(*left.queueing)) {
  ticket.priority = kept_->priority;
  use(ticket);
}

void place_in_line::use(const queue_ticket& ticket) {
  ticket_ = ticket;
  if (!kept_)
    return;
  kept_->queue = ticket_.name;
  kept_->priority = ticket_.priority;
}

void place_in_line::keep() {
  if (kept_)
    command(call_, of_, leg_commands::keep{});
}

// -- the way in ----------------------------------------------------------------------

void place_in_line::come(lane::time_point at, const two_clocks& clocks) {
  who_.since = at;
  if (!kept_)
    return;
  kept_->since = clocks.wall_of(at); // its leg kept another clock's
  keep();
}

void place_in_line::come(lane::time_point at, const two_clocks& clocks, const queue_ticket& to) {
  use(to);
  come(at, clocks);
}

void place_in_line::enter() {
  waits_ = true;
  call_.monitor(caf::actor_cast<caf::actor>(ticket_.queue));
  who_.priority = ticket_.priority;
  lane::tell_from(call_, ticket_.queue, enter_queue{who_});
  who_.returns = false;
}

// -- the ways out --------------------------------------------------------------------

bool place_in_line::stop_waiting() {
  if (!std::exchange(waits_, false))
    return false;
  call_.demonitor(caf::actor_cast<caf::actor_addr>(ticket_.queue));
  return true;
}

void place_in_line::leave(leave_queue how) {
  if (stop_waiting())
    lane::tell_from(call_, ticket_.queue, leave_queue{how});
}

void place_in_line::leave(const call_taken& taken) {
  if (stop_waiting())
    lane::tell_from(call_, ticket_.queue, call_taken{taken});
}

bool place_in_line::move_on(const queue_dismissed& dismissed) {
  if (!stop_waiting() || !dismissed.next || !dismissed.next->queue || moves_++ >= most_moves)
    return false;
  use(*dismissed.next);
  keep();
  return true;
}

bool place_in_line::is_over_by(const caf::down_msg& down) {
  if (down.source != ticket_.queue)
    return false;
  waits_ = false;
  return true;
}

// -- what is kept --------------------------------------------------------------------

void place_in_line::keep_exit(queue_exit how) {
  if (!kept_)
    return;
  kept_->left = name_of(how);
  keep();
}

void place_in_line::note_exit(queue_exit how) {
  if (kept_ && kept_->left.empty())
    kept_->left = name_of(how);
}

void place_in_line::keep_talk(std::string_view agent, std::string_view leg) {
  if (!kept_)
    return;
  kept_->agent = agent;
  kept_->taken = call_.home().wall_now();
  kept_->agent_leg = leg;
  keep_exit(queue_exit::answered);
}

} // namespace jackfield
