#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_leg.hpp"
#include "actors/call/call_resumption.hpp"
#include "actors/call/kept_call.hpp"
#include "actors/call/own_stream.hpp"
#include "actors/centre/bridged_call.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/scenario/drawn_duration.hpp"
#include "engine/sdp/offer_answer.hpp"
#include "engine/transport/transport_settings.hpp"

namespace jackfield {

/// What becomes of a call that came in.
struct answer_plan {
  enum class kind : uint8_t {
    answer, ///< 200
    busy,   ///< 486, at once
    ring    ///< until the caller gives up, or else 480
  };
  kind what = kind::answer;
  lane::duration after{}; ///< from INVITE to the final response
  /// What the caller hears; null: what the manner says.
  std::shared_ptr<const audio_settings> audio;
  /// It is for one of several phones that ring, perhaps: that its caller gives it up is no fault.
  bool may_be_given_up = false;
  /// The owner gets `call_up` and `call_down`.
  bool tells_when_up = false;
};

/// How calls are answered; shared by a lane's calls, immutable.
struct answer_manner {
  std::shared_ptr<const transport::open_settings> connections;
  /// 300..699: refuse with this instead of answering; 0: answer.
  int refuse_with = 0;
  /// Send 180 before the answer.
  bool ring = true;
  /// From INVITE to 200.
  scenario::drawn_duration answer_after;
  /// Of all calls, 0 .. 1: refused with 486 at once, and answered. The rest rings for `ring_limit`
  /// and is refused with 480 then.
  double busy_share = 0;
  double answer_share = 1;
  lane::duration ring_limit = std::chrono::minutes{3};
  uint64_t seed = 1; ///< of what is drawn
  /// Hang up this long after the answer; zero: never, the caller does.
  lane::duration length{};
  /// A peer of which nothing was ever heard in the media is asked after so long, and again, whether
  /// it is there still (OPTIONS within the dialog); zero: never.
  lane::duration check_after{};
  /// Nothing: an answer is made, with the audio inactive.
  std::shared_ptr<const audio_settings> audio;
  /// Address, codecs and direction.
  std::shared_ptr<const sdp::offer_template> media;
  uint16_t inactive_port = 10'000;
  /// Calls to users who are registered here are connected to them so; null: answered as all.
  std::shared_ptr<const bridge_manner> connect;
};

/// To the owner of a call that came in, if that wants to know: its answer is acknowledged.
struct call_up {
  caf::actor_id call = 0;
};

/// The same: its dialog is over. Its stream may still close, and `served_call` follows that.
struct call_down {
  caf::actor_id call = 0;
};

/// To the owner of a call that came in, last.
struct served_call {
  caf::actor_id call = 0;
  report::failure_cause failure;
  bool answered = false;
  /// Busy or ringing in vain, as was meant; `failure` is what it was told then. Else `answer`.
  answer_plan::kind declined = answer_plan::kind::answer;
  uint32_t info_digits = 0;
  std::optional<media_outcome> media;
  std::string detail;                          ///< what was said of `failure`
  sip::end_cause ended = sip::end_cause::none; ///< how the leg did
};

/// What an answering service does with a leg: 180, 200 after a while, audio, until either side
/// hangs up. Where something is kept of the call, it is answered once the journal has that. A call
/// that a crash left goes on.
class answer_script final : public leg_user {
public:
  /// `owner` is on the leg's lane. `media` outlives the leg. With a call that is under way in
  /// `kept`, it is for a leg of which nothing is known yet, and `owner` gets `call_resumed`, too.
  answer_script(media_plane& media, std::shared_ptr<const answer_manner> manner, kept_call kept,
                caf::strong_actor_ptr owner, answer_plan plan = {});

  void on_start(call_leg& leg) override;
  void on_hang_up(call_leg& leg) override;
  void on_lost(call_leg& leg) override;
  void on_incoming(call_leg& leg, const leg_incoming& call) override;
  void on_offer(call_leg& leg, const leg_offer& offer) override;
  void on_settled(call_leg& leg, const leg_settled& settled) override;
  void on_request(call_leg& leg, const leg_request& request) override;
  void on_way_back(call_leg& leg) override;
  void on_ended(call_leg& leg, const leg_end& end) override;
  void on_wake(call_leg& leg) override;
  void on_recorded(call_leg& leg, const recorded& answer) override;
  void on_confirmed(call_leg& leg) override;
  void on_media_opened(call_leg& leg, const media_opened& opened) override;
  void on_media_silent(call_leg& leg, const media_silent& silent) override;
  void on_media_closed(call_leg& leg, const media_closed& closed) override;

private:
  /// Answers, if all that it takes is there.
  void answer_if_ready(call_leg& leg);
  /// Has the leg wake for what comes next of an answered call.
  void wait_for_next(call_leg& leg);
  /// Refuses the call, for a reason of this side's.
  void refuse(call_leg& leg, int status, std::string_view headers = {});
  [[nodiscard]] answer_plan::kind declined() const noexcept;
  [[nodiscard]] const std::shared_ptr<const audio_settings>& audio() const noexcept {
    return plan_.audio && manner_->audio ? plan_.audio : manner_->audio;
  }
  void report(call_leg& leg);

  // Of a call that a crash left.
  void resume(call_leg& leg);
  void on_resumption(call_leg& leg, call_resumption::state how);
  void lose(call_leg& leg);

  media_plane& plane_;
  std::shared_ptr<const answer_manner> manner_;
  caf::strong_actor_ptr owner_;
  answer_plan plan_;
  own_stream stream_;
  kept_call kept_;
  std::unique_ptr<call_resumption> resuming_; // until it is clear what becomes of the call
  report::failure_cause failure_;
  lane::time_point ends_at_ = lane::time_point::max();
  lane::time_point check_at_ = lane::time_point::max(); // of a call without a stream
  uint32_t info_digits_ = 0;
  bool awaits_record_ = false;
  bool awaits_stream_ = false;
  bool awaits_time_ = false;
  bool answered_ = false;
  int status_ = 0;     // of a refusal
  std::string detail_; // what was said of `failure_`
  sip::end_cause ended_ = sip::end_cause::none;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::served_call)
