#include "engine/report/prometheus_text.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "engine/report/mos_distribution.hpp"

namespace jackfield::report {

namespace {

// Seconds. From what loopback takes to beyond timer B.
constexpr std::array latency_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                    0.025,  0.05,    0.1,    0.25,  0.5,    1.0,   2.5,
                                    5.0,    10.0,    20.0,   32.0,  60.0};
constexpr std::array call_length_bounds{1.0,   5.0,   10.0,  30.0,   60.0,
                                        120.0, 300.0, 600.0, 1800.0, 3600.0};
constexpr std::array mos_bounds{1.5, 2.0, 2.5, 3.0, 3.5, 3.6, 3.8, 4.0, 4.1, 4.2, 4.3, 4.4, 5.0};

class exposition {
public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    put("# HELP jackfield_{} {}\n# TYPE jackfield_{} {}\n", name, help, name, type);
  }

  /// `labels` are without braces, and their values ours: nothing in them needs escaping.
  template <class Number>
  void sample(Number value, std::string_view labels = {}, std::string_view suffix = {}) {
    put("jackfield_{}{}", name_, suffix);
    if (!labels.empty())
      put("{{{}}}", labels);
    put(" {}\n", value);
  }

  template <class Number>
  void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    begin(name, type, help);
    sample(value);
  }
  void counter(std::string_view name, std::string_view help, uint64_t value) {
    single(name, "counter", help, value);
  }
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    single(name, "gauge", help, value);
  }

  template <size_t N>
  void times(std::string_view name, std::string_view help, const histogram& h,
             const std::array<double, N>& bounds) {
    begin(name, "histogram", help);
    for (const double bound : bounds)
      sample(h.count_at_most(static_cast<uint64_t>(std::llround(bound * 1e6))),
             fmt::format("le=\"{}\"", bound), "_bucket");
    sample(h.count(), "le=\"+Inf\"", "_bucket");
    sample(static_cast<double>(h.sum()) / 1e6, {}, "_sum");
    sample(h.count(), {}, "_count");
  }

  void scores(std::string_view direction, const mos_distribution& mos) {
    const std::string label = fmt::format("direction=\"{}\"", direction);
    uint64_t seen = 0;
    size_t step = 0;
    for (const double bound : mos_bounds) {
      const auto last = static_cast<size_t>(std::lround((bound - 1) * 100));
      for (; step <= last; ++step)
        seen += mos.at(step);
      sample(seen, fmt::format("{},le=\"{}\"", label, bound), "_bucket");
    }
    sample(mos.count(), label + ",le=\"+Inf\"", "_bucket");
    sample(mos.mean().value_or(0) * static_cast<double>(mos.count()), label, "_sum");
    sample(mos.count(), label, "_count");
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

private:
  template <class... Ts>
  void put(fmt::format_string<Ts...> format, Ts&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Ts>(values)...);
  }

  std::string out_;
  std::string_view name_;
};

void write_calls(exposition& e, const call_counts& calls) {
  e.counter("calls_offered_total", "Calls that were due.", calls.offered);
  e.counter("calls_started_total", "Calls placed.", calls.started);
  e.begin("calls_missed_total", "counter", "Calls that were due and not placed.");
  e.sample(calls.missed_by_limit, "reason=\"limit\"");
  e.sample(calls.missed_by_generator, "reason=\"generator\"");
  e.counter("calls_answered_total", "Calls answered.", calls.answered);
  e.counter("calls_completed_total", "Calls that ran their length and ended well.",
            calls.completed);
  e.begin("calls_failed_total", "counter", "Calls that failed, by cause.");
  for (const auto& [cause, count] : calls.failures)
    e.sample(count, fmt::format("cause=\"{}\"", cause.name()));
  e.gauge("calls_current", "Calls under way.", calls.current);
  e.gauge("calls_peak", "Most calls under way at once.", calls.peak);
}

