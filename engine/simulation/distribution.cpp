#include "engine/simulation/distribution.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/scenario/arrivals.hpp"
#include "engine/simulation/portable_math.hpp"

namespace jackfield::simulation {

namespace {

using scenario::parse_duration;

constexpr double most_variation = 20;
constexpr double least_shape = 0.1;
constexpr double most_shape = 100;
/// A file of more is a slip of the pen.
constexpr size_t most_values = 10'000'000;

double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

duration whole_microseconds(double s) noexcept {
  constexpr double longest_s = 24 * 365 * 3600.0;
  s = std::clamp(s, 0.0, longest_s);
  return std::chrono::microseconds{static_cast<int64_t>(std::floor(s * 1e6 + 0.5))};
}

std::string shown(duration d) {
  return fmt::format("{}s", seconds(d));
}

result<double> parse_factor(std::string_view place, std::string_view text, std::string_view what,
                            double least, double most) {
  double value = 0;
  const auto [end, code] =
    std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (code != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most))
    return fail(std::string{place},
                fmt::format("\"{}\" is no {}, expected {} to {}", text, what, least, most));
  return value;
}

result<distribution> read_values(std::string_view place, const std::string& path) {
  std::ifstream file{path};
  if (!file)
    return fail(std::string{place},
                fmt::format("\"{}\" cannot be read, expected a file with a length a line", path));
  std::vector<duration> values;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    std::string_view text{line};
    text = text.substr(0, text.find('#'));
    constexpr std::string_view blanks = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    text = text.substr(0, text.find_last_not_of(blanks) + 1);
    if (text.empty())
      continue;
    auto value = parse_duration(fmt::format("{}:{}", path, number), text);
    if (!value)
      return tl::unexpected{std::move(value.error())};
    if (values.size() == most_values)
      return fail(fmt::format("{}:{}", path, number),
                  fmt::format("expected at most {} values", most_values));
    values.push_back(*value);
  }
  if (values.empty())
    return fail(path, "has no values, expected a length a line");
  return distribution::empirical(std::move(values));
}

} // namespace

distribution distribution::constant(duration value) {
  distribution d;
  d.mean_ = value;
  return d;
}

distribution distribution::exponential(duration mean) {
  distribution d;
  d.kind_ = kind::exponential;
  d.mean_ = mean;
  d.scale_ = seconds(mean);
  return d;
}

distribution distribution::lognormal(duration mean, double variation) {
  distribution d;
  d.kind_ = kind::lognormal;
  d.mean_ = mean;
  d.variation_ = variation;
  const double squared = portable_log(1 + variation * variation);
  d.shape_ = std::sqrt(squared);
  d.scale_ = portable_log(seconds(mean)) - squared / 2;
  return d;
}

distribution distribution::weibull(duration mean, double shape) {
  distribution d;
  d.kind_ = kind::weibull;
  d.mean_ = mean;
  d.variation_ = shape;
  d.shape_ = 1 / shape;
  d.scale_ = seconds(mean) / portable_gamma(1 + 1 / shape);
  return d;
}

distribution distribution::empirical(std::vector<duration> values) {
  distribution d;
  d.kind_ = kind::empirical;
  std::ranges::sort(values);
  const auto sum = std::accumulate(values.begin(), values.end(), 0.0,
                                   [](double to, duration each) { return to + seconds(each); });
  d.mean_ = whole_microseconds(sum / static_cast<double>(values.size()));
  d.values_ = std::make_shared<const std::vector<duration>>(std::move(values));
  return d;
}

result<distribution> distribution::parse(std::string_view place, std::string_view text,
                                         kind plain) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos && plain == kind::constant)
    return parse_duration(place, text).map(&distribution::constant);
  if (colon == std::string_view::npos)
    return parse(place, fmt::format("exp:{}", text));
  const auto name = text.substr(0, colon);
  const auto rest = text.substr(colon + 1);
  if (name == "file")
    return read_values(place, std::string{rest});
  if (name == "constant")
    return parse_duration(place, rest).map(&distribution::constant);
  const auto second = rest.find(':');
  const bool two = name == "lognormal" || name == "weibull";
  if ((name != "exp" && !two) || two != (second != std::string_view::npos))
    return fail(std::string{place},
                fmt::format("\"{}\" is unknown, expected 180s, exp:180s, lognormal:180s:CV, "
                            "weibull:180s:SHAPE or file:PATH",
                            text));
  auto mean = parse_duration(place, rest.substr(0, second));
  if (!mean)
    return tl::unexpected{std::move(mean.error())};
  if (*mean <= duration::zero() || *mean > longest)
    return fail(std::string{place},
                fmt::format("\"{}\" has no mean, expected more than 0 s, at most a year", text));
  if (name == "exp")
    return exponential(*mean);
  const auto factor = rest.substr(second + 1);
  if (name == "lognormal")
    return parse_factor(place, factor, "coefficient of variation", 0.01, most_variation)
      .map([&](double cv) { return lognormal(*mean, cv); });
  return parse_factor(place, factor, "shape", least_shape, most_shape).map([&](double shape) {
    return weibull(*mean, shape);
  });
}

distribution distribution::with_mean(duration mean) const {
  switch (kind_) {
  case kind::constant:
    break;
  case kind::exponential:
    return exponential(mean);
  case kind::lognormal:
    return lognormal(mean, variation_);
  case kind::weibull:
    return weibull(mean, variation_);
  case kind::empirical: {
    auto values = *values_;
    for (auto& each : values)
      each = whole_microseconds(seconds(each) * seconds(mean) / seconds(mean_));
    return empirical(std::move(values));
  }
  }
  return constant(mean);
}

duration distribution::at(double u) const noexcept {
  switch (kind_) {
  case kind::constant:
    break;
  case kind::exponential:
    return whole_microseconds(-scale_ * portable_log(1 - u));
  case kind::lognormal:
    return whole_microseconds(portable_exp(scale_ + shape_ * normal_quantile(u)));
  case kind::weibull:
    return whole_microseconds(scale_ * portable_exp(shape_ * portable_log(-portable_log(1 - u))));
  case kind::empirical: {
    const auto at = static_cast<size_t>(u * static_cast<double>(values_->size()));
    return (*values_)[std::min(at, values_->size() - 1)];
  }
  }
  return mean_;
}

std::string distribution::to_string() const {
  switch (kind_) {
  case kind::constant:
    break;
  case kind::exponential:
    return "exp:" + shown(mean_);
  case kind::lognormal:
    return fmt::format("lognormal:{}:{}", shown(mean_), variation_);
  case kind::weibull:
    return fmt::format("weibull:{}:{}", shown(mean_), variation_);
  case kind::empirical:
    return fmt::format("empirical of {} values", values_->size());
  }
  return shown(mean_);
}

} // namespace jackfield::simulation
