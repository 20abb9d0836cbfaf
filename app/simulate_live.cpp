#include "app/simulate_live.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "app/interrupts.hpp"
#include "app/live_players.hpp"
#include "app/machine_load.hpp"
#include "app/option_reader.hpp"
#include "app/serving/embedded_centre.hpp"
#include "app/simulate_outputs.hpp"
#include "app/usable_lanes.hpp"
#include "app/version.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/report/verdict.hpp"
#include "engine/simulation/live_page.hpp"
#include "engine/simulation/live_report.hpp"
#include "engine/sip/shown_uri.hpp"

namespace jackfield::app {

namespace {

using report::exit_code;
using std::chrono::steady_clock;

bool is_cut() {
  return interrupts() > 0;
}

std::string media_of(const live_options& live) {
  return fmt::format("callers {}, agents {}",
                     live.callers.rtp ? media_name(live.callers.protection) : "none",
                     !live.agents.rtp        ? "none"
                     : live.agents_protected ? media_name(*live.agents_protected)
                                             : "as offered");
}

/// A contact centre for callers and agents, who are told where it is.
result<std::unique_ptr<embedded_centre>> embed(const simulation::centre_plan& plan,
                                               live_options& live) {
  embedded_centre::settings how;
  how.lanes = usable_lanes(live.callers.lanes);
  how.callers = live.callers.transport;
  how.agents = live.agents.transport;
  how.user_agent = "Jackfield/" + std::string{version};
  auto centre = embedded_centre::start(plan, how);
  if (!centre)
    return centre;
  live.callers.uri = (*centre)->number();
  live.agents.uri = (*centre)->registrar();
  live.agents.users = (*centre)->agents();
  return centre;
}

/// REGISTER is answered before the agent's actor knows of it. Fails where one does not come to
/// know.
result<void> wait_for_agents(embedded_centre& centre, size_t agents,
                             const std::function<bool()>& cut) {
  constexpr std::chrono::milliseconds pause{5};
  constexpr std::chrono::seconds longest{30};
  const auto until = steady_clock::now() + longest;
  while (!cut()) {
    if (auto fault = centre.fault())
      return fail("agents", std::move(*fault));
    const auto queues = centre.ask_queues();
    const auto available = queues.empty() ? size_t{0} : queues.front().available;
    if (available >= agents)
      return {};
    if (steady_clock::now() > until)
      return fail("agents", fmt::format("{} of {} are ready, expected all", available, agents));
    std::this_thread::sleep_for(pause); // its queue tells nobody who comes: it has to be asked
  }
  return {};
}

constexpr std::chrono::seconds tells_every{10};

/// Where it is, every now and then.
class progress_teller {
public:
  progress_teller(const simulate_options& options, const live_options& live)
      : quiet_(options.quiet), callers_(live.warm_up + live.calls),
        lasts_(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(
          static_cast<double>(callers_) / options.queue.calls_per_second))) {}

