#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/policy/ids.hpp"
#include "engine/policy/time.hpp"

namespace jackfield::policy {

/// What an agent can do, and how well: 1 (hardly) .. 100.
struct skill {
  skill_id id{};
  uint8_t level = 100;

  friend bool operator==(const skill&, const skill&) = default;
};

/// What a caller wants: an agent with this skill at this level or above.
struct wanted_skill {
  skill_id id{};
  uint8_t least = 1;

  friend bool operator==(const wanted_skill&, const wanted_skill&) = default;
};

/// A caller who has waited this long is content with less. Steps add up.
struct skill_step {
  duration after{};
  /// Which skill; unset: each that is wanted.
  std::optional<skill_id> id;
  /// The level that is wanted falls by this much, to 1 at the least: the skill itself stays wanted.
  uint8_t lower_by = 0;
  /// The skill is not wanted any more.
  bool drop = false;

  friend bool operator==(const skill_step&, const skill_step&) = default;
};

/// What is wanted still after the first `passed` of `steps`. One that was dropped is left out.
[[nodiscard]] std::vector<wanted_skill> relaxed(std::span<const wanted_skill> wanted,
                                                std::span<const skill_step> steps, size_t passed);

/// True if all that is wanted is there. O(wanted * skills), both of them a handful.
[[nodiscard]] bool qualified(std::span<const skill> skills,
                             std::span<const wanted_skill> wanted) noexcept;

} // namespace jackfield::policy
