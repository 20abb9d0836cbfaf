#pragma once

#include <cstdint>
#include <string_view>

namespace jackfield::sip {

/// Request methods. Method names are case-sensitive and compared without unescaping (RFC 3261
/// §7.1): "RE%47ISTER" is not REGISTER.
enum class method : uint8_t {
  unknown,
  invite,
  ack,
  bye,
  cancel,
  options,
  register_,
  prack,
  update,
  info,
  refer,
  notify,
  subscribe,
  message,
  publish,
};

/// Returns `method::unknown` for what is not in the list.
[[nodiscard]] method parse_method(std::string_view name) noexcept;
/// "INVITE" and so on; "" for unknown.
[[nodiscard]] std::string_view to_string(method m) noexcept;

} // namespace jackfield::sip
