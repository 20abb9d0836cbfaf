#include "engine/dtls/handshake.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/crypto/openssl_handles.hpp"
#include "engine/dtls/record.hpp"

namespace jackfield::dtls {

namespace {

constexpr const char* place = "DTLS";

// What is shorter than its cipher's tag, and explicit nonce if it has one, cannot be genuine, and
// OpenSSL 3.0 breaks on it instead of discarding it. Until the handshake is over only Finished is
// encrypted, which is longer in any case.
size_t least_encrypted(const SSL* ssl, bool finished) {
  constexpr size_t tag = 16;
  constexpr size_t nonce_of_gcm = 8; // RFC 5288 §3
  const SSL_CIPHER* cipher = finished ? SSL_get_current_cipher(ssl) : nullptr;
  const bool chacha =
    cipher != nullptr && SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305;
  return chacha ? tag : tag + nonce_of_gcm;
}

} // namespace

/// What OpenSSL calls: a BIO that reads the datagram of the call under way and writes one datagram
/// at a time, and the timer.
struct handshake::hooks {
  static handshake& self(BIO* bio) { return *static_cast<handshake*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, int size) {
    BIO_clear_retry_flags(bio);
    handshake& h = self(bio);
    if (h.input_.empty() || size <= 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    // As of a socket: what has no room is lost.
    const auto datagram = std::exchange(h.input_, {});
    const size_t n = std::min(datagram.size(), static_cast<size_t>(size));
    std::memcpy(to, datagram.data(), n);
    return static_cast<int>(n);
  }

  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    if (size <= 0)
      return size;
    handshake& h = self(bio);
    const auto datagram = std::as_bytes(std::span{from, static_cast<size_t>(size)});
    const auto type = static_cast<content_type>(datagram.front());
    // A server's last flight has no timer, and so nothing but its content to know it by.
    if (h.role_ == role::server && type == content_type::change_cipher_spec)
      h.copying_ = false;
    if (h.copying_ && type != content_type::alert)
      h.copies_.add(datagram);
    else
      h.out_->send(datagram);
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lane datagrams");
      BIO_meth_set_read(m, &read);
      BIO_meth_set_write(m, &write);
      BIO_meth_set_ctrl(m, &control);
      return m;
    }();
    return made;
  }

  // Called when a flight begins (0) and when it timed out; returns the wait in microseconds.
  static unsigned int timer(SSL* ssl, unsigned int last_wait) {
    handshake& h = *static_cast<handshake*>(static_cast<certificate_check*>(SSL_get_app_data(ssl)));
    constexpr unsigned int at_once = 1;
    constexpr unsigned int never = std::numeric_limits<unsigned int>::max();
    if (last_wait == 0) {
      h.copies_.clear();
      h.copying_ = false;
      h.new_flight_ = true;
      return at_once;
    }
    h.copying_ = true;
    h.copies_.begin_copy();
    return h.copies_.made() < flight_copies::max_copies ? at_once : never;
  }
};

handshake::handshake(std::shared_ptr<const identity> own, role r, handshake_sink& out,
                     lane::duration limit) noexcept
    : identity_(std::move(own)), out_(&out), limit_(limit), role_(r) {}

handshake::~handshake() {
  SSL_free(ssl_);
  // What OpenSSL complained of belongs to this association, not to the next on this thread.
  ERR_clear_error();
}

result<std::unique_ptr<handshake>> handshake::make(std::shared_ptr<const identity> own, role r,
                                                   handshake_sink& out, lane::duration limit) {
  std::unique_ptr<handshake> made{new handshake{std::move(own), r, out, limit}};
  if (auto attached = made->attach(); !attached)
    return tl::unexpected{std::move(attached.error())};
  return made;
}

result<void> handshake::attach() {
  ERR_clear_error();
  ssl_ = SSL_new(identity_->native());
  crypto::bio_handle bio{BIO_new(hooks::method())};
  if (ssl_ == nullptr || !bio)
    return fail(place, crypto::openssl_reason());
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  BIO* both = bio.release();
  SSL_set_bio(ssl_, both, both);
  SSL_set_app_data(ssl_, static_cast<certificate_check*>(this));
  DTLS_set_timer_cb(ssl_, &hooks::timer);
  SSL_set_mtu(ssl_, static_cast<long>(mtu));
  if (role_ == role::client)
    SSL_set_connect_state(ssl_);
  else
    SSL_set_accept_state(ssl_);
  return {};
}

void handshake::expect(fingerprint_list expected) {
  if (state_ != state::idle && state_ != state::running)
    return;
  expected_ = std::move(expected);
  if (!expected_->usable())
    give_up(failure::fingerprint, "the peer's description has no fingerprint to verify by");
  else if (finished_)
    conclude();
}

void handshake::start(lane::time_point now) {
  if (state_ != state::idle)
    return;
  state_ = state::running;
  fails_at_ = now + limit_;
  if (role_ == role::client)
    advance(now);
}

void handshake::on_datagram(std::span<const std::byte> datagram, lane::time_point now) {
  if (state_ != state::running && state_ != state::done)
    return;
  input_ = worth_reading(datagram);
  if (input_.empty()) {
    ++ignored_;
    return;
  }
  advance(now);
  input_ = {};
}

