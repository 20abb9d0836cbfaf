#include "actors/centre/centre_service.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "engine/sip/fields.hpp"
#include "engine/sip/method_set.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

std::string user_of(std::string_view uri) {
  const auto parsed = sip::uri::parse(uri);
  return parsed ? std::string{parsed->user()} : std::string{};
}

} // namespace

centre_service::centre_service(caf::actor_config& config, lane::lane& home, lane_context& context,
                               std::shared_ptr<const bridge_manner> manner,
                               std::shared_ptr<const centre_roster> roster,
                               std::shared_ptr<const registrar_settings> registrations,
                               unsigned source, std::shared_ptr<registrar_shards> shards,
                               caf::strong_actor_ptr watcher)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      roster_(std::move(roster)), shards_(std::move(shards)),
      registrar_(context, std::move(registrations), shards_, this), watcher_(std::move(watcher)),
      source_(source) {
  registrar_.set_presence_watcher(this);
}

caf::behavior centre_service::make_behavior() {
  context_.router.set_service(this);
  return {
    [this](const recorded& written) { registrar_.on_recorded(written); },
    [this](const bindings_left& left) { registrar_.take_up(*left.all); },
    [this](const contacts_found& found) { on_found(found); },
    [this](const look_up_contacts& wanted) {
      registrar_.look_up(wanted.uri, current_sender(), wanted.ticket);
    },
    [this](resume_calls& left) { go_on(left); },
    [this](const call_resumed& call) { resuming_.take(*this, call); },
    [this](const queued_call_over& over) { on_over(over); },
    [this](const bridged_call_over& over) { forget(over.call); },
    [this](hang_up_call which) {
      const auto call = calls_.find(which.call);
      if (call != calls_.end())
        lane::tell(home(), call->second.call, hang_up{});
      return call_hung_up{call != calls_.end()};
    },
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
  ++came_;
  if (stopping_ || (context_.keeps != nullptr && !context_.keeps->takes_work())) {
    refuse(*invite, transaction, 503, "Retry-After: 5\r\n");
    return;
  }
  const auto called = invite->message().request_uri();
  if (const auto line = roster_->numbers.find(user_of(called)); line != roster_->numbers.end()) {
    keep(caf::actor_cast<caf::strong_actor_ptr>(home().spawn<queued_call>(
      context_, manner_, line->second.music, invite, transaction, line->second.to, shards_,
      roster_->clocks, caf::strong_actor_ptr{ctrl()})));
    return;
  }
  // Nobody may cancel before we have said something (RFC 3261 §9.1), and copies are kept away.
  const auto ticket = ++tickets_;
  look_ups_.emplace(ticket, looking_up{invite, transaction});
  registrar_.look_up(called, caf::strong_actor_ptr{ctrl()}, ticket);
}

void centre_service::go_on(resume_calls& left) {
  resuming_.begin(*this, left.calls.size(), std::move(left.watcher));
  for (auto& call : std::exchange(left.calls, {})) {
    const auto& line = roster_->queues.at(call.record.queueing->queue);
    keep(caf::actor_cast<caf::strong_actor_ptr>(
      home().spawn<queued_call>(context_, manner_, line.music, std::move(call), line.to, shards_,
                                roster_->clocks, caf::strong_actor_ptr{ctrl()})));
  }
}

void centre_service::on_found(const contacts_found& found) {
  const auto waiting = look_ups_.extract(found.ticket);
  if (!waiting)
    return;
  const auto& [invite, transaction] = waiting.mapped();
  if (stopping_)
    refuse(*invite, transaction, 503, "Retry-After: 5\r\n");
  else if (found.contacts.empty())
    refuse(*invite, transaction, 404);
  else {
    const auto agent = roster_->agents.find(user_of(invite->message().request_uri()));
    keep(caf::actor_cast<caf::strong_actor_ptr>(home().spawn<bridged_call>(
           context_, manner_, invite, transaction, found.contacts.front(), shards_,
           caf::strong_actor_ptr{ctrl()})),
         agent != roster_->agents.end() ? agent->second : nullptr);
  }
}

void centre_service::on_request(const sip_arrival_ptr& request) {
  switch (request->message().request_method()) {
  case sip::method::register_:
    registrar_.on_register(request);
    break;
  case sip::method::options:
    context_.router.answer(*request, 200, sip::capability_lines);
    break;
  default:
    context_.router.answer(*request, 405,
                           "Allow: " + sip::allowed_out_of_dialog.to_string() + "\r\n");
  }
}

void centre_service::on_presence(const std::string& address_of_record, bool present) {
  const auto found = roster_->agents.find(address_of_record.substr(0, address_of_record.find('@')));
  if (found != roster_->agents.end())
    lane::tell_from(*this, found->second, agent_phones{"sip:" + address_of_record, present});
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
  forget(over.call);
}

void centre_service::keep(caf::strong_actor_ptr call, caf::strong_actor_ptr agent) {
  const auto id = call->id();
  if (agent)
    lane::tell_from(*this, agent, direct_call{policy::call_id{id}, true});
  calls_.emplace(id, kept_actor{std::move(call), std::move(agent)});
}

void centre_service::forget(caf::actor_id call) {
  if (const auto over = calls_.extract(call); over && over.mapped().agent)
    lane::tell_from(*this, over.mapped().agent, direct_call{policy::call_id{call}, false});
  if (stopping_)
    stop(false);
}

void centre_service::stop(bool hang_up_calls) {
  if (!std::exchange(stopping_, true))
    stop_asked_by_ = current_sender();
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
  if (!calls_.empty() || !look_ups_.empty() || !stop_asked_by_)
    return;
  lane::tell_from(*this, std::exchange(stop_asked_by_, nullptr),
                  centre_stopped{source_, came_, refused_});
  quit();
}

} // namespace jackfield
