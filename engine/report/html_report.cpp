#include "engine/report/html_report.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/report/html_page.hpp"
#include "engine/report/ratios.hpp"
#include "engine/report/run_outcome.hpp"
#include "engine/report/svg_chart.hpp"

namespace jackfield::report {

namespace {

void write_header(html_page& w, const run_report& report) {
  const auto& info = report.info;
  const auto outcome = outcome_of(report);
  w.put("<header><h1>Jackfield load report</h1>"
        "<span class=\"badge {}\">{}</span>",
        outcome == run_outcome::passed ? "good" : "bad", words_of(outcome).shown);
  if (!report.thresholds.empty())
    w.put("<span class=\"badge {}\">{}</span>", report.thresholds_passed() ? "good" : "bad",
          report.thresholds_passed() ? "THRESHOLDS MET" : "THRESHOLDS CROSSED");
  w.put("<div class=\"about\">{} over {}, {}, began {}, took {}", escape_markup(info.target),
        escape_markup(info.transport),
        info.media.empty() || info.media == "none" ? std::string{"no media"}
                                                   : "media " + escape_markup(info.media),
        iso_utc(info.started), length_text(info.duration));
  if (!info.ended_by.empty())
    w.put(", <span class=\"bad\">cut: {}</span>", escape_markup(info.ended_by));
  if (const auto& r = info.resumed)
    w.put(", cut off {}; {} calls went on after {:.2f} s at most, {} lost",
          r->crashes == 1 ? std::string{"once"} : std::to_string(r->crashes) + " times", r->resumed,
          std::chrono::duration<double>{r->slowest}.count(), r->lost);
  w.raw("</div></header>\n");

  if (outcome == run_outcome::invalid) {
    w.raw("<div class=\"note bad\"><strong>The generator was the bottleneck.</strong> "
          "The figures below do not judge the tested system.<ul>");
    for (const auto& reason : report.validity.invalid_reasons)
      w.put("<li>{}</li>", escape_markup(reason));
    w.raw("</ul></div>\n");
  }
  if (!report.validity.remarks.empty()) {
    w.raw("<div class=\"note\"><ul>");
    for (const auto& remark : report.validity.remarks)
      w.put("<li>{}</li>", escape_markup(remark));
    w.raw("</ul></div>\n");
  }
}

void write_tiles(html_page& w, const run_report& report) {
  const auto& m = report.metrics;
  w.raw("<div class=\"tiles\">\n");
  if (m.calls.offered > 0 || m.registrations.attempted == 0) {
    w.tile(grouped(m.calls.completed),
           fmt::format("calls completed of {} placed", grouped(m.calls.started)));
    w.tile(grouped(m.calls.failed), "calls failed");
    w.tile(grouped(m.calls.missed()), "calls missed");
    w.tile(grouped(m.calls.peak), "most calls at once");
    w.tile(short_figure(percentile_ms(m.times.srd, 99)) + " ms", "session request delay, p99");
  }
  if (m.registrations.attempted > 0) {
    w.tile(grouped(m.registrations.succeeded),
           fmt::format("of {} users registered", grouped(m.registrations.attempted)));
    w.tile(short_figure(percentile_ms(m.times.rrd, 99)) + " ms", "registration request delay, p99");
  }
  mos_distribution mos = m.media.received.mos;
  mos.merge(m.media.sent.mos);
  if (!mos.empty())
    w.tile(short_figure(mos.percentile(5)), "MOS, 5th percentile");
  w.tile(short_figure(m.health.cpu_seconds) + " s", "processor time");
  w.raw("</div>\n");
}

/// At most `most` rows, neighbours joined.
std::vector<interval_row> thinned(const std::vector<interval_row>& rows, size_t most) {
  const size_t group = (rows.size() + most - 1) / most;
  if (group <= 1)
    return rows;
  std::vector<interval_row> result;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % group == 0)
      result.push_back(rows[i]);
    else
      result.back() = joined(result.back(), rows[i]);
  }
  return result;
}

class series_charts {
public:
  series_charts(html_page& w, std::vector<interval_row> rows) : w_(w), rows_(std::move(rows)) {}

