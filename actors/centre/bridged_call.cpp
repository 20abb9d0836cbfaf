#include "actors/centre/bridged_call.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "actors/call/failure_of.hpp"
#include "actors/media/media_protection.hpp"
#include "actors/media/media_stream.hpp"
#include "actors/wire/wire_tap.hpp"
#include "engine/sip/fields.hpp"

namespace jackfield {

namespace {

/// A From or To value without its tag.
std::string without_tag(std::string_view value) {
  const auto parsed = sip::parse_name_addr(value);
  if (!parsed)
    return "<sip:anonymous@anonymous.invalid>"; // RFC 3323 §4.1.1.3
  std::string out;
  if (!parsed->display_name.empty())
    out.append("\"").append(parsed->display_name).append("\" ");
  return out.append("<").append(parsed->uri).append(">");
}

/// What a caller is told whose callee's leg ended so before it was answered.
int status_for(const leg_events::ended& callee) {
  using sip::end_cause;
  switch (callee.cause) {
  case end_cause::busy:
  case end_cause::rejected:
  case end_cause::no_answer:
    return callee.status;
  case end_cause::timeout_b:
    return 408;
  case end_cause::local_bye: // it answered what nobody can use
    return 488;
  case end_cause::protocol_error:
    return 502;
  default: // gone, not reachable, did not pick up, or wants what only a client of its own has
    return 480;
  }
}

report::failure_cause failure_of(const leg_events::ended& leg) {
  if (leg.lost)
    return report::failure_cause::internal;
  if (leg.cause == sip::end_cause::cancelled)
    return report::failure_cause::cancelled;
  const sip::ua_event event{
    .kind = sip::event_kind::ended,
    .cause = leg.cause,
    .status = leg.status,
    .what = sip::method::bye}; // of all requests in a dialog the one whose silence ends it
  return jackfield::failure_of(event);
}

using codec_list = std::vector<sdp::codec>;

bool has(const codec_list& codecs, const sdp::codec& wanted) {
  return std::ranges::any_of(
    codecs, [&](const sdp::codec& each) { return sdp::same_encoding(each, wanted); });
}

/// Those of `first`, then what else there is; telephone events last, as they are no codecs.
codec_list led_by(codec_list first, const codec_list& all) {
  std::ranges::copy_if(all, std::back_inserter(first),
                       [&](const sdp::codec& each) { return !has(first, each); });
  std::stable_partition(first.begin(), first.end(),
                        [](const sdp::codec& each) { return !sdp::is_telephone_event(each); });
  return first;
}

/// Of `all` the codec that was agreed on, and telephone events if those were.
codec_list only(const codec_list& all, const sdp::negotiated_audio& agreed) {
  codec_list made;
  std::ranges::copy_if(all, std::back_inserter(made), [&](const sdp::codec& each) {
    return sdp::is_telephone_event(each)
             ? agreed.send_event_payload_type && each.clock_rate == agreed.audio.clock_rate
             : sdp::same_encoding(each, agreed.audio);
  });
  return made;
}

std::shared_ptr<const sdp::offer_template> with_codecs(const sdp::offer_template& media,
                                                       codec_list codecs) {
  auto capabilities = media.capabilities();
  capabilities.codecs = std::move(codecs);
  return std::make_shared<sdp::offer_template>(media.host(), std::move(capabilities));
}

} // namespace

bridged_call::bridged_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                           std::shared_ptr<const bridge_manner> manner, sip_arrival_ptr invite,
                           uint64_t transaction, registered_contact callee,
                           std::shared_ptr<const registrar_shards> shards,
                           caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      invite_(std::move(invite)), transaction_(transaction), contact_(std::move(callee)),
      shards_(std::move(shards)), owner_(std::move(owner)) {
  // nop
}

caf::behavior bridged_call::make_behavior() {
  caller_.leg = home().spawn<call_leg>(
    context_.router,
    std::make_unique<leg_reporter>(settings_for(caller_), kept_call::bridged_leg(context_.keeps)),
    std::exchange(invite_, nullptr), transaction_, manner_->connections);
  caller_.begun = true;
  return {
    [this](const leg_events::incoming& call) { on_incoming(call); },
    [this](const leg_events::prepared&) { speaker(); },
    [this](const leg_events::ringing& ringing) { on_ringing(ringing); },
    [this](const leg_events::answered& answered) { on_answered(answered); },
    [this](const leg_events::confirmed&) { on_confirmed(); },
    [this](const leg_events::offered& offer) { on_offered(speaker(), offer); },
    [](const leg_events::offer_withdrawn&) {}, // our answer will be told that it is too late
    [this](leg_events::requested& asked) { on_requested(speaker(), asked); },
    [this](const leg_events::ended& ended) { on_ended(speaker(), ended); },
    [this](const media_opened& opened) { on_opened(player(), opened); },
    [](const media_parted&) {}, // of one whose other has closed
    [this](const media_silent& silent) {
      if (silent.heard)
        give_up(report::failure_cause::media_timeout, 480);
    },
    [this](const media_closed& closed) { on_closed(player(), closed); },
    [this](const servers_located& found) { on_located(found); },
    [this](const struct hang_up&) {
      give_up(answered_ ? report::failure_cause{} : report::failure_cause::stopped, 480);
    },
  };
}

void bridged_call::on_exit() {
  // An error within: the legs hang up by themselves, for whom they are for is gone.
  for (auto* each : {&caller_, &callee_})
    if (each->stream)
      lane::tell(home(), each->stream, media_close{});
  if (owner_)
    report(report::failure_cause::internal);
  caller_ = callee_ = {};
  invite_ = nullptr;
}

// -- who is who --------------------------------------------------------------------

bridged_call::side& bridged_call::other_than(const side& one) noexcept {
  return &one == &caller_ ? callee_ : caller_;
}

bridged_call::side& bridged_call::speaker() {
  const auto& from = current_sender();
  if (from == caller_.leg)
    return caller_;
  if (!callee_.leg) {
    callee_.leg = caf::actor_cast<caf::actor>(from);
    if (callee_.unwanted)
      command(callee_, leg_commands::hang_up{});
  }
  return callee_;
}

bridged_call::side& bridged_call::player() {
  return current_sender() == caller_.stream ? caller_ : callee_;
}

leg_reporter::settings bridged_call::settings_for(const side& one) {
  leg_reporter::settings settings;
  settings.owner = caf::strong_actor_ptr{ctrl()};
  settings.media = &one == &caller_ ? manner_->media : callee_media_;
  settings.stream = one.stream;
  settings.port = one.port;
  settings.transport = one.transport;
  settings.wanted = {sip::method::info};
  return settings;
}

template <class Command>
void bridged_call::command(side& one, Command what) {
  command(one, std::move(what), [](const leg_result&) {});
}

template <class Command, class Then>
void bridged_call::command(side& one, Command what, Then then) {
  if (!one.leg || one.ended)
    return;
  request(one.leg, caf::infinite, leg_command{std::move(what)})
    .then([then](const leg_result& r) { then(r); },
          [then](const caf::error& e) { then(leg_result_of(e)); });
}

// -- the set-up --------------------------------------------------------------------

void bridged_call::on_incoming(const leg_events::incoming& call) {
  if (!call.unacceptable.empty()) {
    command(caller_, leg_commands::refuse{488});
    return;
  }
  if (call.max_forwards == 0) { // a contact that leads back here would call itself for ever
    command(caller_, leg_commands::refuse{483});
    return;
  }
  max_forwards_ = call.max_forwards - 1;
  from_ = without_tag(call.from);
  to_ = without_tag(call.to);
  const auto& ours = manner_->media->capabilities();
  // A browser takes WebRTC only.
  const auto how = contact_.flow.valid() && transport::is_websocket(contact_.flow.protocol)
                     ? sdp::protection::dtls
                     : sdp::protection::none;
  sdp::media_capabilities capabilities;
  if (call.has_offer)
    offered_ = call.codecs;
  capabilities.codecs = led_by(call.codecs, ours.codecs);
  capabilities.rtcp_mux = true;
  require_protection(capabilities, how);
  callee_media_ =
    std::make_shared<sdp::offer_template>(manner_->media->host(), std::move(capabilities));
  open_stream(caller_, call.has_offer ? call.protection : ours.protections.front(),
              call.controls_ice);
  open_stream(callee_, how, true);
}

void bridged_call::open_stream(side& of, sdp::protection how, bool controls_ice) {
  of.stream = caf::actor_cast<caf::strong_actor_ptr>(
    home().spawn<media_stream>(context_.media, manner_->audio, caf::strong_actor_ptr{ctrl()},
                               make_path(context_.media, how, controls_ice)));
}

void bridged_call::on_opened(side& of, const media_opened& opened) {
  if (!opened.local) {
    give_up(jackfield::failure_of(opened.local.error()), 503);
    return;
  }
  of.port = opened.local->port();
  of.transport = opened.transport;
  if (&of == &caller_)
    command(caller_, leg_commands::use_stream{of.stream, of.port, of.transport});
  if (caller_.port != 0 && callee_.port != 0 && caller_.up() && !callee_.unwanted)
    call_callee();
}

void bridged_call::call_callee() {
  if (contact_.flow.valid()) {
    place_callee({});
    return;
  }
  look_up_ = context_.router.hops().next_ticket();
  const auto contact = sip::parse_name_addr(contact_.value);
  context_.router.hops().locate(contact ? contact->uri : std::string_view{}, *this, look_up_);
}

void bridged_call::on_located(const servers_located& found) {
  if (found.ticket != look_up_ || !caller_.up() || callee_.unwanted)
    return;
  if (!found.where) {
    give_up(report::failure_cause::resolve_failed, 480);
    return;
  }
  place_callee(*found.where);
}

void bridged_call::place_callee(const transport::target_selection& servers) {
  auto whom = std::make_shared<call_target>();
  const auto contact = sip::parse_name_addr(contact_.value);
  whom->uri = contact ? contact->uri : std::string_view{};
  whom->from = from_;
  whom->to = to_;
  leg_reporter::calling calling;
  calling.servers = servers;
  calling.over = contact_.flow;
  calling.connections = manner_->connections;
  calling.whom = std::move(whom);
  calling.max_forwards = max_forwards_;
  calling.ringing_limit = manner_->ringing_limit;
  callee_.begun = true;
  const auto place = [settings = settings_for(callee_), calling](sip_router& router,
                                                                 recorder* keeps) {
    router.home().spawn<call_leg>(
      router, std::make_unique<leg_reporter>(settings, calling, kept_call::bridged_leg(keeps)));
  };
  auto& peers = context_.router.peers();
  if (contact_.flow.valid() && contact_.flow.lane != peers.position())
    peers.post(contact_.flow.lane, [place, shards = shards_](sip_router& router) {
      const auto* const there = shards ? shards->of_lane.at(router.peers().position()) : nullptr;
      place(router, there != nullptr ? there->context().keeps : nullptr);
    });
  else
    place(context_.router, context_.keeps);
}

void bridged_call::on_ringing(const leg_events::ringing& ringing) {
  speaker();
  // Without a description of its own an early answer is a ringing tone to the caller.
  const auto status = ringing.early_media ? 180 : ringing.status;
  if (accepted_ || status > 183 || std::exchange(rung_, status) == status)
    return;
  command(caller_, leg_commands::ring{status});
}

void bridged_call::on_answered(const leg_events::answered& answered) {
  speaker();
  if (!answered.audio || !caller_.up() || callee_.unwanted) {
    hang_up(callee_);
    return;
  }
  const auto& all = manner_->media->capabilities().codecs;
  const auto chosen = only(all, *answered.audio);
  command(callee_, leg_commands::narrow{with_codecs(*callee_media_, chosen)});
  if (!offered_)
    command(caller_, leg_commands::narrow{with_codecs(*manner_->media, led_by(chosen, all))});
  else if (has(*offered_, answered.audio->audio))
    command(caller_, leg_commands::narrow{with_codecs(*manner_->media, chosen)});
  accepted_ = true;
  command(caller_, leg_commands::accept{}, [this](const leg_result& r) {
    answered_ = answered_ || r.what == leg_result::outcome::done;
    if (answered_)
      join(false);
  });
}

void bridged_call::on_confirmed() {
  answered_ = true;
  join(true);
}

// Before the ACK it may be too early: then the caller's answer is in that.
void bridged_call::join(bool last_chance) {
  if (!caller_.stream || !callee_.stream)
    return;
  request(caf::actor_cast<caf::actor>(caller_.stream), caf::infinite, media_join{callee_.stream})
    .then(
      [this, last_chance](const media_join_result& r) {
        using outcome = media_join_result::outcome;
        if (r.what != outcome::done && (last_chance || r.what != outcome::not_connected))
          give_up(report::failure_cause::bad_sdp, 488);
      },
      [](const caf::error&) {}); // it has ended, and says so
}

// -- within the call -----------------------------------------------------------------

void bridged_call::on_offered(side& by, const leg_events::offered& offer) {
  const auto answer = [this, &by, offer](const leg_result&) {
    command(by, leg_commands::answer_offer{offer.number, offer.way});
  };
  auto& other = other_than(by);
  // What changes nothing for the other side (a session refreshed, another address) is not its
  // business; nor is our own answer to the one who holds, if the other cannot be told now.
  if (!offer.has_offer || !answered_ || !other.up() ||
      std::exchange(by.way, offer.way) == offer.way) {
    answer({});
    return;
  }
  command(other, leg_commands::offer{sdp::reversed(offer.way)}, answer);
}

void bridged_call::on_requested(side& by, leg_events::requested& asked) {
  const auto answer = [this, &by, number = asked.number](const leg_result& r) {
    using outcome = leg_result::outcome;
    const auto status = r.what == outcome::done || r.what == outcome::refused ? r.status
                        : r.what == outcome::unanswered                       ? 408
                                                                              : 480;
    command(by, leg_commands::answer_request{number, status, {}, r.body, r.content_type});
  };
  auto& other = other_than(by);
  if (!answered_ || !other.up())
    answer({.what = leg_result::outcome::over});
  else
    command(other,
            leg_commands::request{asked.what, std::move(asked.body), std::move(asked.content_type)},
            answer);
}

// -- the end ---------------------------------------------------------------------------

void bridged_call::on_ended(side& one, const leg_events::ended& ended) {
  one.ended = ended;
  auto& other = other_than(one);
  if (&one == &callee_ && !caller_.ended)
    callee_ended_first_ = true;
  if (&other == &caller_)
    end_caller(status_for(ended));
  else
    hang_up(callee_);
  settle();
}

void bridged_call::hang_up(side& one) {
  if (!std::exchange(one.unwanted, true) && one.up())
    command(one, leg_commands::hang_up{});
}

void bridged_call::end_caller(int status) {
  if (accepted_)
    hang_up(caller_);
  else if (!std::exchange(caller_.unwanted, true))
    command(caller_, leg_commands::refuse{status});
}

void bridged_call::give_up(report::failure_cause why, int status) {
  if (!failure_.failed())
    failure_ = why;
  end_caller(status);
  hang_up(callee_);
}

void bridged_call::on_closed(side& of, const media_closed& closed) {
  of.stream = nullptr;
  of.outcome = closed.outcome;
  if (closed.failure)
    give_up(jackfield::failure_of(*closed.failure), 503);
  settle();
}

// Legs first, streams then: what is still on its way is heard.
void bridged_call::settle() {
  if (caller_.up() || callee_.up())
    return;
  bool closed = true;
  for (auto* each : {&caller_, &callee_}) {
    if (!each->stream)
      continue;
    closed = false;
    lane::tell(home(), each->stream, media_stop{});
    lane::tell(home(), each->stream, media_close{});
  }
  if (!closed)
    return;
  report(failure());
  quit();
}

report::failure_cause bridged_call::failure() const {
  if (failure_.failed())
    return failure_;
  const auto of_caller = failure_of(*caller_.ended);
  const auto of_callee = callee_.ended ? failure_of(*callee_.ended) : report::failure_cause{};
  if (answered_)
    return of_caller.failed() ? of_caller : of_callee;
  const auto first = callee_ended_first_ ? of_callee : of_caller;
  return first.failed() ? first : report::failure_cause::bad_sdp;
}

void bridged_call::report(report::failure_cause failure) {
  bridged_call_over over;
  over.call = id();
  over.failure = failure;
  over.answered = answered_;
  for (const auto* each : {&caller_, &callee_}) {
    if (each->outcome)
      over.media.push_back(*each->outcome);
  }
  // The caller's leg is the owner's to tell of.
  if (callee_.leg) {
    auto& peers = context_.router.peers();
    const auto lane = contact_.flow.valid() ? contact_.flow.lane : peers.position();
    const auto tell = [leg = callee_.leg.id(),
                       why = failure.failed() ? failure.name() : ""](sip_router& router) {
      if (auto* const tap = router.tap())
        tap->on_leg_over(leg, why);
    };
    if (lane == peers.position())
      tell(context_.router);
    else
      peers.post(lane, tell);
  }
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, std::move(over));
}

} // namespace jackfield
