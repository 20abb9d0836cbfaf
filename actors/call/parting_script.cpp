#include "actors/call/parting_script.hpp"

#include <utility>

#include "actors/call/call_resumption.hpp"
#include "actors/call/failure_of.hpp"
#include "actors/call/recorded_peer.hpp"

namespace jackfield {

parting_script::parting_script(kept_call kept,
                               std::shared_ptr<const transport::open_settings> connections,
                               caf::strong_actor_ptr owner)
    : kept_(std::move(kept)), connections_(std::move(connections)), owner_(std::move(owner)),
      was_up_(kept_.record().answered.has_value()) {
  // nop
}

void parting_script::on_start(call_leg& leg) {
  const auto& call = kept_.record();
  const auto peer = peer_of(call);
  if (!peer || !(call.dialog || call.attempt)) {
    close(leg, parting::unreachable);
    return;
  }
  const auto taken = call.dialog ? leg.adopt(*call.dialog, peer->servers, connections_, {},
                                             call_resumption::unrecorded_requests)
                                 : leg.take_back(*call.attempt, peer->servers, connections_);
  if (!taken)
    close(leg, parting::unreachable);
}

void parting_script::on_hang_up(call_leg& leg) {
  leg.hang_up();
}

void parting_script::on_lost(call_leg& leg) {
  close(leg, parting::unreachable);
}

void parting_script::on_ended(call_leg& leg, const leg_end& end) {
  const auto failure = failure_of(end.event);
  if (failure == report::failure_cause::dialog_gone)
    close(leg, parting::gone);
  else if (kept_.record().dialog)
    close(leg, failure.failed() ? parting::unreachable : parting::hung_up);
  else // a peer that says nothing may never have heard of it
    close(leg, end.event.status != 0 || end.cause == sip::end_cause::cancelled_but_answered
                 ? parting::taken_back
                 : parting::unreachable);
}

void parting_script::close(call_leg& leg, parting how) {
  kept_.ended(
    leg, was_up_ ? report::failure_cause::engine_restart : report::failure_cause::indeterminate,
    was_up_ ? 200 : 0);
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(leg.home(), owner, call_parted{leg.id(), how});
  leg.finish();
}

} // namespace jackfield
