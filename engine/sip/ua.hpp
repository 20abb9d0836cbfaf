#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/sip/message.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/method.hpp"
#include "engine/sip/method_set.hpp"

namespace jackfield::sip {

using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// What a machine without a timer returns from `next_deadline`.
inline constexpr time_point never = time_point::max();

/// RFC 3261 §17.1.1.1 and table 4. All other timers follow from these.
struct timer_values {
  duration t1 = std::chrono::milliseconds{500};
  duration t2 = std::chrono::seconds{4};
  duration t4 = std::chrono::seconds{5};

  /// Timers B, F, H, J, L, M: 64*T1.
  [[nodiscard]] constexpr duration transaction_limit() const noexcept { return 64 * t1; }
  /// Timer D on unreliable transports: more than 32 s.
  [[nodiscard]] constexpr duration timer_d() const noexcept {
    return std::max<duration>(64 * t1, std::chrono::seconds{32});
  }
};

/// Order in which the messages of one pass may leave, so that messages of one kind (and length)
/// stand together. The machines give ranks so that sorting a pass stably by rank never puts a
/// message before one that caused it: rank 0 is only an INVITE that follows nothing, an INVITE that
/// follows an ACK (after 401, or a re-INVITE) is a `request`, and inside a confirmed dialog only
/// `ack`, `request` and `response` are used.
enum class send_rank : uint8_t { invite, provisional, invite_final, ack, request, response };

/// Where a message goes.
enum class send_to : uint8_t {
  /// A new transaction, or the ACK to a 2xx: towards `outgoing::next_hop` (RFC 3263).
  next_hop,
  /// Towards `outgoing::next_hop` too, but to somebody else than the leg's own peer: another fork
  /// that answered. What `again` means does not change by it, and the leg does not fail with it.
  aside,
  /// To the very address the machine's latest `next_hop` request went to: retransmissions, CANCEL,
  /// and the ACK to a non-2xx (§17.1.1.3, §9.1).
  again,
  /// To the source of the INVITE (`invite_server`) that the machine was started with.
  invite_source,
  /// Inside `on_message`: to the source of that message. Later: to that of the latest request
  /// within
  /// the dialog that the machine was given.
  request_source,
};

/// A message to send. All views are valid during the call only.
struct outgoing {
  std::string_view text;
  send_rank rank = send_rank::request;
  send_to to = send_to::next_hop;
  /// A SIP URI without angle brackets: of the topmost Route if loose, else the Request-URI. Set for
  /// `send_to::next_hop` and `send_to::aside` only.
  std::string_view next_hop;
  /// Of the request, or of the request that a response is for.
  method what = method::unknown;
  /// 0 for a request.
  int status = 0;
  /// Not the first time that this message is sent.
  bool retransmission = false;
};

/// Why a leg ended or an attempt failed. Closed: a report has a row for each.
enum class end_cause : uint8_t {
  none,
  /// We hung up and the peer confirmed.
  local_bye,
  /// The peer hung up.
  remote_bye,
  /// A request out of dialog was answered 2xx.
  succeeded,
  /// 486 or 600.
  busy,
  /// Any other final response of 4xx to 6xx.
  rejected,
  /// 480 or 408 from the peer: nobody answered there.
  no_answer,
  /// We gave up before an answer, and it was never answered (client), or the peer did (server).
  cancelled,
  /// The CANCEL crossed a 2xx: it was ACKed and hung up. The peer may have recorded an answer.
  cancelled_but_answered,
  /// No response at all to the INVITE (timer B).
  timeout_b,
  /// No final response to another request (timer F).
  timeout_f,
  /// The INVITE had provisional responses but no final one until the caller's limit.
  timeout_c,
  /// We answered 2xx and no ACK came in 64*T1.
  no_ack,
  /// We answered the INVITE with a failure and no ACK came (timer H). The call was over anyway.
  no_ack_to_failure,
  /// 408 or 481 to a request inside the dialog: the peer has lost it (RFC 3261 §12.2.1.2).
  dialog_lost,
  /// The caller said that it cannot send, or the flow broke.
  transport_failed,
  /// The peer sent what it must not, and the call could not go on.
  protocol_error,
  /// No credential for the challenge, or the credential was refused.
  auth_failed,
  /// A 3xx led to where we had been, or too far, or nowhere.
  redirect_loop,
  /// We refused (server side): `status` says how.
  refused,
  /// The registration's lifetime ended without a refresh succeeding.
  expired,
  /// Unregistered as asked.
  unregistered,
  count_
};

/// "timeout_b" and so on; used in reports.
[[nodiscard]] std::string_view to_string(end_cause c) noexcept;

/// The cause that a final response to an INVITE or another request out of dialog stands for.
[[nodiscard]] end_cause cause_of_status(int status) noexcept;

enum class event_kind : uint8_t {
  /// Client: 100..199 for the INVITE. `fork` tells early dialogs apart; `body` is early media's.
  provisional,
  /// Client: the first 2xx; the ACK has been sent, unless `needs_answer` (delayed offer): then
  /// `body` is the peer's offer and the caller calls `acknowledge`.
  answered,
  /// Client: a 401/407 is being answered, a 3xx followed, or another server tried. `status` is that
  /// of the response which led to it; 0: none did.
  retrying,
  /// Client: another 2xx of a forked INVITE was ACKed and is being hung up.
  surplus_answer,
  /// Server: an INVITE to be answered. `body` is the offer; empty: the answering side offers.
  incoming,
  /// Server: the ACK to our 2xx came; the call is up. `body` is the answer to a delayed offer.
  acknowledged,
  /// A re-INVITE or UPDATE (`what`) with an offer in `body`, or a re-INVITE without one (we offer).
  /// The caller answers with `answer_offer` or `refuse_offer`.
  offer,
  /// The ACK to our 2xx to a re-INVITE came. `body` is its answer, if we offered.
  offer_confirmed,
  /// The peer cancelled its re-INVITE, or the offer was not answered in time.
  offer_withdrawn,
  /// Another request inside the dialog, not answered yet: the user calls `answer_request` or
  /// `defer_request` with its `number` inside `on_event`, else it is answered as its RFC says.
  /// `what` is unknown for a method that we don't know. A PRACK has been answered (`number` is 0):
  /// `body` is the answer to the offer in our provisional response.
  request,
  /// A deferred request was not answered within the profile's `offer_limit`: it got 500.
  request_expired,
  /// Final response to what `send_request` or `offer` sent, or 0 with `cause` timeout_f.
  response,
  /// Registration: the binding stands for `seconds`.
  registered,
  /// Registration: an attempt failed with `cause` and `status`; the next one is in `seconds`, or
  /// never (0).
  registration_failed,
  /// The last event of a leg, exactly once, when nothing is left to send. The caller calls
  /// `leave` and lets go of the machine.
  ended,
};

/// What a machine reports. Views and `source` are valid during the call only.
struct ua_event {
  event_kind kind{};
  end_cause cause = end_cause::none;
  /// Status of the response that this is about (also of our own), else 0.
  int status = 0;
  /// Method of the request that this is about.
  method what = method::unknown;
  /// Which early dialog: 0 for none or the first.
  unsigned fork = 0;
  /// Of the request within the dialog: `send_request` returned it (`response`), or `answer_request`
  /// takes it (`request`); else 0.
  uint32_t number = 0;
  /// `answered`: call `acknowledge` with the answer.
  bool needs_answer = false;
  /// Retry-After of a failure, lifetime of a registration, or time to the next attempt; else 0.
  unsigned seconds = 0;
  std::string_view body = {};
  std::string_view content_type = {};
  /// The message received that led to this, if one did.
  const message* source = nullptr;
};

/// What the legs of one local endpoint and transport have in common. Must outlive them; not changed
/// while one lives. A lane has a few: one for each local address and transport.
struct ua_profile {
  /// Sent-protocol and sent-by of our Via: "SIP/2.0/UDP 192.0.2.1:5060".
  std::string via;
  /// Whole Contact value for legs that bring none: "<sip:192.0.2.1:5060;transport=tcp>".
  std::string contact;
  /// The same with a SIPS URI, for whom that is due (§8.1.1.8, §12.1.1): "<sips:192.0.2.1:5061>".
  /// Empty: the same as any.
  std::string secure_contact;
  /// The one of both that is due; a view of it.
  [[nodiscard]] std::string_view contact_for(bool secure) const noexcept {
    return secure && !secure_contact.empty() ? secure_contact : contact;
  }
  /// Value of User-Agent in requests and Server in responses; empty: not sent.
  std::string user_agent;
  /// Methods for Allow in INVITE, its responses and in 405. Requests of others are answered 405
  /// unless the leg's user answers them itself.
  allow_list allow = allowed_methods;
  /// Option tags for Supported; empty: not sent. With "100rel" (RFC 3262) peers may send reliable
  /// provisional responses, which are understood in any case.
  std::string supported;
  /// Ask for the response at the source port (RFC 3581). Off for reliable transports.
  bool rport = true;
  /// TCP, TLS, WS, WSS: no retransmissions of what the transport carries.
  bool reliable = false;
  timer_values timers;
  /// How long an offer or a deferred request inside the dialog may wait for the leg's user before
  /// it is answered 500.
  duration offer_limit = std::chrono::seconds{10};
  /// Redirections followed for one request.
  unsigned max_redirects = 5;
  /// Alternative targets kept of 3xx responses.
  unsigned max_targets = 16;
  /// Dialogs that one forked INVITE may open; surplus provisional responses are ignored, surplus
  /// 2xx are always ACKed and BYEd.
  unsigned max_forks = 16;
};

/// Receives what a machine does.
///
/// Inside `on_event` the machine may be commanded (`answer`, `hang_up` ...) and asked, but neither
/// destroyed nor moved. Inside `send` it may not be called.
struct ua_sink {
  virtual void send(const outgoing& message) = 0;
  virtual void on_event(const ua_event& event) = 0;
  /// Asked inside `on_message` or `start` of a request: its source becomes `received` and `rport`
  /// in the responses (RFC 3261 §18.2.1, RFC 3581 §4). The view is used at once.
  virtual packet_source source() const { return {}; }
  /// The server that the latest `next_hop` request went to cannot be reached, is silent, or said
  /// 503 with this Retry-After (else 0): is there another one of that name (RFC 3263 §4.3)? If so
  /// what is sent to the same next hop from now on goes there, written for the profile returned.
  /// Null: none.
  virtual const ua_profile* next_server(duration /*rest*/) { return nullptr; }

protected:
  ~ua_sink() = default;
};

/// True if the text is empty or whole header lines, each "Name: value" CRLF, none empty.
[[nodiscard]] bool is_safe_header_lines(std::string_view text) noexcept;

} // namespace jackfield::sip
