#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jackfield::sip {

/// Ordered by strength: the greater is preferred.
enum class digest_algorithm : uint8_t { md5, sha256, sha512_256 };

enum class digest_qop : uint8_t { none, auth, auth_int };

/// Credentials longer than this are neither built nor read (SEC-05).
inline constexpr size_t max_credential_bytes = 2048;

/// What one request is, for its credential.
struct digest_request {
  std::string_view method_name;
  std::string_view uri;
  std::string_view body;
};

} // namespace jackfield::sip
