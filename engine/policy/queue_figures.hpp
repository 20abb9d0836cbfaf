#pragma once

#include <cstdint>
#include <optional>

#include "engine/policy/time.hpp"

namespace jackfield::policy {

/// Service of a queue over some time: counts, waits and three service levels. Counts each call once
/// when it comes in and once when it goes, so that offered = answered + abandoned + overflowed +
/// withdrawn + those who wait. A plain value; figures of several queues, or times, add up.
struct queue_figures {
  uint64_t offered = 0;   ///< were let in
  uint64_t refused = 0;   ///< were not, and are in no other count
  uint64_t answered = 0;  ///< were assigned to an agent
  uint64_t abandoned = 0; ///< hung up
  uint64_t overflowed = 0;
  uint64_t withdrawn = 0; ///< left by the menu, a transfer, or the owner's doing
  /// Within the T that was in force when they went.
  uint64_t answered_within = 0;
  uint64_t abandoned_within = 0;
  /// Of those answered, and of those who hung up.
  duration answered_wait{};
  duration abandoned_wait{};
  /// Of any that went, whatever its end.
  duration longest_wait{};

  void count_answered(duration waited, duration within) noexcept;
  void count_abandoned(duration waited, duration within) noexcept;
  void count_overflowed(duration waited) noexcept;
  void count_withdrawn(duration waited) noexcept;

  /// answered<=T / answered (Asterisk's first). Nothing where the divisor is 0; so the others.
  [[nodiscard]] std::optional<double> service_level_of_answered() const noexcept;
  /// (answered<=T + abandoned<=T) / (answered + abandoned) (Asterisk's second).
  [[nodiscard]] std::optional<double> service_level_of_ended() const noexcept;
  /// answered<=T / offered: who waits still counts against it.
  [[nodiscard]] std::optional<double> service_level_of_offered() const noexcept;
  /// Average speed of answer.
  [[nodiscard]] std::optional<duration> mean_answered_wait() const noexcept;
  [[nodiscard]] std::optional<duration> mean_abandoned_wait() const noexcept;

  queue_figures& operator+=(const queue_figures& other) noexcept;
  friend bool operator==(const queue_figures&, const queue_figures&) = default;
};

} // namespace jackfield::policy
