#include "engine/report/thresholds.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "engine/report/escape.hpp"

namespace jackfield::report {

namespace {

/// Shortens what is quoted in an error and makes it printable: the error stays one line.
std::string quoted(std::string_view text) {
  constexpr size_t most = 40;
  std::string shown = escape_terminal(text.substr(0, most));
  if (text.size() > most)
    shown += "...";
  return '"' + shown + '"';
}

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct operator_spelling {
  std::string_view text;
  comparison meaning;
};
// Longer spellings first.
constexpr std::array<operator_spelling, 7> operators{{{"===", comparison::equal},
                                                      {"==", comparison::equal},
                                                      {"!=", comparison::not_equal},
                                                      {"<=", comparison::less_equal},
                                                      {">=", comparison::greater_equal},
                                                      {"<", comparison::less},
                                                      {">", comparison::greater}}};

std::string_view spelling(comparison c) {
  for (const auto& entry : operators)
    if (entry.meaning == c && entry.text != "===")
      return entry.text;
  return "";
}

constexpr std::array<std::pair<std::string_view, aggregation>, 7> plain_aggregations{{
  {"avg", aggregation::avg},
  {"min", aggregation::min},
  {"med", aggregation::med},
  {"max", aggregation::max},
  {"count", aggregation::count},
  {"rate", aggregation::rate},
  {"value", aggregation::value},
}};

std::string_view name_of(aggregation what) {
  for (const auto& [name, meaning] : plain_aggregations)
    if (meaning == what)
      return name;
  return "p";
}

bool holds(double observed, comparison c, double bound) {
  switch (c) {
  case comparison::less:
    return observed < bound;
  case comparison::less_equal:
    return observed <= bound;
  case comparison::greater:
    return observed > bound;
  case comparison::greater_equal:
    return observed >= bound;
  case comparison::equal:
    return observed == bound;
  case comparison::not_equal:
    break;
  }
  return observed != bound;
}

class parser {
public:
  parser(std::string_view place, std::string_view text) : place_(place), text_(text) {}

  result<std::vector<threshold>> parse() {
    const std::string_view name = word();
    if (name.empty())
      return wrong("expected a metric, as in srd_ms: p(99)<200");
    const metric_entry* metric = find_metric(name);
    if (metric == nullptr)
      return unknown_metric(name);
    if (!take(":"))
      return wrong(fmt::format("expected ':' after {}", name));
    std::vector<threshold> all;
    do {
      auto one = condition(*metric);
      if (!one)
        return tl::unexpected{one.error()};
      all.push_back(std::move(*one));
    } while (take(","));
    if (at_ < text_.size())
      return wrong("expected ',' or the end");
    return all;
  }

private:
  result<threshold> condition(const metric_entry& metric) {
    threshold t;
    t.metric = &metric;
    const std::string_view name = word();
    if (name == "p") {
      t.what = aggregation::percentile;
      const bool opened = take("(");
      const auto percent = opened ? number() : std::nullopt;
      if (!percent || !take(")"))
        return wrong("expected p(N), as in p(99)");
      if (*percent < 0 || *percent > 100)
        return wrong(fmt::format("expected a percentile from 0 to 100, not {}", *percent));
      t.percent = *percent;
    } else {
      const auto* const found =
        std::find_if(plain_aggregations.begin(), plain_aggregations.end(),
                     [&](const auto& entry) { return entry.first == name; });
      if (found == plain_aggregations.end()) {
        at_ -= name.size();
        return wrong(fmt::format("expected {} of {}", aggregations_of(metric.kind), metric.name));
      }
      t.what = found->second;
    }
    if (!fits(metric.kind, t.what))
      return fail(std::string{place_}, fmt::format("{} has no {}, expected {}", metric.name, name,
                                                   aggregations_of(metric.kind)));
    if (!comparison_of(t.compare))
      return wrong("expected < <= > >= == === or !=");
    const auto bound = number();
    if (!bound)
      return wrong("expected a number");
    t.bound = *bound;
    if (auto abort = abort_clause(t); !abort)
      return tl::unexpected{abort.error()};
    t.text = fmt::format("{}: {}", metric.name,
                         t.what == aggregation::percentile ? fmt::format("p({})", t.percent)
                                                           : std::string{name_of(t.what)});
    t.text += fmt::format("{}{}", spelling(t.compare), t.bound);
    return t;
  }

