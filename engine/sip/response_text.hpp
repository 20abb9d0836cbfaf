#pragma once

#include <string>
#include <string_view>

#include "engine/sip/message.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// What all responses to one request copy from it (RFC 3261 §8.2.6.2), as text: so a request can be
/// answered after its bytes are gone.
struct response_head {
  /// Via fields (the topmost with received and rport), From, To, Call-ID, CSeq: whole lines.
  std::string fields;
  /// Record-Route fields: whole lines, for what may establish a dialog.
  std::string record_route;
};

/// `to_tag` is added if the To has none. `from` is where the request came from.
[[nodiscard]] response_head make_response_head(const message& request, std::string_view to_tag,
                                               const packet_source& from);

/// What a response carries beside its head.
struct response_text {
  int status = 200;
  std::string_view contact = {}; // whole value; empty: none
  bool record_route = false;
  bool capabilities = false;     // Allow and Supported of the profile
  std::string_view headers = {}; // whole lines
  std::string_view body = {};
  std::string_view content_type = {};
};

/// What a 200 to OPTIONS says beside Allow (RFC 3261 §11.2): whole lines.
inline constexpr std::string_view capability_lines = "Accept: application/sdp\r\n"
                                                     "Accept-Encoding: identity\r\n"
                                                     "Accept-Language: en\r\n"
                                                     "Supported: 100rel\r\n";

/// Appends the message.
void append_response(std::string& out, const ua_profile& profile, const response_head& head,
                     const response_text& r);

} // namespace jackfield::sip
