#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Digits in INFO, as exchanges have them: no RFC, but everybody's "application/dtmf-relay", and
/// "application/dtmf" with the digit alone.
namespace jackfield::sip {

inline constexpr std::string_view info_digit_type = "application/dtmf-relay";

/// The body that says so.
[[nodiscard]] std::string info_digit_body(char digit);

/// The digit (0-9, *, #, A-D) of an INFO's body; nothing if it is none.
[[nodiscard]] std::optional<char> read_info_digit(std::string_view content_type,
                                                  std::string_view body) noexcept;

} // namespace jackfield::sip
