#include "actors/centre/agent_ringer.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/system_messages.hpp>

#include "actors/centre/bridged_call.hpp"
#include "engine/sip/fields.hpp"

namespace jackfield {

namespace {

/// What an agent's phone that ended so without an answer says of the agent.
policy::ring_result outcome_of(const leg_events::ended& leg) {
  using sip::end_cause;
  switch (leg.cause) {
  case end_cause::busy:
    return policy::ring_result::busy;
  case end_cause::rejected:
    return leg.status == 408 || leg.status == 480 ? policy::ring_result::no_answer
                                                  : policy::ring_result::rejected;
  case end_cause::no_answer:
  case end_cause::cancelled:
    return policy::ring_result::no_answer;
  default:
    return policy::ring_result::unreachable;
  }
}

} // namespace

agent_ringer::agent_ringer(lane::lane_actor& call, lane_context& context,
                           std::shared_ptr<const bridge_manner> manner,
                           std::shared_ptr<const registrar_shards> shards)
    : call_(call), context_(context), manner_(std::move(manner)), shards_(std::move(shards)) {
  // nop
}

// -- who is who --------------------------------------------------------------------

call_side* agent_ringer::speaker() {
  const auto& from = call_.current_sender();
  const auto found =
    std::ranges::find_if(phones_, [&](const phone& one) { return from == one.leg; });
  return found == phones_.end() ? nullptr : &*found;
}

call_side* agent_ringer::player() {
  const auto& from = call_.current_sender();
  const auto found =
    std::ranges::find_if(phones_, [&](const phone& one) { return from == one.stream; });
  return found == phones_.end() ? nullptr : &*found;
}

agent_ringer::phone* agent_ringer::phone_of(const call_side* side) {
  const auto found = std::ranges::find_if(phones_, [&](const phone& one) { return &one == side; });
  return found == phones_.end() ? nullptr : &*found;
}

agent_ringer::offer* agent_ringer::offer_of(const offer_key& key) {
  const auto found = std::ranges::find(offers_, key, &offer::key);
  return found == offers_.end() ? nullptr : &*found;
}

bool agent_ringer::up() const noexcept {
  return std::ranges::any_of(phones_, [](const phone& each) { return each.up(); });
}

// -- ringing -----------------------------------------------------------------------

void agent_ringer::ring(const ring_agent& wanted, const caf::strong_actor_ptr& registrar) {
  auto& made = offers_.emplace_back();
  made.key = wanted.offer;
  made.agent = wanted.agent;
  made.look_up = ++look_ups_;
  call_.monitor(caf::actor_cast<caf::actor>(made.agent.actor));
  lane::tell_from(call_, registrar, look_up_contacts{wanted.agent.address_of_record, made.look_up});
}

void agent_ringer::decline(const ring_agent& wanted) {
  lane::tell_from(call_, wanted.agent.actor,
                  ring_over{wanted.offer, policy::ring_result::caller_gone});
}

void agent_ringer::on_contacts(const contacts_found& found) {
  const auto of = std::ranges::find(offers_, found.ticket, &offer::look_up);
  if (of == offers_.end() || of->over)
    return;
  for (const auto& contact : found.contacts)
    ring_phone(*of, contact);
  if (found.contacts.empty())
    end_offer(*of, policy::ring_result::unreachable);
}

void agent_ringer::ring_phone(const offer& of, const registered_contact& contact) {
  auto& made = phones_.emplace_back();
  made.tag = ++tags_;
  made.offer = of.key;
  made.contact = contact;
  const auto how = protection_for(contact);
  made.media = callee_media(*manner_->media, terms_.spoken, how);
  open_stream(call_, context_, manner_->audio, made, how, true);
}

void agent_ringer::on_opened(const media_opened& opened) {
  auto* const one = phone_of(player());
  if (one == nullptr)
    return;
  if (!opened.local) {
    phone_over(*one);
    return;
  }
  take(*one, opened);
  if (!one->unwanted)
    call_phone(*one);
}

void agent_ringer::call_phone(phone& one) {
  if (one.contact.flow.valid()) {
    place(one, {});
    return;
  }
  one.look_up = context_.router.hops().next_ticket();
  const auto contact = sip::parse_name_addr(one.contact.value);
  context_.router.hops().locate(contact ? contact->uri : std::string_view{}, call_, one.look_up);
}

void agent_ringer::on_located(const servers_located& found) {
  const auto one = std::ranges::find_if(phones_, [&](const phone& each) {
    return each.look_up == found.ticket && !each.begun && !each.unwanted;
  });
  if (one == phones_.end())
    return;
  if (found.where)
    place(*one, *found.where);
  else
    phone_over(*one);
}

void agent_ringer::place(phone& one, const transport::target_selection& servers) {
  auto whom = std::make_shared<call_target>();
  const auto contact = sip::parse_name_addr(one.contact.value);
  whom->uri = contact ? contact->uri : std::string_view{};
  whom->from = terms_.from;
  whom->to = terms_.to;
  leg_reporter::calling calling;
  calling.servers = servers;
  calling.connections = manner_->connections;
  calling.whom = std::move(whom);
  calling.max_forwards = terms_.max_forwards;
  calling.ringing_limit = manner_->ringing_limit; // the queue's patience ends before
  auto settings = leg_settings(call_, one, one.media);
  settings.tag = one.tag;
  one.begun = true;
  call_contact(context_, shards_, one.contact, std::move(settings), std::move(calling));
}

void agent_ringer::on_prepared(const leg_events::prepared& prepared) {
  const auto one = std::ranges::find(phones_, prepared.tag, &phone::tag);
  if (one == phones_.end())
    return;
  one->leg = caf::actor_cast<caf::actor>(call_.current_sender());
  if (one->unwanted)
    command(call_, *one, leg_commands::hang_up{});
}

void agent_ringer::on_answered(const leg_events::answered& answered) {
  auto* const one = phone_of(speaker());
  if (one == nullptr || one->unwanted)
    return;
  auto* const of = offer_of(one->offer);
  if (of == nullptr || of->over || of->answered != nullptr || !answered.audio) {
    end_leg(call_, *one);
    return;
  }
  of->answered = one;
  const auto& all = manner_->media->capabilities().codecs;
  command(call_, *one, leg_commands::narrow{with_codecs(*one->media, only(all, *answered.audio))});
  stop_phones(*of, one);
  lane::tell_from(call_, of->agent.actor, ring_over{of->key, policy::ring_result::answered});
}

const agent_address* agent_ringer::connect(const offer_key& key) {
  auto* const of = offer_of(key);
  if (of == nullptr || of->over || of->answered == nullptr)
    return nullptr; // it was told
  of->over = true;
  call_.demonitor(caf::actor_cast<caf::actor_addr>(of->agent.actor));
  talking_ = of->answered;
  return &of->agent;
}

// -- the end of an offer -------------------------------------------------------------

void agent_ringer::on_stop(const stop_ringing& wanted) {
  if (auto* const of = offer_of(wanted.offer))
    end_offer(*of, policy::ring_result::no_answer);
}

// An agent is gone, which none is while it has calls, but for an error within.
void agent_ringer::on_down(const caf::down_msg& down) {
  for (auto& each : offers_)
    if (!each.over && down.source == each.agent.actor) { // nobody would connect who answers
      each.over = true;
      stop_phones(each, nullptr);
    }
}

void agent_ringer::withdraw() {
  for (auto& each : offers_)
    end_offer(each, policy::ring_result::caller_gone);
}

void agent_ringer::end_offer(offer& one, policy::ring_result how) {
  if (std::exchange(one.over, true))
    return;
  call_.demonitor(caf::actor_cast<caf::actor_addr>(one.agent.actor));
  stop_phones(one, nullptr);
  lane::tell_from(call_, one.agent.actor, ring_over{one.key, how});
}

void agent_ringer::stop_phones(const offer& of, const phone* but) {
  for (auto& each : phones_)
    if (each.offer == of.key && &each != but) {
      end_leg(call_, each);
      if (!each.begun)
        close_stream(call_, each);
    }
}

// One of several phones: the offer is over with the last of them.
void agent_ringer::phone_over(phone& one) {
  one.unwanted = true;
  if (!one.begun)
    close_stream(call_, one);
  auto* const of = offer_of(one.offer);
  if (of == nullptr || of->over)
    return;
  const auto said = of->answered == &one ? policy::ring_result::rejected // hung up at once
                    : one.ended          ? outcome_of(*one.ended)
                                         : policy::ring_result::unreachable;
  of->said = std::min(of->said, said);
  const bool others = std::ranges::any_of(
    phones_, [&](const phone& each) { return each.offer == one.offer && !each.unwanted; });
  // Who refuses on one phone does so on all (RFC 3261 §21.6).
  if (!others || said == policy::ring_result::rejected)
    end_offer(*of, of->said);
}

// -- the end of a phone ----------------------------------------------------------------

void agent_ringer::on_ended(const leg_events::ended& ended) {
  auto* one = phone_of(speaker());
  if (one == nullptr && ended.tag != 0) { // it never spoke before
    const auto found = std::ranges::find(phones_, ended.tag, &phone::tag);
    one = found == phones_.end() ? nullptr : &*found;
  }
  if (one == nullptr)
    return;
  one->ended = ended;
  phone_over(*one);
  if (close_stream(call_, *one))
    forget(*one);
}

void agent_ringer::on_closed(const media_closed& closed) {
  auto* const one = phone_of(player());
  if (one == nullptr)
    return;
  one->stream = nullptr;
  one->outcome = closed.outcome;
  if (closed.failure)
    end_leg(call_, *one);
  if (!one->up())
    forget(*one);
}

// A caller may wait long, and ring many.
void agent_ringer::forget(const phone& one) {
  phones_.remove_if([&](const phone& each) { return &each == &one; });
  std::erase_if(offers_, [this](const offer& each) {
    return each.over && std::ranges::find(phones_, each.key, &phone::offer) == phones_.end();
  });
}

bool agent_ringer::close() {
  bool closed = true;
  for (const auto& each : phones_)
    closed = close_stream(call_, each) && closed;
  return closed;
}

void agent_ringer::let_go() {
  close();
  phones_.clear();
  talking_ = nullptr;
  offers_.clear();
}

} // namespace jackfield
