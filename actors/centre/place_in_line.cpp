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

std::shared_ptr<storage::queueing_record> record_if(bool keeps) {
  return keeps ? std::make_shared<storage::queueing_record>() : nullptr;
}

} // namespace

place_in_line::place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                             std::string_view call_id, bool keeps)
    : call_(call), of_(of), kept_(record_if(keeps)) {
  who_.call_id = call_id;
  use(std::move(ticket));
}

place_in_line::place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                             const storage::callback_record& promised, const two_clocks& clocks,
                             bool keeps)
    : call_(call), of_(of), kept_(record_if(keeps)) {
  who_.call_id = promised.call_id;
  who_.from = promised.from;
  who_.since = clocks.lane_of(promised.since);
  who_.promised = true;
  ticket.priority = promised.priority;
  use(std::move(ticket));
  if (kept_)
    kept_->since = promised.since;
}

place_in_line::place_in_line(lane::lane_actor& call, const call_side& of, queue_ticket ticket,
                             const storage::call_record& left, const two_clocks& clocks)
    : call_(call), of_(of), kept_(std::make_shared<storage::queueing_record>(*left.queueing)) {
  who_.call_id = left.call_id;
  who_.from = left.from;
  who_.since = clocks.lane_of(*kept_->since);
  who_.returns = true;
  ticket.priority = kept_->priority;
  use(std::move(ticket));
}

void place_in_line::use(queue_ticket ticket) {
  ticket_ = std::move(ticket);
  who_.priority = ticket_.priority;
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
