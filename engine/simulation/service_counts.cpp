#include "engine/simulation/service_counts.hpp"

#include <algorithm>

namespace jackfield::simulation {

namespace {

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

std::optional<double> ratio(double part, double whole) noexcept {
  if (whole <= 0)
    return std::nullopt;
  return part / whole;
}

std::optional<double> share(uint64_t part, uint64_t whole) noexcept {
  return ratio(static_cast<double>(part), static_cast<double>(whole));
}

std::optional<double> mean_seconds(duration sum, uint64_t count) noexcept {
  return ratio(seconds(sum), static_cast<double>(count));
}

} // namespace

void service_counts::count_answered(duration waited, duration within) noexcept {
  ++answered;
  answered_within += waited <= within ? 1 : 0;
  answered_wait += waited;
  longest_wait = std::max(longest_wait, waited);
}

void service_counts::count_abandoned(duration waited, duration within) noexcept {
  ++abandoned;
  abandoned_within += waited <= within ? 1 : 0;
  abandoned_wait += waited;
  longest_wait = std::max(longest_wait, waited);
}

std::optional<double> service_counts::p_wait() const noexcept {
  return share(had_to_wait, offered);
}

std::optional<double> service_counts::share_abandoned() const noexcept {
  return share(abandoned, offered);
}

std::optional<double> service_counts::asa() const noexcept {
  return mean_seconds(answered_wait, answered);
}

std::optional<double> service_counts::mean_abandoned_wait() const noexcept {
  return mean_seconds(abandoned_wait, abandoned);
}

std::optional<double> service_counts::aht() const noexcept {
  return mean_seconds(handling, answered);
}

std::optional<policy::service_levels> service_counts::levels() const noexcept {
  const auto negative = share(answered_within, offered);
  if (!negative)
    return std::nullopt;
  const auto ignored = share(answered_within, offered - abandoned_within);
  return policy::service_levels{*negative, ignored.value_or(0),
                                share(answered_within + abandoned_within, offered).value_or(0)};
}

service_counts& service_counts::operator+=(const service_counts& other) noexcept {
  offered += other.offered;
  had_to_wait += other.had_to_wait;
  answered += other.answered;
  abandoned += other.abandoned;
  overflowed += other.overflowed;
  waiting += other.waiting;
  refused += other.refused;
  answered_within += other.answered_within;
  abandoned_within += other.abandoned_within;
  answered_wait += other.answered_wait;
  abandoned_wait += other.abandoned_wait;
  longest_wait = std::max(longest_wait, other.longest_wait);
  handling += other.handling;
  return *this;
}

duration staff_time::staffed() const noexcept {
  duration sum{};
  for (const auto each : in)
    sum += each;
  return sum - of(policy::agent_state::logged_out) - of(policy::agent_state::paused) -
         of(policy::agent_state::unreachable);
}

duration staff_time::handling() const noexcept {
  return of(policy::agent_state::in_call) + of(policy::agent_state::wrap_up);
}

std::optional<double> staff_time::occupancy() const noexcept {
  return ratio(seconds(handling()), seconds(staffed()));
}

staff_time& staff_time::operator+=(const staff_time& other) noexcept {
  for (size_t i = 0; i < states; ++i)
    in[i] += other.in[i];
  return *this;
}

} // namespace jackfield::simulation
