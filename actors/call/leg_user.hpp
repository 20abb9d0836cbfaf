#pragma once

#include <cstdint>
#include <string_view>

#include "actors/media/media_messages.hpp"
#include "actors/node/recorder.hpp"
#include "engine/error/error.hpp"
#include "engine/sdp/offer_answer.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield {

class call_leg;
struct leg_command;

/// A call that came in; the views last as long as the call of `on_incoming`.
struct leg_incoming {
  const sip::message& invite;
  /// False: the INVITE has no offer, `accept` makes one.
  bool has_offer = false;
  /// The offer cannot be taken, and why; `accept` would refuse with 488. Null: it can, or there is
  /// none.
  const error* unacceptable = nullptr;
};

/// A provisional response to our INVITE.
struct leg_progress {
  int status = 0;    ///< 100..199
  unsigned fork = 0; ///< which early dialog; 0 for none or the first
};

/// An answer in a provisional response: what would be agreed if that early dialog's 2xx says the
/// same (RFC 6337 §3.1.1). `call_leg::hear_early` has the stream follow it.
struct leg_early_media {
  unsigned fork = 0;
  const sdp::negotiated_audio& audio;
};

/// The first 2xx to our INVITE. The stream follows what was agreed already.
struct leg_answer {
  int status = 200;
  /// The answer, or the offer where that was the peer's, is none that we can take: the leg hangs
  /// up by itself. Null: all is well.
  const error* unusable = nullptr;
  /// What was agreed on; null: nothing, or nobody judged it.
  const sdp::negotiated_audio* audio = nullptr;
};

/// A re-INVITE or UPDATE of the peer's: what it offers is acceptable as such.
struct leg_offer {
  uint32_t number = 0; ///< for `answer_offer` and `refuse_offer`
  sip::method what = sip::method::invite;
  /// False: a re-INVITE without an offer, which asks for ours.
  bool has_offer = false;
  /// The direction offered, as seen from here: `recvonly` or `inactive` put us on hold.
  sdp::direction way = sdp::direction::sendrecv;
};

/// How an offer of ours, or one that we made when asked, ended.
struct leg_settled {
  uint32_t request = 0; ///< what `offer` returned; 0: we were asked for the offer
  /// The peer's final response; 0: none came. 491: it made an offer at the same time, which was
  /// taken, and by now ours may be made anew (RFC 3261 §14.1).
  int status = 0;
  /// Why nothing was agreed on; then all stays as it was. Null: the stream follows the new.
  const error* unsettled = nullptr;
  bool ice_restart = false; ///< it was that of `restart_ice`
};

/// A request within the dialog that the peer waits with: answered by `answer_request`, in the
/// handler or later after `defer_request`. What is neither is answered as the RFCs have it by
/// default: OPTIONS and INFO 200, REFER 603, NOTIFY 481, and so on.
struct leg_request {
  uint32_t number = 0;
  sip::method what = sip::method::unknown;
  std::string_view content_type;
  std::string_view body;
  const sip::message& message;
};

/// The final response to a request of ours within the dialog.
struct leg_response {
  uint32_t request = 0; ///< what `request` returned
  int status = 0;       ///< 0: none came
  std::string_view content_type;
  std::string_view body;
};

/// The end. `cause` and `status` as in `sip::ua_event`, which has the details.
struct leg_end {
  sip::end_cause cause = sip::end_cause::none;
  const sip::ua_event& event;
};

/// Whoever a call leg is for: decides what the leg itself does not. Lives inside the leg's actor,
/// on its lane, and is called there; handlers may give the leg commands at once. None may destroy
/// the leg.
///
/// A leg begins with `on_start`. After `on_ended` nothing more comes from the peer; the leg's actor
/// ends when its user has called `call_leg::finish`.
class leg_user {
public:
  leg_user() = default;
  virtual ~leg_user() = default;
  leg_user(const leg_user&) = delete;
  leg_user& operator=(const leg_user&) = delete;

  /// The actor runs. A calling leg is given its media, then `prepare` and `send_invite`, now or
  /// later; a called one its media capabilities (`describe`), and `on_incoming` follows when this
  /// returns; `adopt` takes up a dialog from a store.
  virtual void on_start(call_leg& leg) = 0;
  /// Somebody outside wants the call to end, whatever its state.
  virtual void on_hang_up(call_leg& leg) = 0;
  /// The actor ends without the user having finished: an error within. The leg can be used no more.
  virtual void on_lost(call_leg& leg) = 0;

  // -- a call that comes in
  virtual void on_incoming(call_leg& leg, const leg_incoming& call);
  /// The ACK to our 2xx came.
  virtual void on_confirmed(call_leg& /*leg*/) {}

  // -- a call that goes out
  /// Call-ID, tags and branch are fixed, nothing has left.
  virtual void on_prepared(call_leg& /*leg*/) {}
  virtual void on_progress(call_leg& /*leg*/, const leg_progress& /*progress*/) {}
  virtual void on_early_media(call_leg& /*leg*/, const leg_early_media& /*media*/) {}
  /// A challenge is being answered, a redirection followed, or another server tried. `status` is
  /// that of the response which led to it; 0: none came.
  virtual void on_retrying(call_leg& /*leg*/, int /*status*/) {}
  virtual void on_answered(call_leg& /*leg*/, const leg_answer& /*answer*/) {}

  // -- within the dialog
  /// Without an own idea: answered, both ways as offered.
  virtual void on_offer(call_leg& leg, const leg_offer& offer);
  /// The peer took it back, or nobody answered in time (then 500 was sent).
  virtual void on_offer_withdrawn(call_leg& /*leg*/, uint32_t /*number*/) {}
  virtual void on_settled(call_leg& /*leg*/, const leg_settled& /*settled*/) {}
  virtual void on_request(call_leg& /*leg*/, const leg_request& /*request*/) {}
  virtual void on_response(call_leg& /*leg*/, const leg_response& /*response*/) {}
  /// The connection to the peer is over, the dialog is not: what is sent next makes another, where
  /// there is somebody to connect to. Again for each that is over, or cannot be had.
  virtual void on_cut_off(call_leg& /*leg*/) {}
  /// The peer has made another. What it said thereby has been told of before.
  virtual void on_way_back(call_leg& /*leg*/) {}

  /// Once, when nothing is left to send or to wait for; not before `on_start` returned.
  virtual void on_ended(call_leg& leg, const leg_end& end) = 0;

  // -- what else comes to the leg's actor
  /// The time set by `call_leg::wake_at`.
  virtual void on_wake(call_leg& /*leg*/) {}
  /// The journal's answer to what the user had kept: see `kept_call`.
  virtual void on_recorded(call_leg& /*leg*/, const recorded& /*answer*/) {}
  /// From streams that the user spawned with the leg's actor as owner.
  virtual void on_media_opened(call_leg& /*leg*/, const media_opened& /*opened*/) {}
  virtual void on_media_parted(call_leg& /*leg*/, const media_parted& /*parted*/) {}
  virtual void on_media_silent(call_leg& /*leg*/, const media_silent& /*silent*/) {}
  virtual void on_media_closed(call_leg& /*leg*/, const media_closed& /*closed*/) {}
  /// A command by message. Only a `leg_reporter` takes any.
  virtual void on_command(call_leg& leg, leg_command& command);
};

} // namespace jackfield
