#include "engine/simulation/staffing.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "engine/scenario/arrivals.hpp"

namespace jackfield::simulation {

namespace {

using metric = staffing_target::metric;

struct known_metric {
  std::string_view name;
  metric what;
};
constexpr known_metric metrics[] = {
  {"sl", metric::service_level},
  {"service_level", metric::service_level},
  {"asa", metric::asa},
  {"p_wait", metric::p_wait},
  {"abandoned", metric::abandoned},
  {"occupancy", metric::occupancy},
};
constexpr std::string_view expected = "expected sl>=80%, asa<=20s, p_wait<=20%, abandoned<=3% or "
                                      "occupancy<=85%";

/// "0.8", "80%".
std::optional<double> share(std::string_view text) {
  const bool percent = text.ends_with('%');
  text = text.substr(0, text.size() - (percent ? 1 : 0));
  double value = 0;
  const auto [end, code] =
    std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (percent)
    value /= 100;
  if (code != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 1))
    return std::nullopt;
  return value;
}

/// Runs each number of agents once.
class trials {
public:
  trials(single_queue& queue, const study_options& options) : queue_(queue), options_(options) {}

  result<const std::optional<queue_study>*> of(uint32_t agents) {
    const auto known = done_.find(agents);
    if (known != done_.end())
      return &known->second;
    queue_.agents = agents;
    auto& made = done_[agents];
    if (!queue_.patience && queue_.busy_agents() >= agents)
      return &made;
    auto study = study_queue(queue_, options_);
    if (!study)
      return tl::unexpected{std::move(study.error())};
    made = *study;
    return &made;
  }
  [[nodiscard]] std::vector<staffing_step> take() {
    std::vector<staffing_step> steps;
    steps.reserve(done_.size());
    for (auto& [agents, study] : done_)
      steps.push_back({agents, study});
    return steps;
  }

private:
  single_queue& queue_;
  const study_options& options_;
  std::map<uint32_t, std::optional<queue_study>> done_;
};

/// The least number in the range that meets the target by the formula, or else `most`.
uint32_t predicted(single_queue queue, uint32_t least, uint32_t most,
                   const staffing_target& target) {
  while (least < most) {
    queue.agents = least + (most - least) / 2;
    const auto theory = queue.theory();
    if (theory && target.met_by(*theory))
      most = queue.agents;
    else
      least = queue.agents + 1;
  }
  return most;
}

} // namespace

result<staffing_target> staffing_target::parse(std::string_view place, std::string_view text) {
  staffing_target target;
  std::ranges::copy_if(text, std::back_inserter(target.text), [](char c) { return c != ' '; });
  const std::string_view all{target.text};
  const auto sign = all.find_first_of("<>=");
  const auto wrong = [&] {
    return fail(std::string{place}, fmt::format("\"{}\" is no target, {}", text, expected));
  };
  const auto* const known = std::ranges::find(metrics, all.substr(0, sign), &known_metric::name);
  if (sign == std::string_view::npos || known == std::end(metrics))
    return wrong();
  target.what = known->what;
  const bool at_least = target.what == metric::service_level;
  const auto rest = all.substr(sign);
  if (!rest.starts_with(at_least ? ">=" : "<="))
    return fail(std::string{place},
                fmt::format("\"{}\" is not what more agents bring about, {}", text, expected));
  const auto value = rest.substr(2);
  if (target.what == metric::asa) {
    const auto length = scenario::parse_duration(place, value);
    if (!length)
      return wrong();
    target.bound = std::chrono::duration<double>(*length).count();
    return target;
  }
  const auto bound = share(value);
  if (!bound)
    return wrong();
  target.bound = *bound;
  return target;
}

bool staffing_target::met_by(double value) const noexcept {
  return what == metric::service_level ? value >= bound : value <= bound;
}

const compared_figure& staffing_target::figure_of(const queue_study& study) const noexcept {
  switch (what) {
  case metric::service_level:
    return study.level_negative;
  case metric::asa:
    return study.asa;
  case metric::p_wait:
    return study.p_wait;
  case metric::abandoned:
    return study.abandoned;
  case metric::occupancy:
    break;
  }
  return study.occupancy;
}

bool staffing_target::met_by(const queue_study& study) const noexcept {
  return met_by(figure_of(study).simulated.mean);
}

bool staffing_target::surely_met_by(const queue_study& study) const noexcept {
  const auto& simulated = figure_of(study).simulated;
  return simulated.margin && met_by(simulated.mean - *simulated.margin) &&
         met_by(simulated.mean + *simulated.margin);
}

bool staffing_target::met_by(const policy::erlang_figures& theory) const noexcept {
  switch (what) {
  case metric::service_level:
    return met_by(theory.within.abandoned_negative);
  case metric::asa:
    return met_by(theory.mean_answered);
  case metric::p_wait:
    return met_by(theory.p_wait);
  case metric::abandoned:
    return met_by(theory.abandoned);
  case metric::occupancy:
    break;
  }
  return met_by(theory.occupancy);
}

uint32_t most_agents_worth_trying(const single_queue& queue) noexcept {
  constexpr double few = 50;
  return static_cast<uint32_t>(
    std::min<double>(std::ceil(2 * queue.busy_agents() + few), centre_plan::most_agents));
}

const staffing_step* staffing_result::chosen() const noexcept {
  if (target)
    return met ? &steps[*met] : nullptr;
  return steps.size() == 1 ? steps.data() : nullptr;
}

result<staffing_result> study_staffing(single_queue queue, uint32_t least, uint32_t most,
                                       const std::optional<staffing_target>& target,
                                       const study_options& options) {
  trials tried{queue, options};
  staffing_result found;
  found.target = target;
  if (!target) {
    for (auto agents = least; agents <= most; ++agents)
      if (auto done = tried.of(agents); !done)
        return tl::unexpected{std::move(done.error())};
    found.steps = tried.take();
    return found;
  }
  // Up to `fails` none meets it, from `meets` on all do: so far as was looked. From what the
  // formula says, in growing steps, until both are known; then by halves.
  uint32_t fails = least - 1;
  uint32_t meets = most + 1;
  uint32_t step = 1;
  for (auto next = predicted(queue, least, most, *target); fails + 1 < meets; step *= 2) {
    const auto study = tried.of(next);
    if (!study)
      return tl::unexpected{study.error()};
    if (study.value()->has_value() && target->met_by(**study.value()))
      meets = next;
    else
      fails = next;
    if (meets > most)
      next = most - fails > step ? fails + step : most;
    else if (fails < least)
      next = meets - least > step ? meets - step : least;
    else
      next = fails + (meets - fails) / 2;
  }
  found.steps = tried.take();
  if (meets <= most)
    found.met = static_cast<size_t>(std::ranges::find(found.steps, meets, &staffing_step::agents) -
                                    found.steps.begin());
  return found;
}

} // namespace jackfield::simulation
