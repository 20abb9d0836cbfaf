#include "engine/report/svg_plot.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "engine/report/figures.hpp"
#include "engine/report/svg_axis.hpp"

namespace jackfield::report {

namespace {

using series = svg_plot::series;
using shape = series::shape;

template <class... Ts>
void put(std::string& out, fmt::format_string<Ts...> format, Ts&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Ts>(values)...);
}

/// At each position, the sum of all bars: they stand on one another.
double bars_at(const svg_plot& plot, size_t position) {
  double sum = 0;
  for (const auto& each : plot.lines)
    if (each.as == shape::bars && !each.right)
      sum += each.values[position].value_or(0);
  return sum;
}

/// The greatest value by the left axis, or the right one; nothing where there is none.
std::optional<double> greatest(const svg_plot& plot, bool right) {
  std::optional<double> most;
  const auto take = [&](double value) {
    if (std::isfinite(value))
      most = std::max(most.value_or(value), value);
  };
  for (const auto& each : plot.lines)
    for (size_t i = 0; i < each.values.size(); ++i)
      if (each.right == right && each.values[i])
        take(each.as == shape::bars ? bars_at(plot, i) : *each.values[i]);
  return most;
}

bool is_dashed(shape as) {
  return as == shape::dashes || as == shape::dashed_steps;
}

/// Of UTF-8.
size_t letters(std::string_view text) {
  return static_cast<size_t>(
    std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0U) != 0x80; }));
}

/// The drawing, in its own units; the page scales it.
class drawing {
public:
  explicit drawing(const svg_plot& plot)
      : plot_(plot), width_(plot.wide ? 560 : 340), height_(plot.wide ? 250 : 220),
        letter_(plot.wide ? 10.5 : 6.6), left_(plot.wide ? 62 : 43), top_(plot.wide ? 34 : 26),
        bottom_(plot.wide ? 54 : 42), left_axis_(value_axis::over(0, most_at_left(), 5)),
        right_axis_(right_axis()), has_right_(std::ranges::any_of(plot.lines, &series::right)) {
    double gap = std::numeric_limits<double>::infinity();
    for (size_t i = 1; i < plot.at.size(); ++i)
      gap = std::min(gap, plot.at[i] - plot.at[i - 1]);
    const double slot = std::isfinite(gap) && gap > 0 ? gap : 1;
    scale_ = plot_width() / (plot.at.back() - plot.at.front() + slot);
    slot_ = slot * scale_;
  }

  std::string draw() {
    put(out_, "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width_, height_,
        plot_.title);
    put_mark();
    put_axes();
    for (const auto& each : plot_.lines)
      if (each.as == shape::bars)
        put_bars(each);
    put_bound();
    for (const auto& each : plot_.lines)
      if (each.as != shape::bars)
        put_line(each);
    put_bound_label();
    put_tooltips();
    out_ += "</svg>\n";
    return std::move(out_);
  }

private:
  [[nodiscard]] double most_at_left() const {
    double most = greatest(plot_, false).value_or(1);
    if (plot_.right_per_left)
      most = std::max(most, greatest(plot_, true).value_or(0) / *plot_.right_per_left);
    if (plot_.target)
      most = std::max(most, plot_.target->value);
    return plot_.most.value_or(most);
  }
  [[nodiscard]] value_axis right_axis() const {
    if (!plot_.right_per_left)
      return value_axis::with_ticks(0, greatest(plot_, true).value_or(1), left_axis_.ticks());
    const double to = left_axis_.to * *plot_.right_per_left;
    return {0, to, nice_step(to, 5)};
  }
  [[nodiscard]] double plot_height() const { return height_ - top_ - bottom_; }
  [[nodiscard]] double right_edge() const { return width_ - (has_right_ ? left_ : 10); }
  [[nodiscard]] double plot_width() const { return right_edge() - left_; }
  [[nodiscard]] double x(size_t position) const {
    return left_ + (plot_.at[position] - plot_.at.front()) * scale_ + slot_ / 2;
  }
  [[nodiscard]] double y(double value, bool right = false) const {
    return top_ + plot_height() * (1 - (right ? right_axis_ : left_axis_).share(value));
  }

  void put_mark() {
    if (plot_.marked)
      put(out_, "<rect class=\"marked\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>\n",
          x(*plot_.marked) - std::max(slot_, 8.) / 2, top_, std::max(slot_, 8.), plot_height());
  }

