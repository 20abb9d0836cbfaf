#include "engine/dtls/identity.hpp"

#include <string>
#include <vector>

#include <openssl/pem.h>

#include "engine/crypto/certificate.hpp"
#include "engine/crypto/openssl_handles.hpp"

namespace jackfield::dtls {

namespace {

constexpr const char* place = "DTLS identity";

// A peer's chain is one certificate; what is longer than this is not read.
constexpr long max_chain = 16 * 1024;

tl::unexpected<error> failure(const std::string& what) {
  return fail(place, what + ": " + crypto::openssl_reason());
}

crypto::bio_handle reader_of(const std::string& pem) {
  return crypto::bio_handle{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

int verify_certificate(X509_STORE_CTX* store, void*) {
  const auto* const ssl =
    static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const check = static_cast<certificate_check*>(SSL_get_app_data(ssl));
  if (check != nullptr && check->accepts(X509_STORE_CTX_get0_cert(store)))
    return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

bool set_up(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_QUERY_MTU | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, max_chain);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &verify_certificate, nullptr);
  return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1 &&
         // Returns 0 when it succeeds.
         SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:"
                                              "SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32") == 0;
}

} // namespace

identity::identity(ssl_ctx_st* native, const dtls::fingerprint& own) noexcept
    : native_(native), fingerprint_(own) {}

identity::~identity() {
  SSL_CTX_free(native_);
}

result<std::shared_ptr<const identity>> identity::make() {
  ERR_clear_error();
  crypto::ssl_ctx_handle context{SSL_CTX_new(DTLS_method())};
  if (!context || !set_up(context.get()))
    return failure("cannot be set up");

  const std::vector<std::string> names{"jackfield"};
  auto own = crypto::self_signed_certificate(names);
  if (!own)
    return tl::unexpected{std::move(own.error())};
  const crypto::x509_handle x{
    PEM_read_bio_X509(reader_of(own->certificate_pem).get(), nullptr, nullptr, nullptr)};
  const crypto::key_handle key{
    PEM_read_bio_PrivateKey(reader_of(own->key_pem).get(), nullptr, nullptr, nullptr)};
  OPENSSL_cleanse(own->key_pem.data(), own->key_pem.size());
  if (!x || !key || SSL_CTX_use_certificate(context.get(), x.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    return failure("certificate cannot be used");

  const auto print = fingerprint::of(x.get(), hash::sha256);
  if (!print)
    return tl::unexpected{print.error()};
  return std::shared_ptr<const identity>{new identity{context.release(), *print}};
}

} // namespace jackfield::dtls
