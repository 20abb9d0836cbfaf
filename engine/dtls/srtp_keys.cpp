#include "engine/dtls/srtp_keys.hpp"

#include <algorithm>

#include <openssl/crypto.h>

namespace jackfield::dtls {

namespace {

constexpr std::array<srtp_profile, 4> profiles{{
  {0x0001, 16, 14},
  {0x0002, 16, 14},
  {0x0007, 16, 12},
  {0x0008, 32, 12},
}};

} // namespace

const srtp_profile* find_srtp_profile(uint64_t id) noexcept {
  const auto* const found = std::ranges::find(profiles, id, &srtp_profile::id);
  return found == profiles.end() ? nullptr : found;
}

srtp_keys::srtp_keys(const srtp_profile& profile, std::span<const std::byte> exported,
                     bool client) noexcept
    : profile_(profile) {
  const size_t key = profile.key;
  const size_t salt = profile.salt;
  key_and_salt& of_client = client ? local_ : remote_;
  key_and_salt& of_server = client ? remote_ : local_;
  std::ranges::copy(exported.subspan(0, key), of_client.begin());
  std::ranges::copy(exported.subspan(key, key), of_server.begin());
  std::ranges::copy(exported.subspan(2 * key, salt), of_client.begin() + profile.key);
  std::ranges::copy(exported.subspan(2 * key + salt, salt), of_server.begin() + profile.key);
}

srtp_keys::~srtp_keys() {
  OPENSSL_cleanse(local_.data(), local_.size());
  OPENSSL_cleanse(remote_.data(), remote_.size());
}

} // namespace jackfield::dtls
