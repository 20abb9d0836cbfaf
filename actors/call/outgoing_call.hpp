#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_settings.hpp"
#include "actors/call/leg_actor.hpp"
#include "actors/call/leg_messages.hpp"
#include "actors/media/media_stream.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sip/invite_client.hpp"

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

/// To a call's owner: a 2xx came.
struct call_answered {
  uint64_t number = 0;
  call_times times; ///< so far
};

/// To a call's owner, last: how it went.
struct call_finished {
  uint64_t number = 0;
  call_times times;
  sip::end_cause cause = sip::end_cause::none;
  report::failure_cause failure; ///< `none` for a call that was answered and ended as planned
  int status = 0;                ///< final status of the INVITE, 0 if none came
  wire_counters wire;
  std::optional<media_outcome> media;
  std::shared_ptr<const call_target> target;
  sip::leg_id leg; ///< its text is the Call-ID's first part
};

/// A call that we make: INVITE, audio for as long as planned, BYE. Owns its dialog, its media
/// stream and its timers; ends by itself once all of them have.
class outgoing_call final : public leg_actor<sip::invite_client> {
public:
  struct plan {
    uint64_t number = 0;
    lane::time_point due{};
    /// From answer to BYE.
    lane::duration length{};
  };

  outgoing_call(caf::actor_config& config, lane::lane& home, sip_router& router, media_plane& media,
                std::shared_ptr<const call_manner> manner,
                std::shared_ptr<const call_target> target, const plan& p,
                caf::strong_actor_ptr owner);

  const char* name() const override { return "outgoing_call"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  static constexpr unsigned length_clock = protocol_clock + 1;

  void begin();
  void place(const lane::endpoint& media_address);
  void on_media_opened(const media_opened& opened);
  void on_media_closed(const media_closed& closed);
  void end_call();

  // leg_actor and sip::ua_sink
  void on_clock(unsigned id) override;
  void on_over() override;
  void on_event(const sip::ua_event& event) override;
  void on_answered(const sip::ua_event& event);
  void on_offer(const sip::ua_event& event);
  void on_offer_confirmed(const sip::ua_event& event);
  void on_ended(const sip::ua_event& event);

  void connect_media(const sdp::negotiated_audio& audio, const std::string& digits = {});
  /// Our description of the audio, as an offer.
  [[nodiscard]] std::string offer_text() const;
  void finish(report::failure_cause failure);

  media_plane& plane_;
  std::shared_ptr<const call_manner> manner_;
  std::shared_ptr<const call_target> target_;
  lane::actor_timer length_timer_;
  caf::strong_actor_ptr stream_;
  std::unique_ptr<media_outcome> media_;
  std::unique_ptr<sdp::session> reoffered_; // in our 2xx to an offerless re-INVITE, until the ACK
  call_times times_;
  uint64_t number_;
  lane::duration length_;
  report::failure_cause failure_; // the first thing that went wrong
  sip::end_cause cause_ = sip::end_cause::none;
  uint32_t description_version_ = 1;
  uint16_t media_port_ = 0;
  int16_t status_ = 0;
  bool hanging_up_ = false; // we asked for the end as planned
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_finished)
