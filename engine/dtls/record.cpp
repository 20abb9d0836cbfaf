#include "engine/dtls/record.hpp"

namespace jackfield::dtls {

namespace {

constexpr size_t max_fragment = (size_t{1} << 14) + 2048; // RFC 6347 §4.1, ciphertext
constexpr size_t handshake_header_size = 12;
constexpr uint64_t max_message = 16 * 1024; // ours; the largest is a chain of certificates

// A big-endian number.
uint64_t number(std::span<const std::byte> bytes) noexcept {
  uint64_t out = 0;
  for (const std::byte b : bytes)
    out = out << 8 | std::to_integer<uint64_t>(b);
  return out;
}

// One or more fragments of messages, each with a header of its own (RFC 6347 §4.2.2).
bool whole_messages(std::span<const std::byte> fragments) noexcept {
  do {
    if (fragments.size() < handshake_header_size)
      return false;
    const uint64_t whole = number(fragments.subspan(1, 3));
    const uint64_t offset = number(fragments.subspan(6, 3));
    const uint64_t length = number(fragments.subspan(9, 3));
    if (whole > max_message || offset + length > whole ||
        length > fragments.size() - handshake_header_size)
      return false;
    fragments = fragments.subspan(handshake_header_size + length);
  } while (!fragments.empty());
  return true;
}

} // namespace

std::optional<record> next_record(std::span<const std::byte>& datagram) noexcept {
  if (datagram.size() < record_header_size)
    return std::nullopt;
  const auto type = std::to_integer<uint8_t>(datagram[0]);
  if (type < static_cast<uint8_t>(content_type::change_cipher_spec) ||
      type > static_cast<uint8_t>(content_type::application_data))
    return std::nullopt;
  const uint64_t version = number(datagram.subspan(1, 2));
  if (version != 0xfeff && version != 0xfefd)
    return std::nullopt;
  const auto length = static_cast<size_t>(number(datagram.subspan(11, 2)));
  if (length > max_fragment || length > datagram.size() - record_header_size)
    return std::nullopt;
  const record out{static_cast<content_type>(type),
                   static_cast<uint16_t>(number(datagram.subspan(3, 2))),
                   number(datagram.subspan(5, 6)), datagram.subspan(record_header_size, length)};
  datagram = datagram.subspan(record_header_size + length);
  return out;
}

bool plausible(const record& r) noexcept {
  if (r.epoch != 0)
    return r.epoch == 1;
  switch (r.type) {
  case content_type::change_cipher_spec:
    return r.fragment.size() == 1;
  case content_type::alert:
    return r.fragment.size() == 2;
  case content_type::handshake:
    return whole_messages(r.fragment);
  case content_type::application_data:
    break;
  }
  return false;
}

} // namespace jackfield::dtls
