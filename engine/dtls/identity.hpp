#pragma once

#include <memory>

#include "engine/dtls/fingerprint.hpp"
#include "engine/error/error.hpp"

struct ssl_ctx_st;
struct x509_st;

namespace jackfield::dtls {

/// What an association that is made from an `identity` has as its SSL's application data: it
/// decides of the peer's certificate, once, while the handshake runs. Nothing else of it is
/// verified.
class certificate_check {
public:
  virtual bool accepts(const x509_st* certificate) = 0;

protected:
  ~certificate_check() = default;
};

/// Who we are in DTLS: one ECDSA P-256 certificate and what all handshakes of a process have in
/// common. DTLS 1.2 alone (a peer that offers 1.3 as well falls back), ECDHE with AES-GCM or
/// ChaCha20, no tickets, no resumption, no renegotiation; AEAD_AES_128_GCM is the first of the SRTP
/// profiles (RFC 7714), AEAD_AES_256_GCM and the two of AES_CM with SHA1 (RFC 5764) follow.
/// Never changes once made: any number of threads may make handshakes from it.
class identity {
public:
  static result<std::shared_ptr<const identity>> make();
  ~identity();
  identity(const identity&) = delete;
  identity& operator=(const identity&) = delete;

  /// SHA-256, for our a=fingerprint.
  [[nodiscard]] const dtls::fingerprint& fingerprint() const noexcept { return fingerprint_; }
  [[nodiscard]] ssl_ctx_st* native() const noexcept { return native_; }

private:
  identity(ssl_ctx_st* native, const dtls::fingerprint& own) noexcept;

  ssl_ctx_st* native_;
  dtls::fingerprint fingerprint_;
};

} // namespace jackfield::dtls
