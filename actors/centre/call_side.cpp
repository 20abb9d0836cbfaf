#include "actors/centre/call_side.hpp"

#include <string>

#include <caf/actor_cast.hpp>

#include "actors/media/media_protection.hpp"
#include "actors/media/media_stream.hpp"
#include "actors/wire/wire_tap.hpp"

namespace jackfield {

namespace {

uint8_t lane_of(const registered_contact& callee, const lane_peers& peers) {
  return callee.flow.valid() ? callee.flow.lane : peers.position();
}

} // namespace

void end_leg(lane::lane_actor& call, call_side& one, bool cut_off) {
  if (!std::exchange(one.unwanted, true) && one.up())
    command(call, one, leg_commands::hang_up{{}, cut_off});
}

void open_stream(lane::lane_actor& call, lane_context& context,
                 std::shared_ptr<const audio_settings> audio, call_side& of, sdp::protection how,
                 bool controls_ice, uint16_t port) {
  of.stream = caf::actor_cast<caf::strong_actor_ptr>(call.home().spawn<media_stream>(
    context.media, std::move(audio), caf::strong_actor_ptr{call.ctrl()},
    make_path(context.media, how, controls_ice, port)));
}

void take(call_side& of, const media_opened& opened) {
  of.port = opened.local->port();
  of.transport = opened.transport;
}

leg_reporter::settings leg_settings(lane::lane_actor& call, const call_side& of,
                                    std::shared_ptr<const sdp::offer_template> media) {
  leg_reporter::settings settings;
  settings.owner = caf::strong_actor_ptr{call.ctrl()};
  settings.media = std::move(media);
  settings.stream = of.stream;
  settings.port = of.port;
  settings.transport = of.transport;
  settings.wanted = {sip::method::info};
  return settings;
}

bool close_stream(lane::lane_actor& call, const call_side& of) {
  if (!of.stream)
    return true;
  lane::tell(call.home(), of.stream, media_stop{});
  lane::tell(call.home(), of.stream, media_close{});
  return false;
}

sdp::protection protection_for(const registered_contact& callee) {
  return callee.flow.valid() && transport::is_websocket(callee.flow.protocol)
           ? sdp::protection::dtls
           : sdp::protection::none;
}

std::shared_ptr<const sdp::offer_template> callee_media(const sdp::offer_template& ours,
                                                        codec_list first, sdp::protection how) {
  sdp::media_capabilities capabilities;
  capabilities.codecs = led_by(std::move(first), ours.capabilities().codecs);
  capabilities.rtcp_mux = true;
  require_protection(capabilities, how);
  return std::make_shared<sdp::offer_template>(ours.host(), std::move(capabilities));
}

void call_contact(lane_context& context, const std::shared_ptr<const registrar_shards>& shards,
                  const registered_contact& callee, leg_reporter::settings settings,
                  leg_reporter::calling how) {
  how.over = callee.flow;
  const auto place = [settings = std::move(settings), how = std::move(how)](sip_router& router,
                                                                            recorder* keeps) {
    router.home().spawn<call_leg>(
      router, std::make_unique<leg_reporter>(settings, how, kept_call::bridged_leg(keeps)));
  };
  auto& peers = context.router.peers();
  const auto lane = lane_of(callee, peers);
  if (lane == peers.position())
    place(context.router, context.keeps);
  else
    peers.post(lane, [place, shards](sip_router& router) {
      const auto* const there = shards ? shards->of_lane.at(router.peers().position()) : nullptr;
      place(router, there != nullptr ? there->context().keeps : nullptr);
    });
}

void take_up_leg(lane_context& context, const std::shared_ptr<const registrar_shards>& shards,
                 storage::interrupted_call left,
                 std::shared_ptr<const storage::queueing_record> queueing,
                 leg_reporter::settings settings,
                 std::shared_ptr<const transport::open_settings> connections) {
  const auto id = sip::leg_id::parse(left.record.leg);
  const auto place = [left = std::make_shared<storage::interrupted_call>(std::move(left)),
                      queueing = std::move(queueing), settings = std::move(settings),
                      connections = std::move(connections)](sip_router& router, recorder* keeps) {
    router.home().spawn<call_leg>(
      router, std::make_unique<leg_reporter>(settings, kept_call{keeps, std::move(*left), queueing},
                                             connections));
  };
  auto& peers = context.router.peers();
  if (id && peers.knows(id->lane))
    peers.post(id->lane, [place, shards](sip_router& router) {
      const auto* const there = shards ? shards->of_lane.at(router.peers().position()) : nullptr;
      place(router, there != nullptr ? there->context().keeps : nullptr);
    });
  else
    place(context.router, context.keeps); // one that no lane has any more ends there
}

void give_stream(lane::lane_actor& call, const call_side& one) {
  if (one.leg && one.port != 0)
    command(call, one, leg_commands::use_stream{one.stream, one.port, one.transport});
}

std::shared_ptr<const sdp::offer_template> media_of(const storage::media_record& kept,
                                                    const sdp::offer_template& ours, bool called) {
  auto capabilities = ours.capabilities();
  if (called)
    capabilities = callee_media(ours, {}, kept.agreed.protected_by)->capabilities();
  codec_list had;
  for (const auto& name : kept.codecs)
    for (const auto& codec : capabilities.codecs)
      if (name_of(codec) == name)
        had.push_back(codec); // of those that it had, in its order
  if (!had.empty())
    capabilities.codecs = std::move(had);
  return std::make_shared<sdp::offer_template>(ours.host(), std::move(capabilities));
}

void pass_offer(lane::lane_actor& call, call_side& by, const call_side* other,
                const leg_events::offered& offer) {
  const auto answer = [&call, &by, offer](const leg_result&) {
    command(call, by, leg_commands::answer_offer{offer.number, offer.way});
  };
  // What changes nothing for the other side (a session refreshed, another address) is not its
  // business; nor is our own answer to the one who holds, if the other cannot be told now.
  if (!offer.has_offer || other == nullptr || !other->up() ||
      std::exchange(by.way, offer.way) == offer.way)
    answer({});
  else
    command(call, *other, leg_commands::offer{sdp::reversed(offer.way)}, answer);
}

void pass_request(lane::lane_actor& call, call_side& by, const call_side* other,
                  leg_events::requested& asked) {
  const auto answer = [&call, &by, number = asked.number](const leg_result& r) {
    using outcome = leg_result::outcome;
    const auto status = r.what == outcome::done || r.what == outcome::refused ? r.status
                        : r.what == outcome::unanswered                       ? 408
                                                                              : 480;
    command(call, by, leg_commands::answer_request{number, status, {}, r.body, r.content_type});
  };
  if (other == nullptr || !other->up())
    answer({.what = leg_result::outcome::over});
  else
    command(call, *other,
            leg_commands::request{asked.what, std::move(asked.body), std::move(asked.content_type)},
            answer);
}

void tell_tap(lane_context& context, const registered_contact& callee, const call_side& of,
              report::failure_cause failure) {
  if (!of.leg)
    return;
  const auto tell = [leg = of.leg.id(),
                     why = failure.failed() ? failure.name() : ""](sip_router& router) {
    if (auto* const tap = router.tap())
      tap->on_leg_over(leg, why);
  };
  auto& peers = context.router.peers();
  const auto lane = lane_of(callee, peers);
  if (lane == peers.position())
    tell(context.router);
  else
    peers.post(lane, tell);
}

} // namespace jackfield
