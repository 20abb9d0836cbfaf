#include "tests/dtls/plain_peer.hpp"

#include <array>
#include <utility>

#include <openssl/rsa.h>

#include <gtest/gtest.h>

namespace jackfield::dtls {

namespace {

std::pair<crypto::x509_handle, crypto::key_handle> make_certificate(peer_wish::key_kind kind) {
  crypto::key_handle key{kind == peer_wish::key_kind::rsa ? EVP_RSA_gen(2048)
                                                          : EVP_EC_gen("P-256")};
  crypto::x509_handle x{X509_new()};
  ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
  X509_set_pubkey(x.get(), key.get());
  X509_sign(x.get(), key.get(), EVP_sha256());
  return {std::move(x), std::move(key)};
}

} // namespace

plain_peer::plain_peer(bool client, const peer_wish& wish) : context_{SSL_CTX_new(DTLS_method())} {
  SSL_CTX* context = context_.get();
  if (wish.version != 0) {
    // Level 0, as Debian's own level has nothing before DTLS 1.2.
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, wish.version);
    SSL_CTX_set_max_proto_version(context, wish.version);
  }
  if (wish.key != peer_wish::key_kind::none) {
    auto [x, key] = make_certificate(wish.key);
    EXPECT_EQ(SSL_CTX_use_certificate(context, x.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context, key.get()), 1);
    certificate_ = std::move(x);
  }
  EXPECT_EQ(SSL_CTX_set_cipher_list(context, wish.ciphers.c_str()), 1);
  if (!wish.srtp_profiles.empty()) {
    EXPECT_EQ(SSL_CTX_set_tlsext_use_srtp(context, wish.srtp_profiles.c_str()), 0);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  ssl_.reset(SSL_new(context));
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  BIO_set_mem_eof_return(SSL_get_rbio(ssl_.get()), -1);
  SSL_set_options(ssl_.get(), SSL_OP_NO_QUERY_MTU);
  SSL_set_mtu(ssl_.get(), 1200);
  if (client)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

std::vector<std::byte> plain_peer::step(std::span<const std::byte> datagram) {
  ERR_clear_error();
  if (!datagram.empty())
    BIO_write(SSL_get_rbio(ssl_.get()), datagram.data(), static_cast<int>(datagram.size()));
  std::array<unsigned char, 256> scratch;
  const bool was_finished = finished();
  const int got = was_finished ? SSL_read(ssl_.get(), scratch.data(), scratch.size())
                               : SSL_do_handshake(ssl_.get());
  if (got <= 0 && SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ) {
    told_to_stop_ = true;
    if (complaint_.empty())
      complaint_ = crypto::openssl_reason();
  }
  ERR_clear_error();
  return sent();
}

fingerprint plain_peer::own_fingerprint() const {
  return fingerprint::of(certificate_.get(), hash::sha256).value();
}

std::vector<std::byte> plain_peer::exported(size_t size) const {
  std::vector<std::byte> out(size);
  const std::string label = "EXTRACTOR-dtls_srtp";
  EXPECT_EQ(SSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(out.data()),
                                       size, label.data(), label.size(), nullptr, 0, 0),
            1);
  return out;
}

std::vector<std::byte> plain_peer::send(std::span<const unsigned char> application_data) {
  EXPECT_GT(
    SSL_write(ssl_.get(), application_data.data(), static_cast<int>(application_data.size())), 0);
  return sent();
}

std::vector<std::byte> plain_peer::say_goodbye() {
  SSL_shutdown(ssl_.get());
  return sent();
}

std::vector<std::byte> plain_peer::sent() {
  BIO* from = SSL_get_wbio(ssl_.get());
  std::vector<std::byte> out(static_cast<size_t>(BIO_pending(from)));
  if (!out.empty())
    BIO_read(from, out.data(), static_cast<int>(out.size()));
  return out;
}

} // namespace jackfield::dtls
