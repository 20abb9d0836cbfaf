#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sip/attempt_record.hpp"
#include "engine/sip/digest.hpp"
#include "engine/sip/leg_core.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/parting_bye.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// What to call. Views are copied by `invite_client::prepare`, except `credentials`.
struct call_options {
  /// Request-URI: "sip:bob@example.com".
  std::string_view uri = {};
  /// From value without tag: "\"Alice\" <sip:alice@example.com>".
  std::string_view from = {};
  /// To value without tag; empty: the URI in angle brackets.
  std::string_view to = {};
  /// Whole Contact value; empty: the profile's.
  std::string_view contact = {};
  /// Route values separated by commas (outbound proxy): "<sip:proxy.example.com;lr>".
  std::string_view route = {};
  /// Whole header lines to add to the INVITE.
  std::string_view headers = {};
  /// The offer; empty: delayed offer, the peer offers in its 2xx.
  std::string_view body = {};
  std::string_view content_type = "application/sdp";
  /// Must outlive the leg.
  std::span<const credential> credentials = {};
  /// Unpredictable number, for the cnonce.
  uint64_t random = 0;
  /// First CSeq, 1 .. 2^30.
  uint32_t cseq = 1;
  /// 0 .. 255: of a call that goes on from another one fewer than that had (RFC 7332).
  unsigned max_forwards = 70;
  /// Give up with CANCEL (timeout_c) if there is no final response this long after a provisional
  /// one; RFC 3261 §16.6 wants more than three minutes of proxies.
  duration ringing_limit = std::chrono::minutes{3};
  /// The ACK to the first 2xx waits for `acknowledge`, also where it carries no answer: for who has
  /// to write down first that there is a dialog. If cancelled it waits for the BYE's answer.
  bool hold_ack = false;
};

/// A call that we make (RFC 3261 §13.2, §9.1, §14, §15): the INVITE with its retries by digest, at
/// other servers and by redirection, its forks, the dialog that wins, and the end.
///
/// First 2xx wins; every other is ACKed and hung up. A call that was cancelled and yet answered is
/// ACKed, hung up and ends with `cancelled_but_answered`.
///
/// Events: `provisional`, `retrying`, `surplus_answer`, `answered`, those within the dialog, and
/// `ended` last. The machine is a value: one thread, no I/O, time by argument only.
class invite_client : public leg_core {
public:
  invite_client(const ua_profile& profile, const leg_id& id);
  ~invite_client();
  invite_client(invite_client&&) noexcept;
  invite_client& operator=(invite_client&&) noexcept;

  /// Fixes what the INVITE will be, and sends nothing. Fails, with nothing changed, if a text has
  /// control characters, the URI cannot be called, or a number is out of range. Once.
  result<void> prepare(const call_options& options);
  /// Lets the INVITE go that was prepared. Fails if there is none (any more): a leg that is hung up
  /// before sends nothing and ends with `cancelled`.
  result<void> send(time_point now, ua_sink& sink);
  /// Both at once.
  result<void> start(time_point now, const call_options& options, ua_sink& sink);
  /// Takes back an INVITE that was kept, whose process is no more: it is never sent again, nor
  /// anything in its place. The leg is `cancelling` then: CANCEL goes out at once, to the INVITE's
  /// next hop as a new request does, since nobody knows whether a provisional response came.
  /// Whatever is answered ends the call, a 2xx by a BYE, for whose answer its ACK waits; after
  /// 64*T1 without an answer it ends all the same. `credentials`: for the BYE; must outlive the
  /// leg. Fails, with nothing changed and nothing sent, if the record is not whole or another
  /// leg's. Once, instead of `prepare`.
  result<void> take_back(time_point now, const attempt_record& record, ua_sink& sink,
                         std::span<const credential> credentials = {});

  /// A message whose Via branch (response) or To tag (request) names this leg, parsed and without
  /// fault. What does not fit is answered 481 (request) or dropped. Views are not kept.
  void on_message(time_point now, const message& m, ua_sink& sink);
  /// To be called at `next_deadline` (or later; early calls do nothing).
  void on_time(time_point now, ua_sink& sink);
  /// What was sent last to a next hop could not be sent, or its flow broke: RFC 3261 §8.1.3.1
  /// treats it as 503, so that another server is tried unless it rings. An established call is
  /// given up without BYE.
  void on_transport_failed(time_point now, ua_sink& sink);
  /// `never` if nothing is due.
  [[nodiscard]] time_point next_deadline() const noexcept;

