#include "engine/simulation/arrivals.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "engine/simulation/portable_math.hpp"

namespace jackfield::simulation {

namespace {

constexpr double most_per_second = 1e6;
/// Beyond is no day, but a mistake: 30 years.
constexpr double most_seconds = 1e9;

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

} // namespace

arrival_plan arrival_plan::steady(double per_second) {
  constexpr auto interval = std::chrono::hours{1};
  arrival_plan plan;
  plan.interval = interval;
  plan.per_interval = {per_second * seconds(interval)};
  plan.repeats = true;
  return plan;
}

result<double> arrival_plan::parse_rate(std::string_view place, std::string_view text) {
  const auto slash = text.find('/');
  const auto number = text.substr(0, slash);
  const auto unit = slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
  const double length = unit == "s"                    ? 1
                        : unit == "m" || unit == "min" ? 60
                        : unit == "h"                  ? 3600
                                                       : 0;
  double value = 0;
  const auto [end, code] =
    std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
  if (length == 0 || code != std::errc{} || end != number.data() + number.size() || !(value > 0) ||
      value / length > most_per_second)
    return fail(std::string{place},
                fmt::format("\"{}\" is no rate of arrivals, expected 200/h, 3/m or 0.5/s", text));
  return value / length;
}

duration arrival_plan::length() const noexcept {
  if (times)
    return times->empty() ? duration::zero() : times->back();
  return interval * static_cast<int64_t>(per_interval.size());
}

double arrival_plan::expected(duration from, duration to) const noexcept {
  if (times)
    return static_cast<double>(std::ranges::lower_bound(*times, to) -
                               std::ranges::lower_bound(*times, from));
  double sum = 0;
  for (auto at = from; at < to && !per_interval.empty();) {
    const auto index = static_cast<uint64_t>(at / interval);
    const auto end = std::min(to, interval * static_cast<int64_t>(index + 1));
    if (index < per_interval.size() || repeats)
      sum += per_interval[index % per_interval.size()] * seconds(end - at) / seconds(interval);
    at = end;
  }
  return sum;
}

result<void> arrival_plan::check(std::string_view place) const {
  if (times) {
    if (!std::ranges::is_sorted(*times) || (!times->empty() && times->front() < duration::zero()))
      return fail(std::string{place}, "arrival times are out of order");
    return {};
  }
  if (interval < std::chrono::seconds{1} || seconds(interval) > most_seconds)
    return fail(std::string{place}, "expected an interval of 1 s or more");
  bool any = false;
  for (const double each : per_interval) {
    if (!(each >= 0) || each / seconds(interval) > most_per_second)
      return fail(std::string{place},
                  fmt::format("expected 0 to {} arrivals a second", most_per_second));
    any = any || each > 0;
  }
  if (repeats && !any)
    return fail(std::string{place}, "expected arrivals in some interval");
  return {};
}

std::optional<duration> arrival_process::next(const random_numbers& random) {
  if (plan_->times) {
    if (count_ >= plan_->times->size())
      return std::nullopt;
    return (*plan_->times)[count_++];
  }
  const auto intervals = plan_->per_interval.size();
  if (intervals == 0)
    return std::nullopt;
  const double length = seconds(plan_->interval);
  double step = -portable_log(1 - random.uniform(draw::arrival, count_, stream_));
  for (; interval_ < intervals || plan_->repeats; ++interval_, within_s_ = 0) {
    const double rate = plan_->per_interval[interval_ % intervals] / length;
    const double left = rate * (length - within_s_);
    if (step >= left) {
      step -= left;
      continue;
    }
    ++count_;
    within_s_ += step / rate;
    if (static_cast<double>(interval_) * length > most_seconds)
      return std::nullopt;
    return plan_->interval * static_cast<int64_t>(interval_) +
           std::chrono::microseconds{static_cast<int64_t>(std::floor(within_s_ * 1e6 + 0.5))};
  }
  return std::nullopt;
}

} // namespace jackfield::simulation
