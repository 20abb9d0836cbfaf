#include "engine/report/interval_series.hpp"

#include <algorithm>

namespace jackfield::report {

namespace {

std::optional<double> greater(std::optional<double> a, std::optional<double> b) {
  if (!a || !b)
    return a ? a : b;
  return std::max(*a, *b);
}

/// The mean of two, weighted; the one there is if the other is missing.
std::optional<double> weighted(std::optional<double> a, double weight_a, std::optional<double> b,
                               double weight_b) {
  if (!a || !b)
    return a ? a : b;
  if (weight_a + weight_b <= 0)
    return (*a + *b) / 2;
  return (*a * weight_a + *b * weight_b) / (weight_a + weight_b);
}

/// A loss may be taken back: what goes back and on again is not added twice.
uint64_t added(uint64_t now, uint64_t& before) {
  const uint64_t difference = now - std::min(now, before);
  before = std::max(now, before);
  return difference;
}

histogram added(const histogram& now, histogram& before) {
  histogram difference = now.since(before);
  before = now;
  return difference;
}

} // namespace

interval_row joined(const interval_row& a, const interval_row& b) {
  interval_row r = b;
  r.length_s = a.length_s + b.length_s;
  r.offered += a.offered;
  r.started += a.started;
  r.missed += a.missed;
  r.answered += a.answered;
  r.completed += a.completed;
  r.failed += a.failed;
  r.requests += a.requests;
  r.retransmissions += a.retransmissions;
  r.registered += a.registered;
  r.packets_sent += a.packets_sent;
  r.packets_received += a.packets_received;
  r.packets_lost += a.packets_lost;
  r.fec_recovered += a.fec_recovered;
  if (r.length_s > 0)
    r.cpu_percent = (a.cpu_percent * a.length_s + b.cpu_percent * b.length_s) / r.length_s;
  r.srd_p50_ms = weighted(a.srd_p50_ms, static_cast<double>(a.started), b.srd_p50_ms,
                          static_cast<double>(b.started));
  r.srd_p95_ms = greater(a.srd_p95_ms, b.srd_p95_ms);
  r.srd_p99_ms = greater(a.srd_p99_ms, b.srd_p99_ms);
  r.rrd_p50_ms = weighted(a.rrd_p50_ms, static_cast<double>(a.registered), b.rrd_p50_ms,
                          static_cast<double>(b.registered));
  r.rrd_p95_ms = greater(a.rrd_p95_ms, b.rrd_p95_ms);
  r.rrd_p99_ms = greater(a.rrd_p99_ms, b.rrd_p99_ms);
  r.jitter_mean_ms = weighted(a.jitter_mean_ms, static_cast<double>(a.packets_received),
                              b.jitter_mean_ms, static_cast<double>(b.packets_received));
  r.lane_lag_p99_ms = greater(a.lane_lag_p99_ms, b.lane_lag_p99_ms);
  r.send_lateness_p99_ms = greater(a.send_lateness_p99_ms, b.send_lateness_p99_ms);
  r.mos_mean = weighted(a.mos_mean, static_cast<double>(a.completed), b.mos_mean,
                        static_cast<double>(b.completed));
  return r;
}

void interval_series::sample(std::chrono::nanoseconds elapsed, const run_metrics& m) {
  if (elapsed <= last_)
    return;
  using seconds = std::chrono::duration<double>;
  interval_row row;
  row.at_s = seconds{elapsed}.count();
  row.length_s = seconds{elapsed - last_}.count();
  last_ = elapsed;

  row.offered = added(m.calls.offered, before_.offered);
  row.started = added(m.calls.started, before_.started);
  row.missed = added(m.calls.missed(), before_.missed);
  row.answered = added(m.calls.answered, before_.answered);
  row.completed = added(m.calls.completed, before_.completed);
  row.failed = added(m.calls.failed, before_.failed);
  row.current = m.calls.current;
  row.requests = added(m.requests_sent, before_.requests);
  row.retransmissions = added(m.retransmissions, before_.retransmissions);
  row.registered = added(m.registrations.succeeded + m.registrations.refreshed, before_.registered);
  row.cpu_percent = 100 * std::max(0.0, m.health.cpu_seconds - before_.cpu_seconds) / row.length_s;
  before_.cpu_seconds = m.health.cpu_seconds;

  const histogram srd = added(m.times.srd, before_.srd);
  row.srd_p50_ms = percentile_ms(srd, 50);
  row.srd_p95_ms = percentile_ms(srd, 95);
  row.srd_p99_ms = percentile_ms(srd, 99);
  const histogram rrd = added(m.times.rrd, before_.rrd);
  row.rrd_p50_ms = percentile_ms(rrd, 50);
  row.rrd_p95_ms = percentile_ms(rrd, 95);
  row.rrd_p99_ms = percentile_ms(rrd, 99);
  row.lane_lag_p99_ms = percentile_ms(added(m.health.lane_lag, before_.lane_lag), 99);
  row.send_lateness_p99_ms = percentile_ms(added(m.media.send_lateness, before_.send_lateness), 99);

  row.packets_sent = added(m.media.packets_sent, before_.packets_sent);
  row.packets_received = added(m.media.received.received, before_.packets_received);
  row.packets_lost = added(m.media.received.lost + m.media.sent.lost, before_.packets_lost);
  row.fec_recovered =
    added(m.media.received.fec_recovered + m.media.sent.fec_recovered, before_.fec_recovered);
  const auto pairs =
    added(m.media.received.variation_count + m.media.sent.variation_count, before_.variation_count);
  const auto variation =
    added(m.media.received.variation_us + m.media.sent.variation_us, before_.variation_us);
  if (pairs > 0)
    row.jitter_mean_ms = static_cast<double>(variation) / 1000 / static_cast<double>(pairs);
  mos_distribution mos = m.media.received.mos;
  mos.merge(m.media.sent.mos);
  row.mos_mean = mos.since(before_.mos).mean();
  before_.mos = mos;

  latest_ = row;
  if (samples_in_last_ > 0 && samples_in_last_ < samples_a_row_) {
    rows_.back() = joined(rows_.back(), row);
    ++samples_in_last_;
    return;
  }
  if (rows_.size() >= most_rows)
    join_rows();
  rows_.push_back(row);
  samples_in_last_ = 1;
}

void interval_series::join_rows() {
  const size_t half = rows_.size() / 2;
  for (size_t i = 0; i < half; ++i)
    rows_[i] = joined(rows_[2 * i], rows_[2 * i + 1]);
  rows_.resize(half);
  samples_a_row_ *= 2;
}

} // namespace jackfield::report