  template <class Pick>
  [[nodiscard]] chart_line line(std::string_view label, int colour, Pick pick) const {
    chart_line result{label, colour, {}};
    result.values.reserve(rows_.size());
    for (const auto& row : rows_)
      result.values.emplace_back(pick(row));
    return result;
  }

  /// Counts per interval, shown per second.
  [[nodiscard]] chart_line rate(std::string_view label, int colour,
                                uint64_t interval_row::*count) const {
    return line(label, colour, [count](const interval_row& row) -> std::optional<double> {
      if (row.length_s <= 0)
        return std::nullopt;
      return static_cast<double>(row.*count) / row.length_s;
    });
  }

  void draw(std::string_view title, std::string_view unit, std::vector<chart_line> lines,
            std::optional<double> least = {}, std::optional<double> most = {}) {
    time_chart chart{title, unit, {}, std::move(lines), least, most};
    for (const auto& row : rows_)
      chart.at_s.push_back(row.at_s);
    w_.raw(render(chart));
  }

  [[nodiscard]] const std::vector<interval_row>& rows() const { return rows_; }

private:
  html_page& w_;
  std::vector<interval_row> rows_;
};

/// Bars of equal ratio, so that both the usual and the slow calls can be seen.
bar_chart distribution_of(const histogram& h) {
  bar_chart chart{"Session request delay, all calls", "calls by ms", {}};
  if (h.empty())
    return chart;
  const double low = std::log10(static_cast<double>(std::max<uint64_t>(h.min(), 1)));
  const double high = std::log10(static_cast<double>(std::max<uint64_t>(h.max(), 1)));
  double per_decade = 16;
  while (per_decade > 1 && (high - low) * per_decade > 32)
    per_decade /= 2;
  const auto first = static_cast<int>(std::floor(low * per_decade));
  const auto last = static_cast<int>(std::floor(high * per_decade)) + 1;
  const auto edge = [&](int i) {
    return static_cast<uint64_t>(std::llround(std::pow(10, i / per_decade)));
  };
  const auto ms = [](uint64_t us) { return short_figure(static_cast<double>(us) / 1000); };
  uint64_t below = 0;
  for (int i = first; i < last; ++i) {
    const uint64_t upto = i + 1 == last ? h.count() : h.count_at_most(edge(i + 1) - 1);
    chart.bars.push_back({ms(edge(i)), fmt::format("{} to {} ms", ms(edge(i)), ms(edge(i + 1))),
                          static_cast<double>(upto - std::min(upto, below))});
    below = upto;
  }
  return chart;
}

void write_charts(html_page& w, const run_report& report) {
  constexpr size_t most_positions = 240;
  series_charts charts{w, thinned(report.series, most_positions)};
  const auto& m = report.metrics;
  const bool media = m.media.packets_sent > 0 || m.media.received.received > 0;
  w.raw("<h2>Over time</h2>\n<div class=\"grid\">\n");
  charts.draw("Calls", "a second",
              {charts.rate("offered", 2, &interval_row::offered),
               charts.rate("started", 1, &interval_row::started),
               charts.rate("answered", 3, &interval_row::answered),
               charts.rate("failed", 4, &interval_row::failed)});
  charts.draw("Calls at once", "", {charts.line("under way", 1, [](const interval_row& row) {
                return std::optional{static_cast<double>(row.current)};
              })});
  charts.draw("Session request delay", "ms",
              {charts.line("p50", 3, [](const interval_row& row) { return row.srd_p50_ms; }),
               charts.line("p95", 5, [](const interval_row& row) { return row.srd_p95_ms; }),
               charts.line("p99", 4, [](const interval_row& row) { return row.srd_p99_ms; })});
  w.raw(render(distribution_of(m.times.srd)));
  if (m.registrations.attempted > 0)
    charts.draw("Registrations", "a second",
                {charts.rate("succeeded", 3, &interval_row::registered)});
  if (media) {
    charts.draw("MOS of the calls that ended", "",
                {charts.line("mean", 1, [](const interval_row& row) { return row.mos_mean; })}, 1,
                4.5);
    charts.draw("Packets", "a second",
                {charts.rate("sent", 1, &interval_row::packets_sent),
                 charts.rate("received", 3, &interval_row::packets_received)});
    charts.draw("Packets lost, both directions", "a second",
                {charts.rate("lost", 4, &interval_row::packets_lost)});
  }
  charts.draw("Processor", "% of one core",
              {charts.line("used", 1,
                           [](const interval_row& row) { return std::optional{row.cpu_percent}; })},
              {}, 100);
  charts.draw(
    "Generator lateness, p99", "ms",
    {charts.line("lanes", 6, [](const interval_row& row) { return row.lane_lag_p99_ms; }),
     charts.line("packets", 5, [](const interval_row& row) { return row.send_lateness_p99_ms; })});
  w.raw("</div>\n");
}