/// The whole records at the datagram's front; nothing if one of them is not plausible.
std::span<const std::byte> handshake::worth_reading(std::span<const std::byte> datagram) {
  if (datagram.size() > max_datagram)
    return {};
  auto rest = datagram;
  const size_t least = least_encrypted(ssl_, finished_);
  size_t encrypted = 0;
  while (const auto r = next_record(rest)) {
    if (!plausible(*r) || (r->epoch != 0 && r->fragment.size() < least))
      return {};
    if (r->epoch != 0)
      ++encrypted;
  }
  if (!finished_) {
    if (encrypted > max_early_encrypted - early_encrypted_)
      return {};
    early_encrypted_ += encrypted;
  }
  return datagram.first(datagram.size() - rest.size());
}

void handshake::on_timer(lane::time_point now) {
  if (state_ != state::running || now < deadline())
    return;
  if (now >= fails_at_) {
    give_up(failure::timeout, finished_ ? "no fingerprint to verify by came in time"
                                        : std::string{"not done in time, last state: "} +
                                            SSL_state_string_long(ssl_));
    return;
  }
  copies_.send_next(*out_);
  wait_ = std::min<lane::duration>(2 * wait_, longest_wait);
  resends_at_ = copies_.empty() ? lane::time_point::max() : now + wait_;
}

lane::time_point handshake::deadline() const noexcept {
  return state_ == state::running ? std::min(fails_at_, resends_at_) : lane::time_point::max();
}

void handshake::advance(lane::time_point now) {
  ERR_clear_error();
  if (!finished_) {
    const int done = SSL_do_handshake(ssl_);
    if (std::exchange(new_flight_, false)) {
      wait_ = first_wait;
      resends_at_ = now + wait_;
    }
    if (done != 1) {
      if (SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ)
        fail_by_openssl("handshake failed");
      return;
    }
    finished_ = true;
    copies_.clear();
    resends_at_ = lane::time_point::max();
    lingers_until_ = role_ == role::server ? now + linger : now;
    conclude();
  }
  if (state_ != state::failed)
    drain();
}

/// Reads what came after the handshake: a repeated flight, which OpenSSL answers with our last one,
/// alerts, and application data, of which there is none in DTLS-SRTP.
void handshake::drain() {
  std::array<unsigned char, 2048> scratch;
  for (;;) {
    size_t n = 0;
    const int got = SSL_read_ex(ssl_, scratch.data(), scratch.size(), &n);
    if (got == 1)
      continue;
    if (SSL_get_error(ssl_, got) == SSL_ERROR_WANT_READ)
      return;
    // Once there are keys only the peer, who has them too, can end it.
    if (state_ == state::done && (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) == 0)
      ++ignored_;
    else
      fail_by_openssl("closed by the peer");
    ERR_clear_error();
    return;
  }
}

bool handshake::accepts(const x509_st* certificate) {
  // Without an expectation the verdict waits for it; there are no keys until then.
  refused_ = expected_ && !expected_->matches(certificate);
  return !refused_;
}

void handshake::conclude() {
  const SRTP_PROTECTION_PROFILE* chosen = SSL_get_selected_srtp_profile(ssl_);
  const srtp_profile* profile = chosen == nullptr ? nullptr : find_srtp_profile(chosen->id);
  if (profile == nullptr) {
    say_goodbye();
    give_up(failure::no_srtp_profile, "no SRTP protection profile in common with the peer");
    return;
  }
  if (!expected_)
    return;
  if (!expected_->matches(SSL_get0_peer_certificate(ssl_))) {
    say_goodbye();
    give_up(failure::fingerprint, "the peer's certificate does not have the fingerprint expected");
    return;
  }
  export_keys(*profile);
}

void handshake::export_keys(const srtp_profile& profile) {
  static constexpr std::string_view label = "EXTRACTOR-dtls_srtp";
  std::array<unsigned char, 2 * srtp_keys::max_key_and_salt> material;
  const size_t size = 2 * (size_t{profile.key} + profile.salt);
  if (SSL_export_keying_material(ssl_, material.data(), size, label.data(), label.size(), nullptr,
                                 0, 0) == 1) {
    keys_.emplace(profile, std::as_bytes(std::span{material}.first(size)), role_ == role::client);
    state_ = state::done;
  } else {
    fail_by_openssl("keys cannot be exported");
  }
  OPENSSL_cleanse(material.data(), material.size());
}

void handshake::close() {
  if (state_ != state::done)
    return;
  say_goodbye();
  state_ = state::closed;
}

void handshake::say_goodbye() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void handshake::fail_by_openssl(const char* what) {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  std::string cause = what;
  if (code != 0)
    cause += ": " + crypto::openssl_reason();
  ERR_clear_error();
  if (state_ == state::done) {
    state_ = state::closed;
    cause_ = std::move(cause);
  } else if (refused_) {
    give_up(failure::fingerprint, "the peer's certificate does not have the fingerprint expected");
  } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    give_up(failure::no_certificate, "the peer presented no certificate");
  } else if (reason > SSL_AD_REASON_OFFSET ||
             (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0) {
    // Reasons from there on are numbers of alerts.
    give_up(failure::alert, std::move(cause));
  } else {
    give_up(failure::protocol, std::move(cause));
  }
}

void handshake::give_up(failure why, std::string cause) {
  state_ = state::failed;
  failure_ = why;
  cause_ = std::move(cause);
  copies_.clear();
}

} // namespace jackfield::dtls
