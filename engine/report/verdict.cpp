#include "engine/report/verdict.hpp"

#include <fmt/format.h>

namespace jackfield::report {

namespace {

void check_p99(std::vector<std::string>& reasons, const histogram& h,
               std::chrono::milliseconds bound, std::string_view what) {
  const auto p99 = percentile_ms(h, 99);
  if (p99 && *p99 > static_cast<double>(bound.count()))
    reasons.push_back(fmt::format("{}: 99th percentile {:.1f} ms, bound {} ms, worst {:.1f} ms",
                                  what, *p99, bound.count(), static_cast<double>(h.max()) / 1000));
}

std::string plural(uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

} // namespace

verdict judge(const run_metrics& metrics, const validity_bounds& bounds) {
  verdict v;
  auto& reasons = v.invalid_reasons;
  const auto& health = metrics.health;
  const auto& calls = metrics.calls;

  if (health.parts_lost > 0)
    reasons.push_back(fmt::format("{} of the generator ended by an error within",
                                  plural(health.parts_lost, "part", "parts")));
  if (const auto own = calls.failures.find(failure_cause::internal); own != calls.failures.end())
    reasons.push_back(fmt::format("{} by an error within the generator",
                                  plural(own->second, "call ended", "calls ended")));
  check_p99(reasons, health.lane_lag, bounds.lane_lag_p99, "lanes lagged behind");
  // One pass in a hundred beyond the lane's own bound is its 99th percentile above it.
  if (health.late_passes * 100 > health.passes)
    reasons.push_back(fmt::format("lanes were overloaded in {} of {} passes, bound 1 %",
                                  health.late_passes, health.passes));
  if (calls.missed_by_generator > 0)
    reasons.push_back(fmt::format("{} not started because the generator could not keep up",
                                  plural(calls.missed_by_generator, "call was", "calls were")));
  if (const auto local = calls.failures.find(failure_cause::refused_locally);
      local != calls.failures.end())
    reasons.push_back(fmt::format("{} given up by an overloaded lane of the generator",
                                  plural(local->second, "call was", "calls were")));
  check_p99(reasons, health.start_lateness, bounds.start_lateness_p99, "calls were started late");
  if (health.socket_drops > 0)
    reasons.push_back(fmt::format("{} lost at the generator's own sockets",
                                  plural(health.socket_drops, "datagram was", "datagrams were")));
  check_p99(reasons, metrics.media.send_lateness, bounds.send_lateness_p99,
            "media packets were sent late");
  v.valid = reasons.empty();

  if (calls.missed_by_limit > 0)
    v.remarks.push_back(fmt::format("{} not started because of the limit on concurrent calls",
                                    plural(calls.missed_by_limit, "call was", "calls were")));
  if (metrics.media.one_way_calls > 0)
    v.remarks.push_back(fmt::format("{} audio in one direction only",
                                    plural(metrics.media.one_way_calls, "call had", "calls had")));
  if (metrics.media.silent_calls > 0)
    v.remarks.push_back(fmt::format("{} no audio at all",
                                    plural(metrics.media.silent_calls, "call had", "calls had")));
  if (metrics.malformed > 0)
    v.remarks.push_back(fmt::format("{} received that could not be read as SIP",
                                    plural(metrics.malformed, "message was", "messages were")));
  return v;
}

} // namespace jackfield::report
