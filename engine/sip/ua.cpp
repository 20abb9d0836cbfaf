#include "engine/sip/ua.hpp"

#include <array>

#include "engine/sip/text.hpp"

namespace jackfield::sip {

std::string_view to_string(end_cause c) noexcept {
  static constexpr std::array<std::string_view, static_cast<size_t>(end_cause::count_)> names{
    "none",
    "local_bye",
    "remote_bye",
    "succeeded",
    "busy",
    "rejected",
    "no_answer",
    "cancelled",
    "cancelled_but_answered",
    "timeout_b",
    "timeout_f",
    "timeout_c",
    "no_ack",
    "no_ack_to_failure",
    "dialog_lost",
    "transport_failed",
    "protocol_error",
    "auth_failed",
    "redirect_loop",
    "refused",
    "expired",
    "unregistered"};
  static_assert(!names.back().empty());
  auto i = static_cast<size_t>(c);
  return i < names.size() ? names[i] : std::string_view{};
}

end_cause cause_of_status(int status) noexcept {
  switch (status) {
  case 401:
  case 407:
    return end_cause::auth_failed;
  case 408:
  case 480:
    return end_cause::no_answer;
  case 486:
  case 600:
    return end_cause::busy;
  case 487:
    return end_cause::cancelled;
  default:
    if (status < 200)
      return end_cause::none;
    if (status < 300)
      return end_cause::succeeded;
    return status < 400 ? end_cause::redirect_loop : end_cause::rejected;
  }
}

bool is_safe_header_lines(std::string_view text) noexcept {
  while (!text.empty()) {
    auto end = text.find("\r\n");
    if (end == std::string_view::npos)
      return false;
    auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 ||
        !all_of(line.substr(0, colon), token_char) || !is_safe_value(line))
      return false;
  }
  return true;
}

} // namespace jackfield::sip
