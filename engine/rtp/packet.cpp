#include "engine/rtp/packet.hpp"

#include "engine/bytes/big_endian.hpp"

namespace jackfield::rtp {

using namespace bytes;
namespace {

constexpr uint8_t version = 2;

} // namespace

std::string_view to_string(packet_fault f) noexcept {
  switch (f) {
  case packet_fault::too_short:
    return "too short";
  case packet_fault::bad_version:
    return "bad version";
  case packet_fault::rtcp:
    return "RTCP";
  case packet_fault::truncated_csrc:
    return "truncated CSRC list";
  case packet_fault::truncated_extension:
    return "truncated header extension";
  case packet_fault::bad_padding:
    return "bad padding";
  }
  return "";
}

bool is_rtcp(std::span<const std::byte> datagram) noexcept {
  if (datagram.size() < 2 || load8(datagram.data()) >> 6 != version)
    return false;
  const auto type = load8(datagram.data() + 1);
  return type >= 192 && type <= 223;
}

tl::expected<packet, packet_fault> parse_packet(std::span<const std::byte> datagram) noexcept {
  // Each step compares with what is left, so that no sum of lengths can pass the end.
  if (datagram.size() < header_size)
    return tl::unexpected(packet_fault::too_short);
  const auto* p = datagram.data();
  const auto first = load8(p);
  const auto second = load8(p + 1);
  if (first >> 6 != version)
    return tl::unexpected(packet_fault::bad_version);
  if (second >= 192 && second <= 223)
    return tl::unexpected(packet_fault::rtcp);
  packet out;
  out.payload_type = second & 0x7f;
  out.marker = (second & 0x80) != 0;
  out.sequence = load16(p + 2);
  out.timestamp = load32(p + 4);
  out.ssrc = load32(p + 8);
  out.csrc_count = first & 0x0f;
  auto rest = datagram.subspan(header_size);
  if (rest.size() < out.csrc_count * size_t{4})
    return tl::unexpected(packet_fault::truncated_csrc);
  rest = rest.subspan(out.csrc_count * size_t{4});
  if ((first & 0x10) != 0) {
    if (rest.size() < 4)
      return tl::unexpected(packet_fault::truncated_extension);
    const size_t length = load16(rest.data() + 2) * size_t{4};
    if (rest.size() - 4 < length)
      return tl::unexpected(packet_fault::truncated_extension);
    out.has_extension = true;
    out.extension_profile = load16(rest.data());
    out.extension = rest.subspan(4, length);
    rest = rest.subspan(4 + length);
  }
  if ((first & 0x20) != 0) {
    if (rest.empty())
      return tl::unexpected(packet_fault::bad_padding);
    const size_t padding = load8(&rest.back());
    if (padding == 0 || padding > rest.size())
      return tl::unexpected(packet_fault::bad_padding);
    rest = rest.first(rest.size() - padding);
  }
  out.payload = rest;
  return out;
}

void write_header(const header& h, std::span<std::byte, header_size> out) noexcept {
  auto* p = out.data();
  store8(p, version << 6);
  store8(p + 1, static_cast<uint8_t>((h.marker ? 0x80 : 0) | (h.payload_type & 0x7f)));
  store16(p + 2, h.sequence);
  store32(p + 4, h.timestamp);
  store32(p + 8, h.ssrc);
}

} // namespace jackfield::rtp
