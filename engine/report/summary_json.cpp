#include "engine/report/summary_json.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/report/exit_code.hpp"
#include "engine/report/figures.hpp"
#include "engine/report/ratios.hpp"

namespace jackfield::report {

namespace {

using json = nlohmann::ordered_json;

json number(std::optional<double> value, double decimals = 1000) {
  if (!value || !std::isfinite(*value))
    return nullptr;
  return std::round(*value * decimals) / decimals;
}

json milliseconds(const histogram& h) {
  const json mean = h.empty() ? json(nullptr) : number(h.mean() / 1000);
  return {{"p50", number(percentile_ms(h, 50))},
          {"p95", number(percentile_ms(h, 95))},
          {"p99", number(percentile_ms(h, 99))},
          {"max", number(percentile_ms(h, 100))},
          {"min", number(percentile_ms(h, 0))},
          {"mean", mean},
          {"count", h.count()}};
}

json causes(const std::map<failure_cause, uint64_t>& failures) {
  json result = json::object();
  for (const auto& [cause, count] : failures)
    result[cause.name()] = count;
  return result;
}

/// {"sip_503": {"Retry-After 30": 4}}
json details_of(const failure_details& details) {
  json result = json::object();
  for (const auto& [cause, said] : details.all())
    for (const auto& [text, count] : said)
      result[cause.name()][text] = count;
  return result;
}

json direction(const media_direction& d) {
  return {{"streams", d.streams},
          {"packets_expected", d.expected},
          {"packets_received", d.received},
          {"packets_lost", d.lost},
          {"fec_recovered", d.fec_recovered},
          {"packets_duplicate", d.duplicate},
          {"packets_reordered", d.reordered},
          {"packets_late", d.late},
          {"jitter_ms", milliseconds(d.jitter)},
          {"jitter_mean_ms", d.variation_count == 0
                               ? json(nullptr)
                               : number(static_cast<double>(d.variation_us) / 1000 /
                                        static_cast<double>(d.variation_count))},
          {"mos_min", number(d.mos.min())},
          {"mos_p5", number(d.mos.percentile(5))},
          {"mos_mean", number(d.mos.mean())}};
}

json media_of(const media_counts& m) {
  mos_distribution both = m.received.mos;
  both.merge(m.sent.mos);
  return {
    {"packets_sent", m.packets_sent},
    {"dtx_frames", m.dtx_frames},
    {"packets_lost", m.received.lost + m.sent.lost},
    {"fec_recovered", m.received.fec_recovered + m.sent.fec_recovered},
    {"mos_p5", number(both.percentile(5))},
    {"mos_mean", number(both.mean())},
    {"send_lateness_p99", number(percentile_ms(m.send_lateness, 99))},
    {"send_lateness_max", number(percentile_ms(m.send_lateness, 100))},
    {"received", direction(m.received)},
    {"sent", direction(m.sent)},
    {"rtt_ms", milliseconds(m.rtt)},
    {"one_way_calls", m.one_way_calls},
    {"silent_calls", m.silent_calls},
    {"stopped_calls", m.stopped_calls},
    {"early_packets", m.early_packets},
    {"transcoded", m.transcoded},
    {"strangers", m.ignored.strangers},
    {"forged", m.ignored.forged},
    {"replayed", m.ignored.replayed},
    {"malformed", m.ignored.malformed},
    {"unauthenticated", m.ignored.unauthenticated},
    {"dtmf_sent", m.dtmf_sent},
    {"dtmf_received", m.dtmf_received},
    {"found", {{"tone", m.found.tone}, {"sound", m.found.sound}, {"silence", m.found.silence}}}};
}

json step_of(const step_counts::count& count) {
  return {{"done", count.done}, {"failed", count.failed}};
}

json steps_of(const step_counts& steps) {
  return {{"hold", step_of(steps.hold)},
          {"resume", step_of(steps.resume)},
          {"ice_restart", step_of(steps.ice_restart)},
          {"info_digit", step_of(steps.info_digit)}};
}

json methods_of(const status_matrix& statuses) {
  json result = json::object();
  for (size_t i = 0; i < counted_methods; ++i) {
    const auto method = static_cast<counted_method>(i);
    const auto& responses = statuses.responses(method);
    if (statuses.requests(method) == 0 && responses.empty())
      continue;
    json by_status = json::object();
    for (const auto& [status, count] : responses)
      by_status[std::to_string(status)] = count;
    result[std::string{to_string(method)}] = {{"requests", statuses.requests(method)},
                                              {"responses", std::move(by_status)}};
  }
  return result;
}

json sip_of(const run_metrics& m) {
  return {{"requests_sent", m.requests_sent},
          {"retransmissions", m.retransmissions},
          {"retransmissions_received", m.retransmissions_received},
          {"failovers", m.failovers},
          {"timeouts", m.timeouts},
          {"unexpected", m.unexpected},
          {"malformed", m.malformed},
          {"methods", methods_of(m.statuses)},
          {"served", methods_of(m.served)}};
}

json thresholds_of(const run_report& report) {
  json result = json::array();
  for (const auto& t : report.thresholds)
    result.push_back({{"threshold", t.condition.text},
                      {"observed", number(t.observed, 1e6)},
                      {"passed", t.passed}});
  return result;
}

json registrations_of(const registration_counts& counts) {
  return {{"attempted", counts.attempted},
          {"succeeded", counts.succeeded},
          {"failed", counts.failed},
          {"refreshed", counts.refreshed},
          {"refresh_failed", counts.refresh_failed},
          {"current", counts.current},
          {"failures", causes(counts.failures)},
          {"failure_details", details_of(counts.details)}};
}

} // namespace

std::string summary_json(const run_report& report) {
  const auto& m = report.metrics;
  const auto& info = report.info;
  const auto& calls = m.calls;
  const ratios r = derive_ratios(m);
  json j;
  j["verdict"] = words_of(outcome_of(report)).name;
  j["valid"] = report.validity.valid;
  j["invalid_reasons"] = report.validity.invalid_reasons;
  j["remarks"] = report.validity.remarks;
  j["exit_code"] = static_cast<int>(exit_code_of(report));
  j["version"] = info.version;
  j["command"] = info.command;
  j["target"] = info.target;
  j["flow"] = info.flow;
  j["transport"] = info.transport;
  j["media_type"] = info.media;
  j["mos_model"] = info.mos_model.empty() ? json(nullptr) : json(info.mos_model);
  j["ended_by"] = info.ended_by.empty() ? json(nullptr) : json(info.ended_by);
  if (const auto& again = info.resumed)
    j["resumed"] = {{"crashes", again->crashes},
                    {"calls", again->resumed},
                    {"lost", again->lost},
                    {"slowest_s", number(std::chrono::duration<double>{again->slowest}.count())}};
  j["started"] = iso_utc(info.started);
  j["duration_s"] = number(std::chrono::duration<double>{info.duration}.count());
  j["lanes"] = info.lanes;
  if (!info.calls_by_lane.empty())
    j["calls_by_lane"] = info.calls_by_lane;
  j["calls"] = {{"offered", calls.offered},
                {"started", calls.started},
                {"missed", calls.missed()},
                {"answered", calls.answered},
                {"completed", calls.completed},
                {"busy", calls.busy},
                {"unanswered", calls.unanswered},
                {"failed", calls.failed},
                {"ended_by_caller", calls.ended_by_caller},
                {"ended_by_callee", calls.ended_by_callee},
                {"peak", calls.peak},
                {"missed_by_limit", calls.missed_by_limit},
                {"missed_by_generator", calls.missed_by_generator}};
  j["ms"] = {{"srd", milliseconds(m.times.srd)},
             {"pdd", milliseconds(m.times.pdd)},
             {"sdd", milliseconds(m.times.sdd)},
             {"setup", milliseconds(m.times.setup)},
             {"ice_gathering", milliseconds(m.times.ice_gathering)},
             {"ice_checks", milliseconds(m.times.ice_checks)},
             {"dtls", milliseconds(m.times.dtls)},
             {"ttr", milliseconds(m.times.ttr)},
             {"rrd", milliseconds(m.times.rrd)},
             {"options", milliseconds(m.times.options)},
             {"call_length", milliseconds(m.times.call_length)}};
  j["media"] = media_of(m.media);
  j["steps"] = steps_of(m.steps);
  j["failures"] = causes(calls.failures);
  j["failure_details"] = details_of(calls.details);
  j["cpu_seconds"] = number(m.health.cpu_seconds);
  j["rss_peak_kb"] = m.health.rss_peak_kb;
  j["ratios"] = {{"asr", number(r.asr, 1e4)},   {"ser", number(r.ser, 1e4)},
                 {"seer", number(r.seer, 1e4)}, {"isa", number(r.isa, 1e4)},
                 {"ner", number(r.ner, 1e4)},   {"scr", number(r.scr, 1e4)},
                 {"ira", number(r.ira, 1e4)},   {"acd_s", number(r.acd)}};
  j["registrations"] = registrations_of(m.registrations);
  if (m.users.attempted > 0)
    j["users"] = registrations_of(m.users);
  j["sip"] = sip_of(m);
  j["health"] = {{"lane_lag_ms", milliseconds(m.health.lane_lag)},
                 {"start_lateness_ms", milliseconds(m.health.start_lateness)},
                 {"passes", m.health.passes},
                 {"late_passes", m.health.late_passes},
                 {"socket_drops", m.health.socket_drops},
                 {"send_blocked", m.health.send_blocked},
                 {"own_refusals", m.health.own_refusals},
                 {"cpu_own", number(m.health.cpu_own, 1e4)},
                 {"cpu_others", number(m.health.cpu_others, 1e4)},
                 {"cpu_stolen", number(m.health.cpu_stolen, 1e4)},
                 {"cpu_pressure", number(m.health.cpu_pressure, 1e4)}};
  j["thresholds"] = thresholds_of(report);
  // ASCII only: what reorders or hides text arrives as an escape.
  return j.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

} // namespace jackfield::report
