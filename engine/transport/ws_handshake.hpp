#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/transport/transport_settings.hpp"

namespace jackfield::transport {

/// The HTTP/1.1 exchange that opens a WebSocket (RFC 6455 §4, RFC 7118 §4): strict, without I/O.
/// A head is all up to and with the empty line.

/// Longest head taken, bytes.
constexpr size_t max_ws_head = 8192;

/// Length of the head at the beginning of `bytes`; nothing if more bytes are needed. Fails when
/// the head is longer than `max_ws_head` or cannot be one (a control character).
[[nodiscard]] result<std::optional<size_t>> find_ws_head(std::string_view bytes);

/// A client's request. `host` as in a URI, with a port if it is not the default one. `key` is
/// base64 of 16 random bytes.
[[nodiscard]] std::string ws_client_request(const ws_client_settings& settings,
                                            std::string_view host, std::string_view key);

/// Fails unless `head` is the right answer to a request with `key`: 101, subprotocol sip, no
/// extension.
[[nodiscard]] result<void> check_ws_response(std::string_view head, std::string_view key);

/// A server's verdict on a request.
struct ws_answer {
  int status = 400;     // 101: the WebSocket is open once `response` is sent; else to be closed
  std::string response; // the head to send
  std::string reason;   // why not 101
};
[[nodiscard]] ws_answer answer_ws_request(std::string_view head,
                                          const ws_server_settings& settings);

/// Base64 of `bytes`.
[[nodiscard]] std::string base64(std::string_view bytes);

} // namespace jackfield::transport
