#pragma once

#include <cstdint>
#include <optional>

#include "engine/error/error.hpp"
#include "engine/policy/time.hpp"

/// What queueing theory says of one queue whose callers come at random (Poisson), talk for an
/// exponential time and are served in order by agents who are all alike. A. K. Erlang 1917; with
/// patience C. Palm 1946, computed as S. Zeltyn and A. Mandelbaum, "Call centers with impatient
/// customers", Queueing Systems 51, 2005, section 4.
///
/// Sound from one agent to `most_erlang_agents`; O(agents).
namespace jackfield::policy {

inline constexpr uint32_t most_erlang_agents = 10'000'000;

/// Share of answers within T, by what is made of callers who hang up within T: Cisco's names for
/// what everybody counts one way or another.
struct service_levels {
  double abandoned_negative = 0; ///< answered<=T / offered: each counts as missed
  double abandoned_ignored = 0;  ///< answered<=T / (answered + abandoned>T): as never offered
  double abandoned_positive = 0; ///< (answered<=T + abandoned<=T) / offered: as answered
};

struct erlang_demand {
  double calls_per_second = 0;
  /// Mean, from the answer to the agent's being free again.
  duration handling_time{};
  uint32_t agents = 0;
  /// The T of the service levels.
  duration answer_within = std::chrono::seconds{20};

  /// In Erlangs.
  [[nodiscard]] double offered_load() const noexcept;
};

struct erlang_figures {
  double p_wait = 0;        ///< finds no agent free
  double mean_wait = 0;     ///< seconds, of all callers; who abandons waits until then
  double mean_answered = 0; ///< seconds: average speed of answer
  double abandoned = 0;     ///< share of all callers
  double occupancy = 0;     ///< share of the agents' time
  double waiting = 0;       ///< callers, on average
  service_levels within;
};

/// Share of calls that find all of `agents` busy where nobody can wait. `erlangs` is finite and not
/// negative.
[[nodiscard]] double erlang_b(double erlangs, uint32_t agents) noexcept;

/// Everybody waits. Fails on figures out of range, and where there are no more agents than offered
/// Erlangs: the line would grow for ever.
[[nodiscard]] result<erlang_figures> erlang_c(const erlang_demand& demand);

/// Each caller hangs up after an exponential time with mean `patience`, unless it is answered
/// before. There is no load that it cannot bear. Fails on figures out of range.
[[nodiscard]] result<erlang_figures> erlang_a(const erlang_demand& demand, duration patience);

/// The longest that a disturbance lasts, to 1/e, as to what is to be cut off of a simulation that
/// begins empty: 1 / (sqrt(N mu) - sqrt(lambda))^2 of Erlang C (P. M. Morse 1955), at most the
/// longer of handling time and patience where callers give up. Nothing where the line would grow
/// for ever.
[[nodiscard]] std::optional<duration> erlang_relaxation(const erlang_demand& demand,
                                                        std::optional<duration> patience) noexcept;

} // namespace jackfield::policy
