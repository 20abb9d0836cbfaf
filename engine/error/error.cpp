#include "engine/error/error.hpp"

#include <string_view>
#include <system_error>
#include <utility>

namespace jackfield {

std::string error::to_string() const {
  const auto text = place.empty() ? cause : place + ": " + cause;
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      line += c;
    else
      ((line += "\\x") += digits[byte >> 4U]) += digits[byte & 15U];
  }
  return line;
}

tl::unexpected<error> fail(std::string place, std::string cause) {
  return tl::unexpected<error>(error{std::move(place), std::move(cause)});
}

tl::unexpected<error> fail_errno(std::string place, std::string cause, int code) {
  cause += ": ";
  cause += std::generic_category().message(code);
  return fail(std::move(place), std::move(cause));
}

} // namespace jackfield
