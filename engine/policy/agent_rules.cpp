#include "engine/policy/agent_rules.hpp"

#include <initializer_list>
#include <string>
#include <utility>

namespace jackfield::policy {

result<void> agent_rules::check(std::string_view place) const {
  using named = std::pair<const char*, duration>;
  for (const auto& [name, value] :
       {named{"wrap_up", wrap_up}, named{"wrap_up_direct", wrap_up_direct},
        named{"after_rejected", after_rejected}, named{"after_busy", after_busy},
        named{"after_no_answer", after_no_answer}, named{"after_unreachable", after_unreachable}})
    if (value < duration::zero())
      return fail(std::string{place}, std::string{name} + " is negative, expected 0 or more");
  for (const auto& [name, value] :
       {named{"solicit_bound", solicit_bound}, named{"reservation_lease", reservation_lease}})
    if (value <= duration::zero())
      return fail(std::string{place}, std::string{name} + " leaves no time, expected more than 0");
  return {};
}

} // namespace jackfield::policy
