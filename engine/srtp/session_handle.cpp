#include "engine/srtp/session_handle.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <arpa/inet.h>
#include <openssl/crypto.h>

namespace jackfield::srtp {

namespace {

void set_profile(srtp_policy_t& policy, profile p) {
  switch (p) {
  case profile::aes128_cm_sha1_80:
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    break;
  case profile::aes128_cm_sha1_32:
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    break;
  case profile::aead_aes_128_gcm:
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    break;
  case profile::aead_aes_256_gcm:
    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    break;
  }
}

/// Calls `make` with the policy; the copy of the key is wiped after it.
template <class Make>
srtp_err_status_t with_policy(const master_key& key, srtp_ssrc_t source, unsigned long window,
                              Make make) {
  std::array<unsigned char, master_key::most_bytes> bytes{};
  std::ranges::transform(key.bytes(), bytes.begin(),
                         [](std::byte b) { return static_cast<unsigned char>(b); });
  srtp_policy_t policy{};
  set_profile(policy, key.used_by());
  policy.ssrc = source;
  policy.key = bytes.data();
  policy.window_size = window;
  const auto status = make(policy);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return status;
}

} // namespace

result<session_handle> make_session(const master_key& key, srtp_ssrc_t source,
                                    unsigned long window) {
  static const auto ready = srtp_init();
  if (ready != srtp_err_status_ok)
    return fail("srtp", "libsrtp cannot be used: error " + std::to_string(ready));
  srtp_t made = nullptr;
  const auto status = with_policy(
    key, source, window, [&](const srtp_policy_t& policy) { return srtp_create(&made, &policy); });
  if (status != srtp_err_status_ok)
    return fail("srtp", "no session: libsrtp's error " + std::to_string(status));
  return session_handle{made};
}

result<void> add_stream(srtp_ctx_t& session, const master_key& key, srtp_ssrc_t source,
                        unsigned long window) {
  const auto status = with_policy(key, source, window, [&](const srtp_policy_t& policy) {
    return srtp_add_stream(&session, &policy);
  });
  if (status != srtp_err_status_ok)
    return fail("srtp", "no stream: libsrtp's error " + std::to_string(status));
  return {};
}

uint32_t ssrc_in_list_order(uint32_t ssrc) noexcept {
  return htonl(ssrc);
}

} // namespace jackfield::srtp
