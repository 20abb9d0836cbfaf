#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

namespace jackfield::rtp {

/// Size of the fixed header (RFC 3550 §5.1), which is all that a `sender` writes.
inline constexpr size_t header_size = 12;

/// The fields of the fixed header that differ from packet to packet.
struct header {
  uint8_t payload_type = 0; ///< 0..127
  bool marker = false;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;

  friend bool operator==(const header&, const header&) = default;
};

/// A received packet: its header, and views into the datagram it was parsed from.
struct packet : header {
  /// Without CSRCs, header extension and padding; may be empty.
  std::span<const std::byte> payload;
  uint8_t csrc_count = 0;
  bool has_extension = false;
  /// The header extension's identifier and words (RFC 3550 §5.3.1, RFC 8285), uninterpreted.
  uint16_t extension_profile = 0;
  std::span<const std::byte> extension;
};

/// Why a datagram is not an RTP packet.
enum class packet_fault : uint8_t {
  too_short,           ///< shorter than the fixed header
  bad_version,         ///< version is not 2: STUN, DTLS, or no RTP at all
  rtcp,                ///< an RTCP packet on the same port (RFC 5761 §4)
  truncated_csrc,      ///< the CSRC list passes the end of the datagram
  truncated_extension, ///< the header extension passes the end of the datagram
  bad_padding,         ///< padding of zero bytes, or longer than what follows the header
};
inline constexpr size_t packet_fault_count = 6;

/// "too short" and so on, for counters and logs.
[[nodiscard]] std::string_view to_string(packet_fault f) noexcept;

/// True if a datagram of an RTP port that also carries RTCP is RTCP: packet types 192 to 223
/// (RFC 5761 §4). Says nothing of whether it is well formed.
[[nodiscard]] bool is_rtcp(std::span<const std::byte> datagram) noexcept;

/// Parses one datagram. Allocates nothing; the views in the answer live as long as `datagram`.
[[nodiscard]] tl::expected<packet, packet_fault>
parse_packet(std::span<const std::byte> datagram) noexcept;

/// Writes a fixed header without CSRCs, extension or padding.
void write_header(const header& h, std::span<std::byte, header_size> out) noexcept;

} // namespace jackfield::rtp
