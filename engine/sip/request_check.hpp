#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sip/message.hpp"
#include "engine/sip/method_set.hpp"

namespace jackfield::sip {

/// What a receiver of requests supports.
struct capabilities {
  enum class role : uint8_t { user_agent, registrar, proxy };

  role acts_as = role::user_agent;
  method_set methods = allowed_out_of_dialog;
  /// Request-URIs of "sips:" are accepted too.
  bool sips = true;
  /// Option tags that Require (of a proxy: Proxy-Require) may name. Our legs know "100rel".
  std::vector<std::string> extensions;
  /// Bodies it understands. "multipart/..." is understood if one of its parts is.
  std::vector<std::string> body_types = {"application/sdp"};
  /// What its answers may hold; an Accept that excludes all of them is refused.
  std::vector<std::string> answer_types = {"application/sdp"};
};

/// A refusal: the status line's content and whole header lines, each ended by CRLF.
struct rejection {
  int status = 0;
  std::string reason;
  std::string lines;
};

/// Judges a request that `message::parse` found good, in the order of RFC 3261 §8.2 (§16.3 for a
/// proxy): method (501, 405 with Allow), Request-URI (400, 416), Max-Forwards (483, a proxy's),
/// Contact and the registrar's To (400), Require or Proxy-Require (420 with Unsupported), body (415
/// with Accept or Accept-Encoding, 400), Accept (406 with Warning 399). Nothing if the request can
/// be acted on. An ACK is never refused, for nothing answers it, and a CANCEL is not refused for
/// what it requires.
[[nodiscard]] std::optional<rejection> check_request(const message& request,
                                                     const capabilities& able);

/// True if a Require, Supported or the like names the option tag.
[[nodiscard]] bool has_option(const message& m, header where, std::string_view tag) noexcept;

/// A response with more than one Via value is not for an endpoint, which drops it (RFC 3261
/// §8.1.3.3).
[[nodiscard]] bool is_misrouted(const message& response) noexcept;

} // namespace jackfield::sip
