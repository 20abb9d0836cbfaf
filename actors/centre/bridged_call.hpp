#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/call/leg_messages.hpp"
#include "actors/centre/call_side.hpp"
#include "actors/centre/trunk_hunt.hpp"
#include "actors/media/media_messages.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/report/failure_cause.hpp"

namespace jackfield {

/// How calls are bridged; shared by a lane's calls, immutable.
struct bridge_manner {
  std::shared_ptr<const transport::open_settings> connections;
  /// What callers may offer: address, codecs, protections. Callees are offered these codecs, those
  /// that the caller offered first.
  std::shared_ptr<const sdp::offer_template> media;
  /// Of streams that are not joined yet: `listen`.
  std::shared_ptr<const audio_settings> audio;
  /// Callers are known, so that what a callee says before it answers may be sent to the address
  /// that they named; else only to those who prove by ICE or DTLS that they are there.
  bool early_media = false;
  /// What who is put on hold hears; null: that is passed on.
  std::shared_ptr<const audio_settings> hold_music;
  /// Not answered within this after ringing began: the caller is told 480.
  lane::duration ringing_limit = std::chrono::minutes{3};
};

/// To the owner of a bridged call, last.
struct bridged_call_over {
  caf::actor_id call = 0;
  /// None: it was answered, and either side hung up.
  report::failure_cause failure;
  bool answered = false; ///< the caller was sent 200
  /// Of the streams that there were, the caller's first.
  std::vector<media_outcome> media;
};

/// A call of two legs: of somebody who called, and of a registered user who is called for that, or
/// of somebody outside, who is called through one trunk after the other until one takes it. The
/// caller hears that it rings, and what the callee says before it answers (`early_media`), is
/// answered when the callee has answered, in the codec that the callee chose if it offered that,
/// and the two streams are joined: packets pass as they are, or are transcoded where the codecs
/// differ. Whichever leg ends ends the other. Hold and resume, and INFO, pass to the other side;
/// what else one side offers anew is answered here.
///
/// The actor, the caller's leg and both streams are on the lane where the INVITE came up; the
/// callee's leg is on the lane of the connection that it is reached over, if it is.
///
/// Takes `hang_up`, from anybody. Of several contacts one is called.
class bridged_call final : public lane::lane_actor {
public:
  /// `invite` was handed to a `uas_service` with this `transaction`. `owner`, on this lane, gets
  /// `bridged_call_over`. Both legs are kept where their lanes keep calls; `shards` tells of those,
  /// null: all is on this one. With a `hunt` the callee is outside.
  bridged_call(caf::actor_config& config, lane::lane& home, lane_context& context,
               std::shared_ptr<const bridge_manner> manner, sip_arrival_ptr invite,
               uint64_t transaction, registered_contact callee,
               std::shared_ptr<const registrar_shards> shards, caf::strong_actor_ptr owner,
               std::unique_ptr<trunk_hunt> hunt = nullptr);

  const char* name() const override { return "bridged_call"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  // the caller's and the callee's events
  void on_incoming(const leg_events::incoming& call);
  void on_ringing(const leg_events::ringing& ringing);
  /// True: the caller hears the callee from now on.
  bool pass_early_media(const sdp::negotiated_audio& agreed);
  void on_answered(const leg_events::answered& answered);
  void on_confirmed();
  void on_offered(call_side& by, const leg_events::offered& offer);
  void on_requested(call_side& by, leg_events::requested& asked);
  void on_ended(call_side& one, const leg_events::ended& ended);
  // the streams'
  void on_opened(call_side& of, const media_opened& opened);
  void on_closed(call_side& of, const media_closed& closed);
  void on_located(const servers_located& found);

  void call_callee();
  /// Another trunk is called; false: there is none.
  bool call_next_trunk();
  void place_callee(const transport::target_selection& servers);
  /// The caller's answer is what the callee chose, if it can be.
  void narrow_caller(const sdp::negotiated_audio& agreed);
  void join(bool last_chance);
  /// Tells the caller, who has not been answered, or hangs up.
  void end_caller(int status);
  /// Both sides, for a reason of our own.
  void give_up(report::failure_cause why, int status);
  void settle();
  void report(report::failure_cause failure);
  [[nodiscard]] report::failure_cause failure() const;

  [[nodiscard]] call_side& other_than(const call_side& one) noexcept;
  /// Whose leg spoke.
  call_side& speaker();
  /// Whose stream spoke.
  call_side& player();

  lane_context& context_;
  std::shared_ptr<const bridge_manner> manner_;
  sip_arrival_ptr invite_; // until the caller's leg has it
  uint64_t transaction_;
  registered_contact contact_;
  std::unique_ptr<trunk_hunt> hunt_; // null: the callee is the contact
  std::shared_ptr<const registrar_shards> shards_;
  caf::strong_actor_ptr owner_; // null: it has been told
  call_side caller_;
  call_side callee_;
  std::shared_ptr<const sdp::offer_template> callee_media_;
  std::optional<std::vector<sdp::codec>> offered_; // by the caller, if it made an offer
  std::string from_;                               // value without tag
  std::string to_;
  unsigned max_forwards_ = 0;     // of the callee's INVITE
  uint64_t look_up_ = 0;          // for the callee's servers
  report::failure_cause failure_; // of our own
  int rung_ = 0;                  // the provisional status that the caller was told last
  bool callee_ended_first_ = false;
  bool caller_proves_ = false; // that it is where its media is to go
  bool hears_early_ = false;   // the caller's answer has left
  bool accepted_ = false;      // its leg was told to
  bool answered_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::bridged_call_over)
