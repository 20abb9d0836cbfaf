#pragma once

#include <optional>

#include "engine/transport/target_selection.hpp"
#include "storage/records.hpp"

namespace jackfield {

/// How the peer of a call is reached, by what a store has of that.
struct recorded_peer {
  transport::target_selection servers;
  /// It called, or was called, over a connection that only it can make: TLS, WebSocket.
  bool comes_to_us = false;

  [[nodiscard]] transport::protocol protocol() const { return servers.current().protocol; }
};

/// Where it was; but one that had made the connection, which is gone, at its Contact. Nothing:
/// there is no way.
[[nodiscard]] std::optional<recorded_peer> peer_of(const storage::call_record& call);
/// The registrar, or the proxy on the way there.
[[nodiscard]] std::optional<recorded_peer> peer_of(const storage::registration_record& made);

} // namespace jackfield
