#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jackfield::srtp {

/// How packets are encrypted and authenticated; the values are DTLS-SRTP's (RFC 5764 §4.1.2, RFC
/// 7714 §14.2). SRTCP is authenticated by 80 bits under both AES_CM profiles (RFC 4568 §6.2.2).
enum class profile : uint16_t {
  aes128_cm_sha1_80 = 0x0001,
  aes128_cm_sha1_32 = 0x0002,
  aead_aes_128_gcm = 0x0007,
  aead_aes_256_gcm = 0x0008,
};

/// All that there are, in the order in which they are offered: AES-GCM passes over a packet once.
inline constexpr std::array profiles{profile::aead_aes_128_gcm, profile::aead_aes_256_gcm,
                                     profile::aes128_cm_sha1_80, profile::aes128_cm_sha1_32};

/// As SDES names it ("AES_CM_128_HMAC_SHA1_80", RFC 4568 §6.2; "AEAD_AES_128_GCM", RFC 7714 §14.1).
[[nodiscard]] std::string_view suite_of(profile p) noexcept;
/// Names are compared as they are written; nothing for one that is none of ours.
[[nodiscard]] std::optional<profile> profile_of(std::string_view suite) noexcept;
/// By DTLS-SRTP's number.
[[nodiscard]] std::optional<profile> profile_of(uint16_t number) noexcept;

/// Bytes of a master key and of its salt.
[[nodiscard]] size_t key_bytes(profile p) noexcept;
[[nodiscard]] size_t salt_bytes(profile p) noexcept;

} // namespace jackfield::srtp
