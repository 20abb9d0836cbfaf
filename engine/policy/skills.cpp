#include "engine/policy/skills.hpp"

#include <algorithm>

namespace jackfield::policy {

std::vector<wanted_skill> relaxed(std::span<const wanted_skill> wanted,
                                  std::span<const skill_step> steps, size_t passed) {
  std::vector<wanted_skill> left;
  left.reserve(wanted.size());
  for (auto want : wanted) {
    bool dropped = false;
    for (const auto& step : steps.first(passed)) {
      if (step.id && *step.id != want.id)
        continue;
      dropped = dropped || step.drop;
      want.least =
        want.least > step.lower_by ? static_cast<uint8_t>(want.least - step.lower_by) : 0;
    }
    want.least = std::max<uint8_t>(want.least, 1);
    if (!dropped)
      left.push_back(want);
  }
  return left;
}

bool qualified(std::span<const skill> skills, std::span<const wanted_skill> wanted) noexcept {
  return std::ranges::all_of(wanted, [skills](const wanted_skill& want) {
    return std::ranges::any_of(
      skills, [&want](const skill& has) { return has.id == want.id && has.level >= want.least; });
  });
}

} // namespace jackfield::policy
