#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/node/node.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield::app {

struct listen_at {
  transport::protocol protocol = transport::protocol::udp;
  lane::endpoint address;
};

/// Where a command serves, and how.
struct listening {
  std::vector<listen_at> at; ///< one of a transport at most
  /// What callers are told instead of the only listener's address; invalid: that address.
  lane::endpoint advertised;
  std::string certificate_file; ///< with TLS and WSS; empty: a self-signed one is made
  std::string key_file;
  std::vector<std::string> allowed_origins; ///< of WebSocket; none: any
};

/// "udp:127.0.0.1:5060", or "127.0.0.1:5060", which is served over `otherwise`; without a port at
/// `usual_port`. `place` stands for the option in errors.
result<std::vector<listen_at>> read_listener(std::string_view place, std::string_view text,
                                             const std::vector<transport::protocol>& otherwise,
                                             uint16_t usual_port);

struct opened_listener {
  transport::protocol protocol = transport::protocol::udp;
  lane::endpoint address; ///< with the port that it has
  /// Of the certificate that was made for it, self-signed: whom clients have to trust. Else empty.
  std::string made_certificate_pem;
};

/// Opens them, in their order, on all lanes of a node, which does not run yet, and says on standard
/// error where, but if `quiet`.
result<std::vector<opened_listener>> open_listeners(const listening& where, bool quiet,
                                                    node& engine);

} // namespace jackfield::app
