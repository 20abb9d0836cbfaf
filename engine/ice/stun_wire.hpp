#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/bytes/big_endian.hpp"

namespace jackfield::ice::wire {

// What reader and writer of STUN share: numbers of RFC 8489 §18 and RFC 8445 §16, and the two
// checksums.

inline constexpr size_t header_size = 20;
inline constexpr uint32_t magic_cookie = 0x2112a442;
inline constexpr uint32_t fingerprint_mask = 0x5354554e;
inline constexpr size_t integrity_size = 20;
inline constexpr size_t attribute_header = 4;

enum attribute : uint16_t {
  mapped_address = 0x0001,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_list = 0x000a,
  realm = 0x0014,
  nonce = 0x0015,
  message_integrity_sha256 = 0x001c,
  xor_mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,
  ice_controlling = 0x802a,
};

using namespace bytes;

/// CRC-32 of ISO 3309 (RFC 8489 §14.7), as FINGERPRINT has it before the mask.
[[nodiscard]] uint32_t crc32(std::span<const std::byte> bytes) noexcept;

/// The MESSAGE-INTEGRITY of a message whose attribute begins at `integrity_at`: over what is before
/// it, the length being what it were if the message ended with it (RFC 8489 §14.5). Returns false
/// if OpenSSL failed.
[[nodiscard]] bool integrity(std::span<const std::byte> message, size_t integrity_at,
                             std::string_view password,
                             std::array<std::byte, integrity_size>& out) noexcept;

} // namespace jackfield::ice::wire
