#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <caf/actor.hpp>

#include "actors/call/leg_messages.hpp"
#include "actors/call/leg_reporter.hpp"
#include "actors/centre/bridge_terms.hpp"
#include "actors/media/media_messages.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"
#include "engine/lane/lane_actor.hpp"
#include "storage/run_book.hpp"

namespace jackfield {

/// One side of a call that is bridged: its leg, and the stream that it is heard by. A part of the
/// call's actor, whose lane the stream is on; the leg may be on another.
struct call_side {
  caf::actor leg; ///< null: not made, or it has not spoken yet
  bool begun = false;
  bool unwanted = false; ///< to be hung up
  std::optional<leg_events::ended> ended;
  caf::strong_actor_ptr stream; ///< null: none, or it has closed
  std::shared_ptr<const sdp::stream_transport> transport;
  std::optional<media_outcome> outcome;
  uint16_t port = 0;                             ///< where the stream hears; 0: not open yet
  sdp::direction way = sdp::direction::sendrecv; ///< as it offered last, seen from here

  [[nodiscard]] bool up() const noexcept { return begun && !ended; }
};

/// Tells a side's leg what to do, if it is there; `then` is called with the `leg_result`.
template <class Command, class Then>
void command(lane::lane_actor& call, const call_side& one, Command what, Then then) {
  if (!one.leg || one.ended)
    return;
  call.request(one.leg, caf::infinite, leg_command{std::move(what)})
    .then([then](const leg_result& r) { then(r); },
          [then](const caf::error& e) { then(leg_result_of(e)); });
}

template <class Command>
void command(lane::lane_actor& call, const call_side& one, Command what) {
  command(call, one, std::move(what), [](const leg_result&) {});
}

/// Hangs up, once. A leg that has not spoken yet is to be told when it does. `cut_off`: as in
/// `leg_commands::hang_up`.
void end_leg(lane::lane_actor& call, call_side& one, bool cut_off = false);

/// The owner gets `media_opened`, which `take` is for. `port`: as in `make_path`.
void open_stream(lane::lane_actor& call, lane_context& context,
                 std::shared_ptr<const audio_settings> audio, call_side& of, sdp::protection how,
                 bool controls_ice, uint16_t port = 0);
void take(call_side& of, const media_opened& opened);

/// What a side's leg needs to know of it.
[[nodiscard]] leg_reporter::settings leg_settings(lane::lane_actor& call, const call_side& of,
                                                  std::shared_ptr<const sdp::offer_template> media);

/// Has the stream end; true: there is none.
bool close_stream(lane::lane_actor& call, const call_side& of);

/// A browser takes WebRTC only, others are called without protection.
[[nodiscard]] sdp::protection protection_for(const registered_contact& callee);

/// What a callee is offered: `first`, then what else `ours` has, so protected.
[[nodiscard]] std::shared_ptr<const sdp::offer_template>
callee_media(const sdp::offer_template& ours, codec_list first, sdp::protection how);

/// Makes the leg that calls a contact: on the lane of its connection if it has one, over that, else
/// here, to `how.servers`. `shards` tells where the calls of other lanes are kept; null: all is on
/// this one. `how.whom` names the contact.
void call_contact(lane_context& context, const std::shared_ptr<const registrar_shards>& shards,
                  const registered_contact& callee, leg_reporter::settings settings,
                  leg_reporter::calling how);

/// Takes up the leg of a call that a crash left, on the lane that its name says, for what
/// `settings` say: it is given its stream (`settings.stream` is of no matter) once it has said
/// `leg_events::prepared` and the stream is open. A leg that cannot be had ends.
void take_up_leg(lane_context& context, const std::shared_ptr<const registrar_shards>& shards,
                 storage::interrupted_call left,
                 std::shared_ptr<const storage::queueing_record> queueing,
                 leg_reporter::settings settings,
                 std::shared_ptr<const transport::open_settings> connections);
/// Gives such a leg its stream, if both are there.
void give_stream(lane::lane_actor& call, const call_side& one);
/// What it shows: of ours, the codecs that it had. `called`: it had our offer, which names one way
/// to protect.
[[nodiscard]] std::shared_ptr<const sdp::offer_template>
media_of(const storage::media_record& kept, const sdp::offer_template& ours, bool called);

/// Passes an offer that changes the direction on to the other side, if it can be told now, and
/// answers it. Both have to outlive the answer.
void pass_offer(lane::lane_actor& call, call_side& by, const call_side* other,
                const leg_events::offered& offer);

/// Passes a request on to the other side and its answer back; null, or a side that is over: 480.
void pass_request(lane::lane_actor& call, call_side& by, const call_side* other,
                  leg_events::requested& asked);

/// Says on the lane that a callee's leg was on how its call went, to whoever taps there.
void tell_tap(lane_context& context, const registered_contact& callee, const call_side& of,
              report::failure_cause failure);

} // namespace jackfield
