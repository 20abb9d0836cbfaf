#include "engine/sip/method.hpp"

#include <array>

namespace jackfield::sip {

namespace {

/// In the order of `method`.
constexpr std::array<std::string_view, 15> names = {
  "",       "INVITE", "ACK",   "BYE",    "CANCEL",    "OPTIONS", "REGISTER", "PRACK",
  "UPDATE", "INFO",   "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH",
};

method when(std::string_view name, method m) noexcept {
  return name == names[static_cast<size_t>(m)] ? m : method::unknown;
}

} // namespace

method parse_method(std::string_view name) noexcept {
  if (name.size() < 3 || name.size() > 9)
    return method::unknown;
  // First letter and length single out one candidate.
  switch (name[0]) {
  case 'I':
    return when(name, name.size() == 6 ? method::invite : method::info);
  case 'A':
    return when(name, method::ack);
  case 'B':
    return when(name, method::bye);
  case 'C':
    return when(name, method::cancel);
  case 'O':
    return when(name, method::options);
  case 'R':
    return when(name, name.size() == 8 ? method::register_ : method::refer);
  case 'P':
    return when(name, name.size() == 5 ? method::prack : method::publish);
  case 'U':
    return when(name, method::update);
  case 'N':
    return when(name, method::notify);
  case 'S':
    return when(name, method::subscribe);
  case 'M':
    return when(name, method::message);
  default:
    return method::unknown;
  }
}

std::string_view to_string(method m) noexcept {
  return names[static_cast<size_t>(m)];
}

} // namespace jackfield::sip
