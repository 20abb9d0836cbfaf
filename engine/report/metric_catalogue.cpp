#include "engine/report/metric_catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "engine/report/ratios.hpp"

namespace jackfield::report {

namespace {

using figure = std::optional<double>;
using metric_reader = decltype(metric_entry::read);

double real(uint64_t n) {
  return static_cast<double>(n);
}

figure trend_of(const histogram& h, aggregation what, double percent, double unit) {
  if (what == aggregation::count)
    return real(h.count());
  if (h.empty())
    return std::nullopt;
  switch (what) {
  case aggregation::avg:
    return h.mean() / unit;
  case aggregation::min:
    return real(h.min()) / unit;
  case aggregation::max:
    return real(h.max()) / unit;
  case aggregation::med:
    return real(h.percentile(50)) / unit;
  default:
    return real(h.percentile(percent)) / unit;
  }
}

figure trend_of(const mos_distribution& mos, aggregation what, double percent) {
  switch (what) {
  case aggregation::count:
    return real(mos.count());
  case aggregation::avg:
    return mos.mean();
  case aggregation::min:
    return mos.min();
  case aggregation::max:
    return mos.max();
  case aggregation::med:
    return mos.percentile(50);
  default:
    return mos.percentile(percent);
  }
}

figure share_of(uint64_t part, uint64_t whole, aggregation what) {
  if (what == aggregation::count)
    return real(part);
  if (whole == 0)
    return std::nullopt;
  return real(part) / real(whole);
}

figure counter_of(uint64_t count, aggregation what, double seconds) {
  if (what == aggregation::count)
    return real(count);
  if (seconds <= 0)
    return std::nullopt;
  return real(count) / seconds;
}

template <class Pick>
constexpr metric_entry milliseconds(std::string_view name, std::string_view meaning, Pick) {
  return {name, metric_kind::trend, meaning,
          [](const run_metrics& m, aggregation what, double percent, double) -> figure {
            return trend_of(Pick{}(m), what, percent, 1e3);
          }};
}

template <class Pick>
constexpr metric_entry counter(std::string_view name, std::string_view meaning, Pick) {
  return {name, metric_kind::counter, meaning,
          [](const run_metrics& m, aggregation what, double, double seconds) -> figure {
            return counter_of(Pick{}(m), what, seconds);
          }};
}

template <class Part, class Whole>
constexpr metric_entry share(std::string_view name, std::string_view meaning, Part, Whole) {
  return {name, metric_kind::share, meaning,
          [](const run_metrics& m, aggregation what, double, double) -> figure {
            return share_of(Part{}(m), Whole{}(m), what);
          }};
}

template <class Pick>
constexpr metric_entry gauge(std::string_view name, std::string_view meaning, Pick) {
  return {name, metric_kind::gauge, meaning,
          [](const run_metrics& m, aggregation, double, double) -> figure { return Pick{}(m); }};
}

constexpr metric_reader mos_of_both = [](const run_metrics& m, aggregation what, double percent,
                                         double) -> figure {
  mos_distribution both = m.media.received.mos;
  both.merge(m.media.sent.mos);
  return trend_of(both, what, percent);
};
constexpr metric_reader mos_received = [](const run_metrics& m, aggregation what, double percent,
                                          double) -> figure {
  return trend_of(m.media.received.mos, what, percent);
};
constexpr metric_reader mos_sent = [](const run_metrics& m, aggregation what, double percent,
                                      double) -> figure {
  return trend_of(m.media.sent.mos, what, percent);
};
constexpr metric_reader seconds_of_calls = [](const run_metrics& m, aggregation what,
                                              double percent, double) -> figure {
  return trend_of(m.times.call_length, what, percent, 1e6);
};

using m = const run_metrics&;

constexpr auto jitter = [](m x) -> const histogram& { return x.media.received.jitter; };
constexpr auto ended = [](m x) { return x.calls.completed + x.calls.failed; };

constexpr std::array catalogue{
  milliseconds("srd_ms", "INVITE to 180, 183 or final response",
               [](m x) -> const histogram& { return x.times.srd; }),
  milliseconds("ttr_ms", "INVITE to the first response of any kind",
               [](m x) -> const histogram& { return x.times.ttr; }),
  milliseconds("pdd_ms", "INVITE to 180 or 183",
               [](m x) -> const histogram& { return x.times.pdd; }),
  milliseconds("setup_ms", "INVITE to ACK sent",
               [](m x) -> const histogram& { return x.times.setup; }),
  milliseconds("sdd_ms", "BYE to its response",
               [](m x) -> const histogram& { return x.times.sdd; }),
  milliseconds("ice_gathering_ms", "ICE: until there was an address to offer",
               [](m x) -> const histogram& { return x.times.ice_gathering; }),
  milliseconds("ice_checks_ms", "ICE: the peer's description to a pair that works",
               [](m x) -> const histogram& { return x.times.ice_checks; }),
  milliseconds("dtls_ms", "DTLS: from a working pair to keys",
               [](m x) -> const histogram& { return x.times.dtls; }),
  milliseconds("rrd_ms", "REGISTER to 200", [](m x) -> const histogram& { return x.times.rrd; }),
  milliseconds("options_ms", "OPTIONS to its response",
               [](m x) -> const histogram& { return x.times.options; }),
  metric_entry{"call_length_s", metric_kind::trend, "answer to BYE", seconds_of_calls},

  counter("offered", "calls that were due", [](m x) { return x.calls.offered; }),
  counter("started", "calls placed", [](m x) { return x.calls.started; }),
  share(
    "missed", "calls not placed, of those offered", [](m x) { return x.calls.missed(); },
    [](m x) { return x.calls.offered; }),
  share(
    "answered", "calls answered, of those placed", [](m x) { return x.calls.answered; },
    [](m x) { return x.calls.started; }),
  share(
    "completed", "calls completed, of those ended", [](m x) { return x.calls.completed; }, ended),
  share(
    "failed", "calls failed, of those ended", [](m x) { return x.calls.failed; }, ended),
  gauge("current", "calls under way", [](m x) -> figure { return real(x.calls.current); }),
  gauge("peak", "most calls under way", [](m x) -> figure { return real(x.calls.peak); }),

  gauge("asr", "answer-seizure ratio, %", [](m x) { return derive_ratios(x).asr; }),
  gauge("ser", "session establishment ratio, %", [](m x) { return derive_ratios(x).ser; }),
  gauge("seer", "session establishment effectiveness ratio, %",
        [](m x) { return derive_ratios(x).seer; }),
  gauge("isa", "ineffective session attempts, %", [](m x) { return derive_ratios(x).isa; }),
  gauge("ner", "network effectiveness ratio, %", [](m x) { return derive_ratios(x).ner; }),
  gauge("scr", "session completion ratio, %", [](m x) { return derive_ratios(x).scr; }),
  gauge("ira", "ineffective registration attempts, %", [](m x) { return derive_ratios(x).ira; }),

  share(
    "registrations_failed", "first registrations that failed",
    [](m x) { return x.registrations.failed; },
    [](m x) { return x.registrations.succeeded + x.registrations.failed; }),
  share(
    "refreshes_failed", "registration refreshes that failed",
    [](m x) { return x.registrations.refresh_failed; },
    [](m x) { return x.registrations.refreshed + x.registrations.refresh_failed; }),

  counter("requests", "SIP requests sent", [](m x) { return x.requests_sent; }),
  counter("retransmissions", "SIP messages sent again", [](m x) { return x.retransmissions; }),
  counter("failovers", "requests that went on to another server", [](m x) { return x.failovers; }),
  counter("timeouts", "transactions that timed out", [](m x) { return x.timeouts; }),
  counter("unexpected", "SIP messages out of place", [](m x) { return x.unexpected; }),
  counter("malformed", "messages that were no SIP", [](m x) { return x.malformed; }),

  metric_entry{"mos", metric_kind::trend, "opinion score, both directions", mos_of_both},
  metric_entry{"mos_received", metric_kind::trend, "opinion score of what the caller received",
               mos_received},
  metric_entry{"mos_sent", metric_kind::trend, "opinion score of what the callee received",
               mos_sent},
  counter("packets_sent", "media packets sent", [](m x) { return x.media.packets_sent; }),
  counter("dtx_frames", "frames of silence for which no packet was sent (DTX)",
          [](m x) { return x.media.dtx_frames; }),
  counter("strangers", "media packets from an address that was not the peer's",
          [](m x) { return x.media.ignored.strangers; }),
  counter("forged", "SRTP packets by another key, or changed",
          [](m x) { return x.media.ignored.forged; }),
  counter("replayed", "SRTP packets that had come before",
          [](m x) { return x.media.ignored.replayed; }),
  counter("malformed_packets", "SRTP or STUN that could not be read",
          [](m x) { return x.media.ignored.malformed; }),
  counter("unauthenticated", "STUN without the password, or that answered nothing we asked",
          [](m x) { return x.media.ignored.unauthenticated; }),
  counter("packets_received", "media packets received by the caller",
          [](m x) { return x.media.received.received; }),
  share(
    "packets_lost", "media packets lost, both directions",
    [](m x) { return x.media.received.lost + x.media.sent.lost; },
    [](m x) { return x.media.received.expected + x.media.sent.expected; }),
  counter("fec_recovered", "media packets lost whose next repeated them, both directions",
          [](m x) { return x.media.received.fec_recovered + x.media.sent.fec_recovered; }),
  milliseconds("jitter_ms", "interarrival jitter of what the caller received", jitter),
  milliseconds("rtt_ms", "media round trip from RTCP",
               [](m x) -> const histogram& { return x.media.rtt; }),
  milliseconds("send_lateness_ms", "how late media packets were sent",
               [](m x) -> const histogram& { return x.media.send_lateness; }),
  share(
    "one_way", "calls with audio in one direction only, of those answered",
    [](m x) { return x.media.one_way_calls; }, [](m x) { return x.calls.answered; }),

  milliseconds("lane_lag_ms", "how late a lane's passes began",
               [](m x) -> const histogram& { return x.health.lane_lag; }),
  milliseconds("start_lateness_ms", "how late calls were placed",
               [](m x) -> const histogram& { return x.health.start_lateness; }),
  counter("socket_drops", "datagrams lost at our own sockets",
          [](m x) { return x.health.socket_drops; }),
  gauge("cpu_seconds", "processor time used", [](m x) -> figure { return x.health.cpu_seconds; }),
  gauge("rss_peak_kb", "most memory used",
        [](m x) -> figure { return real(x.health.rss_peak_kb); }),
};

/// Levenshtein's distance.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

} // namespace

std::span<const metric_entry> metric_catalogue() noexcept {
  return catalogue;
}

const metric_entry* find_metric(std::string_view name) noexcept {
  const auto found = std::ranges::find(catalogue, name, &metric_entry::name);
  return found == catalogue.end() ? nullptr : &*found;
}

std::string_view nearest_metric(std::string_view name) {
  constexpr size_t longest_guess = 40;
  if (name.empty() || name.size() > longest_guess)
    return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const auto& entry : catalogue) {
    // "srd" means srd_ms: a whole first part counts as near.
    const bool stem = entry.name.size() > name.size() && entry.name.starts_with(name) &&
                      entry.name[name.size()] == '_';
    const size_t d = stem ? 1 : distance(name, entry.name);
    if (d < best_distance) {
      best = entry.name;
      best_distance = d;
    }
  }
  return best;
}

std::string_view aggregations_of(metric_kind kind) noexcept {
  switch (kind) {
  case metric_kind::trend:
    return "avg, min, med, max, count or p(N)";
  case metric_kind::counter:
  case metric_kind::share:
    return "count or rate";
  case metric_kind::gauge:
    break;
  }
  return "value";
}

bool fits(metric_kind kind, aggregation what) noexcept {
  switch (kind) {
  case metric_kind::trend:
    return what != aggregation::rate && what != aggregation::value;
  case metric_kind::counter:
  case metric_kind::share:
    return what == aggregation::count || what == aggregation::rate;
  case metric_kind::gauge:
    break;
  }
  return what == aggregation::value;
}

} // namespace jackfield::report
