#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/policy/erlang.hpp"
#include "engine/report/histogram.hpp"
#include "engine/simulation/centre_plan.hpp"
#include "engine/simulation/estimate.hpp"
#include "engine/simulation/queue_figures.hpp"
#include "engine/simulation/simulate.hpp"

namespace jackfield::simulation {

/// One queue with steady arrivals and agents who are all alike: what Erlang's formulas are about,
/// and what they leave out.
struct single_queue {
  double calls_per_second = 0;
  uint32_t agents = 0;
  distribution talk;
  distribution wrap_up;
  std::optional<distribution> patience;
  duration answer_within = std::chrono::seconds{20};
  distribution answers_after;
  double no_answer = 0;

  [[nodiscard]] duration handling_time() const noexcept { return talk.mean() + wrap_up.mean(); }
  [[nodiscard]] policy::erlang_demand demand() const noexcept;
  /// How many agents callers keep busy, on average, with all that phones ring, for nobody at times,
  /// and how an agent who did not answer rests then. With no more agents the line grows for ever.
  [[nodiscard]] double busy_agents() const noexcept;
  /// Erlang A where callers give up, else Erlang C.
  [[nodiscard]] result<policy::erlang_figures> theory() const;
  /// Which one that is.
  [[nodiscard]] const char* formula() const noexcept { return patience ? "Erlang A" : "Erlang C"; }
  /// The formula is for just this: exponential times, and phones that are answered at once.
  [[nodiscard]] bool theory_exact() const noexcept;
  /// All agents serve the queue, the one who is idle for longest first.
  [[nodiscard]] centre_plan plan() const;
  /// So many callers come before the queue has forgotten that it began empty: those of five times
  /// handling time and relaxation time (`policy::erlang_relaxation`), after which under 1 % is left
  /// of what it began with. Nothing where it has no steady state.
  [[nodiscard]] std::optional<uint64_t> warm_up() const noexcept;
  [[nodiscard]] std::optional<duration> relaxation() const noexcept;
};

/// A figure over some runs, and what a formula says of it, if one does.
struct compared_figure {
  estimate simulated;
  std::optional<double> theory;
};

/// What some runs of a queue show.
struct queue_study : queue_figures<compared_figure> {
  report::histogram answered_waits;  ///< microseconds, of all runs
  report::histogram abandoned_waits; ///< microseconds, of all runs

  uint64_t calls = 0;       ///< in the figures, of each run
  uint64_t warm_up = 0;     ///< before them
  bool by_erlang_a = false; ///< else by Erlang C
  /// How often, in each run, the queue forgets what it was: calls over those of a relaxation time.
  double relaxations = 0;
  /// Of fewer, ten runs' intervals are too narrow: what is rare is in none of them, or in one.
  static constexpr double enough_relaxations = 40;
  bool theory_exact = false; ///< `single_queue::theory_exact`
};

struct study_options {
  uint64_t calls = 200'000;
  /// Runs, with these seeds: `seed`, `seed` + 1, ...
  uint32_t seeds = 10;
  uint64_t seed = 1;
  unsigned threads = 1;
  simulator plays = &simulate;
};

/// Runs it. Fails where it has no steady state, or is out of range. The same for any number of
/// threads.
[[nodiscard]] result<queue_study> study_queue(const single_queue& queue,
                                              const study_options& options);

} // namespace jackfield::simulation
