#include "engine/transport/tls_context.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "engine/crypto/openssl_handles.hpp"

namespace jackfield::transport {

namespace {

// A key that asks for a passphrase must fail, not stop the process at a terminal prompt.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

tl::unexpected<error> failure(const std::string& place, const std::string& what) {
  return fail(place, what + ": " + crypto::openssl_reason());
}

crypto::bio_handle reader_of(const std::string& pem) {
  return crypto::bio_handle{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

result<void> use_own_in_memory(SSL_CTX* context, const crypto::certificate& own) {
  const std::string place = "certificate in memory";
  const crypto::bio_handle chain = reader_of(own.certificate_pem);
  const crypto::x509_handle leaf{PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr)};
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return failure(place, "cannot be used");
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr))
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      return failure(place, "its chain cannot be used");
    }
  ERR_clear_error(); // the end of the PEM text is reported as an error
  const crypto::bio_handle key_text = reader_of(own.key_pem);
  const crypto::key_handle key{
    PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr)};
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return failure(place, "its private key cannot be used");
  return {};
}

result<void> use_own_files(SSL_CTX* context, const tls_settings& settings) {
  if (settings.certificate_file.empty() || settings.key_file.empty())
    return fail("TLS settings", "a certificate file and a key file go together, one is missing");
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate_file.c_str()) != 1)
    return failure(settings.certificate_file, "no usable PEM certificate chain");
  if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return failure(settings.key_file, "no usable PEM private key");
  return {};
}

result<void> use_own(SSL_CTX* context, tls_context::role side, const tls_settings& settings) {
  const bool files = !settings.certificate_file.empty() || !settings.key_file.empty();
  const bool memory = !settings.own.certificate_pem.empty() || !settings.own.key_pem.empty();
  if (!files && !memory) {
    if (side == tls_context::role::server)
      return fail("TLS settings", "a server needs a certificate and a private key");
    return {};
  }
  if (auto used =
        memory ? use_own_in_memory(context, settings.own) : use_own_files(context, settings);
      !used)
    return used;
  if (SSL_CTX_check_private_key(context) != 1)
    return failure(memory ? "certificate in memory" : settings.key_file,
                   "the private key is not the certificate's");
  return {};
}

result<void> trust(SSL_CTX* context, const tls_settings& settings) {
  const bool explicitly =
    !settings.ca_file.empty() || !settings.ca_directory.empty() || !settings.trusted_pem.empty();
  if (!explicitly && SSL_CTX_set_default_verify_paths(context) != 1)
    return failure("system certificate store", "cannot be used");
  if (!settings.ca_file.empty() && SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) != 1)
    return failure(settings.ca_file, "no usable PEM certificates");
  if (!settings.ca_directory.empty() &&
      SSL_CTX_load_verify_dir(context, settings.ca_directory.c_str()) != 1)
    return failure(settings.ca_directory, "cannot be used as a certificate directory");
  if (settings.trusted_pem.empty())
    return {};
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const crypto::bio_handle text = reader_of(settings.trusted_pem);
  size_t found = 0;
  while (
    const crypto::x509_handle x{PEM_read_bio_X509(text.get(), nullptr, no_passphrase, nullptr)}) {
    if (X509_STORE_add_cert(store, x.get()) != 1)
      return failure("trusted certificates", "cannot be used");
    ++found;
  }
  ERR_clear_error();
  if (found == 0)
    return fail("trusted certificates", "no PEM certificate found");
  // Whoever names a leaf certificate trusts it, whoever issued it.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

int new_session(SSL* ssl, SSL_SESSION* session) {
  const auto* key = static_cast<const std::string*>(SSL_get_app_data(ssl));
  auto* context = static_cast<tls_context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (key == nullptr || context == nullptr)
    return 0;
  context->keep_session(*key, session);
  return 1; // ours to free
}

} // namespace

tls_context::tls_context(role r, bool verifies, ssl_ctx_st* native) noexcept
    : role_(r), verifies_(verifies), native_(native) {}

result<std::shared_ptr<tls_context>> tls_context::make(role r, const tls_settings& settings) {
  ERR_clear_error();
  crypto::ssl_ctx_handle context{
    SSL_CTX_new(r == role::client ? TLS_client_method() : TLS_server_method())};
  if (!context)
    return failure("TLS", "cannot be set up");
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  const int minimum = settings.minimum == tls_version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(context.get(), minimum) != 1)
    return failure("TLS", "the minimum version cannot be set");
  // Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
  if (SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
    return failure("TLS", "no usable cipher");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (auto used = use_own(context.get(), r, settings); !used)
    return tl::unexpected(std::move(used.error()));

  const bool verifies = r == role::client ? settings.verify : settings.verify_client;
  if (verifies) {
    if (auto trusted = trust(context.get(), settings); !trusted)
      return tl::unexpected(std::move(trusted.error()));
    X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context.get()), r == role::client
                                                                       ? X509_PURPOSE_SSL_SERVER
                                                                       : X509_PURPOSE_SSL_CLIENT);
  }
  SSL_CTX_set_verify(context.get(),
                     verifies ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                     nullptr);
  if (r == role::client) {
    // Sessions are kept by us, by name, in what the SSL's application data says.
    SSL_CTX_sess_set_new_cb(context.get(), &new_session);
    SSL_CTX_set_session_cache_mode(context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  } else {
    // Tickets only: a server keeps nothing for clients that may never come back.
    static constexpr unsigned char id[] = "jackfield";
    SSL_CTX_set_session_id_context(context.get(), id, sizeof id - 1);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context.get(), 1);
  }
  std::shared_ptr<tls_context> made{new tls_context{r, verifies, context.release()}};
  SSL_CTX_set_app_data(made->native_, made.get());
  return made;
}

tls_context::~tls_context() {
  for (const auto& [key, session] : sessions_)
    SSL_SESSION_free(session);
  SSL_CTX_free(native_);
}

ssl_session_st* tls_context::session_for(const std::string& key) {
  const std::lock_guard lock{mutex_};
  const auto found = sessions_.find(key);
  if (found == sessions_.end())
    return nullptr;
  SSL_SESSION_up_ref(found->second);
  return found->second;
}

void tls_context::keep_session(const std::string& key, ssl_session_st* session) {
  const std::lock_guard lock{mutex_};
  if (const auto found = sessions_.find(key); found != sessions_.end()) {
    SSL_SESSION_free(found->second);
    found->second = session;
    return;
  }
  if (sessions_.size() >= max_sessions) {
    SSL_SESSION_free(sessions_.begin()->second);
    sessions_.erase(sessions_.begin());
  }
  sessions_.emplace(key, session);
}

} // namespace jackfield::transport
