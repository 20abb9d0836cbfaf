#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/policy/skills.hpp"
#include "engine/policy/time.hpp"

namespace jackfield::policy {

/// Which of the agents that are available, and in the lowest tier of them, a caller is brought to.
/// Ties are for the lower position, then for who became a member first.
enum class strategy : uint8_t {
  ring_all,        ///< all of them, in all open tiers at once; the first to answer has the call
  longest_idle,    ///< available for longest
  round_robin,     ///< in turn by position, after the one bid for last
  top_down,        ///< lowest position first, always
  least_talk_time, ///< shortest talk time since it logged in
  fewest_calls,    ///< fewest calls answered since it logged in
  random,          ///< each alike
};

/// Who of its members must be there for callers to be let in, or to stay.
enum class attendance : uint8_t {
  none,      ///< nobody
  logged_in, ///< somebody who is not away
  working,   ///< somebody who is neither away nor paused
};

/// Callers who have waited `after` may be brought to members of tiers up to this one. Asterisk's
/// penalties and their rules, and FreeSWITCH's tier levels with their waits, are both this.
struct tier_step {
  duration after{};
  uint16_t up_to = 0;

  friend bool operator==(const tier_step&, const tier_step&) = default;
};

/// Why a caller is sent on.
enum class overflow_reason : uint8_t {
  max_wait,  ///< waited as long as it may
  no_agents, ///< nobody was there any more, for as long as that is borne
  closed,    ///< the queue was closed
  shrunk,    ///< the queue was made shorter, and it was too far back
};

/// Where to, for each reason: whatever the owner understands. Empty: it decides.
struct overflow_targets {
  std::string max_wait;
  std::string no_agents;
  std::string closed;
  std::string shrunk;

  [[nodiscard]] const std::string& of(overflow_reason why) const noexcept;
  friend bool operator==(const overflow_targets&, const overflow_targets&) = default;
};

/// How a queue works. May be changed while callers wait.
struct queue_rules {
  strategy picks = strategy::longest_idle;

  /// False: nobody is let in, and who waits is sent on, unless `drains`.
  bool open = true;
  bool drains = false;
  /// Callers waiting at most, those being offered among them; 0: no bound.
  uint32_t most_waiting = 0;
  attendance join_needs = attendance::none;
  attendance stay_needs = attendance::none;
  /// How long `stay_needs` may be unmet before who waits is sent on.
  duration without_agents{};
  /// Nobody is let in who would be told to wait longer; 0: no bound.
  duration most_expected_wait{};
  /// Since it came in; an offer that rings then may still be answered. 0: no bound.
  duration max_wait{};
  overflow_targets overflow_to;

  /// How much waiting one step of priority is worth: callers stand in the order of joined time less
  /// priority times this, so a low one is served in the end. 0: strictly by priority.
  duration priority_worth{};

  /// In order of `after`, or none: all tiers are open to all. Tiers below the first step's are for
  /// nobody until its time: begin with one after 0 s.
  std::vector<tier_step> tiers;
  /// Where no member of the open tiers is logged in, the lowest tier where one is opens at once.
  bool skips_empty_tiers = true;
  /// Of callers who bring no wants of their own.
  std::vector<wanted_skill> wants;
  /// In order of `after`.
  std::vector<skill_step> skill_steps;

  /// How long an agent's phone rings.
  duration ring_time = std::chrono::seconds{20};
  /// After this long without an answer to a bid, or to an offer that should be over, it is.
  duration answer_lease = std::chrono::seconds{2};
  /// How long an agent that gave no answer is left alone, unless it is heard from.
  duration silent_rest = std::chrono::seconds{10};
  /// Of the agent after a call from here; unset: as the agent's rules say.
  std::optional<duration> wrap_up;

  /// Position and expected wait are announced this long after the caller came in, and then so
  /// often; 0: not then.
  duration announce_first{};
  duration announce_every{};

  /// Who hung up and calls again within this has its place again; 0: begins anew.
  duration resume_place{};

  /// The T of the service levels.
  duration service_level_within = std::chrono::seconds{20};

  /// Says what is out of range: a negative time, none to ring, to answer or to rest, steps out of
  /// order, `announce_every` below a second. `place` names the queue in the error.
  [[nodiscard]] result<void> check(std::string_view place) const;

  friend bool operator==(const queue_rules&, const queue_rules&) = default;
};

/// An agent's part in a queue.
struct membership {
  /// Lower ones are tried first, and higher ones may open later: `queue_rules::tiers`.
  uint16_t tier = 0;
  /// Within the tier.
  uint32_t position = 0;
  std::vector<skill> skills;

  friend bool operator==(const membership&, const membership&) = default;
};

} // namespace jackfield::policy
