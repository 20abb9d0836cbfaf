#include "engine/report/run_metrics.hpp"

#include <algorithm>

namespace jackfield::report {

namespace {

template <class Key>
void add(std::map<Key, uint64_t>& to, const std::map<Key, uint64_t>& from) {
  for (const auto& [key, count] : from)
    to[key] += count;
}

} // namespace

void call_counts::start() noexcept {
  ++started;
  ++current;
  peak = std::max(peak, current);
}

void call_counts::complete() noexcept {
  ++completed;
  --current;
}

void call_counts::refuse_as_busy() noexcept {
  ++busy;
  --current;
}

void call_counts::leave_unanswered() noexcept {
  ++unanswered;
  --current;
}

void call_counts::fail(failure_cause cause, std::string_view detail) {
  ++failed;
  --current;
  ++failures[cause];
  details.count(cause, detail);
}

void call_counts::merge(const call_counts& other) {
  offered += other.offered;
  started += other.started;
  missed_by_limit += other.missed_by_limit;
  missed_by_generator += other.missed_by_generator;
  answered += other.answered;
  completed += other.completed;
  busy += other.busy;
  unanswered += other.unanswered;
  failed += other.failed;
  current += other.current;
  peak += other.peak;
  add(failures, other.failures);
  details.merge(other.details);
  ended_by_caller += other.ended_by_caller;
  ended_by_callee += other.ended_by_callee;
}

void session_outcomes::count(int status) {
  if (status >= 200 && status <= 699)
    ++finals[static_cast<uint16_t>(status)];
}

void session_outcomes::merge(const session_outcomes& other) {
  add(finals, other.finals);
}

uint64_t session_outcomes::total() const noexcept {
  uint64_t sum = 0;
  for (const auto& [status, count] : finals)
    sum += count;
  return sum;
}

void registration_counts::merge(const registration_counts& other) {
  attempted += other.attempted;
  succeeded += other.succeeded;
  failed += other.failed;
  refreshed += other.refreshed;
  refresh_failed += other.refresh_failed;
  current += other.current;
  add(failures, other.failures);
  details.merge(other.details);
}

void latencies::merge(const latencies& other) noexcept {
  srd.merge(other.srd);
  ttr.merge(other.ttr);
  pdd.merge(other.pdd);
  setup.merge(other.setup);
  sdd.merge(other.sdd);
  ice_gathering.merge(other.ice_gathering);
  ice_checks.merge(other.ice_checks);
  dtls.merge(other.dtls);
  rrd.merge(other.rrd);
  options.merge(other.options);
  call_length.merge(other.call_length);
}

void media_direction::merge(const media_direction& other) noexcept {
  streams += other.streams;
  expected += other.expected;
  received += other.received;
  lost += other.lost;
  variation_us += other.variation_us;
  variation_count += other.variation_count;
  fec_recovered += other.fec_recovered;
  duplicate += other.duplicate;
  reordered += other.reordered;
  late += other.late;
  jitter.merge(other.jitter);
  mos.merge(other.mos);
}

void ignored_packets::merge(const ignored_packets& other) noexcept {
  strangers += other.strangers;
  forged += other.forged;
  replayed += other.replayed;
  malformed += other.malformed;
  unauthenticated += other.unauthenticated;
}

void found_sounds::merge(const found_sounds& other) noexcept {
  tone += other.tone;
  sound += other.sound;
  silence += other.silence;
}

void media_counts::merge(const media_counts& other) noexcept {
  packets_sent += other.packets_sent;
  dtx_frames += other.dtx_frames;
  received.merge(other.received);
  sent.merge(other.sent);
  rtt.merge(other.rtt);
  send_lateness.merge(other.send_lateness);
  one_way_calls += other.one_way_calls;
  silent_calls += other.silent_calls;
  stopped_calls += other.stopped_calls;
  early_packets += other.early_packets;
  transcoded += other.transcoded;
  ignored.merge(other.ignored);
  dtmf_sent += other.dtmf_sent;
  dtmf_received += other.dtmf_received;
  found.merge(other.found);
}

namespace {

constexpr step_counts::count step_counts::*all_steps[] = {
  &step_counts::hold, &step_counts::resume, &step_counts::ice_restart, &step_counts::info_digit};

} // namespace

bool step_counts::any() const noexcept {
  return std::ranges::any_of(
    all_steps, [&](auto step) { return (this->*step).done + (this->*step).failed > 0; });
}

void step_counts::merge(const step_counts& other) noexcept {
  for (auto step : all_steps) {
    (this->*step).done += (other.*step).done;
    (this->*step).failed += (other.*step).failed;
  }
}

void generator_health::merge(const generator_health& other) noexcept {
  lane_lag.merge(other.lane_lag);
  start_lateness.merge(other.start_lateness);
  passes += other.passes;
  late_passes += other.late_passes;
  socket_drops += other.socket_drops;
  own_refusals += other.own_refusals;
  parts_lost += other.parts_lost;
  send_blocked += other.send_blocked;
  cpu_seconds += other.cpu_seconds;
  cpu_own = std::max(cpu_own, other.cpu_own);
  cpu_others = std::max(cpu_others, other.cpu_others);
  cpu_stolen = std::max(cpu_stolen, other.cpu_stolen);
  cpu_pressure = std::max(cpu_pressure, other.cpu_pressure);
  rss_peak_kb = std::max(rss_peak_kb, other.rss_peak_kb);
}

void run_metrics::merge(const run_metrics& other) {
  calls.merge(other.calls);
  sessions.merge(other.sessions);
  registrations.merge(other.registrations);
  users.merge(other.users);
  times.merge(other.times);
  media.merge(other.media);
  steps.merge(other.steps);
  health.merge(other.health);
  statuses.merge(other.statuses);
  served.merge(other.served);
  requests_sent += other.requests_sent;
  retransmissions += other.retransmissions;
  retransmissions_received += other.retransmissions_received;
  failovers += other.failovers;
  timeouts += other.timeouts;
  unexpected += other.unexpected;
  malformed += other.malformed;
}

} // namespace jackfield::report
