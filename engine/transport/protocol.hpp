#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jackfield::transport {

/// How SIP travels. The order is that of `to_string`'s names.
enum class protocol : uint8_t { udp, tcp, tls, ws, wss };

/// The name in a Via: "UDP", "TCP", "TLS", "WS" or "WSS" (RFC 3261 §20.42, RFC 7118 §5.1).
[[nodiscard]] std::string_view to_string(protocol p) noexcept;

/// Reads a Via's transport or a URI's transport parameter, in any case.
[[nodiscard]] std::optional<protocol> parse_protocol(std::string_view name) noexcept;

/// 5060, 5061 for TLS, 80 for WS, 443 for WSS.
[[nodiscard]] constexpr uint16_t default_port(protocol p) noexcept {
  switch (p) {
  case protocol::tls:
    return 5061;
  case protocol::ws:
    return 80;
  case protocol::wss:
    return 443;
  default:
    return 5060;
  }
}

/// True where retransmission is the transport's business (RFC 3261 §17).
[[nodiscard]] constexpr bool is_reliable(protocol p) noexcept {
  return p != protocol::udp;
}
[[nodiscard]] constexpr bool is_secure(protocol p) noexcept {
  return p == protocol::tls || p == protocol::wss;
}
[[nodiscard]] constexpr bool is_websocket(protocol p) noexcept {
  return p == protocol::ws || p == protocol::wss;
}

} // namespace jackfield::transport