void write_registrations(exposition& e, const registration_counts& r) {
  e.counter("registrations_attempted_total", "First registrations.", r.attempted);
  e.counter("registrations_succeeded_total", "First registrations that succeeded.", r.succeeded);
  e.counter("registrations_refreshed_total", "Refreshes that succeeded.", r.refreshed);
  e.begin("registrations_failed_total", "counter",
          "Registrations and refreshes that failed, by cause.");
  for (const auto& [cause, count] : r.failures)
    e.sample(count, fmt::format("cause=\"{}\"", cause.name()));
  e.gauge("registrations_current", "Bindings held.", r.current);
}

void write_times(exposition& e, const latencies& t) {
  e.times("srd_seconds", "Session request delay: INVITE to 180, 183 or final response.", t.srd,
          latency_bounds);
  e.times("ttr_seconds", "INVITE to the first response of any kind.", t.ttr, latency_bounds);
  e.times("pdd_seconds", "Post-dial delay: INVITE to 180 or 183.", t.pdd, latency_bounds);
  e.times("setup_seconds", "INVITE to ACK sent.", t.setup, latency_bounds);
  e.times("sdd_seconds", "Session disconnect delay: BYE to its response.", t.sdd, latency_bounds);
  e.times("ice_gathering_seconds", "ICE: until there was an address to offer.", t.ice_gathering,
          latency_bounds);
  e.times("ice_checks_seconds", "ICE: the peer's description to a pair that works.", t.ice_checks,
          latency_bounds);
  e.times("dtls_seconds", "DTLS: from a working pair to keys.", t.dtls, latency_bounds);
  e.times("rrd_seconds", "Registration request delay: REGISTER to 200.", t.rrd, latency_bounds);
  e.times("options_seconds", "OPTIONS to its response.", t.options, latency_bounds);
  e.times("call_length_seconds", "Answer to BYE.", t.call_length, call_length_bounds);
}

void write_sip(exposition& e, const run_metrics& m) {
  e.begin("sip_requests_total", "counter", "SIP requests sent, without retransmissions.");
  for (size_t i = 0; i < counted_methods; ++i) {
    const auto method = static_cast<counted_method>(i);
    if (m.statuses.requests(method) > 0)
      e.sample(m.statuses.requests(method), fmt::format("method=\"{}\"", to_string(method)));
  }
  e.begin("sip_responses_total", "counter", "SIP responses received, by method and status.");
  for (size_t i = 0; i < counted_methods; ++i) {
    const auto method = static_cast<counted_method>(i);
    for (const auto& [status, count] : m.statuses.responses(method))
      e.sample(count, fmt::format("method=\"{}\",status=\"{}\"", to_string(method), status));
  }
  e.counter("sip_retransmissions_total", "SIP messages sent again.", m.retransmissions);
  e.counter("sip_retransmissions_received_total", "SIP messages received again.",
            m.retransmissions_received);
  e.counter("sip_failovers_total", "SIP requests that went on to another server.", m.failovers);
  e.counter("sip_timeouts_total", "SIP transactions that timed out.", m.timeouts);
  e.counter("sip_unexpected_total", "SIP messages out of place.", m.unexpected);
  e.counter("sip_malformed_total", "Messages that were no SIP.", m.malformed);
}

