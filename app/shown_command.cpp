#include "app/shown_command.hpp"

#include "app/ice_options.hpp"
#include "engine/sip/shown_uri.hpp"

namespace jackfield::app {

std::string shown_command(std::string_view command, const std::vector<std::string>& arguments) {
  std::string out{command};
  bool hide = false;
  for (const auto& a : arguments) {
    out += ' ';
    const bool inline_secret = a.starts_with("--auth-password=") || a.starts_with("--ap=");
    if (hide)
      out += sip::secret_hidden;
    else if (inline_secret)
      out += a.substr(0, a.find('=') + 1) + std::string{sip::secret_hidden};
    else
      out += without_turn_password(sip::without_password(a));
    hide = a == "--auth-password" || a == "--ap" || a == "-ap";
  }
  return out;
}

} // namespace jackfield::app
