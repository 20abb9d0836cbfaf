#include "tests/report/sample_report.hpp"

#include <cmath>
#include <random>

namespace jackfield::report {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Microseconds around `typical`, with a long tail.
uint64_t tailed(std::mt19937& random, double typical) {
  const double unit = (random() % 10'000 + 1) / 10'001.0;
  return static_cast<uint64_t>(typical * (0.6 + 0.25 * -std::log(unit)));
}

void add_stream(media_direction& d, std::mt19937& random) {
  ++d.streams;
  d.expected += 500;
  const uint64_t lost = random() % 20 == 0 ? random() % 8 : 0;
  d.lost += lost;
  d.fec_recovered += lost / 2;
  d.received += 500 - lost;
  d.jitter.record(tailed(random, 900));
  d.mos.record(4.41 - 0.05 * static_cast<double>(lost));
}

} // namespace

run_report sample_report() {
  run_report report;
  auto& info = report.info;
  info.version = "0.1.0";
  info.command = "jackfield load sip:bench@192.0.2.10 --calls 1000 --rate 100 --duration 10";
  info.target = "sip:bench@192.0.2.10";
  info.flow = "call";
  info.transport = "udp";
  info.media = "rtp";
  info.mos_model = "G.107 PCMU";
  info.started = std::chrono::system_clock::time_point{seconds{1'700'000'000}};
  info.duration = std::chrono::milliseconds{20'300};
  info.lanes = 2;

  std::mt19937 random{7};
  auto& m = report.metrics;
  interval_series series;
  for (int second = 0; second < 25; ++second) {
    for (int i = 0; i < 100 && second < 10; ++i) {
      m.calls.offer();
      m.calls.start();
      m.statuses.count_request(counted_method::invite);
      ++m.requests_sent;
      const double load = 1 + static_cast<double>(second) / 6;
      m.times.srd.record(tailed(random, 9'000 * load));
      m.times.ttr.record(tailed(random, 2'000 * load));
      m.health.start_lateness.record(tailed(random, 60));
      if (random() % 40 == 0) {
        const int status = random() % 3 == 0 ? 503 : 486;
        m.calls.fail(failure_cause::from_status(status));
        m.sessions.count(status);
        m.statuses.count_response(counted_method::invite, status);
        continue;
      }
      m.calls.answer();
      m.sessions.count(200);
      m.statuses.count_response(counted_method::invite, 180);
      m.statuses.count_response(counted_method::invite, 200);
      m.times.pdd.record(tailed(random, 11'000 * load));
      m.times.setup.record(tailed(random, 31'000 * load));
    }
    for (int i = 0; i < 100 && second >= 10 && second < 20 && m.calls.current > 0; ++i) {
      m.calls.complete();
      m.statuses.count_request(counted_method::bye);
      m.statuses.count_response(counted_method::bye, 200);
      m.times.sdd.record(tailed(random, 4'000));
      m.times.call_length.record(uint64_t{10'000'000});
      add_stream(m.media.received, random);
      add_stream(m.media.sent, random);
      m.media.rtt.record(tailed(random, 400));
    }
    m.media.packets_sent += m.calls.current * 50;
    m.media.send_lateness.record(tailed(random, 700), m.calls.current * 50 + 1);
    for (int i = 0; i < 500; ++i)
      m.health.lane_lag.record(tailed(random, 90));
    m.health.passes += 500;
    m.health.cpu_seconds += 0.15 + static_cast<double>(m.calls.current) / 1800;
    series.sample(seconds{second + 1}, m);
  }
  m.health.rss_peak_kb = 84'512;
  m.retransmissions = 3;
  report.series = series.rows();
  report.validity = judge(m);
  const auto conditions = parse_thresholds("test", "srd_ms: p(99)<200, avg<50");
  const auto failed = parse_thresholds("test", "failed: rate<0.01");
  for (const auto& parsed : {conditions, failed})
    for (const auto& outcome : evaluate_thresholds(*parsed, m, info.duration))
      report.thresholds.push_back(outcome);
  return report;
}

run_report empty_report() {
  run_report report;
  report.validity = judge(report.metrics);
  return report;
}

} // namespace jackfield::report
