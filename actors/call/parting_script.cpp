#include "actors/call/parting_script.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "actors/call/failure_of.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

/// Requests that may have left after the last record of them was written.
constexpr uint32_t unrecorded_requests = 4;

/// Where the peer is found: at "udp 192.0.2.1:5060", as `transport::flow` has it; but one that
/// called over a connection, which is gone, at its Contact.
std::optional<transport::target> target_of(const storage::call_record& call) {
  const std::string_view text = call.target;
  const auto space = text.find(' ');
  if (space == std::string_view::npos)
    return std::nullopt;
  const auto protocol = transport::parse_protocol(text.substr(0, space));
  if (!protocol)
    return std::nullopt;
  auto remote = lane::endpoint::parse_with_port(text.substr(space + 1));
  if (call.incoming && transport::is_reliable(*protocol)) {
    const auto contact = call.dialog ? sip::uri::parse(call.dialog->remote_target) : std::nullopt;
    if (!contact)
      return std::nullopt;
    remote = lane::endpoint::parse(
      contact->host(), contact->port() != 0 ? contact->port() : transport::default_port(*protocol));
  }
  if (!remote)
    return std::nullopt;
  return transport::target{*protocol, *remote};
}

} // namespace

parting_script::parting_script(kept_call kept,
                               std::shared_ptr<const transport::open_settings> connections,
                               caf::strong_actor_ptr owner)
    : kept_(std::move(kept)), connections_(std::move(connections)), owner_(std::move(owner)),
      was_up_(kept_.record().answered.has_value()) {
  // nop
}

void parting_script::on_start(call_leg& leg) {
  const auto& call = kept_.record();
  const auto target = target_of(call);
  if (!target || !(call.dialog || call.attempt)) {
    close(leg, parting::unreachable);
    return;
  }
  const transport::target_selection servers{{*target}, call.host};
  const auto taken = call.dialog
                       ? leg.adopt(*call.dialog, servers, connections_, {}, unrecorded_requests)
                       : leg.take_back(*call.attempt, servers, connections_);
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
