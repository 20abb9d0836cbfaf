#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

#include "engine/error/error.hpp"
#include "tests/relay/path/impairment.hpp"

namespace jackfield::tests {

/// An IP address and port as a socket call takes it.
struct socket_address {
  sockaddr_storage bytes{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
  [[nodiscard]] int family() const { return bytes.ss_family; }
  [[nodiscard]] std::string to_string() const;
};

/// Reads "127.0.0.1:5060" or "[::1]:5060". The error's place is `option`.
[[nodiscard]] result<socket_address> parse_address(std::string_view option, std::string_view text);

struct relay_options {
  socket_address listen; ///< port 0 for one that is free
  socket_address target;
  impairment_options path;
  /// When datagrams are lost, since the relay's first one; no end unless told.
  std::chrono::nanoseconds loss_from{0};
  std::optional<std::chrono::nanoseconds> loss_for;
  bool help = false; ///< nothing else counts
};

/// Reads the command line without the program's name, "--name value" or "--name=value". An error's
/// place is the option.
[[nodiscard]] result<relay_options> parse_options(std::span<const char* const> arguments);

/// What "--help" prints.
[[nodiscard]] std::string_view usage() noexcept;

} // namespace jackfield::tests