void write_media(exposition& e, const media_counts& m) {
  e.counter("media_packets_sent_total", "Media packets sent.", m.packets_sent);
  e.counter("media_dtx_frames_total", "Frames of silence for which no packet was sent.",
            m.dtx_frames);
  struct column {
    std::string_view name;
    std::string_view help;
    uint64_t media_direction::*count;
  };
  constexpr std::array columns{
    column{"media_packets_received_total", "Media packets received.", &media_direction::received},
    column{"media_packets_lost_total", "Media packets lost.", &media_direction::lost},
    column{"media_fec_recovered_total", "Media packets lost whose next repeated them (FEC).",
           &media_direction::fec_recovered},
    column{"media_packets_duplicate_total", "Media packets received twice.",
           &media_direction::duplicate},
    column{"media_packets_reordered_total", "Media packets out of order.",
           &media_direction::reordered},
    column{"media_packets_late_total", "Media packets too late to be played.",
           &media_direction::late}};
  // A direction is seen from the calling side.
  for (const auto& c : columns) {
    e.begin(c.name, "counter", c.help);
    e.sample(m.received.*c.count, "direction=\"received\"");
    e.sample(m.sent.*c.count, "direction=\"sent\"");
  }
  e.begin("media_mos", "histogram", "Opinion score of streams (G.107).");
  e.scores("received", m.received.mos);
  e.scores("sent", m.sent.mos);
  e.times("media_rtt_seconds", "Media round trip from RTCP.", m.rtt, latency_bounds);
  e.times("media_send_lateness_seconds", "How late media packets were sent.", m.send_lateness,
          latency_bounds);
  e.counter("media_one_way_calls_total", "Calls with audio in one direction only.",
            m.one_way_calls);
  e.counter("media_silent_calls_total", "Calls without the audio they should have had.",
            m.silent_calls);
  e.counter("media_stopped_calls_total", "Calls whose peer's audio ended seconds before they did.",
            m.stopped_calls);
  e.counter("media_early_packets_total", "Packets that came before the peer's description.",
            m.early_packets);
  e.counter("media_transcoded_total", "Joined streams sent what was made of another codec's.",
            m.transcoded);
  e.counter("media_stranger_packets_total", "Packets from an address that was not the peer's.",
            m.ignored.strangers);
  e.counter("media_forged_packets_total", "SRTP packets by another key, or changed.",
            m.ignored.forged);
  e.counter("media_replayed_packets_total", "SRTP packets that had come before.",
            m.ignored.replayed);
  e.counter("media_malformed_packets_total", "SRTP or STUN that could not be read.",
            m.ignored.malformed);
  e.counter("media_unauthenticated_packets_total",
            "STUN without the password, or that answered nothing we asked.",
            m.ignored.unauthenticated);
  e.counter("media_dtmf_sent_total", "DTMF digits sent.", m.dtmf_sent);
  e.counter("media_dtmf_received_total", "DTMF digits received.", m.dtmf_received);
  e.begin("media_found_total", "counter", "Streams by what was found in what was heard.");
  e.sample(m.found.tone, "sound=\"tone\"");
  e.sample(m.found.sound, "sound=\"sound\"");
  e.sample(m.found.silence, "sound=\"silence\"");
}

void write_steps(exposition& e, const step_counts& steps) {
  e.counter("steps_hold_done_total", "Peers put on hold.", steps.hold.done);
  e.counter("steps_hold_failed_total", "Holds that came to nothing.", steps.hold.failed);
  e.counter("steps_resume_done_total", "Peers taken off hold.", steps.resume.done);
  e.counter("steps_resume_failed_total", "Resumes that came to nothing.", steps.resume.failed);
  e.counter("steps_ice_restart_done_total", "ICE restarts whose new way was taken.",
            steps.ice_restart.done);
  e.counter("steps_ice_restart_failed_total", "ICE restarts that came to nothing.",
            steps.ice_restart.failed);
  e.counter("steps_info_digit_done_total", "DTMF digits in INFO.", steps.info_digit.done);
  e.counter("steps_info_digit_failed_total", "DTMF digits in INFO that were not taken.",
            steps.info_digit.failed);
}

void write_health(exposition& e, const generator_health& h) {
  e.times("lane_lag_seconds", "How late passes of the lanes began.", h.lane_lag, latency_bounds);
  e.times("start_lateness_seconds", "How late calls were placed.", h.start_lateness,
          latency_bounds);
  e.counter("lane_passes_total", "Passes of the lanes.", h.passes);
  e.counter("lane_late_passes_total", "Passes beyond the overload bound.", h.late_passes);
  e.counter("socket_drops_total", "Datagrams lost at our own sockets.", h.socket_drops);
  e.counter("socket_send_blocked_total", "Sends that the system would not take at once.",
            h.send_blocked);
  e.single("cpu_seconds_total", "counter", "Processor time used.", h.cpu_seconds);
  e.gauge("rss_peak_bytes", "Most memory used.", h.rss_peak_kb * 1024);
}

} // namespace

std::string prometheus_text(const run_metrics& metrics) {
  exposition e;
  write_calls(e, metrics.calls);
  write_registrations(e, metrics.registrations);
  write_times(e, metrics.times);
  write_sip(e, metrics);
  write_media(e, metrics.media);
  write_steps(e, metrics.steps);
  write_health(e, metrics.health);
  return e.take();
}

} // namespace jackfield::report
