#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jackfield::http {

/// A request, as far as an API cares.
struct request {
  std::string method; ///< "GET"
  std::string target; ///< as it was sent: "/v1/calls?limit=3"
  std::string authorization;
  std::string content_type;
  std::string idempotency_key;
  bool has_idempotency_key = false;
  std::string subprotocols; ///< Sec-WebSocket-Protocol: "a, b"
  std::string body;         ///< empty while only the head is known
};

struct answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Names and values without CR and LF, beside what each answer has.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// To be called once, from any thread, before the server's end; or let go.
using reply = std::function<void(answer)>;

/// "Not Found"; "" of a status that is none of ours.
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;
/// Why a request was not done (RFC 9457): `detail` is a sentence, `field` what is wrong in the
/// request: a member of the body, a parameter of the query, a header; empty: none is.
[[nodiscard]] answer problem(unsigned status, std::string_view detail, std::string_view field = {});

} // namespace jackfield::http
