#include "engine/dtls/fingerprint.hpp"

#include <algorithm>

#include "engine/crypto/openssl_handles.hpp"

namespace jackfield::dtls {

namespace {

constexpr const char* place = "a=fingerprint";

struct known_hash {
  std::string_view name;
  size_t size;
  const EVP_MD* (*function)();
};

constexpr std::array<known_hash, 3> known_hashes{{
  {"sha-256", 32, &EVP_sha256},
  {"sha-384", 48, &EVP_sha384},
  {"sha-512", 64, &EVP_sha512},
}};

const known_hash& about(hash h) noexcept {
  return known_hashes[static_cast<size_t>(h)];
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// -1: no hexadecimal digit.
constexpr int digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

} // namespace

std::string_view to_string(hash h) noexcept {
  return about(h).name;
}

std::optional<hash> hash_of(std::string_view name) noexcept {
  for (size_t i = 0; i < known_hashes.size(); ++i)
    if (std::ranges::equal(known_hashes[i].name, name, {}, {}, lower))
      return static_cast<hash>(i);
  return std::nullopt;
}

result<fingerprint> fingerprint::parse(std::string_view name, std::string_view digest) {
  const auto h = hash_of(name);
  if (!h)
    return fail(place, "hash is not one to verify by, expected sha-256, sha-384 or sha-512");
  fingerprint out;
  out.hash_ = *h;
  out.size_ = static_cast<uint8_t>(about(*h).size);
  if (digest.size() != out.size_ * size_t{3} - 1)
    return fail(place, "digest has " + std::to_string(digest.size()) + " characters, expected " +
                         std::to_string(out.size_) + " pairs of digits with colons between");
  for (size_t i = 0; i < out.size_; ++i) {
    const int high = digit(digest[3 * i]);
    const int low = digit(digest[3 * i + 1]);
    if (high < 0 || low < 0 || (i + 1 < out.size_ && digest[3 * i + 2] != ':'))
      return fail(place, "digest is malformed at pair " + std::to_string(i + 1) +
                           ", expected two hexadecimal digits and a colon");
    out.digest_[i] = static_cast<std::byte>(high * 16 + low);
  }
  return out;
}

result<fingerprint> fingerprint::of(const x509_st* certificate, hash h) {
  fingerprint out;
  out.hash_ = h;
  static_assert(max_digest >= EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (certificate == nullptr ||
      X509_digest(certificate, about(h).function(),
                  reinterpret_cast<unsigned char*>(out.digest_.data()), &size) != 1)
    return fail("fingerprint", "the certificate cannot be hashed");
  out.size_ = static_cast<uint8_t>(size);
  return out;
}

std::string fingerprint::to_string() const {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out{about(hash_).name};
  for (size_t i = 0; i < size_; ++i) {
    out += i == 0 ? ' ' : ':';
    out += digits[std::to_integer<size_t>(digest_[i] >> 4)];
    out += digits[std::to_integer<size_t>(digest_[i] & std::byte{15})];
  }
  return out;
}

bool fingerprint::matches(const x509_st* certificate) const {
  const auto its = of(certificate, hash_);
  return its && *its == *this;
}

result<void> fingerprint_list::add(std::string_view name, std::string_view digest) {
  if (++lines_ > max_lines)
    return fail(place, "comes too often, expected at most " + std::to_string(max_lines));
  if (!hash_of(name))
    return {};
  auto parsed = fingerprint::parse(name, digest);
  if (!parsed)
    return tl::unexpected{std::move(parsed.error())};
  known_.push_back(*parsed);
  return {};
}

void fingerprint_list::add(const fingerprint& one) {
  known_.push_back(one);
}

bool fingerprint_list::matches(const x509_st* certificate) const {
  const auto strongest = std::ranges::max_element(known_, {}, &fingerprint::function);
  return strongest != known_.end() && std::ranges::any_of(known_, [&](const fingerprint& one) {
           return one.function() == strongest->function() && one.matches(certificate);
         });
}

} // namespace jackfield::dtls
