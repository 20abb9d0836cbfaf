#include "engine/sip/shown_uri.hpp"

namespace jackfield::sip {

std::string without_password(std::string_view uri) {
  std::string out{uri};
  const auto scheme = out.starts_with("sip:") ? 4U : out.starts_with("sips:") ? 5U : 0U;
  const auto at = out.find('@');
  const auto colon = out.find(':', scheme);
  if (scheme != 0 && at != std::string::npos && colon < at)
    out.replace(colon + 1, at - colon - 1, secret_hidden);
  return out;
}

} // namespace jackfield::sip
