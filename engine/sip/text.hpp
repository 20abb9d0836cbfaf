#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace jackfield::sip {

/// Character classes of RFC 3261 §25.1, one bit each.
enum char_class : uint16_t {
  token_char = 1,
  digit_char = 2,
  hex_char = 4,
  space_char = 8, // SP, HTAB, CR, LF: linear white space, a fold included
  uri_char = 16,  // what may stand in a URI of any scheme; '%' only before two hexadecimal digits
  alpha_char = 32,
  host_char = 64,   // domain names and IPv4 addresses
  value_char = 128, // parameter values without quotes: tokens, hosts, and what is seen in tags
  address_end_char = 256, // what ends a display name or a URI without brackets
  comma_char = 512,
};

constexpr std::array<uint16_t, 256> make_char_classes() {
  std::array<uint16_t, 256> table{};
  auto mark = [&](std::string_view chars, uint16_t bits) {
    for (unsigned char c : chars)
      table[c] = static_cast<uint16_t>(table[c] | bits);
  };
  mark("0123456789", digit_char | hex_char | token_char | uri_char | host_char | value_char);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
       alpha_char | token_char | uri_char | host_char | value_char);
  mark("abcdefABCDEF", hex_char);
  mark("-.!%*_+`'~", token_char | value_char);
  mark(":[]@/&$()?{}|^#", value_char);
  mark("-.!~*'()_;/?:@&=+$,[]%#", uri_char);
  mark("-._", host_char);
  mark(" \t\r\n", space_char);
  mark("<;,\"", address_end_char);
  mark(",", comma_char);
  return table;
}

inline constexpr std::array<uint16_t, 256> char_classes = make_char_classes();

[[nodiscard]] constexpr bool is(char c, uint16_t classes) noexcept {
  return (char_classes[static_cast<unsigned char>(c)] & classes) != 0;
}

[[nodiscard]] constexpr bool all_of(std::string_view text, uint16_t classes) noexcept {
  for (char c : text)
    if (!is(c, classes))
      return false;
  return true;
}

[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is(text.front(), space_char))
    text.remove_prefix(1);
  while (!text.empty() && is(text.back(), space_char))
    text.remove_suffix(1);
  return text;
}

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// ASCII letters compare without case; all else as it is.
[[nodiscard]] constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size())
    return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

/// Decimal digits only: no sign, no white space, at least one, the number at most `max`.
[[nodiscard]] inline std::optional<uint64_t> parse_uint(std::string_view text,
                                                        uint64_t max) noexcept {
  constexpr size_t never_overflows = std::numeric_limits<uint64_t>::digits10;
  while (text.size() > never_overflows && text.front() == '0')
    text.remove_prefix(1);
  if (text.empty())
    return std::nullopt;
  uint64_t number = 0;
  for (char c : text) {
    auto digit = static_cast<uint64_t>(static_cast<unsigned char>(c)) - '0';
    if (digit > 9)
      return std::nullopt;
    if (text.size() > never_overflows &&
        number > (std::numeric_limits<uint64_t>::max() - digit) / 10)
      return std::nullopt;
    number = number * 10 + digit;
  }
  return number <= max ? std::optional(number) : std::nullopt;
}

} // namespace jackfield::sip
