#include "engine/ice/stun_wire.hpp"

#include <algorithm>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace jackfield::ice::wire {

namespace {

constexpr std::array<uint32_t, 256> crc_table = [] {
  std::array<uint32_t, 256> out{};
  for (uint32_t i = 0; i < out.size(); ++i) {
    uint32_t x = i;
    for (int bit = 0; bit < 8; ++bit)
      x = (x & 1U) != 0 ? (x >> 1) ^ 0xedb88320U : x >> 1;
    out[i] = x;
  }
  return out;
}();

} // namespace

uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  uint32_t crc = 0xffffffff;
  for (const std::byte b : bytes)
    crc = crc_table[(crc ^ std::to_integer<uint32_t>(b)) & 0xffU] ^ (crc >> 8);
  return ~crc;
}

bool integrity(std::span<const std::byte> message, size_t integrity_at, std::string_view password,
               std::array<std::byte, integrity_size>& out) noexcept {
  // With a length of its own; HMAC() wants its input in one piece.
  std::array<std::byte, 2048> copy;
  if (integrity_at > copy.size())
    return false;
  std::copy_n(message.begin(), integrity_at, copy.begin());
  store16(copy.data() + 2,
          static_cast<uint16_t>(integrity_at + attribute_header + integrity_size - header_size));
  unsigned size = 0;
  return HMAC(EVP_sha1(), password.data(), static_cast<int>(password.size()),
              reinterpret_cast<const unsigned char*>(copy.data()), integrity_at,
              reinterpret_cast<unsigned char*>(out.data()), &size) != nullptr &&
         size == out.size();
}

} // namespace jackfield::ice::wire
