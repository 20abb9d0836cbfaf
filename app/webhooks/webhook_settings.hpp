#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"

namespace jackfield::webhooks {

class trusted_authorities;

/// Where a webhook's deliveries go.
struct webhook_url {
  bool secure = true;  ///< https
  std::string host;    ///< a name or an address, without brackets
  uint16_t port = 443; ///< not 0
  std::string target;  ///< path and query: "/hook?key=1"

  /// http:// or https://, without user and fragment. Its error does not quote it: a query may be a
  /// secret.
  static result<webhook_url> parse(std::string_view text);
  /// As a Host header has it: the port where it is another than the scheme's.
  [[nodiscard]] std::string authority() const;
  /// Without the query: fit to be shown.
  [[nodiscard]] std::string shown() const;
  /// A literal of this machine, or "localhost".
  [[nodiscard]] bool is_loopback() const;

  friend bool operator==(const webhook_url&, const webhook_url&) = default;
};

/// Who is told of events, and how.
struct webhook_settings {
  std::string name; ///< of its own
  webhook_url url;
  std::string secret;              ///< bytes
  std::vector<std::string> events; ///< how names of those it is told of begin; none: all
  bool insecure = false;           ///< http to others than this machine
  std::shared_ptr<const trusted_authorities> trusts; ///< set if the URL is secure
};

/// "whsec_" and 24 to 64 bytes in base64, as Standard Webhooks has it: the bytes. Its error does
/// not quote it.
[[nodiscard]] result<std::string> read_webhook_secret(std::string_view text);

/// webhook-signature: "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY".
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::string_view id,
                                            int64_t timestamp, std::string_view body);

} // namespace jackfield::webhooks