  void tell(const live_progress& at) {
    if (quiet_ || at.elapsed < next_)
      return;
    next_ = at.elapsed + tells_every;
    const auto seconds = [](auto time) {
      return static_cast<long long>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
    };
    std::fprintf(stderr,
                 "%4lld s of some %lld: %llu of %llu callers came, %zu wait, %zu talk, %zu agents "
                 "are free\n",
                 seconds(at.elapsed), seconds(lasts_), static_cast<unsigned long long>(at.came),
                 static_cast<unsigned long long>(callers_), at.waiting, at.talking, at.ready);
  }

private:
  bool quiet_;
  uint64_t callers_;
  std::chrono::nanoseconds lasts_;
  std::chrono::nanoseconds next_ = tells_every;
};

/// What is measured of calls and their audio, and whether it can be relied on.
void describe(simulation::live_conditions& how, const live_players& players,
              const machine_load& machine, steady_clock::duration took) {
  auto callers = players.callers();
  auto agents = players.agents();
  machine.show(callers.health);
  for (const auto* metrics : {&callers, &agents}) {
    const auto verdict = report::judge(*metrics, took * players.lanes());
    for (const auto& reason : verdict.invalid_reasons)
      if (std::ranges::find(how.invalid_reasons, reason) == how.invalid_reasons.end())
        how.invalid_reasons.push_back(reason);
    for (const auto& [cause, count] : metrics->calls.failures)
      how.failures.emplace_back(cause.text(), count);
  }
  if (agents.users.refresh_failed > 0)
    how.failures.emplace_back("an agent's registration was not renewed",
                              agents.users.refresh_failed);
  if (players.lost())
    how.invalid_reasons.emplace_back("an error within ended a part of it");
  auto heard = callers.media.received;
  heard.merge(agents.media.received);
  if (heard.mos.count() > 0)
    how.mos_mean = heard.mos.mean();
  if (heard.expected > 0)
    how.lost_share = static_cast<double>(heard.lost) / static_cast<double>(heard.expected);
}

/// What served, and what was seen of it.
struct live_outcome {
  simulation::live_conditions conditions;
  live_day_result day;
};

/// Plays the day with whom it takes. The exit code where that fails, and what was wrong has been
/// said.
tl::expected<live_outcome, int> play(const simulate_options& options,
                                     const simulation::centre_plan& plan) {
  const auto failed = [](const error& e, exit_code code) {
    return tl::unexpected{end_with(e, code)};
  };
  live_outcome outcome;
  auto& conditions = outcome.conditions;
  const machine_load machine;
  auto live = *options.live;
  std::unique_ptr<embedded_centre> centre; // outlives who calls it
  if (!live.callers.uri) {
    auto started = embed(plan, live);
    if (!started)
      return failed(started.error(), exit_code::usage);
    centre = std::move(*started);
    conditions.target = "jackfield serve in this process";
  } else {
    conditions.target = sip::without_password(*live.callers.uri);
  }
  conditions.callers_over = option_name(live.callers.transport);
  conditions.agents_over = option_name(live.agents.transport);
  conditions.media = media_of(live);
  auto players = live_players::make(live, centre ? centre->trusted_pem() : "", options.quiet);
  if (!players)
    return failed(players.error(), exit_code::usage);
  const std::function<bool()> cut = is_cut;
  const auto began = steady_clock::now();
  if (auto there = (*players)->log_in(plan, options.study.seed, cut); !there) {
    (*players)->stop();
    return failed(there.error(), exit_code::failed);
  }
  if (centre)
    if (auto ready = wait_for_agents(*centre, plan.agents.size(), cut); !ready) {
      (*players)->stop();
      return failed(ready.error(), exit_code::internal_error);
    }
  simulation::simulation_options run;
  run.seed = options.study.seed;
  run.warm_up = live.warm_up;
  run.calls = live.calls;
  progress_teller teller{options, live};
  auto day = (*players)->play(plan, run, {cut, [&](const live_progress& at) { teller.tell(at); }});
  (*players)->stop();
  const auto took = steady_clock::now() - began;
  if (centre)
    if (auto ended = centre->stop(); !ended)
      conditions.invalid_reasons.push_back(ended.error().to_string());
  if (!day)
    return failed(day.error(), exit_code::internal_error);
  outcome.day = std::move(*day);
  conditions.seconds = std::chrono::duration<double>(took).count();
  conditions.cut = outcome.day.cut || outcome.day.left_waiting > 0;
  conditions.matched_by_caller_id = outcome.day.matched;
  conditions.matched_in_order = outcome.day.in_order;
  describe(conditions, **players, machine, took);
  if (outcome.day.left_waiting > 0)
    conditions.failures.emplace_back("nobody was rung for a minute, and agents were free",
                                     outcome.day.left_waiting);
  return outcome;
}

exit_code exit_code_of(const simulation::live_conditions& conditions) {
  if (!conditions.invalid_reasons.empty())
    return exit_code::invalid;
  if (!conditions.failures.empty())
    return exit_code::failed;
  return conditions.cut ? exit_code::cut : exit_code::ok;
}

} // namespace

int simulate_live(const simulate_options& options) {
  const auto to = simulate_outputs::open(options);
  if (!to)
    return end_with(to.error(), exit_code::usage);
  raise_file_limit();
  catch_interrupts();
  const auto& live = *options.live;
  const auto plan = options.queue.plan();
  if (auto sound = plan.check(); !sound)
    return end_with(sound.error(), exit_code::usage);
  auto outcome = play(options, plan);
  if (!outcome)
    return outcome.error();
  auto& day = outcome->day;
  if (day.came <= live.warm_up)
    return end_with({"jackfield simulate", "it was ended before a caller in the figures came"},
                    exit_code::cut);
  simulation::live_report report;
  report.info = {std::string{version}, options.command};
  report.plan = {options.queue, live.warm_up, std::min(live.calls, day.came - live.warm_up),
                 options.study.seed};
  report.plan.threads = options.study.threads;
  report.conditions = std::move(outcome->conditions);
  auto study = simulation::study_live(report.plan, {std::move(day.figures), std::move(day.calls)});
  if (!study)
    return end_with(study.error(), exit_code::internal_error);
  report.study = std::move(*study);
  const bool written = to->write(
    options, [&] { return live_json(report); }, [&] { return live_csv(report); },
    [&] { return live_html(report); }, [&] { return live_text(report); });
  if (!written)
    return end_with({"jackfield simulate", "the report could not be written"},
                    exit_code::internal_error);
  return static_cast<int>(exit_code_of(report.conditions));
}

} // namespace jackfield::app
