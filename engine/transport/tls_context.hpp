#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/crypto/certificate.hpp"
#include "engine/error/error.hpp"

struct ssl_ctx_st;
struct ssl_session_st;

namespace jackfield::transport {

enum class tls_version : uint8_t { tls_1_2, tls_1_3 };

/// How one end of TLS presents itself and whom it trusts.
struct tls_settings {
  /// What we present, as files (PEM, chain leaf first) or in memory. A server must have one; a
  /// client may (mutual TLS).
  std::string certificate_file;
  std::string key_file;
  crypto::certificate own;
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

  /// A session a client may resume with the peer of that key ("name:port"), to be freed by the
  /// caller; null if there is none. Any thread.
  [[nodiscard]] ssl_session_st* session_for(const std::string& key);
  /// Keeps `session` for `session_for` and owns it from now on. Any thread.
  void keep_session(const std::string& key, ssl_session_st* session);

private:
  static constexpr size_t max_sessions = 1024;

  tls_context(role r, bool verifies, ssl_ctx_st* native) noexcept;

  role role_;
  bool verifies_;
  ssl_ctx_st* native_;
  std::mutex mutex_;
  std::unordered_map<std::string, ssl_session_st*> sessions_;
};

} // namespace jackfield::transport
