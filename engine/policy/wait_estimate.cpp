#include "engine/policy/wait_estimate.hpp"

#include <algorithm>

namespace jackfield::policy {

namespace {

/// So many intervals are remembered, as it were.
constexpr uint32_t memory = 8;

/// The mean with one more interval.
duration with(const wait_estimate& e, duration interval) noexcept {
  const auto weight = static_cast<int64_t>(std::min(e.intervals + 1, memory));
  return e.between + (interval - e.between) / weight;
}

} // namespace

void wait_estimate::begin(time_point now) noexcept {
  if (since == never)
    since = now;
}

void wait_estimate::departed(time_point now) noexcept {
  if (since == never)
    return;
  between = with(*this, now - since);
  intervals = std::min(intervals + 1, memory);
  since = now;
}

std::optional<duration> wait_estimate::at(time_point now, size_t position) const noexcept {
  if (intervals == 0)
    return std::nullopt;
  const auto running = since == never ? duration::zero() : now - since;
  return (running > between ? with(*this, running) : between) * static_cast<int64_t>(position);
}

} // namespace jackfield::policy
