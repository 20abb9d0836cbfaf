#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace jackfield::crypto {

/// Frees an OpenSSL object by the function that its type wants.
template <auto Free>
struct openssl_free {
  template <class T>
  void operator()(T* x) const noexcept {
    Free(x);
  }
};

using bio_handle = std::unique_ptr<BIO, openssl_free<BIO_free_all>>;
using key_handle = std::unique_ptr<EVP_PKEY, openssl_free<EVP_PKEY_free>>;
using x509_handle = std::unique_ptr<X509, openssl_free<X509_free>>;
using ssl_handle = std::unique_ptr<SSL, openssl_free<SSL_free>>;
using ssl_ctx_handle = std::unique_ptr<SSL_CTX, openssl_free<SSL_CTX_free>>;

/// Takes the oldest error off this thread's OpenSSL queue, empties the queue, and says what it was.
[[nodiscard]] inline std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return "unknown reason";
  if (const char* reason = ERR_reason_error_string(code))
    return reason;
  return "OpenSSL error " + std::to_string(code);
}

} // namespace jackfield::crypto
