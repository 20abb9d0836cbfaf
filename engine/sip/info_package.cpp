#include "engine/sip/info_package.hpp"

#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

/// What stands before the parameters.
std::string_view name_in(std::string_view value) noexcept {
  return trim(value.substr(0, value.find(';')));
}

} // namespace

std::string_view info_package(const message& info) noexcept {
  return name_in(info.find("Info-Package").value_or(std::string_view{}));
}

bool takes_info_package(const message& m, std::string_view package) noexcept {
  for (const auto& field : m.fields()) {
    if (!iequals(field.name, "Recv-Info"))
      continue;
    for (auto rest = field.value; !rest.empty();)
      if (iequals(name_in(next_value(rest)), package))
        return true;
  }
  return false;
}

} // namespace jackfield::sip
