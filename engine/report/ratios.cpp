#include "engine/report/ratios.hpp"

#include <initializer_list>

namespace jackfield::report {

namespace {

std::optional<double> percent(uint64_t part, uint64_t whole) {
  if (whole == 0)
    return std::nullopt;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

uint64_t with_status(const session_outcomes& outcomes, std::initializer_list<uint16_t> statuses) {
  uint64_t sum = 0;
  for (const uint16_t status : statuses)
    if (const auto found = outcomes.finals.find(status); found != outcomes.finals.end())
      sum += found->second;
  return sum;
}

uint64_t in_class(const session_outcomes& outcomes, uint16_t first) {
  uint64_t sum = 0;
  for (auto i = outcomes.finals.lower_bound(first);
       i != outcomes.finals.end() && i->first < first + 100; ++i)
    sum += i->second;
  return sum;
}

} // namespace

ratios derive_ratios(const run_metrics& metrics) {
  const auto& outcomes = metrics.sessions;
  const uint64_t attempts = outcomes.total();
  // Any 2xx establishes a session (RFC 3261 section 13.2.2.4), though only 200 is in use.
  const uint64_t established = in_class(outcomes, 200);
  const uint64_t not_redirected = attempts - in_class(outcomes, 300);

  ratios r;
  r.asr = percent(established, attempts);
  r.ser = percent(established, not_redirected);
  r.seer = percent(established + with_status(outcomes, {480, 486, 600, 603}), not_redirected);
  r.isa = percent(with_status(outcomes, {408, 500, 503, 504}), attempts);
  if (r.isa)
    r.ner = 100 - *r.isa;
  // Only attempts that have ended, so that a run under way is not charged for its open calls.
  r.scr = percent(metrics.calls.completed, metrics.calls.completed + metrics.calls.failed);
  const auto& reg = metrics.registrations;
  r.ira = percent(reg.failed, reg.succeeded + reg.failed);
  if (!metrics.times.call_length.empty())
    r.acd = metrics.times.call_length.mean() / 1e6;
  return r;
}

} // namespace jackfield::report
