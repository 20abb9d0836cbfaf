#include "engine/report/verdict.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "engine/report/figures.hpp"

namespace jackfield::report {

namespace {

double ms(uint64_t us) {
  return static_cast<double>(us) / 1000;
}

void check_late(std::vector<std::string>& reasons, const histogram& h,
                std::chrono::milliseconds bound, uint64_t least, double share,
                std::string_view what) {
  const std::chrono::microseconds limit{bound};
  const auto late = h.count() - h.count_at_most(static_cast<uint64_t>(limit.count()));
  if (late >= least && static_cast<double>(late) > share * static_cast<double>(h.count()))
    reasons.push_back(fmt::format("{}: {} of {} by more than {} ms, bound {:g} %, worst {:.1f} ms",
                                  what, grouped(late), grouped(h.count()), bound.count(),
                                  100 * share, ms(h.max())));
}

/// How long lanes stood still, all together, in ms.
double time_still(const histogram& lag, std::chrono::milliseconds bound) {
  const std::chrono::microseconds limit{bound};
  double sum = 0;
  for (const auto& b : lag.buckets())
    if (b.from > static_cast<uint64_t>(limit.count()))
      sum += static_cast<double>(b.count) * (ms(b.from) + ms(std::min(b.to, lag.max()))) / 2;
  return sum;
}

void check_still(std::vector<std::string>& reasons, const histogram& lag,
                 std::chrono::nanoseconds lane_time, const validity_bounds& bounds) {
  const auto still = time_still(lag, bounds.lane_lag);
  const auto all = std::chrono::duration<double, std::milli>{lane_time}.count();
  const bool long_at_once = ms(lag.max()) >= static_cast<double>(bounds.still_at_once.count());
  const bool often = all > 0 && still > bounds.still_share * all &&
                     still >= static_cast<double>(bounds.least_still.count());
  if (!long_at_once && !often)
    return;
  std::string share;
  if (all > 0)
    share = fmt::format(", {:.1f} % of their time (bound {:g} %)", 100 * still / all,
                        100 * bounds.still_share);
  reasons.push_back(fmt::format(
    "lanes stood still for {:.1f} s{}, {:.1f} s at once (bound {:.0f} s)", still / 1000, share,
    ms(lag.max()) / 1000, static_cast<double>(bounds.still_at_once.count()) / 1000));
}

/// Who had the cores, where that is known.
std::string what_held_it_up(const generator_health& health) {
  if (!health.cpu_own || !health.cpu_others)
    return {};
  constexpr double much_of_others = 0.2;
  constexpr double much_stolen = 0.05;
  constexpr double all = 0.9;
  const double stolen = health.cpu_stolen.value_or(0);
  const auto who = stolen >= much_stolen && stolen >= *health.cpu_others
                     ? "the host, which gave other guests this machine's cores"
                   : *health.cpu_others >= much_of_others ? "other processes on this machine"
                   : *health.cpu_own >= all               ? "its own work: the cores were full"
                                                          : "not for want of cores";
  std::string shares = fmt::format("cores: {:.0f} % its own, {:.0f} % other processes",
                                   100 * *health.cpu_own, 100 * *health.cpu_others);
  if (stolen >= 0.01)
    shares += fmt::format(", {:.0f} % stolen by the host", 100 * stolen);
  if (health.cpu_pressure)
    shares +=
      fmt::format("; somebody waited for one {:.0f} % of the time", 100 * *health.cpu_pressure);
  return fmt::format("what held it up: {} ({})", who, shares);
}

std::string plural(uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

} // namespace

verdict judge(const run_metrics& metrics, std::chrono::nanoseconds lane_time,
              const validity_bounds& bounds) {
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
  const auto before = reasons.size();
  check_still(reasons, health.lane_lag, lane_time, bounds);
  if (health.late_passes * 100 > health.passes && health.late_passes >= bounds.least_late_passes)
    reasons.push_back(fmt::format("lanes were overloaded in {} of {} passes, bound 1 %",
                                  health.late_passes, health.passes));
  if (calls.missed_by_generator > 0)
    reasons.push_back(fmt::format("{} not started because the generator could not keep up",
                                  plural(calls.missed_by_generator, "call was", "calls were")));
  if (const auto local = calls.failures.find(failure_cause::refused_locally);
      local != calls.failures.end())
    reasons.push_back(fmt::format("{} given up by an overloaded lane of the generator",
                                  plural(local->second, "call was", "calls were")));
  uint64_t unequipped = health.own_refusals;
  if (const auto own = calls.failures.find(failure_cause::media_setup); own != calls.failures.end())
    unequipped += own->second;
  if (unequipped > 0)
    reasons.push_back(fmt::format("{} not made for want of the generator's own: room, ports of "
                                  "media (--media-ports) or file descriptors (ulimit -n)",
                                  plural(unequipped, "call was", "calls were")));
  check_late(reasons, health.start_lateness, bounds.start_lateness, bounds.least_late_starts,
             bounds.late_start_share, "calls were started late");
  if (health.socket_drops > 0)
    reasons.push_back(fmt::format("{} lost at the generator's own sockets",
                                  plural(health.socket_drops, "datagram was", "datagrams were")));
  check_late(reasons, metrics.media.send_lateness, bounds.send_lateness, bounds.least_late_packets,
             bounds.late_share, "media packets were sent late");
  const bool late = reasons.size() > before + (unequipped > 0 ? 1 : 0);
  if (const auto cause = what_held_it_up(health); late && !cause.empty())
    reasons.push_back(cause);
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
  if (metrics.media.stopped_calls > 0)
    v.remarks.push_back(fmt::format("{} audio that stopped seconds before the call's end",
                                    plural(metrics.media.stopped_calls, "call had", "calls had")));
  if (metrics.media.ignored.strangers > 0)
    v.remarks.push_back(
      fmt::format("{} at ports of media from another address or port than was signalled, and not "
                  "heard",
                  plural(metrics.media.ignored.strangers, "datagram came", "datagrams came")));
  if (calls.ended_by_callee > 0)
    v.remarks.push_back(fmt::format("{} ended by the callee",
                                    plural(calls.ended_by_callee, "call was", "calls were")));
  if (metrics.malformed > 0)
    v.remarks.push_back(fmt::format("{} received that could not be read as SIP",
                                    plural(metrics.malformed, "message was", "messages were")));
  return v;
}

} // namespace jackfield::report
