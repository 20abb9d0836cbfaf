#include "engine/report/step_verdicts.hpp"

#include <utility>

namespace jackfield::report {

namespace {

/// What is judged by its share, of a part of a run.
run_metrics between(const run_metrics& before, const run_metrics& now) {
  run_metrics part;
  part.health.lane_lag = now.health.lane_lag.since(before.health.lane_lag);
  part.health.start_lateness = now.health.start_lateness.since(before.health.start_lateness);
  part.health.passes = now.health.passes - before.health.passes;
  part.health.late_passes = now.health.late_passes - before.health.late_passes;
  part.media.send_lateness = now.media.send_lateness.since(before.media.send_lateness);
  return part;
}

} // namespace

step_verdicts::step_verdicts(std::vector<load_step> steps, unsigned lanes,
                             const validity_bounds& bounds)
    : steps_(std::move(steps)), lanes_(lanes), bounds_(bounds) {
  if (steps_.size() < 2)
    steps_.clear();
}

void step_verdicts::sample(std::chrono::nanoseconds elapsed, const run_metrics& metrics) {
  if (next_ < steps_.size() && elapsed >= steps_[next_].ends)
    close(elapsed, metrics);
}

void step_verdicts::finish(std::chrono::nanoseconds elapsed, const run_metrics& metrics) {
  if (next_ < steps_.size() && elapsed > began_)
    close(elapsed, metrics);
}

void step_verdicts::close(std::chrono::nanoseconds elapsed, const run_metrics& metrics) {
  const auto judged =
    judge(between(before_, metrics), (elapsed - began_) * static_cast<int64_t>(lanes_), bounds_);
  for (const auto& reason : judged.invalid_reasons)
    reasons_.push_back("step " + std::to_string(next_ + 1) + " (" + steps_[next_].name +
                       "): " + reason);
  before_ = metrics;
  began_ = elapsed;
  while (next_ < steps_.size() && steps_[next_].ends <= elapsed)
    ++next_;
}

} // namespace jackfield::report
