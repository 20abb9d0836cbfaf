#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/sip/dialog_record.hpp"
#include "engine/sip/digest.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/session.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// Where a call stands, whichever side called.
enum class leg_phase : uint8_t {
  idle,        // nothing has begun
  prepared,    // calling: all is fixed, nothing sent
  calling,     // INVITE sent, at most 100 came
  ringing,     // calling: 101..199 came; called: no final response sent
  cancelling,  // calling: CANCEL is held or on its way
  refusing,    // called: 300..699 sent, no ACK yet
  answered,    // called: 2xx sent, no ACK yet
  established, // calling: 2xx has come; called: its ACK
  ending,      // BYE is on its way
  over,        // `ended` was reported
};

/// What a call is made of whichever side called: its identity, the dialog with what goes on within
/// it, and its credentials. `invite_client` and `invite_server` add how it comes about.
class leg_core {
public:
  /// Sends a request within the dialog: any method but INVITE's own (ACK, BYE, CANCEL, PRACK) and
  /// REGISTER. Returns its number, which the `response` event has too, or 0 where that is not
  /// possible: there is no dialog, eight are on their way, or an offer (re-INVITE, UPDATE with a
  /// body) would cross one that has no answer yet. Where the transport does not keep the order, one
  /// that overtakes another has it refused with 500 (RFC 3261 §12.2.2). An offer answered 491 is
  /// sent again after the time of RFC 3261 §14.1, once.
  uint32_t send_request(time_point now, method what, std::string_view body, ua_sink& sink,
                        std::string_view content_type = "application/sdp",
                        std::string_view headers = {});

  /// Answers the `request` event of this number with 200..699; inside `on_event`, or later if it
  /// was deferred. Allow, Supported and Contact are added where they belong. False if it is not
  /// open.
  bool answer_request(time_point now, uint32_t number, int status, ua_sink& sink,
                      std::string_view headers = {}, std::string_view body = {},
                      std::string_view content_type = {});
  /// Inside `on_event`: it will be answered later, within the profile's `offer_limit`, after which
  /// it gets 500 and `request_expired` tells so. At most eight wait; more get 500 unasked.
  bool defer_request(time_point now, uint32_t number, ua_sink& sink);

  /// Sends the ACK with our answer, after `answered` or `response` with `needs_answer`. Until then
  /// the peer retransmits. False if no answer is owed.
  bool acknowledge(time_point now, std::string_view body, ua_sink& sink,
                   std::string_view content_type = "application/sdp");

  /// Answers the `offer` event 200 with a body. False if no offer is open.
  bool answer_offer(time_point now, std::string_view body, ua_sink& sink,
                    std::string_view content_type = "application/sdp",
                    std::string_view headers = {});
  /// Refuses it with 4xx to 6xx (488).
  bool refuse_offer(time_point now, int status, ua_sink& sink);

  /// The dialog, once there is one (a called leg: from the INVITE on); invalid before.
  [[nodiscard]] const dialog& established() const noexcept { return session_.state(); }
  [[nodiscard]] const leg_id& id() const noexcept { return id_; }

  /// The connection that our requests use is over: the dialog is not, and what is on its way in it
  /// is made again over another. False: there is none, or that was tried for long enough.
  [[nodiscard]] bool outlive_connection(time_point now, ua_sink& sink);

  /// The dialog, to be kept: as `established` has it. Its `leg` is empty if there is none.
  [[nodiscard]] dialog_record record() const;
  /// Takes up a dialog that was kept, under the identity that it had: the leg is `established` then
  /// and nothing is sent. For a leg with which nothing has begun. `credentials` must outlive the
  /// leg. `skip`: so many requests may have been sent since the record was made; CSeq and branches
  /// go on behind them. Fails, with nothing changed, if the record is not whole or another leg's.
  result<void> adopt(const dialog_record& record, std::span<const credential> credentials = {},
                     uint32_t skip = 0);

protected:
  leg_core(const ua_profile& profile, const leg_id& id) noexcept : profile_(&profile), id_(id) {}

  [[nodiscard]] session::context context(time_point now, ua_sink& sink) noexcept {
    return {now, profile_, credentials_, digest_, sink};
  }
  [[nodiscard]] size_t core_heap_bytes() const noexcept {
    return session_.heap_bytes() + digest_.heap_bytes();
  }

  const ua_profile* profile_;
  leg_id id_;
  session session_;
  digest_session digest_;
  std::span<const credential> credentials_;
  uint32_t invite_cseq_ = 0;    // of the INVITE that was sent or received last; 0: none
  bool confirmed_ = false;      // the dialog is up: requests within it may be sent
  bool early_requests_ = false; // they may be sent before that: the peer has the early dialog
  bool over_ = false;
};

} // namespace jackfield::sip
