#include "engine/sip/info_digit.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

std::optional<char> read_digit(std::string_view text) noexcept {
  constexpr std::string_view digits = "0123456789*#ABCD";
  static constexpr std::array<std::pair<std::string_view, char>, 3> named{
    {{"10", '*'}, {"11", '#'}, {"star", '*'}}};
  for (const auto& [name, digit] : named)
    if (iequals(text, name))
      return digit;
  if (text.size() != 1)
    return std::nullopt;
  const char upper =
    text[0] >= 'a' && text[0] <= 'd' ? static_cast<char>(text[0] - 'a' + 'A') : text[0];
  return digits.find(upper) == std::string_view::npos ? std::nullopt : std::optional{upper};
}

} // namespace

std::string info_digit_body(char digit) {
  return std::string{"Signal="} + digit + "\r\nDuration=160\r\n";
}

std::optional<char> read_info_digit(std::string_view content_type, std::string_view body) noexcept {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  if (iequals(type, "application/dtmf"))
    return read_digit(trim(body));
  if (!iequals(type, info_digit_type))
    return std::nullopt;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    const auto line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    const auto sign = line.find('=');
    if (sign != std::string_view::npos && iequals(trim(line.substr(0, sign)), "signal"))
      return read_digit(trim(line.substr(sign + 1)));
  }
  return std::nullopt;
}

} // namespace jackfield::sip
