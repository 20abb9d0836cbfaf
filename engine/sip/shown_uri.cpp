#include "engine/sip/shown_uri.hpp"

#include "engine/sip/text.hpp"

namespace jackfield::sip {

std::string without_password(std::string_view uri) {
  std::string out{uri};
  // Of a scheme the case is nothing (RFC 3261 §19.1.4).
  const auto begins = [&](std::string_view with) {
    return iequals(uri.substr(0, with.size()), with);
  };
  const auto scheme = begins("sip:") ? 4U : begins("sips:") ? 5U : 0U;
  const auto at = out.find('@');
  const auto colon = out.find(':', scheme);
  if (scheme != 0 && at != std::string::npos && colon < at)
    out.replace(colon + 1, at - colon - 1, secret_hidden);
  return out;
}

} // namespace jackfield::sip
