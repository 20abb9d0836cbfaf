#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/report/run_metrics.hpp"

namespace jackfield::report {

/// One interval of a run: counts are what was added in it, gauges what held at its end.
struct interval_row {
  double at_s = 0;     ///< end of the interval, seconds since the run began
  double length_s = 0; ///< of the interval
  uint64_t offered = 0;
  uint64_t started = 0;
  uint64_t missed = 0;
  uint64_t answered = 0;
  uint64_t completed = 0;
  uint64_t failed = 0;
  uint64_t current = 0;
  uint64_t requests = 0; ///< SIP requests sent, without retransmissions
  uint64_t retransmissions = 0;
  uint64_t registered = 0; ///< registrations and refreshes that succeeded
  double cpu_percent = 0;  ///< of one core; may exceed 100
  std::optional<double> srd_p50_ms;
  std::optional<double> srd_p95_ms;
  std::optional<double> srd_p99_ms;
  std::optional<double> lane_lag_p99_ms;
  std::optional<double> send_lateness_p99_ms;
  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;
  uint64_t packets_lost = 0;
  uint64_t fec_recovered = 0;           ///< of the lost
  std::optional<double> jitter_mean_ms; ///< of packets that came in it, both directions
  std::optional<double> rrd_p50_ms;     ///< of registrations
  std::optional<double> rrd_p95_ms;
  std::optional<double> rrd_p99_ms;
  std::optional<double> mos_mean; ///< of streams judged in the interval, both directions
};

/// One row of two that follow each other. Percentiles do not add up: of p95 and p99 the worse is
/// taken, which never understates; p50 and MOS are weighted by calls.
[[nodiscard]] interval_row joined(const interval_row& a, const interval_row& b);

/// Turns snapshots of a run's metrics into rows over time. Memory is bounded: when `most_rows` are
/// reached, neighbouring rows are joined and the interval doubles, so a run of days still fits.
class interval_series {
public:
  static constexpr size_t most_rows = 7'200;

  /// Takes the merged metrics as of `elapsed` since the run began. Call it about once a second,
  /// with `elapsed` growing; a call that does not advance it is ignored.
  void sample(std::chrono::nanoseconds elapsed, const run_metrics& metrics);

  [[nodiscard]] const std::vector<interval_row>& rows() const noexcept { return rows_; }
  /// The last sample as it was taken, even where rows have been joined; all zero before the first.
  [[nodiscard]] const interval_row& latest() const noexcept { return latest_; }

private:
  struct baseline {
    uint64_t offered = 0, started = 0, missed = 0, answered = 0, completed = 0, failed = 0;
    uint64_t requests = 0, retransmissions = 0, registered = 0;
    uint64_t packets_sent = 0, packets_received = 0, packets_lost = 0;
    uint64_t fec_recovered = 0;
    uint64_t variation_us = 0, variation_count = 0;
    double cpu_seconds = 0;
    histogram srd, rrd, lane_lag, send_lateness;
    mos_distribution mos;
  };
  void join_rows();

  std::vector<interval_row> rows_;
  interval_row latest_;
  baseline before_;
  std::chrono::nanoseconds last_{0};
  size_t samples_a_row_ = 1;
  size_t samples_in_last_ = 0;
};

} // namespace jackfield::report
