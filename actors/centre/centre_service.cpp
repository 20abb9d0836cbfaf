#include "actors/centre/centre_service.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "engine/sip/fields.hpp"
#include "engine/sip/method_set.hpp"
#include "engine/sip/response_text.hpp"

namespace jackfield {

centre_service::centre_service(caf::actor_config& config, lane::lane& home, lane_context& context,
                               std::shared_ptr<const bridge_manner> manner,
                               std::shared_ptr<const centre_roster> roster,
                               std::shared_ptr<const registrar_settings> registrations,
                               unsigned source, std::shared_ptr<registrar_shards> shards,
                               caf::strong_actor_ptr watcher)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      roster_(std::move(roster)), shards_(std::move(shards)),
      registrar_(context, std::move(registrations), shards_, this),
      callers_(context.router, registrar_, *this, *this), watcher_(std::move(watcher)),
      callbacks_(*this, callback_clock, context.keeps), source_(source) {
  registrar_.set_presence_watcher(this);
}

caf::behavior centre_service::make_behavior() {
  context_.router.set_service(this);
  return {
    [this](const recorded& written) { registrar_.on_recorded(written); },
    [this](const bindings_left& left) { registrar_.take_up(*left.all); },
    [this](const contacts_found& found) { on_found(found); },
    [this](const caller_identified& said) {
      callers_.on_identified(said);
      if (stopping_)
        stop(false);
    },
    [this](const look_up_contacts& wanted) {
      registrar_.look_up(wanted.uri, current_sender(), wanted.ticket);
    },
    [this](resume_calls& left) { go_on(left); },
    [this](const call_resumed& call) { on_resumed(call); },
    [this](const queued_call_over& over) { on_over(over); },
    [this](const bridged_call_over& over) { forget(over.call); },
    [this](promise_callback& wish) { return on_promise(wish); },
    [this](callback_unneeded) {
      if (const auto what = callbacks_.take(current_sender()->id()))
        callbacks_.forget(*what);
    },
    [this](callback_dials) { callbacks_.on_attempt(current_sender()->id()); },
    [this](const callback_over& over) { on_callback_over(over); },
    [this](callbacks_left& left) {
      for (auto& each : left.all)
        if (each.under_way || !left.go_on) // it may have been reached: nobody is called twice
          end_callback(each, left.go_on ? "indeterminate" : "dropped");
        else
          call_back(std::move(each));
    },
    [this](const lane::timer_fired&) {
      for (auto& each : callbacks_.due())
        call_back(std::move(each));
    },
    [this](hang_up_call which) {
      const auto call = calls_.find(which.call);
      if (call != calls_.end())
        lane::tell(home(), call->second.call, hang_up{});
      return call_hung_up{call != calls_.end()};
    },
    [this](const centre_changed& changed) { on_changed(changed); },
    [this](const supervise_call& wish) { return on_supervise(wish); },
    [this](const end_supervision& wish) { return on_end_supervision(wish); },
    [this](const supervision_over& over) { on_supervision_over(over); },
    [this](centre_drain) { stop(false); },
    [this](centre_stop) { stop(true); },
  };
}

void centre_service::on_exit() {
  registrar_.set_presence_watcher(nullptr);
  context_.router.set_service(nullptr);
  for (const auto& [id, each] : calls_) // an error ended us: nobody would end them
    lane::tell(home(), each.call, hang_up{});
  calls_.clear();
  callers_.stop();
  supervisors_.clear();
  for (const auto& [ticket, waiting] : look_ups_) {
    context_.router.answer(*waiting.invite, 480);
    context_.router.unbind_invite(waiting.transaction);
  }
  look_ups_.clear();
  resuming_.let_go();
  roster_ = nullptr;
  watcher_ = nullptr;
}

void centre_service::refuse(const sip_arrival& invite, uint64_t transaction, int status,
                            std::string_view headers) {
  context_.router.answer(invite, status, headers);
  context_.router.unbind_invite(transaction);
  ++refused_;
}

void centre_service::on_invite(const sip_arrival_ptr& invite, uint64_t transaction) {
  if (stopping_ || (context_.keeps != nullptr && !context_.keeps->takes_work())) {
    ++came_;
    refuse(*invite, transaction, 503, "Retry-After: 5\r\n");
    return;
  }
  callers_.check(*roster_, invite, transaction);
}

void centre_service::on_forbidden(const sip_arrival_ptr& request, uint64_t transaction,
                                  int status) {
  if (transaction == 0) {
    context_.router.answer(*request, status);
    return;
  }
  ++came_;
  refuse(*request, transaction, status);
}

void centre_service::on_admitted(const sip_arrival_ptr& request, uint64_t transaction,
                                 const centre_caller& who) {
  if (transaction == 0) {
    serve_request(*request);
    return;
  }
  ++came_;
  if (stopping_)
    refuse(*request, transaction, 503, "Retry-After: 5\r\n");
  else
    connect(request, transaction, who);
}

void centre_service::connect(const sip_arrival_ptr& invite, uint64_t transaction,
                             const centre_caller& who) {
  const auto& m = invite->message();
  auto called = user_of(m.request_uri());
  std::optional<trunk_call> through;
  if (who.trunk != nullptr) {
    through = trunk_call::begin(*who.trunk, trunk_call::way::in);
    if (!through) {
      refuse(*invite, transaction, 503, "Retry-After: 5\r\n");
      return;
    }
    // Who registers has all its calls sent to one Contact.
    const auto to = sip::parse_name_addr(m.first(sip::header::to));
    if (called == who.trunk->profile().user && !roster_->numbers.contains(called) && to)
      called = user_of(to->uri);
  }
  if (const auto found = roster_->numbers.find(called); found != roster_->numbers.end()) {
    const auto& line = found->second;
    keep(caf::actor_cast<caf::strong_actor_ptr>(home().spawn<queued_call>(
           context_, manner_, line.music, invite, transaction, line.to, shards_, roster_->clocks,
           caf::strong_actor_ptr{ctrl()}, roster_->menus, line.menu)),
         {}, std::move(through), who.what != centre_caller::kind::stranger);
    return;
  }
  const auto* const route =
    roster_->agents.contains(called) ? nullptr : roster_->trunks->route_for(called);
  if (route != nullptr) {
    call_outside(invite, transaction, who, *route, called, std::move(through));
    return;
  }
  if (who.trunk != nullptr && !who.trunk->profile().reaches_agents) {
    refuse(*invite, transaction, 404);
    return;
  }
  // Nobody may cancel before we have said something (RFC 3261 §9.1), and copies are kept away.
  const auto ticket = ++tickets_;
  look_ups_.emplace(ticket, looking_up{invite, transaction, std::move(through)});
  registrar_.look_up(m.request_uri(), caf::strong_actor_ptr{ctrl()}, ticket);
}

void centre_service::call_outside(const sip_arrival_ptr& invite, uint64_t transaction,
                                  const centre_caller& who, const outside_route& route,
                                  std::string called, std::optional<trunk_call> through) {
  const bool may = who.what == centre_caller::kind::agent ||
                   (who.trunk != nullptr && who.trunk->profile().reaches_trunks);
  if (!may) {
    refuse(*invite, transaction, who.trunk != nullptr ? 404 : 403);
    return;
  }
  if (route.number_for(called).empty()) {
    refuse(*invite, transaction, 484);
    return;
  }
  auto trail = call_trail::of(invite->message());
  if (trail.has(roster_->trunks->mark)) {
    refuse(*invite, transaction, 482);
    return;
  }
  if (trail.marks.size() >= call_trail::most_marks) {
    refuse(*invite, transaction, 483);
    return;
  }
  keep(caf::actor_cast<caf::strong_actor_ptr>(home().spawn<bridged_call>(
         context_, manner_, invite, transaction, registered_contact{}, shards_,
         caf::strong_actor_ptr{ctrl()},
         std::make_unique<trunk_hunt>(roster_->trunks, route, std::move(called), who.agent,
                                      std::move(trail)))),
       agent_named(who.agent), std::move(through));
}

caf::strong_actor_ptr centre_service::agent_named(const std::string& name) const {
  const auto found = roster_->agents.find(name);
  return found != roster_->agents.end() ? found->second : nullptr;
}

void centre_service::go_on(resume_calls& left) {
  auto calls = paired(std::exchange(left.calls, {}));
  resuming_.begin(*this, calls.size(), std::move(left.watcher));
  for (auto& call : calls) {
    const auto& record = call.caller.record;
    const auto& queueing = *record.queueing;
    const auto found = roster_->queues.find(queueing.queue); // who talks needs none
    const auto line = found != roster_->queues.end()
                        ? found->second
                        : centre_roster::line{{{queueing.queue, nullptr}, manner_->hold_music}, {}};
    centre_event event;
    event.what = centre_event::kind::resumed;
    event.call_id = record.call_id;
    event.queue = queueing.queue;
    event.agent = queueing.agent;
    event.from = record.from;
    event.waited = queueing.waited(storage::wall_time{});
    const bool talks = call.agent.has_value();
    auto agent = talks ? agent_named(queueing.agent) : nullptr;
    auto actor = caf::actor_cast<caf::strong_actor_ptr>(
      home().spawn<queued_call>(context_, manner_, line.music, std::move(call), line.to, shards_,
                                roster_->clocks, caf::strong_actor_ptr{ctrl()}, std::move(agent)));
    event.call = actor->id();
    if (talks)
      talks_on_.emplace(actor->id(), std::move(event));
    keep(std::move(actor));
  }
}

void centre_service::on_resumed(const call_resumed& call) {
  resuming_.take(*this, call);
  auto talk = talks_on_.extract(current_sender()->id());
  if (!talk || !call.resumed || !watcher_)
    return;
  talk.mapped().at = home().wall_now();
  lane::tell_from(*this, watcher_, std::move(talk.mapped()));
}

void centre_service::on_found(const contacts_found& found) {
  const auto waiting = look_ups_.extract(found.ticket);
  if (!waiting)
    return;
  auto& [invite, transaction, through] = waiting.mapped();
  if (stopping_)
    refuse(*invite, transaction, 503, "Retry-After: 5\r\n");
  else if (found.contacts.empty())
    refuse(*invite, transaction, 404);
  else
    keep(caf::actor_cast<caf::strong_actor_ptr>(home().spawn<bridged_call>(
           context_, manner_, invite, transaction, found.contacts.front(), shards_,
           caf::strong_actor_ptr{ctrl()})),
         agent_named(user_of(invite->message().request_uri())), std::move(through));
}

void centre_service::on_request(const sip_arrival_ptr& request) {
  if (request->message().request_method() == sip::method::register_)
    registrar_.on_register(request); // which asks by itself
  else
    callers_.check(*roster_, request, 0);
}

void centre_service::serve_request(const sip_arrival& request) {
  if (request.message().request_method() == sip::method::options)
    context_.router.answer(request, 200, sip::capability_lines);
  else
    context_.router.answer(request, 405,
                           "Allow: " + sip::allowed_out_of_dialog.to_string() + "\r\n");
}

void centre_service::on_presence(const std::string& address_of_record, bool present) {
  const auto found = roster_->agents.find(address_of_record.substr(0, address_of_record.find('@')));
  if (found != roster_->agents.end())
    lane::tell_from(*this, found->second, agent_phones{"sip:" + address_of_record, present});
}

void centre_service::on_changed(const centre_changed& changed) {
  const auto before = std::exchange(roster_, changed.roster);
  registrar_.use(*changed.registrations);
  // Who becomes an agent may have a phone here already.
  for (const auto& address : registrar_.present()) {
    const auto name = address.substr(0, address.find('@'));
    const auto is = roster_->agents.find(name);
    const auto was = before->agents.find(name);
    if (is != roster_->agents.end() && (was == before->agents.end() || was->second != is->second))
      on_presence(address, true);
  }
}

void centre_service::on_over(const queued_call_over& over) {
  if (watcher_ && over.how == queue_exit::answered) {
    centre_event event;
    event.what = centre_event::kind::completed;
    event.at = home().wall_now();
    event.call = over.call;
    event.call_id = over.call_id;
    event.queue = over.queue;
    event.agent = over.agent;
    event.from = over.from;
    event.detail = over.failure.failed() ? over.failure.name() : "";
    event.waited = over.waited;
    event.talked = over.talked;
    event.by_caller = over.by_caller;
    lane::tell_from(*this, watcher_, std::move(event));
  }
  if (watcher_ && over.recording)
    tell_recording(over);
  auto promised = callbacks_.take(over.call);
  forget(over.call);
  if (promised)
    call_back(std::move(*promised));
}

// -- callbacks ---------------------------------------------------------------------

// A stranger may say any number in From; who is known has a trunk's word for it, or its own.
callback_promised centre_service::on_promise(promise_callback& wish) {
  const auto call = calls_.find(current_sender()->id());
  auto& what = wish.what;
  const auto* const route = roster_->trunks->route_for(what.number);
  if (stopping_ || call == calls_.end() || !call->second.known || route == nullptr ||
      route->number_for(what.number).empty() || callbacks_.has(what.number))
    return {};
  if (watcher_) {
    centre_event event;
    event.what = centre_event::kind::callback_promised;
    event.at = home().wall_now();
    event.call = call->first;
    event.call_id = what.call_id;
    event.queue = what.queue;
    event.from = what.from;
    event.detail = what.number;
    lane::tell_from(*this, watcher_, std::move(event));
  }
  callbacks_.promise(call->first, std::move(what));
  return {true};
}

void centre_service::call_back(storage::callback_record what) {
  if (stopping_) {
    if (!callbacks_.keeps())
      end_callback(what, "stopped");
    return;
  }
  const auto line = roster_->queues.find(what.queue);
  const auto* const route = roster_->trunks->route_for(what.number);
  if (line == roster_->queues.end() || route == nullptr) {
    end_callback(what, route == nullptr ? "no_route" : "no_queue");
    return;
  }
  callback_call::terms terms{
    what, line->second.to, line->second.music,
    std::make_unique<trunk_hunt>(roster_->trunks, *route, what.number, what.queue, call_trail{})};
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(home().spawn<callback_call>(
    context_, manner_, std::move(terms), shards_, roster_->clocks, caf::strong_actor_ptr{ctrl()}));
  callbacks_.begin(actor->id(), std::move(what));
  keep(std::move(actor));
}

void centre_service::on_callback_over(const callback_over& over) {
  auto what = callbacks_.take(over.call.call);
  if (what)
    go_on_with(std::move(*what), over);
  on_over(over.call);
}

void centre_service::go_on_with(storage::callback_record what, const callback_over& over) {
  const auto line = roster_->queues.find(what.queue);
  const auto terms = line != roster_->queues.end() ? line->second.to.calls_back : nullptr;
  if (over.how == callback_outcome::reached)
    end_callback(what, "reached");
  else if (over.how == callback_outcome::not_tried) {
    if (!stopping_ || !callbacks_.keeps()) // else it is the next process's
      end_callback(what, stopping_ ? "stopped" : "sent_away");
  } else if (!terms || what.attempts >= terms->most_attempts || stopping_)
    end_callback(what, over.call.failure.failed() ? over.call.failure.name() : "not_reached");
  else
    callbacks_.try_later(std::move(what), terms->retry_after);
}

void centre_service::end_callback(const storage::callback_record& what, std::string_view why) {
  callbacks_.forget(what);
  if (!watcher_)
    return;
  centre_event event;
  event.what = centre_event::kind::callback_over;
  event.at = home().wall_now();
  event.call_id = what.call_id;
  event.queue = what.queue;
  event.from = what.from;
  event.detail = why;
  lane::tell_from(*this, watcher_, std::move(event));
}

// -- recordings and supervisors ----------------------------------------------------

void centre_service::tell_recording(const queued_call_over& over) {
  const auto& made = *over.recording;
  centre_event event;
  event.what = made.failure ? centre_event::kind::not_recorded : centre_event::kind::recorded;
  event.at = home().wall_now();
  event.call = over.call;
  event.call_id = over.call_id;
  event.queue = over.queue;
  event.agent = over.agent;
  event.from = over.from;
  event.detail = made.failure ? made.failure->to_string() : made.path;
  event.waited = over.waited;
  event.talked = made.length;
  lane::tell_from(*this, watcher_, std::move(event));
}

caf::result<supervision_answer> centre_service::on_supervise(const supervise_call& wish) {
  using outcome = supervision_answer::outcome;
  const auto call = calls_.find(wish.call);
  if (call == calls_.end())
    return supervision_answer{outcome::no_call};
  auto& supervisor = supervisors_[wish.call];
  if (!supervisor) {
    const auto agent = roster_->agents.find(wish.supervisor);
    if (agent == roster_->agents.end()) {
      supervisors_.erase(wish.call);
      return supervision_answer{outcome::nobody};
    }
    supervisor = caf::actor_cast<caf::strong_actor_ptr>(home().spawn<supervisor_call>(
      context_, manner_, call->second.call, agent->second, shards_, caf::strong_actor_ptr{ctrl()}));
    keep(supervisor, agent->second);
  }
  (void)delegate(caf::actor_cast<caf::actor>(supervisor), wish);
  return caf::delegated<supervision_answer>{};
}

supervision_answer centre_service::on_end_supervision(const end_supervision& wish) {
  using outcome = supervision_answer::outcome;
  if (!calls_.contains(wish.call))
    return {outcome::no_call};
  const auto supervisor = supervisors_.find(wish.call);
  if (supervisor == supervisors_.end())
    return {outcome::nobody};
  lane::tell(home(), supervisor->second, hang_up{});
  return {outcome::ending};
}

void centre_service::on_supervision_over(const supervision_over& over) {
  supervisors_.erase(over.call);
  forget(over.supervisor);
}

void centre_service::keep(caf::strong_actor_ptr call, caf::strong_actor_ptr agent,
                          std::optional<trunk_call> through, bool known) {
  const auto id = call->id();
  if (agent)
    lane::tell_from(*this, agent, direct_call{policy::call_id{id}, true});
  calls_.emplace(id, kept_actor{std::move(call), std::move(agent), std::move(through), known});
}

void centre_service::forget(caf::actor_id call) {
  if (const auto over = calls_.extract(call); over && over.mapped().agent)
    lane::tell_from(*this, over.mapped().agent, direct_call{policy::call_id{call}, false});
  if (stopping_)
    stop(false);
}

void centre_service::stop(bool hang_up_calls) {
  if (!std::exchange(stopping_, true)) {
    stop_asked_by_ = current_sender();
    for (const auto& each : callbacks_.put_off())
      end_callback(each, "stopped");
    if (callbacks_.keeps())
      for (const auto id : callbacks_.under_way())
        lane::tell(home(), calls_.at(id).call, put_off{});
  }
  if (hang_up_calls) {
    // In the order in which they came: a simulated run is to be the same each time.
    std::vector<caf::strong_actor_ptr> calls;
    calls.reserve(calls_.size());
    for (const auto& [id, each] : calls_)
      calls.push_back(each.call);
    std::ranges::sort(calls, {}, [](const auto& call) { return call->id(); });
    for (const auto& call : calls)
      lane::tell(home(), call, hang_up{});
  }
  if (!calls_.empty() || !look_ups_.empty() || !callers_.idle() || !stop_asked_by_)
    return;
  lane::tell_from(*this, std::exchange(stop_asked_by_, nullptr),
                  centre_stopped{source_, came_, refused_});
  quit();
}

} // namespace jackfield
