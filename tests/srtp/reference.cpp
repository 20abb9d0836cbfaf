#include "tests/srtp/reference.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace jackfield::srtp::reference {

namespace {

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* raw(std::span<const std::byte> b) {
  return reinterpret_cast<const unsigned char*>(b.data());
}
unsigned char* raw(bytes& b) {
  return reinterpret_cast<unsigned char*>(b.data());
}

/// The `count` low bytes of a number, in network order.
bytes number(uint64_t value, size_t count) {
  bytes made(count);
  for (size_t i = 0; i < count; ++i)
    made[count - 1 - i] = static_cast<std::byte>(value >> (8 * i));
  return made;
}

uint64_t number_at(const bytes& b, size_t at, size_t count) {
  uint64_t made = 0;
  for (size_t i = 0; i < count; ++i)
    made = made << 8U | std::to_integer<uint64_t>(b[at + i]);
  return made;
}

void append(bytes& to, std::span<const std::byte> more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// XORs `value` in, its last byte at `end` - 1.
void mix(bytes& into, size_t end, const bytes& value) {
  for (size_t i = 0; i < value.size(); ++i)
    into[end - value.size() + i] ^= value[i];
}

/// AES in counter mode over zeros.
bytes counter_mode(std::span<const std::byte> key, const bytes& start, size_t length) {
  const cipher_context context{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  bytes out(length);
  const bytes in(length);
  int written = 0;
  EVP_EncryptInit_ex(context.get(), key.size() == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(),
                     nullptr, raw(key), raw(start));
  EVP_EncryptUpdate(context.get(), raw(out), &written, raw(in), static_cast<int>(length));
  return out;
}

bytes gcm(const session_keys& keys, const bytes& iv, std::span<const std::byte> associated,
          std::span<const std::byte> clear) {
  const cipher_context context{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  bytes out(clear.size() + 16);
  int written = 0;
  EVP_EncryptInit_ex(context.get(), keys.key.size() == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(),
                     nullptr, raw(keys.key), raw(iv));
  EVP_EncryptUpdate(context.get(), nullptr, &written, raw(associated),
                    static_cast<int>(associated.size()));
  EVP_EncryptUpdate(context.get(), raw(out), &written, raw(clear), static_cast<int>(clear.size()));
  EVP_EncryptFinal_ex(context.get(), raw(out) + clear.size(), &written);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, 16, raw(out) + clear.size());
  return out;
}

bytes sha1_tag(const session_keys& keys, const bytes& over, size_t length) {
  bytes tag(20);
  unsigned size = 0;
  HMAC(EVP_sha1(), keys.authentication.data(), static_cast<int>(keys.authentication.size()),
       raw(over), over.size(), raw(tag), &size);
  tag.resize(length);
  return tag;
}

bool is_gcm(profile p) {
  return p == profile::aead_aes_128_gcm || p == profile::aead_aes_256_gcm;
}

} // namespace

bytes from_hex(std::string_view hex) {
  bytes made(hex.size() / 2);
  for (size_t i = 0; i < made.size(); ++i) {
    uint8_t value = 0;
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, value, 16);
    made[i] = std::byte{value};
  }
  return made;
}

bytes derive(std::span<const std::byte> master_key, std::span<const std::byte> master_salt,
             uint8_t label, size_t length) {
  bytes start(16);
  std::ranges::copy(master_salt, start.begin());
  start[7] ^= std::byte{label};
  return counter_mode(master_key, start, length);
}

session_keys session_keys_of(profile p, std::span<const std::byte> master, bool rtcp) {
  const auto key = master.first(key_bytes(p));
  const auto salt = master.subspan(key_bytes(p));
  const uint8_t first = rtcp ? 3 : 0;
  return {derive(key, salt, first, key.size()),
          derive(key, salt, static_cast<uint8_t>(first + 1), 20),
          derive(key, salt, static_cast<uint8_t>(first + 2), salt.size())};
}

bytes counter_keystream(std::span<const std::byte> key, std::span<const std::byte> salt,
                        uint32_t ssrc, uint64_t index, size_t length) {
  bytes start(16);
  std::ranges::copy(salt, start.begin());
  mix(start, 8, number(ssrc, 4));
  mix(start, 14, number(index, 6));
  return counter_mode(key, start, length);
}

bytes protect_rtp(profile p, const session_keys& keys, const bytes& packet, uint32_t rollovers) {
  const auto header = std::span{packet}.first(12);
  const auto payload = std::span{packet}.subspan(12);
  const auto ssrc = static_cast<uint32_t>(number_at(packet, 8, 4));
  const auto sequence = number_at(packet, 2, 2);
  bytes made(header.begin(), header.end());
  if (is_gcm(p)) { // RFC 7714 §8.1
    bytes iv = keys.salt;
    mix(iv, 6, number(ssrc, 4));
    mix(iv, 12, number(uint64_t{rollovers} << 16U | sequence, 6));
    append(made, gcm(keys, iv, header, payload));
    return made;
  }
  auto encrypted = counter_keystream(keys.key, keys.salt, ssrc,
                                     uint64_t{rollovers} << 16U | sequence, payload.size());
  mix(encrypted, encrypted.size(), {payload.begin(), payload.end()});
  append(made, encrypted);
  auto authenticated = made;
  append(authenticated, number(rollovers, 4));
  append(made, sha1_tag(keys, authenticated, p == profile::aes128_cm_sha1_32 ? 4 : 10));
  return made;
}

bytes protect_rtcp(profile p, const session_keys& keys, const bytes& packet, uint32_t index) {
  const auto header = std::span{packet}.first(8);
  const auto rest = std::span{packet}.subspan(8);
  const auto ssrc = static_cast<uint32_t>(number_at(packet, 4, 4));
  const auto trailer = number(0x8000'0000U | index, 4);
  bytes made(header.begin(), header.end());
  if (is_gcm(p)) { // RFC 7714 §9.1
    bytes iv = keys.salt;
    mix(iv, 6, number(ssrc, 4));
    mix(iv, 12, number(index, 4));
    bytes associated = made;
    append(associated, trailer);
    append(made, gcm(keys, iv, associated, rest));
    append(made, trailer);
    return made;
  }
  auto encrypted = counter_keystream(keys.key, keys.salt, ssrc, index, rest.size());
  mix(encrypted, encrypted.size(), {rest.begin(), rest.end()});
  append(made, encrypted);
  append(made, trailer);
  append(made, sha1_tag(keys, made, 10));
  return made;
}

} // namespace jackfield::srtp::reference
