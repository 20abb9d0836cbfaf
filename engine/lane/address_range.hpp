#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::lane {

/// Addresses that begin with the same bits. As endpoints, so ranges: an IPv4-mapped IPv6 address is
/// the IPv4 address that it means, and nothing of IPv6 is in a range of IPv4.
class address_range {
public:
  /// "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "::ffff:192.0.2.0/120". Bits after the prefix
  /// have to be 0, so that a slip of the pen admits nobody.
  static result<address_range> parse(std::string_view text);
  /// Of one address alone; of an invalid one: of none.
  explicit address_range(const endpoint& only) noexcept;

  /// Whatever its port.
  [[nodiscard]] bool contains(const endpoint& address) const noexcept;

  /// All of IPv4, or of IPv6.
  [[nodiscard]] bool is_everything() const noexcept { return valid_ && bits_ == 0; }

  friend bool operator==(const address_range&, const address_range&) = default;

private:
  std::array<uint8_t, 16> bytes_{};
  unsigned bits_ = 0;
  bool v4_ = false;
  bool valid_ = false;
};

} // namespace jackfield::lane
