#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/simulation/single_queue.hpp"

namespace jackfield::simulation {

/// What a number of agents is to reach.
struct staffing_target {
  enum class metric : uint8_t { service_level, asa, p_wait, abandoned, occupancy };

  [[nodiscard]] const compared_figure& figure_of(const queue_study& study) const noexcept;

  metric what = metric::service_level;
  double bound = 0; ///< at least, for the service level; at most, for all else
  std::string text; ///< as it was written

  /// "sl>=0.8", "sl>=80%", "asa<=20", "asa<=20s", "p_wait<=0.2", "abandoned<=3%",
  /// "occupancy<=0.85": conditions that more agents meet better. The service level is that of all
  /// offered. `place` names the option in errors.
  static result<staffing_target> parse(std::string_view place, std::string_view text);

  [[nodiscard]] bool met_by(double value) const noexcept;
  /// By the simulated mean.
  [[nodiscard]] bool met_by(const queue_study& study) const noexcept;
  /// By all of the simulated 95 % interval: more calls would not tell otherwise.
  [[nodiscard]] bool surely_met_by(const queue_study& study) const noexcept;
  [[nodiscard]] bool met_by(const policy::erlang_figures& theory) const noexcept;
};

/// A number of agents, and what it does.
struct staffing_step {
  uint32_t agents = 0;
  std::optional<queue_study> study; ///< nothing: the line would grow for ever
};

struct staffing_result {
  std::vector<staffing_step> steps; ///< by number of agents
  std::optional<staffing_target> target;
  /// Index in `steps` of the least number that meets the target; nothing: none does.
  std::optional<size_t> met;

  /// The one that a report is of: what meets the target, or the only one; null where there is none.
  [[nodiscard]] const staffing_step* chosen() const noexcept;
};

/// Each number of agents from `least` to `most`. With a target: only as many of them as it takes to
/// find the least that meets it, that and the one below it among them.
[[nodiscard]] result<staffing_result> study_staffing(single_queue queue, uint32_t least,
                                                     uint32_t most,
                                                     const std::optional<staffing_target>& target,
                                                     const study_options& options);

/// Without any range: what is looked through for a target. From one agent to twice those that keep
/// up with the load, and a few.
[[nodiscard]] uint32_t most_agents_worth_trying(const single_queue& queue) noexcept;

} // namespace jackfield::simulation
