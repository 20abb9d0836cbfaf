#include "actors/centre/supervisor_call.hpp"

#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <fmt/format.h>

#include "actors/centre/agent.hpp"
#include "actors/media/media_play.hpp"
#include "engine/sip/fields.hpp"

namespace jackfield {

supervisor_call::supervisor_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                                 std::shared_ptr<const bridge_manner> manner,
                                 caf::strong_actor_ptr supervised, caf::strong_actor_ptr agent,
                                 std::shared_ptr<const registrar_shards> shards,
                                 caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      supervised_(std::move(supervised)), agent_(std::move(agent)), shards_(std::move(shards)),
      owner_(std::move(owner)), call_(supervised_->id()) {
  // nop
}

caf::behavior supervisor_call::make_behavior() {
  set_down_handler([this](const caf::down_msg&) { end(); });
  monitor(caf::actor_cast<caf::actor>(supervised_));
  return {
    [this](const supervise_call& wish) { return on_wish(wish); },
    [this](const contacts_found& found) { on_contacts(found); },
    [this](const servers_located& found) {
      if (found.ticket != look_up_ || ending_)
        return;
      if (found.where)
        place(*found.where);
      else
        end();
    },
    [this](const media_opened& opened) { on_opened(opened); },
    [this](const leg_events::prepared&) {
      side_.leg = caf::actor_cast<caf::actor>(current_sender());
      if (side_.unwanted)
        command(*this, side_, leg_commands::hang_up{});
    },
    [](const leg_events::ringing&) {},
    [this](const leg_events::answered& answered) { on_answered(answered); },
    [this](const leg_events::offered& offer) { pass_offer(*this, side_, nullptr, offer); },
    [](const leg_events::offer_withdrawn&) {},
    [this](leg_events::requested& asked) { pass_request(*this, side_, nullptr, asked); },
    [this](const leg_events::ended& ended) { on_ended(ended); },
    [](const media_join_result&) {}, // of who has ended: nobody hears that
    [this](const media_silent& silent) {
      if (silent.heard)
        end();
    },
    [this](const media_closed& closed) {
      side_.stream = nullptr;
      side_.outcome = closed.outcome;
      if (closed.failure)
        end();
      settle();
    },
    [this](const struct hang_up&) { end(); },
  };
}

void supervisor_call::on_exit() {
  close_stream(*this, side_);
  answer(outcome::no_call);
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, supervision_over{id(), call_});
  supervised_ = agent_ = nullptr;
  talk_ = {};
  side_ = {};
}

void supervisor_call::answer(outcome how) {
  if (std::exchange(is_asked_, false))
    asked_.deliver(supervision_answer{how});
}

caf::response_promise supervisor_call::on_wish(const supervise_call& wish) {
  auto promise = make_response_promise();
  if (supervisor_.empty()) {
    supervisor_ = wish.supervisor;
    how_ = wish.how;
    asked_ = promise;
    is_asked_ = true;
    begin();
  } else if (ending_) {
    promise.deliver(supervision_answer{outcome::nobody});
  } else if (wish.supervisor != supervisor_) {
    promise.deliver(supervision_answer{outcome::taken});
  } else {
    how_ = wish.how;
    if (hears_)
      hear();
    promise.deliver(supervision_answer{outcome::changed});
  }
  return promise;
}

void supervisor_call::begin() {
  const auto gone = [this](const caf::error&) { end(); };
  request(caf::actor_cast<caf::actor>(supervised_), caf::infinite, ask_talk{})
    .then([this](const talk_streams& talk) { on_talk(talk); }, gone);
}

void supervisor_call::on_talk(const talk_streams& talk) {
  talk_ = talk;
  if (!talk_.caller || !talk_.agent || talk_.name == supervisor_) {
    answer(talk_.name == supervisor_ ? outcome::part_of_it : outcome::not_talking);
    end();
    return;
  }
  request(caf::actor_cast<caf::actor>(agent_), caf::infinite, ask_agent_phones{})
    .then(
      [this](const agent_phones& phones) {
        address_ = phones.address_of_record;
        if (ending_)
          return;
        lane::tell_from(*this, owner_, look_up_contacts{address_, 0});
      },
      [this](const caf::error&) { end(); });
}

void supervisor_call::on_contacts(const contacts_found& found) {
  if (ending_)
    return;
  if (found.contacts.empty()) {
    answer(outcome::no_phone);
    end();
    return;
  }
  contact_ = found.contacts.front();
  const auto how = protection_for(contact_);
  media_ = callee_media(*manner_->media, {}, how);
  open_stream(*this, context_, manner_->audio, side_, how, true);
  answer(outcome::calling);
}

void supervisor_call::on_opened(const media_opened& opened) {
  if (!opened.local || ending_) {
    end();
    return;
  }
  take(side_, opened);
  if (contact_.flow.valid()) {
    place({});
    return;
  }
  look_up_ = context_.router.hops().next_ticket();
  const auto contact = sip::parse_name_addr(contact_.value);
  context_.router.hops().locate(contact ? contact->uri : std::string_view{}, *this, look_up_);
}

void supervisor_call::place(const transport::target_selection& servers) {
  auto whom = std::make_shared<call_target>();
  const auto contact = sip::parse_name_addr(contact_.value);
  whom->uri = contact ? contact->uri : std::string_view{};
  whom->from = fmt::format("<{}>", address_); // there is nobody else who calls
  whom->to = whom->from;
  leg_reporter::calling calling;
  calling.servers = servers;
  calling.connections = manner_->connections;
  calling.whom = std::move(whom);
  calling.ringing_limit = manner_->ringing_limit;
  side_.begun = true;
  call_contact(context_, shards_, contact_, leg_settings(*this, side_, media_), std::move(calling));
}

void supervisor_call::on_answered(const leg_events::answered& answered) {
  if (!answered.audio || ending_) {
    end();
    return;
  }
  hears_ = true;
  hear();
}

void supervisor_call::send_mix(const caf::strong_actor_ptr& to,
                               std::vector<caf::strong_actor_ptr> of) {
  if (to)
    lane::tell_from(*this, to, media_mix{std::move(of)});
}

void supervisor_call::hear() {
  const auto& self = side_.stream;
  if (!self)
    return;
  send_mix(self, {talk_.caller, talk_.agent});
  if (how_ == supervision::monitor)
    send_mix(talk_.agent, {});
  else
    send_mix(talk_.agent, {talk_.caller, self});
  if (how_ == supervision::barge)
    send_mix(talk_.caller, {talk_.agent, self});
  else
    send_mix(talk_.caller, {});
}

void supervisor_call::on_ended(const leg_events::ended& ended) {
  side_.ended = ended;
  end();
}

void supervisor_call::end() {
  ending_ = true;
  answer(outcome::no_call);
  if (std::exchange(hears_, false)) {
    send_mix(talk_.agent, {});
    send_mix(talk_.caller, {});
  }
  end_leg(*this, side_);
  settle();
}

void supervisor_call::settle() {
  if (!ending_ || side_.up() || !close_stream(*this, side_))
    return;
  quit();
}

} // namespace jackfield
