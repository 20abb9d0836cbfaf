#include "engine/report/figures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace jackfield::report {

std::string grouped(uint64_t n) {
  std::string digits = std::to_string(n);
  for (size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, 1, ',');
  return digits;
}

std::string short_figure(std::optional<double> value) {
  if (!value || !std::isfinite(*value))
    return "-";
  const double v = *value;
  const double size = std::abs(v);
  if (size >= 999.5 && size < 1e18)
    return (v < 0 ? "-" : "") + grouped(static_cast<uint64_t>(std::llround(size)));
  const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.0995 || size == 0 ? 2 : 3;
  std::string text = fmt::format("{:.{}f}", v, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
      text.pop_back();
  }
  return text;
}

std::string percentage(std::optional<double> percent) {
  if (!percent)
    return "-";
  // 999,999 of 1,000,000 is not all of them.
  const double shown = *percent < 100 ? std::min(*percent, 99.99) : *percent;
  std::string text = fmt::format("{:.2f}", shown);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.')
    text.pop_back();
  return text + " %";
}

std::string length_text(std::chrono::nanoseconds length) {
  const double seconds = std::chrono::duration<double>{length}.count();
  if (seconds < 0.9995)
    return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 119.95)
    return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  if (whole < 7200)
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string iso_utc(std::chrono::system_clock::time_point t) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(t);
  const auto day = floor<days>(ms);
  const year_month_day date{day};
  const hh_mm_ss time{ms - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

} // namespace jackfield::report
