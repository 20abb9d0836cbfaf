#include "engine/report/svg_chart.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "engine/report/figures.hpp"
#include "engine/report/svg_axis.hpp"

namespace jackfield::report {

namespace {

// The drawing's own units; the page scales it.
constexpr double width = 640;
constexpr double height = 220;
constexpr double left = 52;
constexpr double right = 12;
constexpr double top = 10;
constexpr double bottom = 26;
constexpr double plot_width = width - left - right;
constexpr double plot_height = height - top - bottom;

template <class... Ts>
void put(std::string& out, fmt::format_string<Ts...> format, Ts&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Ts>(values)...);
}

double y_of(const value_axis& axis, double value) {
  return top + plot_height * (1 - axis.share(value));
}

std::string time_label(double seconds, double span) {
  const auto s = static_cast<uint64_t>(std::llround(seconds));
  if (span >= 7200)
    return fmt::format("{}:{:02} h", s / 3600, s / 60 % 60);
  if (span >= 120)
    return fmt::format("{}:{:02}", s / 60, s % 60);
  return short_figure(seconds) + " s";
}

void put_frame(std::string& out, std::string_view title, const value_axis& vertical) {
  put(out,
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" "
      "preserveAspectRatio=\"xMidYMid meet\">\n",
      width, height, title);
  for (int i = 0; i <= vertical.ticks(); ++i) {
    const double value = vertical.tick(i);
    const double y = y_of(vertical, value);
    put(out,
        "<line class=\"{}\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        i == 0 ? "axis" : "tick", left, y, width - right, y, left - 6, y + 4, short_figure(value));
  }
}

void put_path(std::string& out, const time_chart& chart, const chart_line& line,
              const value_axis& vertical, double from_s, double span_s) {
  std::string path;
  bool drawing = false;
  for (size_t i = 0; i < chart.at_s.size(); ++i) {
    const auto& value = line.values[i];
    if (!value || !std::isfinite(*value)) {
      drawing = false;
      continue;
    }
    const double x = left + plot_width * (chart.at_s[i] - from_s) / span_s;
    put(path, "{}{:.1f} {:.1f}", drawing ? "L" : "M", x, y_of(vertical, *value));
    // A point without neighbours would not be seen; a short dash is.
    const bool alone = !drawing && (i + 1 == chart.at_s.size() || !line.values[i + 1]);
    if (alone)
      path += "h2";
    drawing = true;
  }
  if (!path.empty())
    put(out, "<path class=\"line c{}\" d=\"{}\"/>\n", line.colour, path);
}

void put_tooltips(std::string& out, const time_chart& chart, double from_s, double span_s) {
  for (size_t i = 0; i < chart.at_s.size(); ++i) {
    const double x = left + plot_width * (chart.at_s[i] - from_s) / span_s;
    const double before = i == 0 ? from_s : (chart.at_s[i - 1] + chart.at_s[i]) / 2;
    const double after =
      i + 1 == chart.at_s.size() ? from_s + span_s : (chart.at_s[i] + chart.at_s[i + 1]) / 2;
    const double x1 = left + plot_width * (before - from_s) / span_s;
    const double x2 = left + plot_width * (after - from_s) / span_s;
    put(out,
        "<g class=\"at\"><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>"
        "<line x1=\"{:.1f}\" y1=\"{}\" x2=\"{:.1f}\" y2=\"{}\"/><title>{}",
        x1, top, std::max(x2 - x1, 0.5), plot_height, x, top, x, top + plot_height,
        time_label(chart.at_s[i], span_s));
    for (const auto& line : chart.lines)
      put(out, "\n{}: {}{}{}", line.label, short_figure(line.values[i]),
          chart.unit.empty() ? "" : " ", chart.unit);
    out += "</title></g>\n";
  }
}

void put_heading(std::string& out, std::string_view title, std::string_view unit) {
  put(out, "<figure>\n<figcaption><h3>{}", title);
  if (!unit.empty())
    put(out, " <small>{}</small>", unit);
  out += "</h3>";
}

} // namespace

std::string render(const time_chart& chart) {
  std::string out;
  put_heading(out, chart.title, chart.unit);
  out += "<ul class=\"legend\">";
  for (const auto& line : chart.lines)
    put(out, "<li class=\"c{}\">{}</li>", line.colour, line.label);
  out += "</ul></figcaption>\n";

  bool any = false;
  double most = chart.most.value_or(0);
  for (const auto& line : chart.lines)
    for (const auto& value : line.values)
      if (value && std::isfinite(*value)) {
        any = true;
        most = std::max(most, *value);
      }
  if (!any || chart.at_s.empty()) {
    out += "<p class=\"nothing\">nothing was measured</p>\n</figure>\n";
    return out;
  }
  const value_axis vertical = value_axis::over(chart.least.value_or(0), most);
  put_frame(out, chart.title, vertical);
  const double from_s = chart.at_s.size() > 1 ? chart.at_s.front() : 0;
  const double span_s = std::max(chart.at_s.back() - from_s, 1e-3);
  const double step = nice_step(span_s, 6);
  for (double at = std::ceil(from_s / step) * step; at <= from_s + span_s * 1.0001; at += step)
    put(out, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
        left + plot_width * (at - from_s) / span_s, height - 8, time_label(at, span_s));
  for (const auto& line : chart.lines)
    put_path(out, chart, line, vertical, from_s, span_s);
  put_tooltips(out, chart, from_s, span_s);
  out += "</svg>\n</figure>\n";
  return out;
}

std::string render(const bar_chart& chart) {
  std::string out;
  put_heading(out, chart.title, chart.unit);
  out += "</figcaption>\n";
  double most = 0;
  for (const auto& bar : chart.bars)
    most = std::max(most, bar.value);
  if (chart.bars.empty() || most <= 0) {
    out += "<p class=\"nothing\">nothing was measured</p>\n</figure>\n";
    return out;
  }
  const value_axis vertical = value_axis::over(0, most);
  put_frame(out, chart.title, vertical);
  const double slot = plot_width / static_cast<double>(chart.bars.size());
  // Names that would run into each other are left out evenly.
  const auto every = static_cast<size_t>(std::ceil(44 / slot));
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const auto& bar = chart.bars[i];
    const double x = left + slot * static_cast<double>(i);
    const double y = y_of(vertical, bar.value);
    put(out,
        "<g class=\"at\"><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>"
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>"
        "<title>{}: {}</title></g>\n",
        x, top, slot, plot_height, x + slot * 0.08, y, slot * 0.84, top + plot_height - y,
        bar.range, grouped(static_cast<uint64_t>(bar.value)));
    if (i % every == 0)
      put(out, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x + slot / 2,
          height - 8, bar.name);
  }
  out += "</svg>\n</figure>\n";
  return out;
}

} // namespace jackfield::report