void write_times(html_page& w, const run_metrics& m) {
  const auto& t = m.times;
  w.begin_table("Times, ms", {"", "p50", "p95", "p99", "max", "mean", "count"});
  const auto row = [&](std::string_view name, std::string_view meaning, const histogram& h) {
    if (h.empty())
      return;
    w.table_row({named(name, meaning), short_figure(percentile_ms(h, 50)),
                 short_figure(percentile_ms(h, 95)), short_figure(percentile_ms(h, 99)),
                 short_figure(percentile_ms(h, 100)), short_figure(h.mean() / 1000),
                 grouped(h.count())});
  };
  row("SRD", "INVITE to ringing or final", t.srd);
  row("TTR", "INVITE to first response", t.ttr);
  row("PDD", "INVITE to ringing", t.pdd);
  row("Setup", "INVITE to ACK", t.setup);
  row("SDD", "BYE to response", t.sdd);
  row("ICE gathering", "to an address to offer", t.ice_gathering);
  row("ICE checks", "peer's description to a pair that works", t.ice_checks);
  row("DTLS", "from there to keys", t.dtls);
  row("RRD", "REGISTER to 200", t.rrd);
  row("OPTIONS", "to response", t.options);
  row("RTT", "media, from RTCP", m.media.rtt);
  row("Call length", "answer to BYE", t.call_length);
  w.end_table();
}

void write_outcomes(html_page& w, const run_metrics& m) {
  w.begin_table("Calls", {});
  w.table_row({"Offered", grouped(m.calls.offered)});
  w.table_row({"Placed", grouped(m.calls.started)});
  w.table_row(
    {named("Missed", "by the limit on concurrent calls"), grouped(m.calls.missed_by_limit)});
  w.table_row({named("Missed", "by the generator"), grouped(m.calls.missed_by_generator)});
  w.table_row({"Answered", grouped(m.calls.answered)});
  w.table_row({"Completed", grouped(m.calls.completed)});
  w.table_row({"Failed", grouped(m.calls.failed)});
  w.end_table();

  const ratios r = derive_ratios(m);
  w.begin_table("Ratios <small>RFC 6076, E.411</small>", {});
  w.table_row({named("ASR", "answer-seizure"), percentage(r.asr)});
  w.table_row({named("SER", "session establishment"), percentage(r.ser)});
  w.table_row({named("SEER", "establishment effectiveness"), percentage(r.seer)});
  w.table_row({named("ISA", "ineffective attempts"), percentage(r.isa)});
  w.table_row({named("NER", "network effectiveness"), percentage(r.ner)});
  w.table_row({named("SCR", "session completion"), percentage(r.scr)});
  w.table_row(
    {named("ACD", "average call duration"), r.acd ? short_figure(r.acd) + " s" : std::string{"-"}});
  w.end_table();
}

void write_failures(html_page& w, std::string_view title,
                    const std::map<failure_cause, uint64_t>& failures,
                    const failure_details& details) {
  if (failures.empty())
    return;
  std::vector<std::pair<failure_cause, uint64_t>> sorted{failures.begin(), failures.end()};
  std::ranges::stable_sort(sorted, std::greater{}, &std::pair<failure_cause, uint64_t>::second);
  w.begin_table(title, {"cause", "count"});
  for (const auto& [cause, count] : sorted) {
    w.table_row({escape_markup(cause.text()), grouped(count)});
    if (const auto* said = details.of(cause))
      for (const auto& [text, times] : *said)
        w.table_row({fmt::format("<small>{}</small>", escape_markup(text)),
                     fmt::format("<small>{}</small>", grouped(times))});
  }
  w.end_table();
}

