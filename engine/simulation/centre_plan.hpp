#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/policy/agent_rules.hpp"
#include "engine/policy/queue_rules.hpp"
#include "engine/simulation/arrivals.hpp"
#include "engine/simulation/distribution.hpp"

/// What is simulated: a contact centre's queues with their callers, and its agents. Times are since
/// the beginning of the day.
namespace jackfield::simulation {

/// Callers who hung up, or were not let in, and try again.
struct redial_plan {
  double share = 0; ///< of them, 0 to 1
  distribution after = distribution::constant(std::chrono::minutes{5});
  uint32_t most = 3; ///< times, each caller
};

struct queue_plan {
  std::string name;
  /// `overflow_to` names queues: who is sent to none of these names leaves. `wrap_up` is set by the
  /// simulation.
  policy::queue_rules rules;
  arrival_plan arrivals;
  int32_t priority = 0; ///< of its callers
  /// From the answer to the hang-up, and from there to the agent's being free again.
  distribution talk = distribution::constant(std::chrono::minutes{3});
  distribution wrap_up;
  /// How long a caller waits before it hangs up; unset: for ever.
  std::optional<distribution> patience;
  redial_plan redials;
};

/// From, until.
struct time_span {
  duration from{};
  duration to{};
};

struct break_plan {
  time_span when;
  std::string reason;
};

/// Its phone, or its browser, is gone for a while, with the call that it has.
struct failure_plan {
  distribution after;
  distribution lasts;
};

struct agent_plan {
  struct part {
    uint32_t queue = 0;   ///< index in the plan
    int32_t priority = 0; ///< of the queue, to this agent
    policy::membership as;
  };

  std::string name;
  policy::agent_rules rules;
  std::vector<part> queues;
  /// When its phone rings: this share is not answered, the others after this time, if the phone
  /// rings so long.
  double no_answer = 0;
  distribution answers_after;
  /// When it is logged in; none: always. In order, apart from each other; so the breaks.
  std::vector<time_span> shifts;
  std::vector<break_plan> breaks;
  std::optional<failure_plan> failures;
};

struct centre_plan {
  std::vector<queue_plan> queues;
  std::vector<agent_plan> agents;

  /// Says what is out of range: no queue, a queue that an agent serves and that is not there, a
  /// share above 1, shifts out of order, more agents than `most_agents`.
  [[nodiscard]] result<void> check() const;
  /// The queue of that name.
  [[nodiscard]] std::optional<uint32_t> queue_named(std::string_view name) const;
  /// The end of the last shift and of all arrivals that end.
  [[nodiscard]] duration length() const;

  static constexpr size_t most_agents = 100'000;
  static constexpr size_t most_queues = 1'000;
};

} // namespace jackfield::simulation
