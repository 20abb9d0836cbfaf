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
  if (call.incoming && transport::is_reliable(protocol)) {
    const auto contact = call.dialog ? sip::uri::parse(call.dialog->remote_target) : std::nullopt;
    if (!contact)
      return std::nullopt;
    remote = lane::endpoint::parse(
      contact->host(), contact->port() != 0 ? contact->port() : transport::default_port(protocol));
  }
  if (!remote)
    return std::nullopt;
  return recorded_peer{.servers = only(protocol, *remote, call.host),
                       .comes_to_us = call.incoming && (transport::is_secure(protocol) ||
                                                        transport::is_websocket(protocol))};
}

std::optional<recorded_peer> peer_of(const storage::registration_record& made) {
  const auto target = read_target(made.target);
  if (!target || !target->remote)
    return std::nullopt;
  return recorded_peer{.servers = only(target->protocol, *target->remote, made.host)};
}

} // namespace jackfield