void write_registrations(html_page& w, const registration_counts& r) {
  if (r.attempted == 0)
    return;
  w.begin_table("Registrations", {});
  w.table_row({"Attempted", grouped(r.attempted)});
  w.table_row({"Succeeded", grouped(r.succeeded)});
  w.table_row({"Failed", grouped(r.failed)});
  w.table_row({"Refreshed", grouped(r.refreshed)});
  w.table_row({"Refresh failed", grouped(r.refresh_failed)});
  w.end_table();
  write_failures(w, "Failed registrations", r.failures, r.details);
}

void write_media(html_page& w, const run_report& report) {
  const auto& m = report.metrics.media;
  if (m.packets_sent == 0 && m.received.received == 0)
    return;
  const auto& a = m.received;
  const auto& b = m.sent;
  w.begin_table("Audio", {"", "to the caller", "to the callee"});
  const auto counts = [&](std::string_view name, uint64_t media_direction::*count) {
    w.table_row({std::string{name}, grouped(a.*count), grouped(b.*count)});
  };
  counts("Streams judged", &media_direction::streams);
  counts("Packets expected", &media_direction::expected);
  counts("Packets received", &media_direction::received);
  counts("Packets lost", &media_direction::lost);
  if (a.fec_recovered + b.fec_recovered > 0)
    counts("Recovered by FEC", &media_direction::fec_recovered);
  counts("Duplicates", &media_direction::duplicate);
  counts("Out of order", &media_direction::reordered);
  counts("Too late", &media_direction::late);
  w.table_row({"Jitter p99, ms", short_figure(percentile_ms(a.jitter, 99)),
               short_figure(percentile_ms(b.jitter, 99))});
  const std::string mos_name =
    report.info.mos_model.empty()
      ? std::string{"MOS"}
      : fmt::format("MOS <small>{}</small>", escape_markup(report.info.mos_model));
  w.table_row({mos_name + " mean", short_figure(a.mos.mean()), short_figure(b.mos.mean())});
  w.table_row({"MOS p5", short_figure(a.mos.percentile(5)), short_figure(b.mos.percentile(5))});
  w.table_row({"MOS worst", short_figure(a.mos.min()), short_figure(b.mos.min())});
  w.table_row({"DTMF digits", grouped(m.dtmf_received), grouped(m.dtmf_sent)});
  if (m.transcoded > 0)
    w.table_row({"Transcoded streams", grouped(m.transcoded), ""});
  if (m.found.total() > 0) {
    w.table_row(
      {named("Tones found", "in what was heard, in so many calls"), grouped(m.found.tone), ""});
    w.table_row({named("Sound found", "but no tone"), grouped(m.found.sound), ""});
    w.table_row({"Silence found", grouped(m.found.silence), ""});
  }
  w.end_table();
}

void write_ignored(html_page& w, const ignored_packets& ignored) {
  if (ignored.total() == 0)
    return;
  w.begin_table("Ignored at the ports of audio", {"", "packets"});
  w.table_row({named("Strangers", "not from the peer's address"), grouped(ignored.strangers)});
  w.table_row({named("Forged", "SRTP by another key, or changed"), grouped(ignored.forged)});
  w.table_row({named("Replayed", "SRTP that had come before"), grouped(ignored.replayed)});
  w.table_row({named("Malformed", "SRTP or STUN"), grouped(ignored.malformed)});
  w.table_row({named("Unauthenticated", "STUN without the password, or unasked for"),
               grouped(ignored.unauthenticated)});
  w.end_table();
}

void write_steps(html_page& w, const step_counts& steps) {
  if (!steps.any())
    return;
  w.begin_table("In calls", {"", "done", "failed"});
  const auto row = [&](const char* name, const step_counts::count& count) {
    w.table_row({name, grouped(count.done), grouped(count.failed)});
  };
  row("holds", steps.hold);
  row("resumes", steps.resume);
  row("ICE restarts", steps.ice_restart);
  row("INFO digits", steps.info_digit);
  w.end_table();
}

