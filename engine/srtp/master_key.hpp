#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/srtp/profile.hpp"

namespace jackfield::srtp {

/// The secret of one direction: a master key with its salt, for one profile. Wiped when it goes; it
/// has no printed form but the one that SDES asks for.
class master_key {
public:
  /// `bytes` is the key, then the salt: of another length than the profile's it is an error, whose
  /// place is "srtp key" and which quotes none of it.
  static result<master_key> from(profile p, std::span<const std::byte> bytes);
  /// From base64 (RFC 4568 §6.1), as `from`.
  static result<master_key> parse(profile p, std::string_view base64);

  master_key(const master_key&) = default;
  master_key& operator=(const master_key&) = default;
  ~master_key();

  [[nodiscard]] profile used_by() const noexcept { return profile_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::span{bytes_}.first(size_);
  }
  /// Key and salt in base64, for a=crypto.
  [[nodiscard]] std::string base64() const;

  /// Bytes that a key with its salt has.
  [[nodiscard]] static size_t size_for(profile p) noexcept { return key_bytes(p) + salt_bytes(p); }
  static constexpr size_t most_bytes = 46;

  friend bool operator==(const master_key&, const master_key&) = default;

private:
  master_key(profile p, std::span<const std::byte> bytes) noexcept;

  std::array<std::byte, most_bytes> bytes_{};
  uint8_t size_;
  profile profile_;
};

} // namespace jackfield::srtp
