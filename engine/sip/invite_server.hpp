#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/sip/digest.hpp"
#include "engine/sip/leg_core.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

struct answer_options {
  /// Send 100 at once; else only if nothing else was sent within 200 ms (RFC 3261 §17.2.1).
  bool trying_at_once = false;
  /// Send 101..199 reliably (RFC 3262) where the caller supports it. Where it requires that, they
  /// always are.
  bool reliable_provisionals = false;
  /// Whole Contact value; empty: the profile's.
  std::string_view contact = {};
  /// For challenges to our requests within the dialog. Must outlive the leg.
  std::span<const credential> credentials = {};
};

/// A call that we receive (RFC 3261 §13.3, §9.2, §14, §15).
///
/// Events: `incoming` (from `start`), `acknowledged`, those within the dialog, and `ended` last:
/// with `cancelled` if the caller gave up, `refused` if we did, `no_ack` if our 2xx was never ACKed
/// (a BYE is sent then), `remote_bye`, `local_bye` and so on.
///
/// The owner routes to it: requests whose To tag names this leg, responses whose branch does, and
/// by `transaction_key` of the INVITE: retransmissions of it, its CANCEL, and the ACK to a non-2xx.
class invite_server : public leg_core {
public:
  invite_server(const ua_profile& profile, const leg_id& id);
  ~invite_server();
  invite_server(invite_server&&) noexcept;
  invite_server& operator=(invite_server&&) noexcept;

  /// Takes an INVITE without To tag that passed the checks of the owner (`check_request`,
  /// authentication, merged requests: see `reject_statelessly`). Copies what it
  /// needs. `transaction` is `transaction_key` of the INVITE; only `leave` uses it.
  void start(time_point now, const message& invite, uint64_t transaction,
             const answer_options& options, ua_sink& sink);

  /// A message for this leg. What does not fit is answered 481 or dropped. Views are not kept.
  void on_message(time_point now, const message& m, ua_sink& sink);
  void on_time(time_point now, ua_sink& sink);
  /// The flow broke, or what was sent last could not be sent.
  void on_transport_failed(time_point now, ua_sink& sink);
  [[nodiscard]] time_point next_deadline() const noexcept;

  /// Sends 101..199, with early media in `body` if any. False once a final response was sent. A
  /// reliable one is retransmitted until its PRACK, and what is to follow, the answer too, waits
  /// for that; without PRACK the call is refused with 500 after 64*T1. From the first PRACK on
  /// requests can be sent in the early dialog.
  bool progress(time_point now, int status, ua_sink& sink, std::string_view body = {},
                std::string_view content_type = "application/sdp", std::string_view headers = {});
  /// Sends 200 with our answer, or with our offer if the INVITE had none. Retransmitted until ACK.
  bool answer(time_point now, std::string_view body, ua_sink& sink,
              std::string_view content_type = "application/sdp", std::string_view headers = {});
  /// Sends 300..699. `headers`: whole lines ("Contact: ..." for 3xx, "Retry-After: 5").
  bool reject(time_point now, int status, ua_sink& sink, std::string_view headers = {});

  /// Ends the call whatever its state: before the answer as `reject` with 480; after it BYE, which
  /// waits for the ACK or its time-out (§15).
  void hang_up(time_point now, ua_sink& sink, std::string_view headers = {});

  [[nodiscard]] leg_phase current() const noexcept;
  using phase = leg_phase;

  /// After `ended`: leaves in the table what must outlive the leg.
  void leave(time_point now, linger_table& table) const;

  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  struct setup;
  struct provisionals; // reliable ones

  bool respond(time_point now, int status, bool dialog_forming, std::string_view headers,
               std::string_view body, std::string_view content_type, ua_sink& sink);
  void respond_reliably(time_point now, int status, std::string_view headers, std::string_view body,
                        std::string_view content_type, ua_sink& sink);
  /// Keeps a response until the PRACK before it has come; false if too many wait, or the answer.
  bool hold(int status, std::string_view headers, std::string_view body,
            std::string_view content_type);
  void send_held(time_point now, ua_sink& sink);
  void on_prack(time_point now, const message& m, ua_sink& sink);
  void on_first_ack(time_point now, const message& m, ua_sink& sink);
  void on_cancel(time_point now, const message& m, ua_sink& sink);
  void on_early_request(time_point now, const message& m, ua_sink& sink);
  void reply(const message& m, int status, ua_sink& sink, std::string_view headers = {});
  void end(end_cause cause, int status, const message* source, ua_sink& sink);

  /// The first transaction is over; what is left is the session's.
  void confirm() noexcept;

  std::unique_ptr<setup> setup_; // until the ACK
  uint64_t transaction_key_ = 0;
  time_point absorb_until_{}; // retransmissions of the INVITE may come
};

} // namespace jackfield::sip
