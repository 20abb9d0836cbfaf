#include "actors/call/call_settings.hpp"

#include "engine/sip/fields.hpp"

namespace jackfield {

std::string_view call_target::from_uri() const noexcept {
  const auto value = sip::parse_name_addr(from);
  return value ? value->uri : std::string_view{from};
}

} // namespace jackfield
