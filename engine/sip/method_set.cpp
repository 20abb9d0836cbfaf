#include "engine/sip/method_set.hpp"

namespace jackfield::sip {

std::string method_set::to_string() const {
  std::string text;
  for (auto m = static_cast<unsigned>(method::invite); m <= static_cast<unsigned>(method::publish);
       ++m) {
    if (!has(static_cast<method>(m)))
      continue;
    text += text.empty() ? "" : ", ";
    text += sip::to_string(static_cast<method>(m));
  }
  return text;
}

} // namespace jackfield::sip
