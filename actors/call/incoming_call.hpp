#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/call/leg_actor.hpp"
#include "actors/call/leg_messages.hpp"
#include "actors/media/media_stream.hpp"
#include "engine/sdp/offer_answer.hpp"
#include "engine/sip/invite_server.hpp"

namespace jackfield {

/// How calls are answered; shared by a lane's calls, immutable.
struct answer_manner {
  std::shared_ptr<const transport::open_settings> connections;
  /// 300..699: refuse with this instead of answering; 0: answer.
  int refuse_with = 0;
  /// Send 180 before the answer.
  bool ring = true;
  /// From INVITE to 200.
  lane::duration answer_after{};
  /// Hang up this long after the answer; zero: never, the caller does.
  lane::duration length{};
  /// Nothing: an answer is made, with the audio inactive.
  std::shared_ptr<const audio_settings> audio;
  sdp::media_capabilities capabilities;
  uint16_t inactive_port = 10'000;
};

/// To the owner of an incoming call, last.
struct served_call {
  caf::actor_id call = 0;
  sip::end_cause cause = sip::end_cause::none;
  bool answered = false;
  std::optional<media_outcome> media;
  wire_counters wire;
};

/// A call that we receive: 180, 200 after a while, audio, until either side hangs up.
class incoming_call final : public leg_actor<sip::invite_server> {
public:
  incoming_call(caf::actor_config& config, lane::lane& home, sip_router& router, media_plane& media,
                std::shared_ptr<const answer_manner> manner, sip_arrival_ptr invite,
                uint64_t transaction, caf::strong_actor_ptr owner);

  const char* name() const override { return "incoming_call"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  static constexpr unsigned plan_clock = protocol_clock + 1;

  void begin();
  void on_media_opened(const media_opened& opened);
  void on_media_closed(const media_closed& closed);
  void answer();
  void end_call();

  // leg_actor and sip::ua_sink
  void on_clock(unsigned id) override;
  void on_over() override;
  void on_event(const sip::ua_event& event) override;
  void on_incoming(const sip::ua_event& event);
  void on_acknowledged(const sip::ua_event& event);
  void on_offer(const sip::ua_event& event);
  /// Takes the answer to what we offered; false if it is none.
  bool accept(const sip::ua_event& event);

  void connect_media(const sdp::negotiated_audio& audio);
  [[nodiscard]] uint64_t session_id() const;
  void finish();

  media_plane& plane_;
  std::shared_ptr<const answer_manner> manner_;
  sip_arrival_ptr invite_; // until the machine has it
  uint64_t transaction_;
  lane::actor_timer plan_timer_;
  caf::strong_actor_ptr stream_;
  std::unique_ptr<media_outcome> media_;
  std::unique_ptr<sdp::session> description_; // the offer, theirs or ours, until answered
  sip::end_cause cause_ = sip::end_cause::none;
  uint32_t description_version_ = 1;
  uint16_t media_port_;
  bool we_offer_ = false;
  bool answered_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::served_call)
