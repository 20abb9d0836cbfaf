#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/crypto.h>

#include "engine/ice/stun.hpp"
#include "engine/ice/stun_wire.hpp"

namespace jackfield::ice {

namespace {

using namespace wire;

// What ICE and its keepalives send is far below; what is longer would cost a checksum of it all.
constexpr size_t longest_read = 2048;
constexpr size_t longest_username = 513;
constexpr uint16_t binding_method = 0x001;

/// The two bits of the class lie among those of the method (RFC 8489 §5).
uint16_t method_of(uint16_t type) noexcept {
  return static_cast<uint16_t>((type & 0x000fU) | (type & 0x00e0U) >> 1 | (type & 0x3e00U) >> 2);
}

message_class class_of(uint16_t type) noexcept {
  return static_cast<message_class>((type >> 4 & 1U) | (type >> 7 & 2U));
}

lane::endpoint read_mapped(std::span<const std::byte> value, const std::byte* header) noexcept {
  const uint8_t family = load8(value.data() + 1);
  const auto port = static_cast<uint16_t>(load16(value.data() + 2) ^ (magic_cookie >> 16));
  std::array<std::byte, 16> address{};
  const size_t size = value.size() - 4;
  for (size_t i = 0; i < size; ++i)
    address[i] = value[4 + i] ^ header[4 + i]; // the cookie, and the transaction id behind it
  if (family == 1 && size == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.data(), 4);
    return lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  if (family == 2 && size == 16) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.data(), 16);
    return lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  return {};
}

template <class T>
void keep_first(std::optional<T>& out, T value) noexcept {
  if (!out)
    out = value;
}

/// Reads an attribute that lies before MESSAGE-INTEGRITY; false if it is malformed.
bool read_attribute(uint16_t type, std::span<const std::byte> value, const std::byte* header,
                    binding_message& out) noexcept {
  const std::byte* p = value.data();
  switch (type) {
  case username:
    if (value.size() > longest_username)
      return false;
    keep_first(out.username, std::string_view{reinterpret_cast<const char*>(p), value.size()});
    return true;
  case priority:
    if (value.size() != 4)
      return false;
    keep_first(out.priority, load32(p));
    return true;
  case ice_controlling:
  case ice_controlled:
    if (value.size() != 8)
      return false;
    keep_first(type == ice_controlling ? out.controlling : out.controlled, load64(p));
    return true;
  case use_candidate:
    out.use_candidate = true;
    return value.empty();
  case xor_mapped_address:
    if (value.size() != 8 && value.size() != 20)
      return false;
    if (!out.mapped.valid())
      out.mapped = read_mapped(value, header);
    return out.mapped.valid();
  case error_code: {
    if (value.size() < 4)
      return false;
    const unsigned hundreds = load8(p + 2) & 7U;
    const unsigned rest = load8(p + 3);
    if (hundreds < 3 || hundreds > 6 || rest > 99)
      return false;
    if (out.error == 0)
      out.error = static_cast<uint16_t>(hundreds * 100 + rest);
    return true;
  }
  case mapped_address:
  case unknown_list:
  case realm:
  case nonce:
  case message_integrity_sha256:
    return true;
  default:
    if (type < 0x8000 && out.unknown.count < unknown_attributes::most)
      out.unknown.types[out.unknown.count++] = type;
    return true;
  }
}

} // namespace

bool is_stun(std::span<const std::byte> datagram) noexcept {
  return datagram.size() >= header_size && (load8(datagram.data()) & 0xc0U) == 0 &&
         load32(datagram.data() + 4) == magic_cookie;
}

tl::expected<binding_message, stun_fault> read_stun(std::span<const std::byte> datagram) noexcept {
  if (!is_stun(datagram))
    return tl::unexpected{stun_fault::not_stun};
  const std::byte* header = datagram.data();
  const size_t length = load16(header + 2);
  if (datagram.size() > longest_read || length % 4 != 0 || header_size + length != datagram.size())
    return tl::unexpected{stun_fault::malformed};
  const uint16_t type = load16(header);
  if (method_of(type) != binding_method)
    return tl::unexpected{stun_fault::method};
  binding_message out;
  out.kind = class_of(type);
  std::copy_n(header + 8, out.id.size(), out.id.begin());
  size_t at = header_size;
  while (at < datagram.size()) {
    // Everything is a multiple of four, so that there is a header if there is anything.
    const uint16_t attribute = load16(header + at);
    const size_t size = load16(header + at + 2);
    const size_t padded = (size + 3) / 4 * 4;
    if (padded > datagram.size() - at - attribute_header || out.has_fingerprint)
      return tl::unexpected{stun_fault::malformed};
    const auto value = datagram.subspan(at + attribute_header, size);
    if (attribute == fingerprint) {
      if (size != 4)
        return tl::unexpected{stun_fault::malformed};
      if (load32(value.data()) != (crc32(datagram.first(at)) ^ fingerprint_mask))
        return tl::unexpected{stun_fault::fingerprint};
      out.has_fingerprint = true;
    } else if (out.integrity_at != 0) {
      // Not covered by the integrity, and thus not believed.
    } else if (attribute == message_integrity) {
      if (size != integrity_size)
        return tl::unexpected{stun_fault::malformed};
      out.integrity_at = static_cast<uint16_t>(at);
    } else if (!read_attribute(attribute, value, header, out)) {
      return tl::unexpected{stun_fault::malformed};
    }
    at += attribute_header + padded;
  }
  return out;
}

bool has_integrity(std::span<const std::byte> datagram, const binding_message& message,
                   std::string_view password) noexcept {
  const size_t at = message.integrity_at;
  if (at < header_size || at + attribute_header + integrity_size > datagram.size())
    return false;
  std::array<std::byte, integrity_size> expected;
  return integrity(datagram, at, password, expected) &&
         CRYPTO_memcmp(expected.data(), datagram.data() + at + attribute_header, expected.size()) ==
           0;
}

} // namespace jackfield::ice