  void put_axes() {
    for (int i = 0; i <= left_axis_.ticks(); ++i) {
      const double value = left_axis_.tick(i);
      put(out_,
          "<line class=\"{}\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>"
          "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
          i == 0 ? "axis" : "tick", left_, y(value), right_edge(), y(value), left_ - 5,
          y(value) + 4, short_figure(value));
    }
    put(out_, "<text x=\"0\" y=\"{}\">{}</text>\n", top_ - 13, plot_.unit);
    if (has_right_) {
      for (double value = 0; value <= right_axis_.to * (1 + 1e-9); value += right_axis_.step)
        put(out_, "<text x=\"{}\" y=\"{:.1f}\">{}</text>\n", right_edge() + 5, y(value, true) + 4,
            short_figure(value));
      put(out_, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", width_, top_ - 13,
          plot_.right_unit);
    }
    double free_from = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < plot_.at.size(); ++i) {
      const double half = letter_ * static_cast<double>(letters(plot_.names[i])) / 2;
      if (x(i) - half < free_from && i != plot_.marked)
        continue;
      free_from = x(i) + half + letter_;
      put(out_, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x(i),
          height_ - bottom_ + (plot_.wide ? 25 : 16), plot_.names[i]);
    }
    put(out_, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
        left_ + plot_width() / 2, height_ - 6, plot_.along);
  }

  void put_bars(const series& line) {
    for (size_t i = 0; i < plot_.at.size(); ++i) {
      double below = 0;
      for (const auto* each = plot_.lines.data(); each != &line; ++each)
        if (each->as == shape::bars)
          below += each->values[i].value_or(0);
      const double value = line.values[i].value_or(0);
      if (value > 0)
        put(out_,
            "<rect class=\"bars c{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
            "height=\"{:.1f}\"/>\n",
            line.colour, x(i) - slot_ * 0.41, y(below + value), slot_ * 0.82,
            y(below) - y(below + value));
    }
  }

  void put_bound() {
    if (plot_.target)
      put(out_, "<line class=\"bound\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>\n", left_,
          y(plot_.target->value), right_edge(), y(plot_.target->value));
  }

  /// At either end of the bound, above or below it: where it is over least of the lines.
  void put_bound_label() {
    if (!plot_.target)
      return;
    const double at = y(plot_.target->value);
    const double wide = letter_ * static_cast<double>(letters(plot_.target->label));
    constexpr double high = 14;
    std::optional<size_t> least;
    double text_at = 0;
    bool from_left = true;
    for (const bool above : {true, false})
      for (const bool left : {true, false}) {
        if (above ? at < top_ + high : at > height_ - bottom_ - high)
          continue;
        const double from = left ? left_ + 4 : right_edge() - 4 - wide;
        const double top = above ? at - high - 2 : at + 2;
        const auto covered = points_within(from, from + wide, top, top + high);
        if (least && covered >= *least)
          continue;
        least = covered;
        text_at = above ? at - 4 : at + high;
        from_left = left;
      }
    put(out_, "<text class=\"halo\" x=\"{}\" y=\"{:.1f}\"{}>{}</text>\n",
        from_left ? left_ + 4 : right_edge() - 4, text_at, from_left ? "" : " text-anchor=\"end\"",
        plot_.target->label);
  }

  /// So many points of lines, and of their error bars, some pixels from one another.
  [[nodiscard]] size_t points_within(double left, double right, double top, double bottom) const {
    size_t count = 0;
    const auto see = [&](double across, double down) {
      constexpr double mark = 3; // as wide as one is
      count += across >= left - mark && across <= right + mark && down >= top - mark &&
                   down <= bottom + mark
                 ? 1
                 : 0;
    };
    constexpr int parts = 8;
    for (const auto& line : plot_.lines) {
      if (line.as == shape::bars)
        continue;
      for (size_t i = 0; i < plot_.at.size(); ++i) {
        if (!line.values[i])
          continue;
        const double here = y(*line.values[i], line.right);
        const auto next = i + 1 < plot_.at.size() ? line.values[i + 1] : std::nullopt;
        const auto margin = i < line.margins.size() ? line.margins[i] : std::nullopt;
        for (int part = 0; part < parts; ++part) {
          const double share = static_cast<double>(part) / parts;
          if (next || part == 0)
            see(x(i) + (next ? (x(i + 1) - x(i)) * share : 0),
                next ? here + (y(*next, line.right) - here) * share : here);
          if (margin)
            see(x(i), y(*line.values[i] + *margin * (2 * share - 1), line.right));
        }
      }
    }
    return count;
  }

  void put_line(const series& line) {
    std::string path;
    std::string marks;
    bool is_open = false;
    const bool is_first = &line == plot_.lines.data();
    for (size_t i = 0; i < plot_.at.size(); ++i) {
      const auto& value = line.values[i];
      if (!value || !std::isfinite(*value)) {
        is_open = false;
        continue;
      }
      const double at = y(*value, line.right);
      if (line.as == shape::steps || line.as == shape::dashed_steps)
        put(path, "{}{:.1f} {:.1f}H{:.1f}", is_open ? "L" : "M", x(i) - slot_ / 2, at,
            x(i) + slot_ / 2);
      else
        put(path, "{}{:.1f} {:.1f}", is_open ? "L" : "M", x(i), at);
      is_open = true;
      if (line.as == shape::points)
        put_point(marks, line, i, is_first && plot_.target && !plot_.target->met_by(*value));
    }
    if (line.as == shape::steps) // is seen over bars, too
      put(out_, "<path class=\"under\" d=\"{}\"/>\n", path);
    if (!path.empty())
      put(out_, "<path class=\"line{} c{}\" d=\"{}\"/>\n", is_dashed(line.as) ? " dashes" : "",
          line.colour, path);
    out_ += marks;
  }

  void put_point(std::string& marks, const series& line, size_t i, bool missed) {
    const double value = *line.values[i];
    const double at = y(value, line.right);
    if (i < line.margins.size() && line.margins[i]) {
      const double high = y(value + *line.margins[i], line.right);
      const double low = y(value - *line.margins[i], line.right);
      if (low - high > 1)
        put(marks,
            "<path class=\"error c{}\" d=\"M{:.1f} {:.1f}V{:.1f}M{:.1f} {:.1f}h6M{:.1f} "
            "{:.1f}h6\"/>\n",
            line.colour, x(i), low, high, x(i) - 3, low, x(i) - 3, high);
    }
    if (missed)
      put(marks, "<path class=\"missed\" d=\"M{:.1f} {:.1f}h9l-4.5 8z\"/>\n", x(i) - 4.5, at - 3);
    else if (slot_ > 7)
      put(marks, "<circle class=\"dot c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\"/>\n", line.colour,
          x(i), at);
  }

  void put_tooltips() {
    for (size_t i = 0; i < plot_.at.size(); ++i) {
      put(out_,
          "<g class=\"at\"><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>"
          "<line x1=\"{:.1f}\" y1=\"{}\" x2=\"{:.1f}\" y2=\"{}\"/><title>{}",
          x(i) - slot_ / 2, top_, slot_, plot_height(), x(i), top_, x(i), top_ + plot_height(),
          plot_.names[i]);
      for (const auto& line : plot_.lines) {
        put(out_, "\n{}: {}", line.label, short_figure(line.values[i]));
        if (i < line.margins.size() && line.margins[i])
          put(out_, " ± {}", short_figure(*line.margins[i]));
        put(out_, " {}", line.right ? plot_.right_unit : plot_.unit);
      }
      out_ += "</title></g>\n";
    }
  }

  const svg_plot& plot_;
  double width_;
  double height_;
  double letter_; ///< about as wide
  double left_;
  double top_;
  double bottom_;
  value_axis left_axis_;
  value_axis right_axis_;
  bool has_right_;
  double scale_ = 1;
  double slot_ = 1;
  std::string out_;
};

void put_legend(std::string& out, const svg_plot& plot) {
  const auto kind = [](shape as) {
    return as == shape::bars ? "bars " : is_dashed(as) ? "dashes " : "";
  };
  out += "<ul class=\"legend\">";
  for (const auto& line : plot.lines)
    put(out, "<li class=\"{}c{}\">{}</li>", kind(line.as), line.colour, line.label);
  if (plot.target && !plot.target->missed.empty())
    put(out, "<li class=\"missed\">{}</li>", plot.target->missed);
  out += "</ul>";
}

} // namespace

std::string render(const svg_plot& plot) {
  std::string out;
  put(out, "<figure{}>\n<figcaption><h3>{}</h3>", plot.wide ? " class=\"wide\"" : "", plot.title);
  put_legend(out, plot);
  out += "</figcaption>\n";
  if (plot.at.empty() || (!greatest(plot, false) && !greatest(plot, true)))
    out += "<p class=\"nothing\">nothing to show</p>\n";
  else
    out += drawing{plot}.draw();
  out += "</figure>\n";
  return out;
}

} // namespace jackfield::report
