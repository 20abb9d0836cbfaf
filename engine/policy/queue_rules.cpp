#include "engine/policy/queue_rules.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace jackfield::policy {

const std::string& overflow_targets::of(overflow_reason why) const noexcept {
  switch (why) {
  case overflow_reason::no_agents:
    return no_agents;
  case overflow_reason::closed:
    return closed;
  case overflow_reason::shrunk:
    return shrunk;
  case overflow_reason::max_wait:
    break;
  }
  return max_wait;
}

result<void> queue_rules::check(std::string_view place) const {
  const auto wrong = [place](const std::string& cause) { return fail(std::string{place}, cause); };
  using named = std::pair<const char*, duration>;
  for (const auto& [name, value] :
       {named{"without_agents", without_agents}, named{"most_expected_wait", most_expected_wait},
        named{"max_wait", max_wait}, named{"priority_worth", priority_worth},
        named{"wrap_up", wrap_up.value_or(duration{})}, named{"announce_first", announce_first},
        named{"announce_every", announce_every}, named{"resume_place", resume_place},
        named{"service_level_within", service_level_within}})
    if (value < duration::zero())
      return wrong(std::string{name} + " is negative, expected 0 or more");
  for (const auto& [name, value] :
       {named{"ring_time", ring_time}, named{"answer_lease", answer_lease},
        named{"silent_rest", silent_rest}})
    if (value <= duration::zero())
      return wrong(std::string{name} + " leaves no time, expected more than 0");
  if (announce_every > duration::zero() && announce_every < std::chrono::seconds{1})
    return wrong("announce_every is below a second, expected 0 or at least 1s");
  // A step may lie at 0, not before; and the cursor over them goes one way.
  const auto in_order = [](const auto& steps) {
    duration before{};
    return std::ranges::all_of(steps, [&before](const auto& step) {
      return std::exchange(before, step.after) <= step.after;
    });
  };
  if (!in_order(tiers))
    return wrong("tiers are not in the order of their time, expected the earliest first");
  if (!in_order(skill_steps))
    return wrong("skill_steps are not in the order of their time, expected the earliest first");
  return {};
}

} // namespace jackfield::policy
