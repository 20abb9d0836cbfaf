#include "tests/transport/test_pki.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <gtest/gtest.h>

#include "engine/crypto/openssl_handles.hpp"

namespace jackfield::transport {

namespace {

std::string text_of(BIO* memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

crypto::certificate to_pem(X509* x, EVP_PKEY* key) {
  const crypto::bio_handle first{BIO_new(BIO_s_mem())};
  const crypto::bio_handle second{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(first.get(), x);
  PEM_write_bio_PrivateKey(second.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(first.get()), text_of(second.get())};
}

void extend(X509* x, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, x, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  ASSERT_NE(made, nullptr) << value;
  X509_add_ext(x, made, -1);
  X509_EXTENSION_free(made);
}

void add_raw_dns_name(X509* x, const std::string& name) {
  GENERAL_NAMES* names = GENERAL_NAMES_new();
  GENERAL_NAME* one = GENERAL_NAME_new();
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
  GENERAL_NAME_set0_value(one, GEN_DNS, text);
  sk_GENERAL_NAME_push(names, one);
  X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0);
  GENERAL_NAMES_free(names);
}

crypto::x509_handle begin(const std::string& name, EVP_PKEY* key, long from, long to) {
  static long serial = 1;
  crypto::x509_handle x{X509_new()};
  X509_set_version(x.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), to);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_pubkey(x.get(), key);
  return x;
}

} // namespace

test_authority::test_authority() {
  const crypto::key_handle key{EVP_EC_gen("P-256")};
  const crypto::x509_handle x = begin("test authority", key.get(), -7200, 7200);
  X509_set_issuer_name(x.get(), X509_get_subject_name(x.get()));
  extend(x.get(), x.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(x.get(), x.get(), NID_key_usage, "critical,keyCertSign");
  X509_sign(x.get(), key.get(), EVP_sha256());
  own_ = to_pem(x.get(), key.get());
}

crypto::certificate test_authority::issue(const certificate_wish& wish) const {
  const crypto::bio_handle ca_text{BIO_new_mem_buf(own_.certificate_pem.data(), -1)};
  const crypto::bio_handle key_text{BIO_new_mem_buf(own_.key_pem.data(), -1)};
  const crypto::x509_handle ca{PEM_read_bio_X509(ca_text.get(), nullptr, nullptr, nullptr)};
  const crypto::key_handle ca_key{
    PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr)};
  const crypto::key_handle key{EVP_EC_gen("P-256")};
  const crypto::x509_handle x = begin(wish.common_name, key.get(), wish.valid_from, wish.valid_to);
  X509_set_issuer_name(x.get(), X509_get_subject_name(ca.get()));
  extend(x.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  if (!wish.usage.empty())
    extend(x.get(), ca.get(), NID_ext_key_usage, wish.usage);
  if (!wish.raw_dns_name.empty())
    add_raw_dns_name(x.get(), wish.raw_dns_name);
  else if (!wish.alternatives.empty())
    extend(x.get(), ca.get(), NID_subject_alt_name, wish.alternatives);
  X509_sign(x.get(), ca_key.get(), EVP_sha256());
  return to_pem(x.get(), key.get());
}

} // namespace jackfield::transport
