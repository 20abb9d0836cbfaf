#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/sip/method.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

// Header values parsed when asked for. All take one value (see `message::each_value` for fields
// with several), give views into it, and answer nothing where the value is malformed.

/// The value of a parameter that follows the first ';' outside quotes and angle brackets; without
/// its quotes where quoted (its escapes kept), empty where there is no '='. Names compare without
/// case.
[[nodiscard]] std::optional<std::string_view> parameter(std::string_view value,
                                                        std::string_view name) noexcept;

/// A Content-Disposition that says that its body need not be understood (RFC 3261 §20.11).
[[nodiscard]] bool is_optional(std::string_view content_disposition) noexcept;

/// Replaces each quoted pair "\x" by "x": a display name or a quoted parameter as meant.
[[nodiscard]] std::string unquote(std::string_view quoted);

/// From, To, Contact, Route, Record-Route, Path, Refer-To and the like (RFC 3261 §20.10).
struct name_addr {
  /// Without quotes; its escapes are kept.
  std::string_view display_name;
  /// As it stands between '<' and '>', or the bare addr-spec; see `uri::parse`. "*" for the
  /// Contact of a REGISTER that removes all bindings.
  std::string_view uri;
  bool bracketed = false;
  /// From the first ';' behind the address: not those of the URI.
  std::string_view parameters;
  /// Empty if there is none.
  std::string_view tag;

  [[nodiscard]] bool is_star() const noexcept { return uri == "*" && !bracketed; }
  /// See the function of the same name.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
  /// Contact: seconds. A malformed value counts as absent (§20.10: as 3600, the usual default).
  [[nodiscard]] std::optional<uint32_t> expires() const noexcept;
  /// Contact: preference in thousandths; 1000 where absent or malformed.
  [[nodiscard]] int q() const noexcept;
};

/// An unquoted display name may have characters that are no tokens, as many senders write, but none
/// that separates. A second value behind a comma makes the value malformed.
[[nodiscard]] std::optional<name_addr> parse_name_addr(std::string_view value) noexcept;

/// One value of Via (RFC 3261 §20.42, RFC 3581).
struct via {
  std::string_view protocol;  // "SIP"
  std::string_view version;   // "2.0"
  std::string_view transport; // "UDP", as received
  std::string_view host;      // without brackets
  uint16_t port = 0;          // 0: absent
  std::string_view branch;    // empty: absent
  std::string_view received;  // an address without brackets, also where it came with them
  std::string_view maddr;
  std::optional<uint8_t> ttl;
  bool has_rport = false;
  uint16_t rport = 0; // 0: without a value
};

[[nodiscard]] std::optional<via> parse_via(std::string_view value) noexcept;

/// Reads the first value of `text` and moves `text` behind it, to its end or the comma. False if it
/// is malformed; then `read.host` is set if the sent-by could be read, and an answer be sent.
[[nodiscard]] bool read_via(std::string_view& text, via& read) noexcept;

struct cseq {
  uint32_t number = 0;
  method what = method::unknown;
  std::string_view method_name;
};

/// Numbers up to 2**32 - 1 (RFC 4475 §3.1.2.4).
[[nodiscard]] std::optional<cseq> parse_cseq(std::string_view value) noexcept;

/// Seconds; a comment and parameters may follow (RFC 3261 §20.33).
[[nodiscard]] std::optional<uint32_t> parse_retry_after(std::string_view value) noexcept;

/// Content-Type and, with ranges, Accept.
struct media_type {
  std::string_view type;    // "application", or "*" in an Accept
  std::string_view subtype; // "sdp", or "*"
  /// From the first ';'.
  std::string_view parameters;

  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
  /// "application/sdp", compared without case.
  [[nodiscard]] bool is(std::string_view type_and_subtype) const noexcept;
};

[[nodiscard]] std::optional<media_type> parse_media_type(std::string_view value) noexcept;

} // namespace jackfield::sip
