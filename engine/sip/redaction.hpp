#pragma once

#include <string>
#include <string_view>

namespace jackfield::sip {

/// Appends a message's text with its secrets blanked ("***"), for what people read: traces, logs.
/// Any bytes are taken, a whole message or what was meant to be one; all that is not a secret stays
/// as it is, line ends included. The length may change, Content-Length does not follow.
///
/// Blanked are
/// - of Digest credentials (RFC 7616) `response` and whatever is not known to be harmless; user,
///   realm, nonce, cnonce, nc, qop, opaque and URI stay, since a trace without them says little
///   and nothing can be guessed from them alone. Credentials of other schemes whole. `rspauth` of
///   Authentication-Info, and 3GPP's `ck` and `ik` of challenges;
/// - Identity (RFC 8224) and other headers that are named after a token, a cookie or a secret;
/// - passwords in URIs (sip:user:password@host), and credentials in a URI's headers;
/// - keys in session descriptions: `a=crypto` (RFC 4568), `a=key-mgmt`, `k=`, `a=ice-pwd`;
/// - dialled digits in bodies (DTMF relay, KPML): they may be a PIN. Durations stay.
///
/// A line is judged wherever it stands, so what is quoted in a body (sipfrag, a multipart) is
/// blanked as in a header. What a message says in words (MESSAGE, a subject) stays.
void append_redacted(std::string& to, std::string_view message);

[[nodiscard]] std::string redacted(std::string_view message);

} // namespace jackfield::sip
