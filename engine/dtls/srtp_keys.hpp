#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace jackfield::dtls {

/// The lengths in bytes that go with an SRTP protection profile (RFC 5764 §4.1.2, RFC 7714 §14.2).
struct srtp_profile {
  uint16_t id;
  uint8_t key;
  uint8_t salt;
};

/// Null if the profile is none of those that an `identity` offers.
[[nodiscard]] const srtp_profile* find_srtp_profile(uint64_t id) noexcept;

/// The master keys and salts of both directions, wiped when they go. Neither copied nor moved, so
/// that there is one place to wipe.
class srtp_keys {
public:
  static constexpr size_t max_key_and_salt = 32 + 14;

  /// Divides what the exporter yields, 2 * (key + salt) bytes: the client's key, the server's, the
  /// client's salt, the server's (RFC 5764 §4.2). `client`: we are the DTLS client.
  srtp_keys(const srtp_profile& profile, std::span<const std::byte> exported, bool client) noexcept;
  ~srtp_keys();
  srtp_keys(const srtp_keys&) = delete;
  srtp_keys& operator=(const srtp_keys&) = delete;

  /// IANA's number: 1 AES128_CM_SHA1_80, 2 AES128_CM_SHA1_32, 7 AEAD_AES_128_GCM,
  /// 8 AEAD_AES_256_GCM.
  [[nodiscard]] uint16_t profile() const noexcept { return profile_.id; }
  /// The master key, then the salt, for what we send.
  [[nodiscard]] std::span<const std::byte> local() const noexcept { return part(local_); }
  /// The same for what the peer sends.
  [[nodiscard]] std::span<const std::byte> remote() const noexcept { return part(remote_); }

private:
  using key_and_salt = std::array<std::byte, max_key_and_salt>;

  [[nodiscard]] std::span<const std::byte> part(const key_and_salt& whole) const noexcept {
    return std::span{whole}.first(size_t{profile_.key} + profile_.salt);
  }

  srtp_profile profile_;
  key_and_salt local_{};
  key_and_salt remote_{};
};

} // namespace jackfield::dtls
