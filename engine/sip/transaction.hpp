#pragma once

#include <cstdint>

#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// The four transactions of RFC 3261 §17 with RFC 6026, as values without text: they say when to
/// send, deliver, give up and be forgotten; the leg that embeds one has the messages.

enum class transaction_state : uint8_t {
  idle, // not started
  calling,
  trying,
  proceeding,
  completed,
  accepted,
  confirmed,
  terminated,
};

/// What a step demands, in this order.
struct transaction_step {
  /// Client: send the request again. Server: send the last response (again).
  bool send : 1 = false;
  /// INVITE client: send the ACK to this non-2xx (again).
  bool acknowledge : 1 = false;
  /// Hand the message received to the user.
  bool deliver : 1 = false;
  /// Timer B, F, H, or L without ACK (RFC 3261 §13.3.1.4): the user is told.
  bool timed_out : 1 = false;
  /// The transaction is over.
  bool terminated : 1 = false;

  friend bool operator==(const transaction_step&, const transaction_step&) = default;
};

/// INVITE (§17.1.1, RFC 6026 §8.4) and non-INVITE (§17.1.2) client transaction.
class client_transaction {
public:
  /// The request has just been sent. Timers A/E, B/F.
  void start(time_point now, bool invite, bool reliable, const timer_values& timers);

  transaction_step on_response(time_point now, int status, bool reliable,
                               const timer_values& timers);
  transaction_step on_time(time_point now, bool reliable, const timer_values& timers);
  /// The message could not be sent (§17.1.4).
  transaction_step on_transport_error();

  [[nodiscard]] transaction_state state() const noexcept { return state_; }
  [[nodiscard]] bool active() const noexcept {
    return state_ != transaction_state::idle && state_ != transaction_state::terminated;
  }
  /// True while no final response has come.
  [[nodiscard]] bool awaits_final() const noexcept {
    return state_ == transaction_state::calling || state_ == transaction_state::trying ||
           state_ == transaction_state::proceeding;
  }
  /// True while the request may have to be sent again, so its text is needed.
  [[nodiscard]] bool needs_request(bool reliable) const noexcept {
    return !reliable && retransmit_at_ != never;
  }
  [[nodiscard]] time_point next_deadline() const noexcept {
    return retransmit_at_ < limit_at_ ? retransmit_at_ : limit_at_;
  }

private:
  void set(transaction_state s, time_point limit_at);

  time_point retransmit_at_ = never; // A, E
  time_point limit_at_ = never;      // B, F, D, K, M
  duration interval_{};
  transaction_state state_ = transaction_state::idle;
  bool invite_ = false;
};

/// INVITE (§17.2.1, RFC 6026 §8.5) and non-INVITE (§17.2.2) server transaction.
///
/// Differs from RFC 6026 in one thing: as user and transaction are one value here, retransmission
/// of the 2xx (§13.3.1.4), which the RFC leaves to the user, is the transaction's Accepted state.
class server_transaction {
public:
  /// The request has just been received.
  void start(time_point now, bool invite);

  /// The request came again.
  transaction_step on_request(time_point now);
  /// INVITE: an ACK came, for a non-2xx within the transaction or, for a 2xx, within the dialog.
  transaction_step on_ack(time_point now, bool reliable, const timer_values& timers);
  /// The user responds. `send` is set unless the response is not allowed any more.
  transaction_step respond(time_point now, int status, bool reliable, const timer_values& timers);
  transaction_step on_time(time_point now, bool reliable, const timer_values& timers);
  transaction_step on_transport_error();

  [[nodiscard]] transaction_state state() const noexcept { return state_; }
  [[nodiscard]] bool active() const noexcept {
    return state_ != transaction_state::idle && state_ != transaction_state::terminated;
  }
  /// True while no final response has been sent.
  [[nodiscard]] bool awaits_final() const noexcept {
    return state_ == transaction_state::trying || state_ == transaction_state::proceeding;
  }
  /// INVITE: a final response was sent and its ACK has not come.
  [[nodiscard]] bool awaits_ack() const noexcept { return awaits_ack_; }
  /// True while the last response may have to be sent again, so its text is needed.
  [[nodiscard]] bool needs_response() const noexcept;
  [[nodiscard]] time_point next_deadline() const noexcept {
    return retransmit_at_ < limit_at_ ? retransmit_at_ : limit_at_;
  }

private:
  time_point retransmit_at_ = never; // G, and of a 2xx
  time_point limit_at_ = never;      // H, I, J, L
  duration interval_{};
  transaction_state state_ = transaction_state::idle;
  bool invite_ = false;
  bool has_response_ = false;
  bool awaits_ack_ = false;
};

} // namespace jackfield::sip
