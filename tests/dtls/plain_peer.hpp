#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/crypto/openssl_handles.hpp"
#include "engine/dtls/fingerprint.hpp"

namespace jackfield::dtls {

/// What another implementation may be like.
struct peer_wish {
  enum class key_kind { none, ecdsa, rsa };

  key_kind key = key_kind::ecdsa;
  std::string srtp_profiles = "SRTP_AEAD_AES_128_GCM"; ///< empty: no use_srtp
  int version = 0;                                     ///< OpenSSL's number; 0: what OpenSSL likes
  std::string ciphers = "DEFAULT";
};

/// A peer made of OpenSSL alone, which trusts everybody: what our handshakes are held against.
class plain_peer {
public:
  plain_peer(bool client, const peer_wish& wish);

  /// Takes a datagram (none: begins) and returns what it sends.
  std::vector<std::byte> step(std::span<const std::byte> datagram);
  [[nodiscard]] bool finished() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  /// True once we said goodbye to it or gave up.
  [[nodiscard]] bool told_to_stop() const { return told_to_stop_; }
  /// What OpenSSL complained of first.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  [[nodiscard]] SSL* native() const { return ssl_.get(); }
  [[nodiscard]] fingerprint own_fingerprint() const;
  /// The exporter's 2 * (key + salt) bytes.
  [[nodiscard]] std::vector<std::byte> exported(size_t size) const;
  /// What it sends when it says so.
  std::vector<std::byte> send(std::span<const unsigned char> application_data);
  std::vector<std::byte> say_goodbye();

private:
  std::vector<std::byte> sent();

  crypto::x509_handle certificate_;
  crypto::ssl_ctx_handle context_;
  crypto::ssl_handle ssl_;
  std::string complaint_;
  bool told_to_stop_ = false;
};

} // namespace jackfield::dtls
