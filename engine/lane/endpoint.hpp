#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

#include "engine/error/error.hpp"

namespace jackfield::lane {

/// An IP address and port: a plain value, 20 bytes, compared byte by byte.
/// An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is stored as the IPv4 address it means, so that
/// one host has one spelling wherever addresses are compared or checked against a list.
class endpoint {
public:
  /// No address; `valid()` is false.
  endpoint() = default;

  /// Parses a numeric address: "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". No name is looked up.
  static result<endpoint> parse(std::string_view address, uint16_t port);

  /// Parses "192.0.2.1:5060" or "[2001:db8::1]:5060"; the port may be left out where
  /// `default_port` is given.
  static result<endpoint> parse_with_port(std::string_view text, int default_port = -1);

  static endpoint loopback_v4(uint16_t port) noexcept;
  static endpoint loopback_v6(uint16_t port) noexcept;

  /// Reads what a socket call returned; an unknown family gives an invalid endpoint.
  static endpoint from_sockaddr(const sockaddr* address, socklen_t length) noexcept;

  /// Writes the address for a socket call and returns its length. An IPv4 address is written as
  /// AF_INET.
  socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;

  [[nodiscard]] bool valid() const noexcept { return family_ != 0; }
  [[nodiscard]] bool is_v4() const noexcept { return family_ == 4; }
  [[nodiscard]] bool is_v6() const noexcept { return family_ == 6; }
  [[nodiscard]] bool is_loopback() const noexcept;
  /// 0.0.0.0 or ::.
  [[nodiscard]] bool is_unspecified() const noexcept;
  /// True for what no answer may ever be sent to: multicast, broadcast, 0.0.0.0/8, port 0.
  [[nodiscard]] bool is_forbidden_destination() const noexcept;

  [[nodiscard]] uint16_t port() const noexcept { return port_; }
  [[nodiscard]] endpoint with_port(uint16_t port) const noexcept;

  /// The address without brackets: "192.0.2.1", "2001:db8::1".
  [[nodiscard]] std::string address() const;
  /// The address as a URI or Via wants it: "192.0.2.1", "[2001:db8::1]".
  [[nodiscard]] std::string host() const;
  /// "192.0.2.1:5060", "[2001:db8::1]:5060".
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] size_t hash() const noexcept;

  friend bool operator==(const endpoint&, const endpoint&) = default;
  friend auto operator<=>(const endpoint&, const endpoint&) = default;

private:
  std::array<uint8_t, 16> bytes_{}; // network order; an IPv4 address in the first four
  uint16_t port_ = 0;               // host order
  uint8_t family_ = 0;              // 0, 4 or 6
};

} // namespace jackfield::lane

template <>
struct std::hash<jackfield::lane::endpoint> {
  size_t operator()(const jackfield::lane::endpoint& x) const noexcept { return x.hash(); }
};
