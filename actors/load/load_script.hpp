#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_leg.hpp"
#include "actors/call/call_resumption.hpp"
#include "actors/call/call_settings.hpp"
#include "actors/call/kept_call.hpp"
#include "actors/call/own_stream.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield {

/// When things happened to a call; unset where they did not.
struct call_times {
  lane::time_point due{};     ///< when it was to be placed
  lane::time_point started{}; ///< when its first INVITE was handed to the transport
  std::optional<lane::time_point> first_response; ///< any 1xx or final
  std::optional<lane::time_point> ringing;        ///< 180 or 183
  std::optional<lane::time_point> final_response; ///< 300 and above, or 2xx
  std::optional<lane::time_point> answered;       ///< 2xx
  std::optional<lane::time_point> acknowledged;   ///< ACK sent
  std::optional<lane::time_point> bye_sent;
  std::optional<lane::time_point> ended;
};

/// To a load call's owner: a 2xx came.
struct call_answered {
  uint64_t number = 0;
  call_times times; ///< so far
};

/// To a load call's owner, last: how it went.
struct call_finished {
  uint64_t number = 0;
  call_times times;
  sip::end_cause cause = sip::end_cause::none;
  report::failure_cause failure; ///< `none` for a call that was answered and ended as planned
  std::string detail;            ///< what was said of it: see `failure_detail`
  int status = 0;                ///< final status of the INVITE, 0 if none came
  wire_counters wire;
  std::optional<media_outcome> media;
  report::step_counts steps;
  std::shared_ptr<const call_target> target;
  sip::leg_id leg; ///< its text is the Call-ID's first part
};

/// What a load run does with a leg: INVITE, audio for as long as planned, with steps in between,
/// BYE; and takes the times.
class load_script final : public leg_user {
public:
  struct plan {
    uint64_t number = 0;
    lane::time_point due{};
    /// From answer to BYE.
    lane::duration length{};
  };

  /// `owner` is on the leg's lane. `media` outlives the leg. Where something is `kept` of the call,
  /// its INVITE leaves once the journal has that. With a call that is under way in `kept`, which a
  /// crash left, it goes on with that, and `owner` gets `call_resumed`, too.
  load_script(media_plane& media, std::shared_ptr<const call_manner> manner,
              std::shared_ptr<const call_target> target, const plan& p, kept_call kept,
              caf::strong_actor_ptr owner);

  void on_start(call_leg& leg) override;
  void on_hang_up(call_leg& leg) override { end_call(leg); }
  void on_lost(call_leg& leg) override;
  void on_progress(call_leg& leg, const leg_progress& progress) override;
  void on_retrying(call_leg& leg, int status) override;
  void on_answered(call_leg& leg, const leg_answer& answer) override;
  void on_offer(call_leg& leg, const leg_offer& offer) override;
  void on_request(call_leg& leg, const leg_request& request) override;
  void on_cut_off(call_leg& leg) override;
  void on_way_back(call_leg& leg) override;
  void on_settled(call_leg& leg, const leg_settled& settled) override;
  void on_response(call_leg& leg, const leg_response& response) override;
  void on_ended(call_leg& leg, const leg_end& end) override;
  void on_wake(call_leg& leg) override;
  void on_recorded(call_leg& leg, const recorded& answer) override;
  void on_media_opened(call_leg& leg, const media_opened& opened) override;
  void on_media_closed(call_leg& leg, const media_closed& closed) override;

private:
  void place(call_leg& leg, const lane::endpoint& media_address,
             std::shared_ptr<const sdp::stream_transport> transport);
  void send(call_leg& leg);
  /// The call is up, and its ACK has left.
  void begin_steps(call_leg& leg);
  void end_call(call_leg& leg);
  void wait_for_next(call_leg& leg);
  void take(call_leg& leg, call_step::kind what);
  void dial(call_leg& leg, const std::string& digits);
  void send_next_digit(call_leg& leg);
  [[nodiscard]] const std::shared_ptr<const audio_settings>& audio() const noexcept {
    return target_->audio && manner_->audio ? target_->audio : manner_->audio;
  }
  /// Of the steps that are done by offers; not of an ICE restart.
  [[nodiscard]] report::step_counts::count& count_of(call_step::kind what) noexcept;
  /// Has the peer find us, and hear us, again.
  void come_back(call_leg& leg);
  /// The leg is over, or never began: once the stream has closed too, tells the owner.
  void close(call_leg& leg);
  void report(call_leg& leg);
  /// The callee hung up, `up` after it had answered: what that makes of the call.
  [[nodiscard]] report::failure_cause judged_end(lane::duration up) const noexcept;

  // Of a call that a crash left.
  void resume(call_leg& leg);
  void on_resumption(call_leg& leg, call_resumption::state how);
  void lose(call_leg& leg);

  media_plane& plane_;
  std::shared_ptr<const call_manner> manner_;
  std::shared_ptr<const call_target> target_;
  caf::strong_actor_ptr owner_;
  own_stream stream_;
  kept_call kept_;
  std::unique_ptr<call_resumption> resuming_; // until it is clear what becomes of the call
  call_times times_;
  uint64_t number_;
  lane::duration length_;
  report::step_counts steps_;
  size_t next_step_ = 0;
  std::string info_digits_; // to be sent by INFO
  uint32_t digit_request_ = 0;
  uint32_t restarts_ = 0; // asked for
  std::optional<call_step::kind> offering_;
  std::optional<call_step::kind> step_again_; // in a moment
  bool offered_again_ = false;
  bool on_hold_ = false;
  report::failure_cause failure_; // the first thing that went wrong
  std::string detail_;            // what was said of it
  sip::end_cause cause_ = sip::end_cause::none;
  int16_t status_ = 0;
  uint32_t return_request_ = 0; // by which we come back
  bool returning_ = false;      // in a moment
  bool hanging_up_ = false;     // we asked for the end as planned
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_finished)
