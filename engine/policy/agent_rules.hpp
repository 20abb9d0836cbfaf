#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/policy/time.hpp"

namespace jackfield::policy {

/// How an agent works. May be changed at any time; what runs already keeps its deadline.
struct agent_rules {
  /// After a queue's call, unless that queue says otherwise; 0: none.
  duration wrap_up{};
  /// After a call beside the queues; 0: none.
  duration wrap_up_direct{};
  /// How long it rests after an offer that it did not take. Never less than `least_rest`, so that
  /// whoever is refused at once is not rung in a loop.
  duration after_rejected = std::chrono::seconds{10};
  duration after_busy = std::chrono::seconds{30};
  duration after_no_answer = std::chrono::seconds{10};
  duration after_unreachable = std::chrono::seconds{10};
  /// So many offers unanswered in a row pause it, with the reason `no_answer_reason`; 0: never.
  uint32_t most_unanswered = 0;
  /// How long it waits for slower queues before it takes the best bid there is.
  duration solicit_bound = std::chrono::milliseconds{50};
  /// After this long without a word of the queue, a reservation or an unconfirmed answer is over.
  duration reservation_lease = std::chrono::seconds{5};

  static constexpr duration least_rest = std::chrono::seconds{1};
  static constexpr std::string_view no_answer_reason = "no answer";

  /// Says what is out of range: a negative time, a lease or bound of 0. `place` names the agent.
  [[nodiscard]] result<void> check(std::string_view place) const;

  friend bool operator==(const agent_rules&, const agent_rules&) = default;
};

} // namespace jackfield::policy
