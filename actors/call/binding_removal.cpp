#include "actors/call/binding_removal.hpp"

#include <utility>

#include <caf/behavior.hpp>

#include "actors/call/recorded_peer.hpp"

namespace jackfield {

namespace {

/// Another time it may be taken: not so what the registrar has understood and refused.
bool is_refusal(const sip::ua_event& event) {
  constexpr int request_timeout = 408;
  return event.cause != sip::end_cause::auth_failed && event.status >= 300 &&
         event.status != request_timeout && event.status / 100 != 5;
}

} // namespace

binding_removal::binding_removal(caf::actor_config& config, lane::lane& home, sip_router& router,
                                 recorder* keeps, storage::interrupted_registration left,
                                 std::shared_ptr<const transport::open_settings> connections,
                                 std::shared_ptr<const call_target> user,
                                 caf::strong_actor_ptr owner)
    : leg_actor(config, home, router), kept_(keeps, left.key), record_(std::move(left.record)),
      connections_(std::move(connections)), user_(std::move(user)), owner_(std::move(owner)) {
  // nop
}

caf::behavior binding_removal::make_behavior() {
  begin();
  return behavior_with([this](const recorded& answer) {
    on_recorded(answer);
    settle();
  });
}

void binding_removal::begin() {
  const auto peer = peer_of(record_);
  if (!peer || !wire_.open(peer->servers, connections_)) {
    finish();
    return;
  }
  sip::registration_options options;
  options.registrar = record_.registrar;
  options.aor = record_.aor;
  options.contact = record_.contact;
  options.route = record_.route;
  options.call_id = record_.call_id;
  options.cseq = record_.cseq + kept_registration::unrecorded_requests + 1;
  if (user_)
    options.credentials = user_->credentials;
  options.random = home().random();
  options.once = options.remove = true;
  if (!start_machine().prepare(options)) { // nothing that can be said will be understood
    how_ = unbinding::refused;
    finish();
    return;
  }
  record_.cseq = options.cseq;
  kept_.write(record_, caf::strong_actor_ptr{ctrl()});
}

void binding_removal::on_recorded(const recorded& answer) {
  if (over_)
    return;
  if (answer.not_yet)
    over_ = true;
  else
    machine_->begin(home().now(), *this);
}

void binding_removal::send(const sip::outgoing& message) {
  wire_.send(message);
  if (message.retransmission || machine_->cseq() == kept_.cseq())
    return;
  record_.cseq = machine_->cseq();
  kept_.write(record_);
}

void binding_removal::on_event(const sip::ua_event& event) {
  if (event.kind != sip::event_kind::ended)
    return;
  over_ = true;
  if (event.cause == sip::end_cause::unregistered)
    how_ = unbinding::removed;
  else if (is_refusal(event))
    how_ = unbinding::refused;
}

void binding_removal::finish() {
  finished_ = true;
  if (how_ != unbinding::kept)
    kept_.erase();
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, binding_removed{id(), how_});
  quit();
}

} // namespace jackfield