void write_sip(html_page& w, const run_metrics& m) {
  w.begin_table("SIP requests and their responses", {"method", "sent", "responses"});
  for (size_t i = 0; i < counted_methods; ++i) {
    const auto method = static_cast<counted_method>(i);
    if (m.statuses.requests(method) == 0 && m.statuses.responses(method).empty())
      continue;
    std::string responses;
    for (const auto& [status, count] : m.statuses.responses(method))
      responses += fmt::format("{}{} <small>× {}</small>", responses.empty() ? "" : ", ", status,
                               grouped(count));
    w.table_row({std::string{to_string(method)}, grouped(m.statuses.requests(method)),
                 responses.empty() ? std::string{"-"} : responses});
  }
  w.table_row({"Retransmissions", grouped(m.retransmissions), "-"});
  if (m.failovers > 0) // only where the target has several servers
    w.table_row({"Went on to another server", grouped(m.failovers), "-"});
  w.table_row({"Timeouts", grouped(m.timeouts), "-"});
  w.table_row({"Unexpected messages", grouped(m.unexpected), "-"});
  w.table_row({"Malformed messages", grouped(m.malformed), "-"});
  w.end_table();
}

void write_health(html_page& w, const run_report& report) {
  const auto& h = report.metrics.health;
  w.begin_table("Generator", {});
  w.table_row({"Lanes", grouped(report.info.lanes)});
  w.table_row({"Processor time", short_figure(h.cpu_seconds) + " s"});
  w.table_row({"Most memory", short_figure(static_cast<double>(h.rss_peak_kb) / 1024) + " MB"});
  w.table_row(
    {"Lane lag p99 / worst", fmt::format("{} / {} ms", short_figure(percentile_ms(h.lane_lag, 99)),
                                         short_figure(percentile_ms(h.lane_lag, 100)))});
  w.table_row({"Calls started late p99 / worst",
               fmt::format("{} / {} ms", short_figure(percentile_ms(h.start_lateness, 99)),
                           short_figure(percentile_ms(h.start_lateness, 100)))});
  const auto& lateness = report.metrics.media.send_lateness;
  w.table_row({"Packets sent late p99 / worst",
               fmt::format("{} / {} ms", short_figure(percentile_ms(lateness, 99)),
                           short_figure(percentile_ms(lateness, 100)))});
  w.table_row(
    {"Overloaded passes", fmt::format("{} of {}", grouped(h.late_passes), grouped(h.passes))});
  w.table_row({"Datagrams lost at our sockets", grouped(h.socket_drops)});
  w.end_table();
}

void write_thresholds(html_page& w, const run_report& report) {
  if (report.thresholds.empty())
    return;
  w.begin_table("Thresholds", {"condition", "observed", ""});
  for (const auto& t : report.thresholds)
    w.table_row(
      {fmt::format("<code>{}</code>", escape_markup(t.condition.text)),
       t.observed ? short_figure(t.observed) : std::string{"nothing was measured"},
       t.passed ? "<span class=\"good\">met</span>" : "<span class=\"bad\">crossed</span>"});
  w.end_table();
}

} // namespace

std::string html_report(const run_report& report) {
  html_page w{"Jackfield load report"};
  write_header(w, report);
  write_tiles(w, report);
  if (!report.series.empty())
    write_charts(w, report);
  w.raw("<h2>Figures</h2>\n<div class=\"columns\">\n");
  write_thresholds(w, report);
  write_times(w, report.metrics);
  write_outcomes(w, report.metrics);
  write_failures(w, "Failed calls", report.metrics.calls.failures, report.metrics.calls.details);
  write_registrations(w, report.metrics.registrations);
  write_media(w, report);
  write_ignored(w, report.metrics.media.ignored);
  write_steps(w, report.metrics.steps);
  write_sip(w, report.metrics);
  write_health(w, report);
  w.raw("</div>\n");
  w.put("<footer>jackfield {}{}<code>{}</code></footer>\n", escape_markup(report.info.version),
        report.info.command.empty() ? "" : ": ", escape_markup(report.info.command));
  return std::move(w).take();
}

} // namespace jackfield::report
