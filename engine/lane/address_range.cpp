#include "engine/lane/address_range.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace jackfield::lane {

namespace {

std::array<uint8_t, 16> bytes_of(const endpoint& address) noexcept {
  std::array<uint8_t, 16> out{};
  sockaddr_storage storage{};
  address.to_sockaddr(storage);
  if (address.is_v4())
    std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, 4);
  else if (address.is_v6())
    std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, 16);
  return out;
}

/// All but the first `bits` are 0.
std::array<uint8_t, 16> masked(std::array<uint8_t, 16> bytes, unsigned bits) noexcept {
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const auto kept = std::min(8U, bits > 8 * i ? bits - 8 * i : 0U);
    bytes[i] &= static_cast<uint8_t>(0xff00U >> kept);
  }
  return bytes;
}

} // namespace

result<address_range> address_range::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail("address range", "\"" + std::string{text} + "\" " + std::string{why} +
                                   ", expected 192.0.2.1 or 192.0.2.0/24");
  };
  const auto slash = text.find('/');
  const auto address = endpoint::parse(text.substr(0, slash), 0);
  if (!address)
    return wrong("is no address");
  address_range made{*address};
  if (slash == std::string_view::npos)
    return made;
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  // The prefix of a mapped address counts its 96 fixed bits.
  const bool mapped = address->is_v4() && text.find(':') != std::string_view::npos;
  if (mapped)
    bits = bits < 96 ? 129 : bits - 96;
  if (fault != std::errc{} || end != digits.data() + digits.size() || bits > made.bits_)
    return wrong("has no prefix length that is one");
  if (masked(made.bytes_, bits) != made.bytes_)
    return wrong("has an address with bits after its prefix");
  made.bits_ = bits;
  return made;
}

address_range::address_range(const endpoint& only) noexcept
    : bytes_(bytes_of(only)), bits_(only.is_v4() ? 32 : 128), v4_(only.is_v4()),
      valid_(only.valid()) {
  // nop
}

bool address_range::contains(const endpoint& address) const noexcept {
  return valid_ && address.valid() && address.is_v4() == v4_ &&
         masked(bytes_of(address), bits_) == bytes_;
}

} // namespace jackfield::lane
