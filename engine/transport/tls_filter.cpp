#include "engine/transport/tls_filter.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <openssl/x509v3.h>

#include "engine/crypto/openssl_handles.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::transport {

/// What OpenSSL calls: a BIO that reads the bytes of the `feed` under way and writes to the sink,
/// so that an idle
/// connection keeps no buffer of its own.
struct tls_filter::hooks {
  static tls_filter& self(BIO* bio) { return *static_cast<tls_filter*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, int size) {
    BIO_clear_retry_flags(bio);
    tls_filter& filter = self(bio);
    if (filter.input_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t n = std::min(filter.input_.size(), static_cast<size_t>(std::max(size, 0)));
    std::memcpy(to, filter.input_.data(), n);
    filter.input_.remove_prefix(n);
    return static_cast<int>(n);
  }

  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    tls_filter& filter = self(bio);
    if (filter.sink_ != nullptr && size > 0)
      filter.sink_->on_cipher_text({from, static_cast<size_t>(size)});
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lane stream");
      BIO_meth_set_read(m, &read);
      BIO_meth_set_write(m, &write);
      BIO_meth_set_ctrl(m, &control);
      return m;
    }();
    return made;
  }
};

tls_filter::tls_filter(std::shared_ptr<tls_context> context) noexcept
    : context_(std::move(context)) {}

tls_filter::~tls_filter() {
  SSL_free(ssl_);
  // What OpenSSL complained of belongs to this connection, not to the next on this thread.
  ERR_clear_error();
}

result<void> tls_filter::attach() {
  ERR_clear_error();
  ssl_ = SSL_new(context_->native());
  crypto::bio_handle bio{BIO_new(hooks::method())};
  if (ssl_ == nullptr || !bio)
    return fail("tls", crypto::openssl_reason());
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  BIO* both = bio.release();
  SSL_set_bio(ssl_, both, both);
  return {};
}

result<std::unique_ptr<tls_filter>> tls_filter::make_client(std::shared_ptr<tls_context> context,
                                                            const tls_peer& peer) {
  std::unique_ptr<tls_filter> filter{new tls_filter{std::move(context)}};
  if (auto attached = filter->attach(); !attached)
    return tl::unexpected(std::move(attached.error()));
  SSL* ssl = filter->ssl_;
  SSL_set_connect_state(ssl);
  const bool numeric = lane::endpoint::parse(peer.name, 0).has_value();
  // A final dot is right in DNS and wrong in certificates and SNI (RFC 6066 §3).
  std::string name = peer.name;
  if (!numeric && !name.empty() && name.back() == '.')
    name.pop_back();
  if (name.empty() || name.size() > 255 ||
      std::any_of(name.begin(), name.end(), [](char c) { return c <= ' ' || c == 0x7f; }))
    return fail("tls", "the server's name is empty or not a host name");
  if (!numeric && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1)
    return fail("tls " + name, crypto::openssl_reason());
  if (filter->context_->verifies()) {
    X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                             X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const int set =
      numeric
        ? X509_VERIFY_PARAM_set1_ip_asc(rules, lane::endpoint::parse(name, 0)->address().c_str())
        : X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size());
    if (set != 1)
      return fail("tls " + name,
                  "the server's name cannot be checked: " + crypto::openssl_reason());
  }
  filter->session_key_ = name + ':' + std::to_string(peer.port);
  SSL_set_app_data(ssl, &filter->session_key_); // for tls_context, which keeps new sessions
  if (SSL_SESSION* session = filter->context_->session_for(filter->session_key_)) {
    SSL_set_session(ssl, session);
    SSL_SESSION_free(session);
  }
  return filter;
}

result<std::unique_ptr<tls_filter>> tls_filter::make_server(std::shared_ptr<tls_context> context) {
  std::unique_ptr<tls_filter> filter{new tls_filter{std::move(context)}};
  if (auto attached = filter->attach(); !attached)
    return tl::unexpected(std::move(attached.error()));
  SSL_set_accept_state(filter->ssl_);
  return filter;
}

result<void> tls_filter::feed(std::string_view cipher_text, sink& out) {
  if (state_ == state::closed)
    return {};
  ERR_clear_error();
  input_ = cipher_text;
  sink_ = &out;
  const auto leave = [this] {
    input_ = {};
    sink_ = nullptr;
  };
  if (state_ == state::handshaking) {
    const int done = SSL_do_handshake(ssl_);
    if (done != 1) {
      const int why = SSL_get_error(ssl_, done);
      leave();
      if (why == SSL_ERROR_WANT_READ)
        return {};
      state_ = state::closed;
      return failure("handshake failed");
    }
    state_ = state::up;
  }
  std::array<char, 16384> plain; // a record at most (RFC 8446 §5.1)
  for (;;) {
    size_t n = 0;
    const int got = SSL_read_ex(ssl_, plain.data(), plain.size(), &n);
    if (got == 1) {
      if (!out.on_plain_text({plain.data(), n})) {
        leave();
        return {};
      }
      continue;
    }
    const int why = SSL_get_error(ssl_, got);
    leave();
    if (why == SSL_ERROR_WANT_READ)
      return {};
    state_ = state::closed;
    if (why == SSL_ERROR_ZERO_RETURN)
      return {};
    return failure("connection broken");
  }
}

result<void> tls_filter::write(std::string_view plain_text, sink& out) {
  if (state_ != state::up)
    return fail("tls", "not connected");
  if (plain_text.empty())
    return {};
  ERR_clear_error();
  // A message that comes in may be answered from inside `feed`.
  sink* const outer = std::exchange(sink_, &out);
  size_t written = 0;
  const int done = SSL_write_ex(ssl_, plain_text.data(), plain_text.size(), &written);
  sink_ = outer;
  // Our BIO takes everything, so a write is whole or has failed.
  if (done == 1 && written == plain_text.size())
    return {};
  state_ = state::closed;
  return failure("cannot encrypt");
}

void tls_filter::shutdown(sink& out) {
  if (state_ != state::up)
    return;
  state_ = state::closed;
  ERR_clear_error();
  sink* const outer = std::exchange(sink_, &out);
  SSL_shutdown(ssl_);
  sink_ = outer;
  ERR_clear_error();
}

tl::unexpected<error> tls_filter::failure(const char* what) const {
  std::string cause = what;
  cause += ": ";
  const long verdict = SSL_get_verify_result(ssl_);
  if (context_->verifies() && verdict != X509_V_OK) {
    cause += "certificate refused, ";
    cause += X509_verify_cert_error_string(verdict);
    ERR_clear_error();
  } else {
    cause += crypto::openssl_reason();
  }
  return fail("tls", std::move(cause));
}

bool tls_filter::resumed() const noexcept {
  return SSL_session_reused(ssl_) == 1;
}
std::string tls_filter::version() const {
  return SSL_get_version(ssl_);
}
std::string tls_filter::cipher() const {
  const char* name = SSL_get_cipher_name(ssl_);
  return name == nullptr ? "" : name;
}

} // namespace jackfield::transport
