#include "actors/centre/bridged_call.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "actors/call/failure_of.hpp"
#include "actors/centre/hold.hpp"
#include "actors/media/media_stream.hpp"
#include "engine/sip/fields.hpp"

namespace jackfield {

bridged_call::bridged_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                           std::shared_ptr<const bridge_manner> manner, sip_arrival_ptr invite,
                           uint64_t transaction, registered_contact callee,
                           std::shared_ptr<const registrar_shards> shards,
                           caf::strong_actor_ptr owner, std::unique_ptr<trunk_hunt> hunt)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      invite_(std::move(invite)), transaction_(transaction), contact_(std::move(callee)),
      hunt_(std::move(hunt)), shards_(std::move(shards)), owner_(std::move(owner)) {
  // nop
}

caf::behavior bridged_call::make_behavior() {
  caller_.leg = home().spawn<call_leg>(
    context_.router,
    std::make_unique<leg_reporter>(leg_settings(*this, caller_, manner_->media),
                                   kept_call::bridged_leg(context_.keeps)),
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

call_side& bridged_call::other_than(const call_side& one) noexcept {
  return &one == &caller_ ? callee_ : caller_;
}

call_side& bridged_call::speaker() {
  const auto& from = current_sender();
  if (from == caller_.leg)
    return caller_;
  if (!callee_.leg) {
    callee_.leg = caf::actor_cast<caf::actor>(from);
    if (callee_.unwanted)
      command(*this, callee_, leg_commands::hang_up{});
  }
  return callee_;
}

call_side& bridged_call::player() {
  return current_sender() == caller_.stream ? caller_ : callee_;
}

// -- the set-up --------------------------------------------------------------------

void bridged_call::on_incoming(const leg_events::incoming& call) {
  if (!call.unacceptable.empty()) {
    command(*this, caller_, leg_commands::refuse{488});
    return;
  }
  if (call.max_forwards == 0) { // a contact that leads back here would call itself for ever
    command(*this, caller_, leg_commands::refuse{483});
    return;
  }
  max_forwards_ = call.max_forwards - 1;
  from_ = without_tag(call.from);
  to_ = without_tag(call.to);
  const auto how = protection_for(contact_);
  codec_list first;
  if (call.has_offer) {
    offered_ = call.codecs;
    caller_proves_ = call.protection == sdp::protection::dtls;
    first = call.codecs;
  }
  callee_media_ = callee_media(*manner_->media, std::move(first), how);
  const auto& preferred = manner_->media->capabilities().protections.front();
  open_stream(*this, context_, manner_->audio, caller_,
              call.has_offer ? call.protection : preferred, call.controls_ice);
  open_stream(*this, context_, manner_->audio, callee_, how, true);
}

void bridged_call::on_opened(call_side& of, const media_opened& opened) {
  if (!opened.local) {
    give_up(jackfield::failure_of(opened.local.error()), 503);
    return;
  }
  take(of, opened);
  if (&of == &caller_)
    command(*this, caller_, leg_commands::use_stream{of.stream, of.port, of.transport});
  if (caller_.port == 0 || callee_.port == 0 || !caller_.up() || callee_.unwanted)
    return;
  if (!hunt_)
    call_callee();
  else if (!call_next_trunk())
    give_up(report::failure_cause::from_status(503), 503);
}

bool bridged_call::call_next_trunk() {
  if (!hunt_->next(home().now()))
    return false;
  callee_.leg = nullptr;
  callee_.begun = false;
  callee_.ended.reset();
  look_up_ = context_.router.hops().next_ticket();
  context_.router.hops().locate(hunt_->server(), *this, look_up_);
  return true;
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
    if (hunt_) {
      hunt_->not_found(home().now());
      if (call_next_trunk())
        return;
    }
    give_up(report::failure_cause::resolve_failed, 480);
    return;
  }
  place_callee(*found.where);
}

void bridged_call::place_callee(const transport::target_selection& servers) {
  leg_reporter::calling calling;
  calling.servers = servers;
  calling.connections = hunt_ ? hunt_->connections() : manner_->connections;
  if (hunt_) {
    calling.servers = context_.router.hops().servers().order(servers, home().now());
    calling.whom = hunt_->whom();
  } else {
    auto whom = std::make_shared<call_target>();
    const auto contact = sip::parse_name_addr(contact_.value);
    whom->uri = contact ? contact->uri : std::string_view{};
    whom->from = from_;
    whom->to = to_;
    calling.whom = std::move(whom);
  }
  calling.max_forwards = max_forwards_;
  calling.ringing_limit = manner_->ringing_limit;
  callee_.begun = true;
  call_contact(context_, shards_, contact_, leg_settings(*this, callee_, callee_media_),
               std::move(calling));
}

void bridged_call::on_ringing(const leg_events::ringing& ringing) {
  speaker();
  if (ringing.early_media && pass_early_media(*ringing.early_media))
    return;
  // Without a description of its own an early answer is a ringing tone to the caller.
  const auto status = ringing.early_media ? 180 : ringing.status;
  if (accepted_ || status > 183 || std::exchange(rung_, status) == status)
    return;
  command(*this, caller_, leg_commands::ring{status});
}

bool bridged_call::pass_early_media(const sdp::negotiated_audio& agreed) {
  if (hears_early_)
    return true; // the callee's stream follows the fork that spoke last
  const bool may = manner_->early_media || caller_proves_;
  if (!may || !offered_ || accepted_ || !caller_.up() || callee_.unwanted)
    return false;
  narrow_caller(agreed);
  hears_early_ = true;
  rung_ = 183;
  command(*this, caller_, leg_commands::send_early_media{}, [this](const leg_result& r) {
    if (r.what == leg_result::outcome::done)
      join(false);
  });
  return true;
}

void bridged_call::narrow_caller(const sdp::negotiated_audio& agreed) {
  const auto& all = manner_->media->capabilities().codecs;
  const auto chosen = only(all, agreed);
  if (!offered_)
    command(*this, caller_,
            leg_commands::narrow{with_codecs(*manner_->media, led_by(chosen, all))});
  else if (has(*offered_, agreed.audio))
    command(*this, caller_, leg_commands::narrow{with_codecs(*manner_->media, chosen)});
}

void bridged_call::on_answered(const leg_events::answered& answered) {
  speaker();
  if (!answered.audio || !caller_.up() || callee_.unwanted) {
    end_leg(*this, callee_);
    return;
  }
  const auto& all = manner_->media->capabilities().codecs;
  const auto chosen = only(all, *answered.audio);
  command(*this, callee_, leg_commands::narrow{with_codecs(*callee_media_, chosen)});
  if (!hears_early_) // else its answer is that which the caller has
    narrow_caller(*answered.audio);
  accepted_ = true;
  command(*this, caller_, leg_commands::accept{}, [this](const leg_result& r) {
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

void bridged_call::on_offered(call_side& by, const leg_events::offered& offer) {
  answer_offer(*this, by, answered_ ? &other_than(by) : nullptr, offer, manner_->hold_music,
               [this] { give_up(report::failure_cause::bad_sdp, 488); });
}

void bridged_call::on_requested(call_side& by, leg_events::requested& asked) {
  pass_request(*this, by, answered_ ? &other_than(by) : nullptr, asked);
}

// -- the end ---------------------------------------------------------------------------

void bridged_call::on_ended(call_side& one, const leg_events::ended& ended) {
  one.ended = ended;
  auto& other = other_than(one);
  const bool rang = rung_ != 0 || accepted_;
  if (hunt_ && &one == &callee_ && !rang && !one.unwanted && caller_.up() &&
      hunt_->was_trunk(ended, home().now()) && call_next_trunk())
    return;
  if (&one == &callee_ && !caller_.ended)
    callee_ended_first_ = true;
  if (&other == &caller_)
    end_caller(status_for(ended));
  else
    end_leg(*this, callee_);
  settle();
}

void bridged_call::end_caller(int status) {
  if (accepted_)
    end_leg(*this, caller_);
  else if (!std::exchange(caller_.unwanted, true))
    command(*this, caller_, leg_commands::refuse{status});
}

void bridged_call::give_up(report::failure_cause why, int status) {
  if (!failure_.failed())
    failure_ = why;
  end_caller(status);
  end_leg(*this, callee_);
}

void bridged_call::on_closed(call_side& of, const media_closed& closed) {
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
  const bool caller_closed = close_stream(*this, caller_);
  if (!close_stream(*this, callee_) || !caller_closed)
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
  tell_tap(context_, contact_, callee_, failure); // the caller's leg is the owner's to tell of
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, std::move(over));
}

} // namespace jackfield
