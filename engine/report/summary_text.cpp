#include "engine/report/summary_text.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/report/ratios.hpp"
#include "engine/report/run_outcome.hpp"

namespace jackfield::report {

namespace {

class text_writer {
public:
  explicit text_writer(text_style style) : style_(style) {}

  enum class tone { plain, strong, good, bad, faint };

  [[nodiscard]] std::string toned(tone t, std::string_view text) const {
    if (!style_.colour || t == tone::plain)
      return std::string{text};
    const std::string_view code = t == tone::strong ? "1"
                                  : t == tone::good ? "1;32"
                                  : t == tone::bad  ? "1;31"
                                                    : "2";
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
  }

  template <class... Ts>
  void line(fmt::format_string<Ts...> format, Ts&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Ts>(values)...);
    out_ += '\n';
  }
  void blank() { out_ += '\n'; }

  /// A line of a section: its name stands before the first one only.
  void item(std::string_view section, std::string_view text) {
    line("{} {}", toned(tone::strong, fmt::format("{:<11}", section)), text);
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

private:
  text_style style_;
  std::string out_;
};

using tone = text_writer::tone;

void write_verdict(text_writer& w, const run_report& report) {
  const auto& m = report.metrics;
  const auto& calls = m.calls;
  std::string what;
  if (calls.started > 0 || m.registrations.attempted == 0)
    what = fmt::format("{} of {} calls completed, {} failed", grouped(calls.completed),
                       grouped(calls.started), calls.failed == 0 ? "none" : grouped(calls.failed));
  if (m.registrations.attempted > 0) {
    const uint64_t failed = m.registrations.failed + m.registrations.refresh_failed;
    what += fmt::format("{}{} of {} users registered, {} failed", what.empty() ? "" : "; ",
                        grouped(m.registrations.succeeded), grouped(m.registrations.attempted),
                        failed == 0 ? "none" : grouped(failed));
  }
  if (was_cut(report)) // first of all: the rest is of a part of it
    what = fmt::format("cut after {}: {}; {}", length_text(report.info.duration),
                       escape_terminal(report.info.ended_by), what);
  if (const auto& r = report.info.resumed)
    what += fmt::format("; cut off {}, {} went on after {:.2f} s at most, {} lost",
                        r->crashes == 1 ? "once" : fmt::format("{} times", r->crashes),
                        grouped(r->resumed), std::chrono::duration<double>{r->slowest}.count(),
                        grouped(r->lost));
  const auto outcome = outcome_of(report);
  w.line("{}  {}",
         w.toned(outcome == run_outcome::passed ? tone::good : tone::bad, words_of(outcome).shown),
         what);
  if (outcome == run_outcome::invalid) {
    w.line("The generator was the bottleneck; the figures below do not judge the tested system:");
    for (const auto& reason : report.validity.invalid_reasons)
      w.line("  - {}", escape_terminal(reason));
  }
  const auto crossed =
    std::ranges::count_if(report.thresholds, [](const auto& t) { return !t.passed; });
  if (crossed > 0)
    w.line("{}  {} of {} not met", w.toned(tone::bad, "THRESHOLDS"), crossed,
           report.thresholds.size());
}

void write_info(text_writer& w, const run_info& info) {
  std::string media = info.media.empty() || info.media == "none"
                        ? std::string{"no media"}
                        : "media " + escape_terminal(info.media);
  w.line("{}", w.toned(tone::faint,
                       fmt::format("{} over {}, {}, {} {}, {}, began {}",
                                   escape_terminal(info.target), escape_terminal(info.transport),
                                   media, info.lanes, info.lanes == 1 ? "lane" : "lanes",
                                   length_text(info.duration), iso_utc(info.started))));
}

/// What was said of a cause, under its row.
void write_details(text_writer& w, const failure_details::texts* said) {
  if (said == nullptr)
    return;
  std::vector<std::pair<std::string_view, uint64_t>> sorted{said->begin(), said->end()};
  std::ranges::stable_sort(sorted, std::greater{}, [](const auto& one) { return one.second; });
  for (const auto& [text, count] : sorted)
    w.item("", fmt::format("{:>9}    {:>6}  {}", "", grouped(count), escape_terminal(text)));
}

void write_calls(text_writer& w, const run_report& report) {
  const auto& calls = report.metrics.calls;
  if (calls.offered == 0)
    return;
  w.item("calls",
         fmt::format("offered {}   started {}   missed {}   answered {}   completed {}   failed {}",
                     grouped(calls.offered), grouped(calls.started), grouped(calls.missed()),
                     grouped(calls.answered), grouped(calls.completed), grouped(calls.failed)));
  const auto& length = report.metrics.times.call_length;
  std::string more = fmt::format("peak {} at once", grouped(calls.peak));
  if (!length.empty())
    more += fmt::format("   mean length {} s", short_figure(length.mean() / 1e6));
  if (calls.ended_by_callee > 0) // usually it is the caller who hangs up
    more += fmt::format("   ended by caller {} callee {}", grouped(calls.ended_by_caller),
                        grouped(calls.ended_by_callee));
  w.item("", more);

  std::vector<std::pair<failure_cause, uint64_t>> failures{calls.failures.begin(),
                                                           calls.failures.end()};
  std::ranges::stable_sort(failures, std::greater{}, &std::pair<failure_cause, uint64_t>::second);
  std::string_view section = "failures";
  for (const auto& [cause, count] : failures) {
    w.item(section, fmt::format("{:>9}  {}", grouped(count), cause.text()));
    write_details(w, calls.details.of(cause));
    section = "";
  }

  const ratios r = derive_ratios(report.metrics);
  if (r.ser)
    w.item("ratios", fmt::format("ASR {}   SER {}   SEER {}   ISA {}   NER {}   SCR {}",
                                 percentage(r.asr), percentage(r.ser), percentage(r.seer),
                                 percentage(r.isa), percentage(r.ner), percentage(r.scr)));
}

void write_registrations(text_writer& w, const run_report& report) {
  const auto& reg = report.metrics.registrations;
  if (reg.attempted == 0)
    return;
  w.item("users", fmt::format("attempted {}   registered {}   failed {}   refreshed {}   "
                              "refresh failed {}",
                              grouped(reg.attempted), grouped(reg.succeeded), grouped(reg.failed),
                              grouped(reg.refreshed), grouped(reg.refresh_failed)));
  for (const auto& [cause, count] : reg.failures) {
    w.item("", fmt::format("{:>9}  {}", grouped(count), cause.text()));
    write_details(w, reg.details.of(cause));
  }
}

void write_times(text_writer& w, const run_report& report) {
  const auto& t = report.metrics.times;
  struct row {
    std::string_view name;
    const histogram& times;
    std::string_view meaning;
  };
  const row rows[] = {{"srd", t.srd, "INVITE to ringing or final"},
                      {"ttr", t.ttr, "INVITE to first response"},
                      {"pdd", t.pdd, "INVITE to ringing"},
                      {"setup", t.setup, "INVITE to ACK"},
                      {"sdd", t.sdd, "BYE to response"},
                      {"gather", t.ice_gathering, "ICE: to an address to offer"},
                      {"checks", t.ice_checks, "ICE: peer's description to a pair that works"},
                      {"dtls", t.dtls, "from there to keys"},
                      {"rrd", t.rrd, "REGISTER to 200"},
                      {"options", t.options, "OPTIONS to response"}};
  if (std::ranges::all_of(rows, [](const row& r) { return r.times.empty(); }))
    return;
  w.item("ms",
         fmt::format("{:<8}{:>8}{:>8}{:>8}{:>8}{:>10}", "", "p50", "p95", "p99", "max", "count"));
  for (const auto& r : rows)
    if (!r.times.empty())
      w.item("", fmt::format("{:<8}{:>8}{:>8}{:>8}{:>8}{:>10}  {}", r.name,
                             short_figure(percentile_ms(r.times, 50)),
                             short_figure(percentile_ms(r.times, 95)),
                             short_figure(percentile_ms(r.times, 99)),
                             short_figure(percentile_ms(r.times, 100)), grouped(r.times.count()),
                             w.toned(tone::faint, r.meaning)));
}

void write_direction(text_writer& w, std::string_view name, const media_direction& d) {
  if (d.expected == 0 && d.received == 0)
    return;
  const double lost =
    d.expected == 0 ? 0 : 100 * static_cast<double>(d.lost) / static_cast<double>(d.expected);
  const std::string recovered =
    d.fec_recovered == 0 ? "" : fmt::format("   FEC recovered {}", grouped(d.fec_recovered));
  w.item("", fmt::format("{:<9} {} packets   lost {} ({}){}   late {}   jitter p99 {} ms   "
                         "MOS mean {} p5 {}",
                         name, grouped(d.received), grouped(d.lost), percentage(lost), recovered,
                         grouped(d.late), short_figure(percentile_ms(d.jitter, 99)),
                         short_figure(d.mos.mean()), short_figure(d.mos.percentile(5))));
}

void write_media(text_writer& w, const run_report& report) {
  const auto& m = report.metrics.media;
  if (m.packets_sent == 0 && m.received.received == 0)
    return;
  std::string first =
    fmt::format("{} packets sent, 99 % within {} ms of their time", grouped(m.packets_sent),
                short_figure(percentile_ms(m.send_lateness, 99)));
  if (m.dtx_frames > 0)
    first += fmt::format("   silent frames left out {}", grouped(m.dtx_frames));
  if (m.dtmf_sent > 0 || m.dtmf_received > 0)
    first +=
      fmt::format("   digits sent {} received {}", grouped(m.dtmf_sent), grouped(m.dtmf_received));
  if (m.transcoded > 0)
    first += fmt::format("   transcoded {} streams", grouped(m.transcoded));
  w.item("media", first);
  write_direction(w, "to caller", m.received);
  write_direction(w, "to callee", m.sent);
  if (m.found.total() > 0)
    w.item("",
           fmt::format("found     a tone in {}   sound in {}   silence in {}",
                       grouped(m.found.tone), grouped(m.found.sound), grouped(m.found.silence)));
}

void write_ignored(text_writer& w, const ignored_packets& ignored) {
  if (ignored.total() > 0)
    w.item("ignored",
           fmt::format("strangers {}   forged {}   replayed {}   malformed {}   unauthenticated {}",
                       grouped(ignored.strangers), grouped(ignored.forged),
                       grouped(ignored.replayed), grouped(ignored.malformed),
                       grouped(ignored.unauthenticated)));
}

void write_steps(text_writer& w, const step_counts& steps) {
  std::string line;
  const auto add = [&](std::string_view name, const step_counts::count& count) {
    if (count.done + count.failed > 0)
      line += fmt::format("{}{} {} done, {} failed", line.empty() ? "" : "   ", name,
                          grouped(count.done), grouped(count.failed));
  };
  add("holds", steps.hold);
  add("resumes", steps.resume);
  add("ICE restarts", steps.ice_restart);
  add("INFO digits", steps.info_digit);
  if (!line.empty())
    w.item("in calls", line);
}

void write_sip(text_writer& w, const run_report& report) {
  const auto& m = report.metrics;
  auto text = fmt::format("retransmissions {}   timeouts {}   unexpected {}   malformed {}",
                          grouped(m.retransmissions), grouped(m.timeouts), grouped(m.unexpected),
                          grouped(m.malformed));
  if (m.failovers > 0) // only where the target has several servers
    text += fmt::format("   failovers {}", grouped(m.failovers));
  w.item("sip", text);
}

void write_health(text_writer& w, const run_report& report) {
  const auto& h = report.metrics.health;
  std::string cpu = fmt::format("cpu {} s", short_figure(h.cpu_seconds));
  const uint64_t ended = report.metrics.calls.completed + report.metrics.calls.failed;
  if (ended > 0)
    cpu += fmt::format(" ({} ms a call)",
                       short_figure(h.cpu_seconds * 1000 / static_cast<double>(ended)));
  w.item("generator",
         fmt::format("{}   memory {} MB   lane lag p99 {} ms   socket drops {}", cpu,
                     short_figure(static_cast<double>(h.rss_peak_kb) / 1024),
                     short_figure(percentile_ms(h.lane_lag, 99)), grouped(h.socket_drops)));
}

void write_thresholds(text_writer& w, const run_report& report) {
  size_t widest = 0;
  for (const auto& t : report.thresholds)
    widest = std::max(widest, t.condition.text.size());
  std::string_view section = "thresholds";
  for (const auto& t : report.thresholds) {
    w.item(section,
           fmt::format("{}  {:<{}}  {}",
                       t.passed ? w.toned(tone::good, "met    ") : w.toned(tone::bad, "crossed"),
                       t.condition.text, widest,
                       t.observed ? "was " + short_figure(t.observed)
                                  : std::string{"nothing was measured"}));
    section = "";
  }
}

} // namespace

std::string summary_text(const run_report& report, text_style style) {
  text_writer w{style};
  write_verdict(w, report);
  write_info(w, report.info);
  w.blank();
  write_calls(w, report);
  write_registrations(w, report);
  write_times(w, report);
  write_media(w, report);
  write_ignored(w, report.metrics.media.ignored);
  write_steps(w, report.metrics.steps);
  write_sip(w, report);
  write_health(w, report);
  write_thresholds(w, report);
  std::string_view section = "remarks";
  for (const auto& remark : report.validity.remarks) {
    w.item(section, escape_terminal(remark));
    section = "";
  }
  return w.take();
}

} // namespace jackfield::report
