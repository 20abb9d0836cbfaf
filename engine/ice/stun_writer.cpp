#include <algorithm>
#include <array>
#include <cstring>

#include "engine/ice/stun.hpp"
#include "engine/ice/stun_wire.hpp"

namespace jackfield::ice {

namespace {

using namespace wire;

constexpr size_t longest_ufrag = 256;
constexpr uint16_t request_type = 0x0001;
constexpr uint16_t success_type = 0x0101;
constexpr uint16_t error_type = 0x0111;

/// Puts a message together. `longest_stun` has room for whatever is put here.
class message_builder {
public:
  message_builder(stun_buffer& buffer, uint16_t type, const transaction_id& id) noexcept
      : bytes_(buffer) {
    store16(bytes_.data(), type);
    store32(bytes_.data() + 4, magic_cookie);
    std::ranges::copy(id, bytes_.begin() + 8);
  }

  /// Returns where the value goes; its padding is zero.
  std::byte* add(uint16_t type, size_t size) noexcept {
    std::byte* at = bytes_.data() + size_;
    const size_t padded = (size + 3) / 4 * 4;
    store16(at, type);
    store16(at + 2, static_cast<uint16_t>(size));
    std::fill_n(at + attribute_header, padded, std::byte{0});
    size_ += attribute_header + padded;
    return at + attribute_header;
  }

  [[nodiscard]] const std::byte* header() const noexcept { return bytes_.data(); }

  std::span<const std::byte> finish(std::string_view password) noexcept {
    if (!password.empty()) {
      const size_t at = size_;
      std::array<std::byte, integrity_size> code;
      if (!integrity(bytes_, at, password, code))
        return {};
      std::ranges::copy(code, add(message_integrity, code.size()));
    }
    const size_t at = size_;
    std::byte* value = add(fingerprint, 4);
    store16(bytes_.data() + 2, static_cast<uint16_t>(size_ - header_size));
    store32(value, crc32(std::span{bytes_}.first(at)) ^ fingerprint_mask);
    return std::span{bytes_}.first(size_);
  }

private:
  stun_buffer& bytes_;
  size_t size_ = header_size;
};

std::string_view reason(stun_error error) noexcept {
  switch (error) {
  case stun_error::bad_request:
    return "Bad Request";
  case stun_error::unauthenticated:
    return "Unauthenticated";
  case stun_error::unknown_attribute:
    return "Unknown Attribute";
  case stun_error::role_conflict:
    return "Role Conflict";
  }
  return {};
}

void add_mapped(message_builder& to, const lane::endpoint& mapped) noexcept {
  sockaddr_storage storage{};
  static_cast<void>(mapped.to_sockaddr(storage));
  std::array<std::byte, 16> address{};
  const size_t size = mapped.is_v6() ? 16 : 4;
  if (mapped.is_v6())
    std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, size);
  else
    std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, size);
  std::byte* value = to.add(xor_mapped_address, 4 + size);
  value[1] = std::byte{static_cast<uint8_t>(mapped.is_v6() ? 2 : 1)};
  store16(value + 2, static_cast<uint16_t>(mapped.port() ^ (magic_cookie >> 16)));
  for (size_t i = 0; i < size; ++i)
    value[4 + i] = address[i] ^ to.header()[4 + i];
}

} // namespace

std::span<const std::byte> write_check(stun_buffer& buffer, const connectivity_check& check,
                                       std::string_view password) noexcept {
  if (check.peer_ufrag.size() > longest_ufrag || check.own_ufrag.size() > longest_ufrag)
    return {};
  message_builder to{buffer, request_type, check.id};
  std::byte* name = to.add(username, check.peer_ufrag.size() + 1 + check.own_ufrag.size());
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span{text}); };
  name = std::ranges::copy(bytes(check.peer_ufrag), name).out;
  *name++ = std::byte{':'};
  std::ranges::copy(bytes(check.own_ufrag), name);
  store32(to.add(priority, 4), check.priority);
  store64(to.add(check.controlling ? ice_controlling : ice_controlled, 8), check.tie_breaker);
  if (check.use_candidate)
    to.add(use_candidate, 0);
  return to.finish(password);
}

std::span<const std::byte> write_success(stun_buffer& buffer, const transaction_id& id,
                                         const lane::endpoint& mapped,
                                         std::string_view password) noexcept {
  message_builder to{buffer, success_type, id};
  add_mapped(to, mapped);
  return to.finish(password);
}

std::span<const std::byte> write_error(stun_buffer& buffer, const transaction_id& id,
                                       stun_error error, std::string_view password,
                                       const unknown_attributes& unknown) noexcept {
  message_builder to{buffer, error_type, id};
  const auto code = static_cast<unsigned>(error);
  const auto text = std::as_bytes(std::span{reason(error)});
  std::byte* value = to.add(error_code, 4 + text.size());
  value[2] = std::byte{static_cast<uint8_t>(code / 100)};
  value[3] = std::byte{static_cast<uint8_t>(code % 100)};
  std::ranges::copy(text, value + 4);
  if (error == stun_error::unknown_attribute && unknown.count != 0) {
    std::byte* list = to.add(unknown_list, size_t{2} * unknown.count);
    for (size_t i = 0; i < unknown.count; ++i)
      store16(list + 2 * i, unknown.types[i]);
  }
  return to.finish(password);
}

} // namespace jackfield::ice
