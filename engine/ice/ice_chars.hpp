#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace jackfield::ice {

/// True for ALPHA / DIGIT / "+" / "/" (RFC 8839 §5.1).
[[nodiscard]] constexpr bool is_ice_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

/// True if `text` is `least` to `most` ice-chars.
[[nodiscard]] constexpr bool is_ice_text(std::string_view text, size_t least,
                                         size_t most) noexcept {
  return text.size() >= least && text.size() <= most && std::ranges::all_of(text, is_ice_char);
}

} // namespace jackfield::ice
