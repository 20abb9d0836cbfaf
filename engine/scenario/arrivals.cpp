#include "engine/scenario/arrivals.hpp"

#include <charconv>
#include <cmath>
#include <string>

namespace jackfield::scenario {

namespace {

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

/// Beyond these a number is a slip of the pen.
constexpr double most_rate = 1e6;
constexpr double most_seconds = 1e8;

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, code] =
    std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (code != std::errc{} || end != text.data() + text.size() || !(value >= 0))
    return std::nullopt;
  return value;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

} // namespace

result<duration> parse_duration(std::string_view place, std::string_view text) {
  const auto unit_at = text.find_first_not_of("0123456789.");
  const auto unit = unit_at == std::string_view::npos ? "s" : text.substr(unit_at);
  const auto value = number(text.substr(0, unit_at));
  const double scale = unit == "ms"  ? 1e-3
                       : unit == "s" ? 1
                       : unit == "m" ? 60
                       : unit == "h" ? 3600
                                     : 0;
  if (!value || scale == 0 || *value * scale > most_seconds)
    return fail(std::string{place},
                quoted(text) + " is no duration, expected a number with ms, s, m or h (30s)");
  return duration{static_cast<int64_t>(std::llround(*value * scale * 1e9))};
}

result<std::vector<rate_phase>> parse_rates(std::string_view place, std::string_view text) {
  std::vector<rate_phase> phases;
  for (auto rest = text;;) {
    const auto comma = rest.find(',');
    const auto part = rest.substr(0, comma);
    const auto slash = part.find('/');
    const auto rates = part.substr(0, slash);
    const auto dots = rates.find("..");
    const auto from = number(rates.substr(0, dots));
    const auto to = dots == std::string_view::npos ? from : number(rates.substr(dots + 2));
    if (!from || !to || *from > most_rate || *to > most_rate)
      return fail(std::string{place},
                  quoted(part) + " is no rate, expected calls a second (100), with a length for a "
                                 "step (100/30s) or a ramp (0..500/60s)");
    rate_phase phase{*from, *to, std::nullopt};
    if (slash != std::string_view::npos) {
      auto length = parse_duration(place, part.substr(slash + 1));
      if (!length)
        return tl::unexpected{std::move(length.error())};
      phase.length = *length;
    } else if (comma != std::string_view::npos || *from != *to) {
      return fail(std::string{place}, quoted(part) + " needs a length (" + std::string{part} +
                                        "/30s): only a last, constant phase may go on without end");
    }
    phases.push_back(phase);
    if (comma == std::string_view::npos)
      break;
    rest = rest.substr(comma + 1);
  }
  bool any = false;
  for (const auto& p : phases)
    any = any || p.from > 0 || p.to > 0;
  if (!any)
    return fail(std::string{place}, "a rate of 0 places no calls, expected more");
  return phases;
}

double arrival_plan::rate_at(duration since_start) const noexcept {
  auto left = seconds(since_start);
  for (const auto& p : phases) {
    if (!p.length)
      return p.from;
    const auto length = seconds(*p.length);
    if (left < length)
      return p.from + (p.to - p.from) * left / length;
    left -= length;
  }
  return 0;
}

std::optional<duration> arrival_plan::length() const noexcept {
  duration sum{};
  for (const auto& p : phases) {
    if (!p.length)
      return std::nullopt;
    sum += *p.length;
  }
  return sum;
}

std::optional<duration> arrival_process::next(double random_unit) {
  if (plan_.calls && count_ >= *plan_.calls)
    return std::nullopt;
  // How far the integral of the rate has still to grow. The first evenly spaced call comes at once.
  double need = plan_.poisson ? -std::log1p(-random_unit) : count_ == 0 ? 0 : 1;
  while (phase_ < plan_.phases.size()) {
    const auto& p = plan_.phases[phase_];
    const double x = position_s_;
    if (!p.length || seconds(*p.length) == 0) {
      if (!p.length) {
        if (p.from <= 0)
          return std::nullopt;
        position_s_ = x + need / p.from;
        ++count_;
        return duration{static_cast<int64_t>((phase_start_s_ + position_s_) * 1e9)};
      }
    } else {
      const double length = seconds(*p.length);
      const double slope = (p.to - p.from) / length;
      const double rate = p.from + slope * x;
      const double area = (rate + p.to) / 2 * (length - x);
      if (need < area || (need == 0 && x < length && rate > 0)) {
        // Solve rate*t + slope/2*t^2 = need in the form that stays exact for small slopes.
        const double root = std::sqrt(std::max(0.0, rate * rate + 2 * slope * need));
        const double t = need == 0 ? 0 : 2 * need / (rate + root);
        position_s_ = std::min(length, x + t);
        ++count_;
        return duration{static_cast<int64_t>((phase_start_s_ + position_s_) * 1e9)};
      }
      need -= area;
      phase_start_s_ += length;
    }
    position_s_ = 0;
    ++phase_;
  }
  return std::nullopt;
}

} // namespace jackfield::scenario
