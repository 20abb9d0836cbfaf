#include "engine/policy/queue_figures.hpp"

#include <algorithm>

namespace jackfield::policy {

namespace {

std::optional<double> share(uint64_t part, uint64_t whole) noexcept {
  if (whole == 0)
    return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<duration> mean(duration sum, uint64_t count) noexcept {
  if (count == 0)
    return std::nullopt;
  return sum / static_cast<int64_t>(count);
}

} // namespace

void queue_figures::count_answered(duration waited, duration within) noexcept {
  ++answered;
  answered_within += waited <= within ? 1 : 0;
  answered_wait += waited;
  longest_wait = std::max(longest_wait, waited);
}

void queue_figures::count_abandoned(duration waited, duration within) noexcept {
  ++abandoned;
  abandoned_within += waited <= within ? 1 : 0;
  abandoned_wait += waited;
  longest_wait = std::max(longest_wait, waited);
}

void queue_figures::count_overflowed(duration waited) noexcept {
  ++overflowed;
  longest_wait = std::max(longest_wait, waited);
}

void queue_figures::count_withdrawn(duration waited) noexcept {
  ++withdrawn;
  longest_wait = std::max(longest_wait, waited);
}

std::optional<double> queue_figures::service_level_of_answered() const noexcept {
  return share(answered_within, answered);
}

std::optional<double> queue_figures::service_level_of_ended() const noexcept {
  return share(answered_within + abandoned_within, answered + abandoned);
}

std::optional<double> queue_figures::service_level_of_offered() const noexcept {
  return share(answered_within, offered);
}

std::optional<duration> queue_figures::mean_answered_wait() const noexcept {
  return mean(answered_wait, answered);
}

std::optional<duration> queue_figures::mean_abandoned_wait() const noexcept {
  return mean(abandoned_wait, abandoned);
}

queue_figures& queue_figures::operator+=(const queue_figures& other) noexcept {
  offered += other.offered;
  refused += other.refused;
  answered += other.answered;
  abandoned += other.abandoned;
  overflowed += other.overflowed;
  withdrawn += other.withdrawn;
  answered_within += other.answered_within;
  abandoned_within += other.abandoned_within;
  answered_wait += other.answered_wait;
  abandoned_wait += other.abandoned_wait;
  longest_wait = std::max(longest_wait, other.longest_wait);
  return *this;
}

} // namespace jackfield::policy
