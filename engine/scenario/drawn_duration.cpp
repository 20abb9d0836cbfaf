#include "engine/scenario/drawn_duration.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "engine/scenario/arrivals.hpp"

namespace jackfield::scenario {

std::chrono::nanoseconds drawn_duration::at(double unit) const noexcept {
  const auto times = [](std::chrono::nanoseconds d, double factor) {
    return std::chrono::nanoseconds{static_cast<int64_t>(static_cast<double>(d.count()) * factor)};
  };
  switch (drawn) {
  case shape::exponential:
    return times(mean, -std::log1p(-unit));
  case shape::uniform:
    return mean + times(most - mean, unit);
  case shape::fixed:
    break;
  }
  return mean;
}

result<drawn_duration> parse_drawn_duration(std::string_view place, std::string_view text) {
  drawn_duration out;
  if (text.starts_with("exp:")) {
    out.drawn = drawn_duration::shape::exponential;
    text.remove_prefix(4);
  } else if (text.starts_with("uniform:")) {
    out.drawn = drawn_duration::shape::uniform;
    text.remove_prefix(8);
    const auto dots = text.find("..");
    if (dots == std::string_view::npos)
      return fail(std::string{place},
                  "\"" + std::string{text} + "\" is no range, expected 10s..60s");
    auto most = parse_duration(place, text.substr(dots + 2));
    if (!most)
      return tl::unexpected{std::move(most.error())};
    out.most = *most;
    text = text.substr(0, dots);
  }
  auto mean = parse_duration(place, text);
  if (!mean)
    return tl::unexpected{std::move(mean.error())};
  out.mean = *mean;
  if (out.drawn == drawn_duration::shape::uniform && out.most < out.mean)
    return fail(std::string{place}, "a range that ends before it begins, expected 10s..60s");
  return out;
}

} // namespace jackfield::scenario
