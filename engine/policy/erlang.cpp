#include "engine/policy/erlang.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace jackfield::policy {

namespace {

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

result<void> check(const erlang_demand& demand) {
  if (!std::isfinite(demand.calls_per_second) || demand.calls_per_second <= 0)
    return fail("arrivals", "expected more than none");
  if (demand.handling_time <= duration::zero())
    return fail("handling time", "expected more than 0 s");
  if (demand.agents == 0 || demand.agents > most_erlang_agents)
    return fail("agents", "expected 1 to " + std::to_string(most_erlang_agents));
  if (demand.answer_within < duration::zero())
    return fail("answer within", "expected 0 s or more");
  return {};
}

/// The wait that an endlessly patient caller would be offered, of those who find all agents busy.
/// Its density is e^(-drop(x)) up to a factor, where drop has one minimum, 0, at `peak`.
class offered_wait {
public:
  /// Rates a second: of callers, of all agents together, of one caller's giving up.
  offered_wait(double arrivals, double service, double giving_up)
      : arrivals_(arrivals), service_(service), giving_up_(giving_up) {
    if (arrivals > service)
      peak_ = std::log(arrivals / service) / giving_up;
    begin_ = edge(peak_, -1);
    end_ = edge(peak_, 1);
    whole_ = integral(begin_, end_, [](double) { return 1.0; });
  }

  /// ln of the integral over e^(lambda H(x) - N mu x), H the integral of who still waits.
  [[nodiscard]] double log_integral() const {
    const double rise = peak_ > 0 ? service_ / giving_up_ *
                                      (arrivals_ / service_ - 1 - std::log(arrivals_ / service_))
                                  : 0;
    return rise + std::log(whole_);
  }
  [[nodiscard]] double still_there(double x) const { return std::exp(-giving_up_ * x); }
  [[nodiscard]] double gone(double x) const { return -std::expm1(-giving_up_ * x); }

  /// Mean of f(x) over those whose wait lies in [from, to], and 0 for the others.
  template <class F>
  [[nodiscard]] double mean(double from, double to, F f) const {
    from = std::clamp(from, begin_, end_);
    to = std::clamp(to, begin_, end_);
    return integral(from, to, f) / whole_;
  }

private:
  static constexpr double negligible = 50; // e^-50 is 2e-22
  static constexpr int panels = 64;

  [[nodiscard]] double drop(double x) const {
    if (peak_ > 0) {
      const double z = giving_up_ * (x - peak_);
      return service_ / giving_up_ * (std::expm1(-z) + z);
    }
    return service_ * x + arrivals_ / giving_up_ * std::expm1(-giving_up_ * x);
  }

  /// Where, in this direction, nothing is left.
  [[nodiscard]] double edge(double from, int direction) const {
    if (direction < 0 && (from <= 0 || drop(0) <= negligible))
      return 0;
    double inside = from;
    double outside = direction < 0 ? 0 : from + 1 / service_;
    for (double step = 1 / service_; direction > 0 && drop(outside) < negligible; step *= 2) {
      inside = outside;
      outside += step;
    }
    for (int i = 0; i < 60; ++i) {
      const double middle = inside + (outside - inside) / 2;
      (drop(middle) < negligible ? inside : outside) = middle;
    }
    return outside;
  }

  /// Gauss and Legendre, ten points a panel.
  template <class F>
  [[nodiscard]] double integral(double from, double to, F f) const {
    static constexpr double points[] = {0.1488743389816312, 0.4333953941292472, 0.6794095682990244,
                                        0.8650633666889845, 0.9739065285171717};
    static constexpr double weights[] = {0.2955242247147529, 0.2692667193099964, 0.2190863625159820,
                                         0.1494513491505806, 0.0666713443086881};
    if (to <= from)
      return 0;
    const double half = (to - from) / panels / 2;
    double sum = 0;
    for (int i = 0; i < panels; ++i) {
      const double middle = from + half * (2 * i + 1);
      for (size_t k = 0; k < std::size(points); ++k)
        for (const double x : {middle - half * points[k], middle + half * points[k]})
          sum += weights[k] * std::exp(-drop(x)) * f(x);
    }
    return sum * half;
  }

