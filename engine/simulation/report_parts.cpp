#include "engine/simulation/report_parts.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/report/figures.hpp"

namespace jackfield::simulation {

namespace {

using json = nlohmann::ordered_json;

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

} // namespace

json json_number(std::optional<double> value) {
  constexpr double decimals = 1e6;
  if (!value || !std::isfinite(*value))
    return nullptr;
  return std::round(*value * decimals) / decimals;
}

json model_json(const single_queue& q) {
  const auto text = [](const std::optional<distribution>& d) {
    return d ? json(d->to_string()) : json(nullptr);
  };
  return {{"arrivals_per_hour", json_number(q.calls_per_second * 3600)},
          {"aht_s", json_number(seconds(q.handling_time()))},
          {"offered_erlangs", json_number(q.demand().offered_load())},
          {"talk", text(q.talk)},
          {"wrap_up", text(q.wrap_up)},
          {"patience", text(q.patience)},
          {"answers_after", text(q.answers_after)},
          {"no_answer", json_number(q.no_answer)},
          {"answer_within_s", json_number(seconds(q.answer_within))}};
}

std::string model_text(const single_queue& q) {
  return fmt::format("{} calls an hour, talk {}, wrap-up {}: {} Erlangs; patience {}; "
                     "answered within {}",
                     report::short_figure(q.calls_per_second * 3600), q.talk.to_string(),
                     q.wrap_up.to_string(), report::short_figure(q.demand().offered_load()),
                     q.patience ? q.patience->to_string() : "endless",
                     shown_length(q.answer_within));
}

std::string inexact_theory(const single_queue& q) {
  return fmt::format("{} takes times for exponential and phones for answered at once: here it is "
                     "an estimate",
                     q.formula());
}

std::string figure_text(double value, bool in_seconds) {
  return in_seconds ? fmt::format("{:.2f} s", value) : fmt::format("{:.2f} %", value * 100);
}

std::string shown_length(duration length) {
  return fmt::format("{:g} s", seconds(length));
}

} // namespace jackfield::simulation
