#include "engine/scenario/arrivals.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace jackfield::scenario {

namespace {

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

/// Beyond these a number is a slip of the pen; nothing arrives after three years.
constexpr double most_rate = 1e6;
constexpr double most_seconds = 1e8;

std::optional<double> number(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') // no sign, no "inf"
    return std::nullopt;
  double value = 0;
  const auto [end, code] =
    std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (code != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

/// The integral of a phase's rate is known to about this share of it.
constexpr double rounding = 1e-12;

/// When the integral of the rate reaches `due`, in seconds since the phase began.
double time_within(const rate_phase& p, double length, double area, double due) {
  // rate*t + slope/2*t^2 = due, solved from the end where the rate is lower, in the form that stays
  // exact for small slopes.
  const bool rising = p.from <= p.to;
  const double rate = rising ? p.from : p.to;
  const double slope = std::abs(p.to - p.from) / length;
  const double part = rising ? due : area - due;
  if (part <= 0)
    return rising ? 0 : length;
  const double t = 2 * part / (rate + std::sqrt(rate * rate + 2 * slope * part));
  return std::min(length, rising ? t : length - t);
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
      return fail(std::string{place}, quoted(part) + " does not end, expected a length (" +
                                        std::string{part} +
                                        "/30s) for all but a last, constant phase");
    }
    phases.push_back(phase);
    if (comma == std::string_view::npos)
      break;
    rest = rest.substr(comma + 1);
  }
  bool any = false;
  double total = 0;
  for (const auto& p : phases) {
    any = any || ((p.from > 0 || p.to > 0) && p.length != duration::zero());
    total += p.length ? seconds(*p.length) : 0;
  }
  if (!any)
    return fail(std::string{place}, quoted(text) + " places no calls, expected a rate above 0 for "
                                                   "some time");
  if (total > most_seconds)
    return fail(std::string{place}, "phases that last more than three years, expected less");
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
  // The first evenly spaced arrival comes at once.
  due_ += plan_.poisson ? -std::log1p(-random_unit) : count_ == 0 ? 0 : 1;
  for (; phase_ < plan_.phases.size(); ++phase_) {
    const auto& p = plan_.phases[phase_];
    if (!p.length)
      return give(phase_start_s_ + due_ / p.from);
    const double length = seconds(*p.length);
    const double area = (p.from + p.to) / 2 * length;
    if (due_ < area * (1 - rounding))
      return give(phase_start_s_ + time_within(p, length, area, due_));
    // What rounding left over is no arrival of the next phase's, nor one before it.
    due_ = due_ < area * (1 + rounding) ? 0 : due_ - area;
    phase_start_s_ += length;
  }
  return std::nullopt;
}

std::optional<duration> arrival_process::give(double seconds_since_start) {
  if (!(seconds_since_start <= most_seconds)) // or is no number, at a rate of 0
    return std::nullopt;
  ++count_;
  return duration{std::llround(seconds_since_start * 1e9)};
}

} // namespace jackfield::scenario
