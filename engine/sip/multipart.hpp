#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace jackfield::sip {

/// Bounds on a multipart body; beyond them it is refused.
struct multipart_limits {
  size_t parts = 16; // in all, at all depths
  size_t depth = 2;  // a multipart body in a multipart body, no deeper
};

/// One part that is not multipart itself. Views into the body given.
struct body_part {
  /// "text/plain" where the part does not say (RFC 2046 §5.1).
  std::string_view content_type;
  std::string_view content_disposition;
  std::string_view content_id;
  std::string_view content_transfer_encoding;
  /// Any octets, NUL included.
  std::string_view body;
};

/// The parts of a body with a Content-Type of "multipart/...", nested ones in their place. Nothing
/// if there is no usable boundary, a line of the structure is not ended by CRLF, the closing
/// delimiter is absent, there are no parts, or a limit is passed. Preamble and epilogue are
/// dropped. Time is linear in the body's size.
[[nodiscard]] std::optional<std::vector<body_part>>
split_multipart(std::string_view content_type, std::string_view body,
                const multipart_limits& limits = {});

/// None of the parts has to be understood (RFC 5621 §8).
[[nodiscard]] bool are_optional(const std::vector<body_part>& parts) noexcept;

} // namespace jackfield::sip