  result<void> abort_clause(threshold& t) {
    const std::string_view name = word();
    if (name.empty())
      return {};
    if (name != "abortOnFail") {
      at_ -= name.size();
      return wrong("expected abortOnFail, ',' or the end");
    }
    t.abort_on_fail = true;
    if (!take("("))
      return {};
    const auto amount = number();
    const std::string_view unit = amount ? word() : std::string_view{};
    constexpr double longest_s = 1e6;
    const double seconds = amount ? *amount * (unit == "m" ? 60 : 1) : -1;
    if (seconds < 0 || seconds > longest_s || (unit != "s" && unit != "m") || !take(")"))
      return wrong("expected a delay, as in abortOnFail(10s) or abortOnFail(1m)");
    t.abort_delay =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>{seconds});
    return {};
  }

  bool comparison_of(comparison& c) {
    for (const auto& entry : operators)
      if (take(entry.text)) {
        c = entry.meaning;
        return true;
      }
    return false;
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_]))
      ++at_;
  }

  bool take(std::string_view what) {
    skip_space();
    if (!text_.substr(at_).starts_with(what))
      return false;
    at_ += what.size();
    return true;
  }

  std::string_view word() {
    skip_space();
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_]))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }

  std::optional<double> number() {
    skip_space();
    double value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, code] =
      std::from_chars(begin, text_.data() + text_.size(), value, std::chars_format::general);
    if (code != std::errc{} || !std::isfinite(value))
      return std::nullopt;
    at_ += static_cast<size_t>(end - begin);
    return value;
  }

  [[nodiscard]] tl::unexpected<error> wrong(std::string_view expected) {
    skip_space();
    const std::string_view rest = text_.substr(at_);
    return fail(std::string{place_}, fmt::format("{}, at character {}: {}", expected, at_ + 1,
                                                 rest.empty() ? "the end" : quoted(rest)));
  }

  [[nodiscard]] tl::unexpected<error> unknown_metric(std::string_view name) const {
    const std::string_view near = nearest_metric(name);
    const std::string guess = near.empty() ? "," : fmt::format(", did you mean {}?", near);
    std::string names;
    for (const auto& entry : metric_catalogue()) {
      names += names.empty() ? "" : " ";
      names += entry.name;
    }
    return fail(std::string{place_},
                fmt::format("no metric {}{} expected one of: {}", quoted(name), guess, names));
  }

  std::string_view place_;
  std::string_view text_;
  size_t at_ = 0;
};

double seconds_of(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>{d}.count();
}

std::optional<double> observe(const threshold& t, const run_metrics& metrics,
                              std::chrono::nanoseconds elapsed) {
  return t.metric->read(metrics, t.what, t.percent, seconds_of(elapsed));
}

} // namespace

result<std::vector<threshold>> parse_thresholds(std::string_view place, std::string_view text) {
  return parser{place, text}.parse();
}

std::vector<threshold_outcome> evaluate_thresholds(const std::vector<threshold>& thresholds,
                                                   const run_metrics& metrics,
                                                   std::chrono::nanoseconds run_length) {
  std::vector<threshold_outcome> outcomes;
  outcomes.reserve(thresholds.size());
  for (const auto& t : thresholds) {
    const auto observed = observe(t, metrics, run_length);
    outcomes.push_back({t, observed, observed && holds(*observed, t.compare, t.bound)});
  }
  return outcomes;
}

const threshold* crossed_abort(const std::vector<threshold>& thresholds, const run_metrics& metrics,
                               std::chrono::nanoseconds elapsed) {
  for (const auto& t : thresholds) {
    if (!t.abort_on_fail || elapsed < t.abort_delay)
      continue;
    const auto observed = observe(t, metrics, elapsed);
    if (observed && !holds(*observed, t.compare, t.bound))
      return &t;
  }
  return nullptr;
}

} // namespace jackfield::report
