#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/error/error.hpp"

struct ssl_ctx_st;

namespace jackfield::transport {

enum class tls_version : uint8_t { tls_1_2, tls_1_3 };

/// A certificate with its private key, both PEM.
struct certificate {
  std::string certificate_pem; // the chain, leaf first
  std::string key_pem;
};

/// Makes a self-signed EC P-256 certificate, valid for a year from an hour ago, for the DNS names
/// and numeric IP addresses given (at least one). For the embedded answering engine and for tests:
/// nobody trusts it who is not told to (`tls_settings::trusted_pem`).
[[nodiscard]] result<certificate> self_signed_certificate(std::span<const std::string> names);

/// How one end of TLS presents itself and whom it trusts.
struct tls_settings {
  /// What we present, as files (PEM, chain leaf first) or in memory. A server must have one; a
  /// client may (mutual TLS).
  std::string certificate_file;
  std::string key_file;
  certificate own;
  /// Whom we trust: a file or directory of PEM authorities, or certificates in memory; with none
  /// of the three, the system's store.
  std::string ca_file;
  std::string ca_directory;
  std::string trusted_pem;
  /// A client: check the server's chain, name, time and purpose. A server: demand and check a
  /// client's certificate, only if `verify_client` is set.
  bool verify = true;
  bool verify_client = false;
  tls_version minimum = tls_version::tls_1_2;
};

/// A side of TLS, read and checked once, shared by connections; immutable after it was made and
/// safe to share between lanes (OpenSSL locks its session cache: one context a lane is faster).
/// Two contexts never share a pooled connection: the context *is* the verification policy.
class tls_context {
public:
  enum class role : uint8_t { client, server };

  /// Fails with the file and reason if something cannot be read or does not fit together.
  static result<std::shared_ptr<tls_context>> make(role r, const tls_settings& settings);
  ~tls_context();
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  [[nodiscard]] role side() const noexcept { return role_; }
  [[nodiscard]] bool verifies() const noexcept { return verifies_; }
  [[nodiscard]] ssl_ctx_st* native() const noexcept { return native_; }

private:
  tls_context(role r, bool verifies, ssl_ctx_st* native) noexcept
      : role_(r), verifies_(verifies), native_(native) {}

  role role_;
  bool verifies_;
  ssl_ctx_st* native_;
};

} // namespace jackfield::transport
