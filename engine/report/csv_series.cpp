#include "engine/report/csv_series.hpp"

#include <iterator>

#include <fmt/format.h>

namespace jackfield::report {

namespace {

void put(std::string& out, uint64_t n) {
  fmt::format_to(std::back_inserter(out), ",{}", n);
}

void put(std::string& out, std::optional<double> value) {
  out += ',';
  if (value)
    fmt::format_to(std::back_inserter(out), "{:.3f}", *value);
}

} // namespace

std::string csv_header() {
  return "at_s,length_s,offered,started,missed,answered,completed,failed,current,"
         "retransmissions,registered,cpu_percent,srd_p50_ms,srd_p95_ms,srd_p99_ms,"
         "lane_lag_p99_ms,send_lateness_p99_ms,packets_sent,packets_received,packets_lost,"
         "mos_mean,fec_recovered,jitter_mean_ms,rrd_p50_ms,rrd_p95_ms,rrd_p99_ms,requests\r\n";
}

std::string csv_line(const interval_row& row) {
  std::string out = fmt::format("{:.3f},{:.3f}", row.at_s, row.length_s);
  for (const uint64_t n : {row.offered, row.started, row.missed, row.answered, row.completed,
                           row.failed, row.current, row.retransmissions, row.registered})
    put(out, n);
  put(out, std::optional{row.cpu_percent});
  put(out, row.srd_p50_ms);
  put(out, row.srd_p95_ms);
  put(out, row.srd_p99_ms);
  put(out, row.lane_lag_p99_ms);
  put(out, row.send_lateness_p99_ms);
  put(out, row.packets_sent);
  put(out, row.packets_received);
  put(out, row.packets_lost);
  put(out, row.mos_mean);
  put(out, row.fec_recovered);
  put(out, row.jitter_mean_ms);
  put(out, row.rrd_p50_ms);
  put(out, row.rrd_p95_ms);
  put(out, row.rrd_p99_ms);
  put(out, row.requests);
  out += "\r\n";
  return out;
}

} // namespace jackfield::report
