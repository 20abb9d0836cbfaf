#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace jackfield::ice {

/// What one end's checks are authenticated with: a=ice-ufrag and a=ice-pwd (RFC 8839 §5.4). The
/// password is wiped when it is replaced or goes.
struct credentials {
  std::string ufrag;
  std::string pwd;

  credentials() = default;
  credentials(std::string ufrag_text, std::string pwd_text);
  credentials(const credentials&) = default;
  credentials& operator=(const credentials& other);
  ~credentials();

  /// 4..256 and 22..256 ice-chars.
  [[nodiscard]] bool valid() const noexcept;

  friend bool operator==(const credentials&, const credentials&) = default;

private:
  void wipe() noexcept;
};

/// Bytes that `make_credentials` wants.
inline constexpr size_t credential_bytes = 32;

/// Makes a ufrag of 8 and a password of 24 characters, 6 bits each, from bytes that nobody can
/// guess.
[[nodiscard]] credentials make_credentials(std::span<const std::byte, credential_bytes> random);

} // namespace jackfield::ice
