#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sip {

enum class scheme : uint8_t { sip, sips, tel, other };

/// A name and a value as they stand in the text; the value is empty where there is no '='.
struct named_value {
  std::string_view name, value;
};

/// A URI as views over its text, which must outlive it (RFC 3261 §19.1, IPv6 per RFC 5118 and
/// RFC 5954). Escapes are checked but kept; see `unescape`. A URI of a scheme that is neither SIP,
/// SIPS nor TEL is checked for its characters only.
class uri {
public:
  /// Nothing if malformed: a missing host, a port outside 1..65535, an IPv6 address without
  /// brackets or with two "::", a '%' that begins no escape, a character that must be escaped.
  [[nodiscard]] static std::optional<uri> parse(std::string_view text) noexcept;

  [[nodiscard]] scheme kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_sip() const noexcept {
    return kind_ == scheme::sip || kind_ == scheme::sips;
  }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] std::string_view scheme_name() const noexcept { return scheme_name_; }
  /// Escaped. Of a TEL URI: the number. Empty if there is none.
  [[nodiscard]] std::string_view user() const noexcept { return user_; }
  /// Escaped; empty if there is none.
  [[nodiscard]] std::string_view password() const noexcept { return password_; }
  /// Without brackets.
  [[nodiscard]] std::string_view host() const noexcept { return host_; }
  [[nodiscard]] bool host_is_ipv6() const noexcept { return ipv6_; }
  /// 0 where absent: the default depends on the transport (RFC 3263).
  [[nodiscard]] uint16_t port() const noexcept { return port_; }
  /// "a=b;c": without the first ';'.
  [[nodiscard]] std::string_view parameters() const noexcept { return parameters_; }
  /// "a=b&c=d": without the '?'.
  [[nodiscard]] std::string_view headers() const noexcept { return headers_; }
  /// What follows the scheme and its colon.
  [[nodiscard]] std::string_view opaque() const noexcept {
    return text_.substr(scheme_name_.size() + 1);
  }

  /// The value, escaped; empty for a parameter without one, nothing if absent. Names are compared
  /// without case and with escapes decoded.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
  /// Route: a loose router (RFC 3261 §19.1.1).
  [[nodiscard]] bool is_loose() const noexcept { return parameter("lr").has_value(); }

  /// Equivalence of RFC 3261 §19.1.4; of RFC 3966 §4 for TEL; of the text for other schemes. It is
  /// not transitive.
  friend bool equivalent(const uri& a, const uri& b) noexcept;

private:
  bool parse_sip(std::string_view rest) noexcept;
  bool parse_host(std::string_view text) noexcept;

  std::string_view text_, scheme_name_, user_, password_, host_, parameters_, headers_;
  uint16_t port_ = 0;
  scheme kind_ = scheme::other;
  bool ipv6_ = false;
};

[[nodiscard]] bool equivalent(const uri& a, const uri& b) noexcept;

/// Decodes "%HH" once, never again what came of it: "%2541" is "%41". What is no escape stays. The
/// result may hold any octet, NUL included.
[[nodiscard]] std::string unescape(std::string_view text);

/// Escapes what may not stand in the user part of a SIP URI; `unescape` gives `text` back.
[[nodiscard]] std::string escape_user(std::string_view text);

/// Splits the next parameter off "a=b;c" (or, with '&', the next header off "a=b&c=d").
[[nodiscard]] named_value next_uri_parameter(std::string_view& rest, char separator = ';') noexcept;

/// Appends ";a=b;c" for each parameter but those of that name, whatever its case.
void append_parameters_without(std::string& out, std::string_view parameters,
                               std::string_view name);

/// "2001:db8::1", "::ffff:192.0.2.1"; without brackets, without zone.
[[nodiscard]] bool is_ipv6(std::string_view text) noexcept;
/// Four decimal numbers of 0..255.
[[nodiscard]] bool is_ipv4(std::string_view text) noexcept;

} // namespace jackfield::sip
