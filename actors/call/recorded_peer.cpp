#include "actors/call/recorded_peer.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

struct recorded_target {
  transport::protocol protocol;
  result<lane::endpoint> remote;
};

/// As `transport::flow` has it: "udp 192.0.2.1:5060".
std::optional<recorded_target> read_target(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos)
    return std::nullopt;
  const auto protocol = transport::parse_protocol(text.substr(0, space));
  if (!protocol)
    return std::nullopt;
  return recorded_target{*protocol, lane::endpoint::parse_with_port(text.substr(space + 1))};
}

transport::target_selection only(transport::protocol p, const lane::endpoint& remote,
                                 const std::string& host) {
  return transport::target_selection{std::vector{transport::target{p, remote}}, host};
}

} // namespace

std::optional<recorded_peer> peer_of(const storage::call_record& call) {
  auto target = read_target(call.target);
  if (!target)
    return std::nullopt;
  auto& [protocol, remote] = *target;
  // Who connected to us over TLS or a WebSocket need not take connections, and a browser's Contact
  // names no host (RFC 7118 §5).
  const bool made_by_peer = call.incoming || !call.registered_as.empty();
  const bool comes_to_us =
    made_by_peer && (transport::is_secure(protocol) || transport::is_websocket(protocol));
  if (made_by_peer && transport::is_reliable(protocol)) {
    const auto contact = call.dialog ? sip::uri::parse(call.dialog->remote_target) : std::nullopt;
    const auto at =
      contact ? lane::endpoint::parse(contact->host(), contact->port() != 0
                                                         ? contact->port()
                                                         : transport::default_port(protocol))
              : fail("contact", "is none");
    if (at || !comes_to_us)
      remote = at;
  }
  if (!remote)
    return std::nullopt;
  return recorded_peer{.servers = only(protocol, *remote, call.host), .comes_to_us = comes_to_us};
}

std::optional<recorded_peer> peer_of(const storage::registration_record& made) {
  const auto target = read_target(made.target);
  if (!target || !target->remote)
    return std::nullopt;
  return recorded_peer{.servers = only(target->protocol, *target->remote, made.host)};
}

} // namespace jackfield
