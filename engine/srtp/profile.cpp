#include "engine/srtp/profile.hpp"

#include <algorithm>

namespace jackfield::srtp {

std::string_view suite_of(profile p) noexcept {
  switch (p) {
  case profile::aes128_cm_sha1_80:
    return "AES_CM_128_HMAC_SHA1_80";
  case profile::aes128_cm_sha1_32:
    return "AES_CM_128_HMAC_SHA1_32";
  case profile::aead_aes_128_gcm:
    return "AEAD_AES_128_GCM";
  case profile::aead_aes_256_gcm:
    break;
  }
  return "AEAD_AES_256_GCM";
}

std::optional<profile> profile_of(std::string_view suite) noexcept {
  const auto at = std::ranges::find(profiles, suite, suite_of);
  return at == profiles.end() ? std::nullopt : std::optional(*at);
}

std::optional<profile> profile_of(uint16_t number) noexcept {
  const auto at = std::ranges::find(profiles, static_cast<profile>(number));
  return at == profiles.end() ? std::nullopt : std::optional(*at);
}

size_t key_bytes(profile p) noexcept {
  return p == profile::aead_aes_256_gcm ? 32 : 16;
}

size_t salt_bytes(profile p) noexcept {
  return p == profile::aead_aes_128_gcm || p == profile::aead_aes_256_gcm ? 12 : 14;
}

} // namespace jackfield::srtp
