#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/policy/agent_actions.hpp"
#include "engine/policy/erlang.hpp"
#include "engine/policy/time.hpp"

namespace jackfield::simulation {

using policy::duration;

/// What became of callers. Plain sums: of several queues, times or runs they add up. Each is
/// counted where and when it came, so that offered = answered + abandoned + overflowed + waiting.
struct service_counts {
  uint64_t offered = 0;     ///< were let in
  uint64_t had_to_wait = 0; ///< of these: no agent's phone rang for them at once
  uint64_t answered = 0;
  uint64_t abandoned = 0;  ///< hung up
  uint64_t overflowed = 0; ///< were sent on
  uint64_t waiting = 0;    ///< still, at the end
  uint64_t refused = 0;    ///< were not let in, and are in no other count
  /// Within the T of their queue.
  uint64_t answered_within = 0;
  uint64_t abandoned_within = 0;
  duration answered_wait{};
  duration abandoned_wait{};
  duration longest_wait{};
  /// Agents' time with them: talk, and wrap-up after it.
  duration handling{};

  void count_answered(duration waited, duration within) noexcept;
  void count_abandoned(duration waited, duration within) noexcept;

  // Nothing where there were none to say it of.
  [[nodiscard]] std::optional<double> p_wait() const noexcept;
  [[nodiscard]] std::optional<double> share_abandoned() const noexcept;
  /// Average speed of answer, seconds.
  [[nodiscard]] std::optional<double> asa() const noexcept;
  /// Mean wait of those who hung up, seconds.
  [[nodiscard]] std::optional<double> mean_abandoned_wait() const noexcept;
  /// Average handling time, seconds.
  [[nodiscard]] std::optional<double> aht() const noexcept;
  [[nodiscard]] std::optional<policy::service_levels> levels() const noexcept;

  service_counts& operator+=(const service_counts& other) noexcept;
  friend bool operator==(const service_counts&, const service_counts&) = default;
};

/// How long agents were in each state, all together.
struct staff_time {
  static constexpr size_t states = 10;
  std::array<duration, states> in{};

  [[nodiscard]] duration of(policy::agent_state state) const noexcept {
    return in[static_cast<size_t>(state)];
  }
  /// Logged in, and there.
  [[nodiscard]] duration staffed() const noexcept;
  /// In calls, and wrapping up.
  [[nodiscard]] duration handling() const noexcept;
  /// Handling, as a share of staffed; nothing where nobody was there.
  [[nodiscard]] std::optional<double> occupancy() const noexcept;

  staff_time& operator+=(const staff_time& other) noexcept;
  friend bool operator==(const staff_time&, const staff_time&) = default;
};

} // namespace jackfield::simulation