  /// Ends the call whatever its state: CANCEL (held until a provisional response), or BYE. Calling
  /// it again does nothing. `headers`: whole lines, such as "Reason: ...".
  void hang_up(time_point now, ua_sink& sink, std::string_view headers = {});

  /// Those of `leg_core`; before the answer they are about an early dialog, `fork` being that of
  /// its events. `acknowledge` then sends the PRACK that a reliable provisional response with
  /// `needs_answer` waits for. An early dialog takes no INVITE, and an UPDATE with an offer only
  /// once the first offer was answered reliably (RFC 3311 §5.1).
  uint32_t send_request(time_point now, method what, std::string_view body, ua_sink& sink,
                        std::string_view content_type = "application/sdp",
                        std::string_view headers = {}, unsigned fork = 0);
  bool answer_request(time_point now, uint32_t number, int status, ua_sink& sink,
                      std::string_view headers = {}, std::string_view body = {},
                      std::string_view content_type = {});
  bool defer_request(time_point now, uint32_t number, ua_sink& sink);
  bool acknowledge(time_point now, std::string_view body, ua_sink& sink,
                   std::string_view content_type = "application/sdp", unsigned fork = 0);
  bool answer_offer(time_point now, std::string_view body, ua_sink& sink,
                    std::string_view content_type = "application/sdp",
                    std::string_view headers = {}, unsigned fork = 0);
  bool refuse_offer(time_point now, int status, ua_sink& sink, unsigned fork = 0);

  [[nodiscard]] leg_phase current() const noexcept;
  using phase = leg_phase;

  /// Of the INVITE that is to be sent or on its way; empty before `prepare` and after its answer.
  [[nodiscard]] std::string invite_branch() const;
  /// The INVITE that is to be sent or was sent last, to be kept; none before `prepare` and after
  /// its answer. It is another one with each `retrying`.
  [[nodiscard]] std::optional<attempt_record> attempt() const;

  /// After `ended`: leaves in the table what must outlive the leg.
  void leave(time_point now, linger_table& table);

  /// Bytes on the heap, for the memory budget.
  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  struct setup;

  void send_invite(time_point now, ua_sink& sink, bool follows_ack);
  void send_cancel(time_point now, send_to to, ua_sink& sink);
  void acknowledge_failure(const message& m, uint32_t counter, send_to to, bool again,
                           ua_sink& sink);
  void on_invite_response(time_point now, const message& m, uint32_t counter, ua_sink& sink);
  void on_answer(time_point now, const message& m, ua_sink& sink);
  void on_failure(time_point now, const message& m, ua_sink& sink);
  /// What a provisional response is to its early dialog; false if the user is not to hear of it: it
  /// came again, or before its time.
  bool take_provisional(time_point now, const message& m, unsigned fork, bool& needs_answer,
                        ua_sink& sink);
  /// The early dialog's session, made when it is first needed; null if there is none to be had.
  [[nodiscard]] session* early(unsigned fork);
  void on_early_request(time_point now, const message& m, ua_sink& sink);
  void on_surplus_answer(time_point now, const message& m, ua_sink& sink);
  /// Takes the targets of a 3xx; false if there is none that is new.
  bool take_targets(const message& m);
  bool try_next_target(time_point now, const message* m, bool follows_ack, ua_sink& sink);
  /// RFC 3263 §4.3: the same INVITE, but for its branch, to another server of the next hop.
  bool try_next_server(time_point now, const message* m, bool follows_ack, ua_sink& sink);
  void end(end_cause cause, int status, const message* source, ua_sink& sink);
  [[nodiscard]] unsigned fork_of(const message& m);

  std::unique_ptr<setup> setup_; // until the first 2xx or the end
  std::unique_ptr<std::vector<parting_bye>> surplus_;
  time_point answered_at_{};
};

} // namespace jackfield::sip
