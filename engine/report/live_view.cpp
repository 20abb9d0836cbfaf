#include "engine/report/live_view.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"

namespace jackfield::report {

namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

/// The longest beginning of UTF-8 `text` of at most `columns` characters.
std::string_view cut(std::string_view text, size_t columns) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (continues_character(text[i]))
      continue;
    if (characters++ == columns)
      return text.substr(0, i);
  }
  return text;
}

std::string clock_text(std::chrono::nanoseconds elapsed) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
  if (seconds >= 3600)
    return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return fmt::format("{:02}:{:02}", seconds / 60, seconds % 60);
}

std::string bar(double share, size_t columns) {
  const double bounded = std::clamp(share, 0.0, 1.0);
  const auto full = static_cast<size_t>(std::floor(bounded * static_cast<double>(columns)));
  std::string text;
  for (size_t i = 0; i < columns; ++i)
    text += i < full ? "█" : "░";
  return text;
}

double rate(uint64_t count, const interval_row& row) {
  return row.length_s > 0 ? static_cast<double>(count) / row.length_s : 0;
}

std::string a_second(uint64_t count, const interval_row& row) {
  return short_figure(rate(count, row)) + "/s";
}

/// What is wrong with the generator right now; empty if nothing is.
std::string trouble(const live_state& s) {
  const verdict now = judge(s.metrics, s.elapsed * s.info.lanes, s.bounds);
  return now.valid ? std::string{} : now.invalid_reasons.front();
}

} // namespace

std::string live_view::frame(const live_state& s) {
  const size_t width = std::max(columns_, 40U);
  const auto& calls = s.metrics.calls;
  const auto& row = s.series.latest();
  std::vector<std::string> lines;
  // Cut first and coloured after, so that no escape sequence is cut.
  const auto add = [&](std::string_view text, std::string_view colour = {}) {
    std::string line{cut(text, width - 1)};
    if (colour_ && !colour.empty())
      line = fmt::format("\x1b[{}m{}\x1b[0m", colour, line);
    lines.push_back(std::move(line));
  };

  add(fmt::format("{}  {}  {} over {}", clock_text(s.elapsed), s.draining ? "draining" : "running",
                  escape_terminal(s.info.target), escape_terminal(s.info.transport)),
      "1");
  const uint64_t ended = calls.completed + calls.failed;
  if (s.planned_calls && *s.planned_calls > 0) {
    const uint64_t settled = ended + calls.missed();
    const double share = static_cast<double>(settled) / static_cast<double>(*s.planned_calls);
    const std::string figures =
      fmt::format(" {} of {} ended", grouped(settled), grouped(*s.planned_calls));
    const size_t room = width > figures.size() + 2 ? width - figures.size() - 2 : 0;
    add(bar(share, std::min<size_t>(room, 50)) + figures, "36");
  }
  std::string rates = fmt::format("rate       offered {}  started {}  answered {}  failed {}",
                                  a_second(row.offered, row), a_second(row.started, row),
                                  a_second(row.answered, row), a_second(row.failed, row));
  if (s.planned_rate > 0)
    rates += fmt::format("  aim {}/s", short_figure(s.planned_rate));
  add(rates);
  add(fmt::format("calls      now {}  peak {}  completed {}  failed {}  missed {}",
                  grouped(calls.current), grouped(calls.peak), grouped(calls.completed),
                  grouped(calls.failed), grouped(calls.missed())),
      calls.failed > 0 ? "33" : "");
  const auto& reg = s.metrics.registrations;
  if (reg.attempted > 0)
    add(fmt::format("users      registered {}  failed {}  refreshed {}  {}", grouped(reg.current),
                    grouped(reg.failed + reg.refresh_failed), grouped(reg.refreshed),
                    a_second(row.registered, row)));
  const bool registers = reg.attempted > 0; // whose delay is another one
  add(fmt::format("{} ms     p50 {}  p95 {}  p99 {}  requests {}  retransmissions {}",
                  registers ? "rrd" : "srd",
                  short_figure(registers ? row.rrd_p50_ms : row.srd_p50_ms),
                  short_figure(registers ? row.rrd_p95_ms : row.srd_p95_ms),
                  short_figure(registers ? row.rrd_p99_ms : row.srd_p99_ms),
                  a_second(row.requests, row), grouped(s.metrics.retransmissions)));
  if (s.metrics.media.packets_sent > 0)
    add(fmt::format("media      sent {}  received {}  lost {}  jitter {} ms  MOS {}",
                    a_second(row.packets_sent, row), a_second(row.packets_received, row),
                    grouped(row.packets_lost), short_figure(row.jitter_mean_ms),
                    short_figure(row.mos_mean)));
  add(fmt::format("generator  cpu {:.0f} %  lane lag p99 {} ms  socket drops {}", row.cpu_percent,
                  short_figure(row.lane_lag_p99_ms), grouped(s.metrics.health.socket_drops)));
  if (const auto what = trouble(s); !what.empty())
    add("INVALID    " + what, "1;31");

  std::string out;
  if (lines_drawn_ > 0)
    out = fmt::format("\x1b[{}A", lines_drawn_);
  for (const auto& line : lines) {
    out += '\r';
    out += line;
    out += "\x1b[K\n";
  }
  out += "\x1b[J"; // the previous frame may have been longer
  lines_drawn_ = static_cast<unsigned>(lines.size());
  return out;
}

std::string live_view::erase() {
  if (lines_drawn_ == 0)
    return {};
  std::string out = fmt::format("\x1b[{}A\r\x1b[J", lines_drawn_);
  lines_drawn_ = 0;
  return out;
}

std::string live_line(const live_state& s) {
  const auto& calls = s.metrics.calls;
  const auto& row = s.series.latest();
  std::string line = fmt::format(
    "{} {}: started {} ({}), answered {}, completed {}, failed {}, missed {}, now {}, "
    "{} p99 {} ms, cpu {:.0f} %",
    clock_text(s.elapsed), s.draining ? "draining" : "running", grouped(calls.started),
    a_second(row.started, row), grouped(calls.answered), grouped(calls.completed),
    grouped(calls.failed), grouped(calls.missed()), grouped(calls.current),
    s.metrics.registrations.attempted > 0 ? "rrd" : "srd",
    short_figure(s.metrics.registrations.attempted > 0 ? row.rrd_p99_ms : row.srd_p99_ms),
    row.cpu_percent);
  if (s.metrics.registrations.attempted > 0)
    line += fmt::format(", registered {}", grouped(s.metrics.registrations.current));
  if (s.metrics.media.packets_sent > 0)
    line += fmt::format(", packets {} lost {}", a_second(row.packets_sent, row),
                        grouped(row.packets_lost));
  if (const auto what = trouble(s); !what.empty())
    line += "; INVALID: " + what;
  line += '\n';
  return line;
}

} // namespace jackfield::report
