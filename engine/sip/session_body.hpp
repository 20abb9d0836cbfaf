#pragma once

#include <string_view>

#include "engine/sip/message.hpp"

namespace jackfield::sip {

/// What a message says of the session. Views into the message.
struct session_body {
  std::string_view text; ///< empty: nothing
  std::string_view content_type;
};

/// The session description of a message: its body, or the part of a multipart body that is one
/// (RFC 5621 §3: beside ISUP, PIDF-LO ...). A body of another kind counts as none where it need not
/// be understood (`handling=optional`, RFC 3261 §20.11), else as a description that cannot be read.
[[nodiscard]] session_body session_body_of(const message& m);

} // namespace jackfield::sip
