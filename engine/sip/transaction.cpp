#include "engine/sip/transaction.hpp"

#include <algorithm>

namespace jackfield::sip {

using enum transaction_state;

// -- client -----------------------------------------------------------------------

void client_transaction::start(time_point now, bool invite, bool reliable,
                               const timer_values& timers) {
  invite_ = invite;
  state_ = invite ? calling : trying;
  interval_ = timers.t1;
  retransmit_at_ = reliable ? never : now + timers.t1;
  limit_at_ = now + timers.transaction_limit();
}

void client_transaction::set(transaction_state s, time_point limit_at) {
  state_ = s;
  retransmit_at_ = never;
  limit_at_ = limit_at;
}

transaction_step client_transaction::on_response(time_point now, int status, bool reliable,
                                                 const timer_values& timers) {
  if (!awaits_final()) {
    if (state_ == completed && invite_ && status >= 300)
      return {.acknowledge = true};
    if (state_ == accepted && status >= 200 && status < 300)
      return {.deliver = true};
    return {};
  }
  if (status < 200) {
    if (invite_) {
      set(proceeding, never); // timer C is the user's
    } else {
      state_ = proceeding; // E and F go on
    }
    return {.deliver = true};
  }
  if (!invite_) {
    set(reliable ? terminated : completed, reliable ? never : now + timers.t4);
    return {.deliver = true, .terminated = reliable};
  }
  if (status < 300) {
    set(accepted, now + timers.transaction_limit());
    return {.deliver = true};
  }
  set(reliable ? terminated : completed, reliable ? never : now + timers.timer_d());
  return {.acknowledge = true, .deliver = true, .terminated = reliable};
}

transaction_step client_transaction::on_time(time_point now, bool, const timer_values& timers) {
  if (!active())
    return {};
  if (now >= limit_at_) {
    auto in_vain = awaits_final();
    set(terminated, never);
    return {.timed_out = in_vain, .terminated = true};
  }
  if (now < retransmit_at_)
    return {};
  if (invite_)
    interval_ *= 2;
  else
    interval_ = state_ == proceeding ? timers.t2 : std::min(interval_ * 2, timers.t2);
  retransmit_at_ = now + interval_;
  return {.send = true};
}

transaction_step client_transaction::on_transport_error() {
  if (!active())
    return {};
  set(terminated, never);
  return {.terminated = true};
}

// -- server -----------------------------------------------------------------------

void server_transaction::start(time_point, bool invite) {
  *this = {};
  invite_ = invite;
  state_ = invite ? proceeding : trying;
}

transaction_step server_transaction::on_request(time_point) {
  return {.send = (state_ == proceeding && has_response_) || state_ == completed};
}

transaction_step server_transaction::on_ack(time_point now, bool reliable,
                                            const timer_values& timers) {
  if (!awaits_ack_)
    return {};
  awaits_ack_ = false;
  retransmit_at_ = never;
  if (state_ == accepted)
    return {.deliver = true};
  state_ = reliable ? terminated : confirmed;
  limit_at_ = reliable ? never : now + timers.t4;
  return {.terminated = reliable};
}

transaction_step server_transaction::respond(time_point now, int status, bool reliable,
                                             const timer_values& timers) {
  if (!awaits_final())
    return {};
  has_response_ = true;
  if (status < 200) {
    state_ = proceeding;
    return {.send = true};
  }
  if (!invite_) {
    state_ = reliable ? terminated : completed;
    limit_at_ = reliable ? never : now + timers.transaction_limit();
    return {.send = true, .terminated = reliable};
  }
  awaits_ack_ = true;
  interval_ = timers.t1;
  limit_at_ = now + timers.transaction_limit();
  state_ = status < 300 ? accepted : completed;
  // A 2xx may have to cross unreliable hops behind a reliable one.
  if (state_ == accepted || !reliable)
    retransmit_at_ = now + timers.t1;
  return {.send = true};
}

transaction_step server_transaction::on_time(time_point now, bool, const timer_values& timers) {
  if (!active())
    return {};
  if (now >= limit_at_) {
    transaction_step step{.timed_out = awaits_ack_, .terminated = true};
    state_ = terminated;
    awaits_ack_ = false;
    retransmit_at_ = limit_at_ = never;
    return step;
  }
  if (now < retransmit_at_)
    return {};
  interval_ = std::min(interval_ * 2, timers.t2);
  retransmit_at_ = now + interval_;
  return {.send = true};
}

transaction_step server_transaction::on_transport_error() {
  if (!active())
    return {};
  state_ = terminated;
  awaits_ack_ = false;
  retransmit_at_ = limit_at_ = never;
  return {.terminated = true};
}

bool server_transaction::needs_response() const noexcept {
  switch (state_) {
  case proceeding:
    return has_response_;
  case completed:
    return true;
  case accepted:
    return awaits_ack_;
  default:
    return false;
  }
}

} // namespace jackfield::sip