  double arrivals_;
  double service_;
  double giving_up_;
  double peak_ = 0;
  double begin_ = 0;
  double end_ = 0;
  double whole_ = 0;
};

} // namespace

double erlang_demand::offered_load() const noexcept {
  return calls_per_second * seconds(handling_time);
}

double erlang_b(double erlangs, uint32_t agents) noexcept {
  // B(k) = A B(k-1) / (k + A B(k-1)): each within 0..1, whatever A and k are; what is below the
  // least number that there is becomes 0.
  double blocked = 1;
  for (uint32_t k = 1; k <= agents; ++k)
    blocked = erlangs * blocked / (k + erlangs * blocked);
  return blocked;
}

result<erlang_figures> erlang_c(const erlang_demand& demand) {
  if (auto sound = check(demand); !sound)
    return tl::unexpected{std::move(sound.error())};
  const double load = demand.offered_load();
  const double agents = demand.agents;
  if (load >= agents)
    return fail("agents", "the line would grow for ever, expected more than " +
                            std::to_string(static_cast<uint64_t>(load)));
  const double handling = seconds(demand.handling_time);
  const double blocked = erlang_b(load, demand.agents);
  erlang_figures f;
  f.p_wait = agents * blocked / (agents - load * (1 - blocked));
  f.mean_wait = f.p_wait * handling / (agents - load);
  f.mean_answered = f.mean_wait;
  f.occupancy = load / agents;
  f.waiting = demand.calls_per_second * f.mean_wait;
  const double level =
    1 - f.p_wait * std::exp(-(agents - load) * seconds(demand.answer_within) / handling);
  f.within = {level, level, level};
  return f;
}

result<erlang_figures> erlang_a(const erlang_demand& demand, duration patience) {
  if (auto sound = check(demand); !sound)
    return tl::unexpected{std::move(sound.error())};
  if (patience <= duration::zero())
    return fail("patience", "expected more than 0 s");
  const double handling = seconds(demand.handling_time);
  const double service = demand.agents / handling;
  const offered_wait wait{demand.calls_per_second, service, 1 / seconds(patience)};
  // P(wait) = lambda J / (1/B + lambda J) of N-1 agents: J may be beyond all bounds, and B below.
  const double odds = std::log(demand.calls_per_second) + wait.log_integral() +
                      std::log(erlang_b(demand.offered_load(), demand.agents - 1));
  const double within = seconds(demand.answer_within);
  constexpr double ever = std::numeric_limits<double>::infinity();
  const auto there = [&](double x) { return wait.still_there(x); };
  const auto gone = [&](double x) { return wait.gone(x); };

  erlang_figures f;
  f.p_wait = 1 / (1 + std::exp(-odds));
  f.abandoned = f.p_wait * wait.mean(0, ever, gone);
  f.mean_wait = f.abandoned * seconds(patience);
  f.mean_answered = f.p_wait * wait.mean(0, ever, [&](double x) {
    return x * wait.still_there(x);
  }) / (1 - f.abandoned);
  f.occupancy = demand.offered_load() * (1 - f.abandoned) / demand.agents;
  f.waiting = demand.calls_per_second * f.mean_wait;
  const double answered = 1 - f.p_wait + f.p_wait * wait.mean(0, within, there);
  const double left =
    f.p_wait * (wait.mean(0, within, gone) +
                wait.gone(within) * wait.mean(within, ever, [](double) { return 1.0; }));
  f.within = {answered, answered / (1 - left), answered + left};
  return f;
}

std::optional<duration> erlang_relaxation(const erlang_demand& demand,
                                          std::optional<duration> patience) noexcept {
  const double handling = seconds(demand.handling_time);
  const double apart = std::sqrt(demand.agents / handling) - std::sqrt(demand.calls_per_second);
  double longest = apart > 0 ? 1 / (apart * apart) : std::numeric_limits<double>::infinity();
  if (patience) // each step's rate out differs by at least the lesser of the two rates
    longest = std::min(longest, std::max(handling, seconds(*patience)));
  constexpr double a_century = 3.2e9;
  if (longest > a_century)
    return std::nullopt;
  return std::chrono::duration_cast<duration>(std::chrono::duration<double>(longest));
}

} // namespace jackfield::policy
