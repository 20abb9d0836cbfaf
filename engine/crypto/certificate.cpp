#include "engine/crypto/certificate.hpp"

#include <cstdint>

#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "engine/crypto/openssl_handles.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::crypto {

namespace {

constexpr long backdated_seconds = -3600;
constexpr long lifetime_seconds = 365L * 24 * 3600;
constexpr const char* place = "self-signed certificate";

// Names go into OpenSSL's extension syntax, where a comma or line end would begin another entry.
bool plain_name(const std::string& name) {
  if (name.empty() || name.size() > 253)
    return false;
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '*';
    if (!fits)
      return false;
  }
  return true;
}

bool add_extension(X509* x, X509V3_CTX* context, int id, const char* value) {
  using extension_handle = std::unique_ptr<X509_EXTENSION, openssl_free<X509_EXTENSION_free>>;
  const extension_handle made{X509V3_EXT_conf_nid(nullptr, context, id, value)};
  return made && X509_add_ext(x, made.get(), -1) == 1;
}

template <class Write>
std::string to_pem(Write&& write) {
  const bio_handle memory{BIO_new(BIO_s_mem())};
  if (!memory || write(memory.get()) != 1)
    return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

} // namespace

result<certificate> self_signed_certificate(std::span<const std::string> names) {
  std::string alternatives;
  for (const std::string& name : names) {
    if (!alternatives.empty())
      alternatives += ',';
    if (const auto address = lane::endpoint::parse(name, 0))
      alternatives += "IP:" + address->address();
    else if (plain_name(name))
      alternatives += "DNS:" + name;
    else
      return fail(place, "\"" + name + "\" is neither a DNS name nor an IP address");
  }
  if (alternatives.empty())
    return fail(place, "needs at least one name");

  const key_handle key{EVP_EC_gen("P-256")};
  const x509_handle x{X509_new()};
  if (!key || !x)
    return fail(place, openssl_reason());

  // 63 random bits: unique in practice, positive as X.509 wants it.
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return fail(place, openssl_reason());
  serial = (serial >> 1U) | 1U;

  X509_NAME* subject = X509_get_subject_name(x.get());
  // A common name holds 64 characters; who checks names looks at the alternatives.
  const std::string common = names.front().substr(0, 64);
  X509V3_CTX context{};
  X509V3_set_ctx(&context, x.get(), x.get(), nullptr, nullptr, 0);
  const bool made =
    X509_set_version(x.get(), X509_VERSION_3) == 1 &&
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x.get()), serial) == 1 &&
    X509_gmtime_adj(X509_getm_notBefore(x.get()), backdated_seconds) != nullptr &&
    X509_gmtime_adj(X509_getm_notAfter(x.get()), lifetime_seconds) != nullptr &&
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common.data()),
                               static_cast<int>(common.size()), -1, 0) == 1 &&
    X509_set_issuer_name(x.get(), subject) == 1 && X509_set_pubkey(x.get(), key.get()) == 1 &&
    add_extension(x.get(), &context, NID_subject_alt_name, alternatives.c_str()) &&
    add_extension(x.get(), &context, NID_basic_constraints, "critical,CA:FALSE") &&
    add_extension(x.get(), &context, NID_key_usage, "critical,digitalSignature") &&
    add_extension(x.get(), &context, NID_ext_key_usage, "serverAuth,clientAuth") &&
    X509_sign(x.get(), key.get(), EVP_sha256()) > 0;
  if (!made)
    return fail(place, openssl_reason());

  certificate out;
  out.certificate_pem = to_pem([&](BIO* to) { return PEM_write_bio_X509(to, x.get()); });
  out.key_pem = to_pem([&](BIO* to) {
    return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  if (out.certificate_pem.empty() || out.key_pem.empty())
    return fail(place, openssl_reason());
  return out;
}

} // namespace jackfield::crypto
