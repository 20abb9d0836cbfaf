#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "engine/sip/cursor.hpp"
#include "engine/sip/digest_types.hpp"
#include "engine/sip/text.hpp"

/// What the client's and the server's side of digest have in common: texts and hashes. For them
/// only.
namespace jackfield::sip::digest_detail {

/// False where the system's OpenSSL does not offer the algorithm (MD5 under FIPS).
[[nodiscard]] bool has_algorithm(digest_algorithm a) noexcept;

void append_hex(std::string& out, const unsigned char* bytes, size_t n);
/// The last `digits` hexadecimal digits of `n`.
void append_hex(std::string& out, uint64_t n, size_t digits);
/// Exactly `digits` of them, or nothing.
[[nodiscard]] std::optional<uint64_t> parse_hex(std::string_view text, size_t digits) noexcept;

/// In quotation marks, with the escapes that needs.
void append_quoted(std::string& out, std::string_view text);
[[nodiscard]] std::string unescape_quoted(std::string_view text);

/// Digest of several pieces with a colon between them, in hexadecimal; empty if there is no such
/// algorithm.
[[nodiscard]] std::string hex_of(digest_algorithm a,
                                 std::initializer_list<std::string_view> pieces);

[[nodiscard]] std::string_view qop_name(digest_qop q) noexcept;

/// RFC 7616 §3.4.1.
[[nodiscard]] std::string response_of(digest_algorithm a, bool session, digest_qop qop,
                                      std::string_view ha1, std::string_view nonce,
                                      std::string_view nc, std::string_view cnonce,
                                      const digest_request& r, std::string_view uri_text);

/// Walks "Scheme a=b, c="d", Scheme e=f": calls `on_scheme(name, text_from_here)` and
/// `on_parameter(name, value, quoted)`; the latter's value has its escapes. False if malformed.
template <class S, class P>
bool walk_auth(std::string_view text, S&& on_scheme, P&& on_parameter) {
  cursor at(text);
  for (;;) {
    at.skip_space();
    while (at.skip(','))
      at.skip_space();
    if (at.done())
      return true;
    auto name = at.take(token_char);
    if (name.empty())
      return false;
    at.skip_space();
    if (!at.skip('=')) {
      on_scheme(name);
      continue;
    }
    at.skip_space();
    if (at.peek() == '"') {
      auto value = at.take_quoted();
      if (!value)
        return false;
      on_parameter(name, *value, true);
    } else {
      auto value = at.take(value_char);
      if (value.empty())
        return false;
      on_parameter(name, value, false);
    }
  }
}

} // namespace jackfield::sip::digest_detail
