#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::dtls {

/// Of a record's header (RFC 6347 §4.1).
enum class content_type : uint8_t { change_cipher_spec = 20, alert, handshake, application_data };

/// The plain part of a DTLS 1.0 or 1.2 record; `fragment` points into the datagram.
struct record {
  content_type type{};
  uint16_t epoch = 0;
  uint64_t sequence = 0; // 48 bits
  std::span<const std::byte> fragment;
};

inline constexpr size_t record_header_size = 13;

/// True if a datagram that begins with this byte is DTLS, and not STUN, TURN, RTP or RTCP
/// (RFC 7983 §7).
[[nodiscard]] constexpr bool is_dtls(std::byte first) noexcept {
  return first >= std::byte{20} && first <= std::byte{63};
}

/// Takes the next record off the front of `datagram`; unset, with `datagram` as it was, if what is
/// there is no whole record of a known type and version.
[[nodiscard]] std::optional<record> next_record(std::span<const std::byte>& datagram) noexcept;

/// False for what no peer sends and a handshake would break on: a plain record of application data,
/// an alert of another size than two, handshake messages whose lengths don't agree, a second change
/// of keys. An encrypted record is plausible.
[[nodiscard]] bool plausible(const record& r) noexcept;

} // namespace jackfield::dtls
