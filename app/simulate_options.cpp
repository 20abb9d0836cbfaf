#include "app/simulate_options.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "actors/simulation/simulate_with_actors.hpp"
#include "app/foreign_options.hpp"
#include "app/option_reader.hpp"
#include "app/shown_command.hpp"
#include "app/usable_lanes.hpp"
#include "engine/scenario/arrivals.hpp"

namespace jackfield::app {

namespace {

using simulation::distribution;

/// The texts given, each still to be read.
struct texts {
  std::string arrivals, aht, agents, patience, wrap_up, answer_within, answers_after, no_answer,
    calls, seeds, seed, target, engine;
  bool in_virtual_time = false;
  live_texts live;
};

constexpr uint32_t most_steps = 1'000; ///< of a sweep
constexpr uint32_t most_days = 1'000;
constexpr const char* callers_group = "Callers";
constexpr const char* agents_group = "Agents";

void declare(CLI::App& app, texts& t, simulate_options& o) {
  const char* const day = "A day";
  app
    .add_option("-c,--config", o.config,
                "queues, callers and agents of a day: config/simulation.toml says how. "
                "Without it: one queue, in a state that lasts")
    ->group(day);
  app.add_flag("--check", o.check_only, "say what is wrong with it, and end")->group(day);

  app.add_option("--arrivals", t.arrivals, "at random, at this rate: 200/h, 3/m, 0.5/s")
    ->group(callers_group);
  app
    .add_option("--aht", t.aht,
                "average handling time, from the answer until the agent is free again: 180, 3m "
                "(exponential), lognormal:180s:CV, weibull:180s:SHAPE, constant:180s, or file:PATH "
                "with a length a line")
    ->group(callers_group);
  app
    .add_option("--patience", t.patience,
                "how long a caller waits before it hangs up, likewise (for ever)")
    ->group(callers_group);

  app.add_option("--agents", t.agents, "how many: 14; or each of 10..20")->group(agents_group);
  app
    .add_option("--target", t.target,
                "find the least number of agents with sl>=80%, asa<=20s, p_wait<=20%, "
                "abandoned<=3% or occupancy<=85%, in the range of --agents if there is one")
    ->group(agents_group);
  app
    .add_option("--wrap-up", t.wrap_up,
                "the part of the handling time after the talk: 15s, exp:15s, ... (0)")
    ->group(agents_group);
  app
    .add_option("--answers-after", t.answers_after,
                "how long an agent's phone rings, likewise (0); 20 s are no answer")
    ->group(agents_group);
  app.add_option("--no-answer", t.no_answer, "share of offers that an agent does not answer (0%)")
    ->group(agents_group);

  const char* const run = "Runs";
  app.add_flag("--virtual", t.in_virtual_time, "in simulated time (unless --live)")->group(run);
  app
    .add_option("--engine", t.engine,
                "what serves: policies alone, or the actors that serve live calls; each call goes "
                "the same way by both (policies)")
    ->group(run);
  app.add_option("--answer-within", t.answer_within, "the T of the service level (20s)")
    ->group(run);
  app
    .add_option("--calls", t.calls,
                "in the figures of each run, after those that warm it up (200000)")
    ->group(run);
  app.add_option("--seeds", t.seeds, "how many runs, each with its own seed (10; live: 1)")
    ->group(run);
  app.add_option("--seed", t.seed, "of the first; the same seed gives the same report (1)")
    ->group(run);

  declare_live(app, t.live);

  const char* const output = "What comes out";
  app.add_option("--json", o.json, "report as JSON to a file, or - for standard output")
    ->group(output);
  app
    .add_option("--csv", o.csv,
                "a line for each number of agents, or each queue and interval, to a file, or - for "
                "standard output")
    ->group(output);
  app
    .add_option(
      "--html", o.html,
      "a page with charts to a file, or - for standard output; it needs nothing else, and "
      "no network")
    ->group(output);
  app.add_flag("-q,--quiet", o.quiet, "no report on standard output")->group(output);
}

result<std::pair<uint32_t, uint32_t>> read_agents(std::string_view text) {
  constexpr auto most = static_cast<uint32_t>(simulation::centre_plan::most_agents);
  const auto dots = text.find("..");
  auto first = option_reader::whole<uint32_t>("--agents", text.substr(0, dots), 1, most);
  if (!first)
    return tl::unexpected{std::move(first.error())};
  if (dots == std::string_view::npos)
    return std::pair{*first, *first};
  auto last = option_reader::whole<uint32_t>("--agents", text.substr(dots + 2), 1, most);
  if (!last)
    return tl::unexpected{std::move(last.error())};
  if (*first > *last)
    return fail("--agents", "the range ends before it begins, expected 10..20");
  return std::pair{*first, *last};
}

void read_queue(option_reader& r, const texts& t, simulation::single_queue& q) {
  r.read(t.arrivals, q.calls_per_second,
         [](std::string_view s) { return simulation::arrival_plan::parse_rate("--arrivals", s); });
  distribution aht;
  r.read(t.aht, aht, [](std::string_view s) {
    return distribution::parse("--aht", s, distribution::kind::exponential);
  });
  r.check(aht.mean() > aht.mean().zero(), "--aht", "expected more than 0 s");
  r.read(t.wrap_up, q.wrap_up,
         [](std::string_view s) { return distribution::parse("--wrap-up", s); });
  r.check(q.wrap_up.mean() < aht.mean(), "--wrap-up",
          "is a part of the handling time, expected less than --aht");
  if (!r.failure())
    q.talk = aht.with_mean(aht.mean() - q.wrap_up.mean());
  r.read(t.patience, q.patience, [](std::string_view s) {
    return distribution::parse("--patience", s, distribution::kind::exponential).map([](auto d) {
      return std::optional{std::move(d)};
    });
  });
  r.check(!q.patience || q.patience->mean() > q.patience->mean().zero(), "--patience",
          "expected more than 0 s");
  r.read(t.answer_within, q.answer_within,
         [](std::string_view s) { return scenario::parse_duration("--answer-within", s); });
  r.read(t.answers_after, q.answers_after,
         [](std::string_view s) { return distribution::parse("--answers-after", s); });
  r.read(t.no_answer, q.no_answer, [](std::string_view s) { return read_share("--no-answer", s); });
  r.check(q.no_answer < 1, "--no-answer", "nobody would answer, expected less than 100%");
}

/// What a file says of all its queues and agents.
result<void> check_day_options(const CLI::App& app) {
  for (const auto* option : app.get_options())
    if (option->count() > 0 &&
        (option->get_group() == callers_group || option->get_group() == agents_group ||
         option->check_name("--answer-within") || option->check_name("--calls")))
      return fail(option->get_name(), "is of one queue, expected it in the file of --config");
  return {};
}

/// What is only of runs in real time, or only of others.
result<void> check_live_options(const CLI::App& app, const texts& t) {
  if (!t.live.live) {
    for (const auto* option : app.get_options())
      if (option->count() > 0 && (option->get_group() == live_group || option->get_positional()))
        return fail(option->get_name(), "is of live runs, expected --live, too");
    return {};
  }
  for (const auto& [name, given] : {std::pair{"--virtual", t.in_virtual_time},
                                    {"--engine", !t.engine.empty()},
                                    {"--target", !t.target.empty()},
                                    {"--config", app.count("--config") > 0},
                                    {"--seeds", !t.seeds.empty() && t.seeds != "1"}})
    if (given)
      return fail(name, "is of runs in simulated time, expected no --live beside it");
  return {};
}

void read_runs(option_reader& r, const texts& t, simulate_options& o) {
  r.number<uint32_t>("--seeds", t.seeds, o.study.seeds, 1, 10'000);
  r.number<uint64_t>("--seed", t.seed, o.study.seed, 0, INT64_MAX);
  o.study.threads = usable_lanes(0);
  r.read(t.engine, o.study.plays, [](std::string_view s) -> result<simulation::simulator> {
    if (s == "policies")
      return &simulation::simulate;
    if (s == "actors")
      return &simulate_with_actors;
    return fail("--engine", fmt::format("\"{}\" is unknown, expected policies or actors", s));
  });
}

result<simulate_options> options_of(const CLI::App& app, const texts& t, simulate_options o) {
  if (auto sound = check_live_options(app, t); !sound)
    return tl::unexpected{std::move(sound.error())};
  option_reader r;
  read_runs(r, t, o);
  r.check(o.json != "-" || o.csv != "-", "--csv", "goes where --json goes, expected another");
  r.check(o.html != "-" || (o.json != "-" && o.csv != "-"), "--html",
          "goes where another report goes, expected another");
  r.check(!o.check_only || !o.config.empty(), "--check", "expected --config FILE beside it");
  if (!o.config.empty()) {
    if (auto sound = check_day_options(app); !sound)
      return tl::unexpected{std::move(sound.error())};
    r.check(o.study.seeds <= most_days, "--seeds", fmt::format("expected at most {}", most_days));
    if (r.failure())
      return tl::unexpected{*r.failure()};
    return o;
  }
  r.check(!t.arrivals.empty(), "--arrivals", "is missing, expected a rate: 200/h");
  r.check(!t.aht.empty(), "--aht", "is missing, expected the average handling time: 180");
  r.check(!t.agents.empty() || !t.target.empty(), "--agents",
          "is missing, expected a number, or --target 'sl>=80%'");
  read_queue(r, t, o.queue);
  r.read(t.target, o.target, [](std::string_view s) {
    return simulation::staffing_target::parse("--target", s).map([](auto target) {
      return std::optional{std::move(target)};
    });
  });
  std::pair<uint32_t, uint32_t> agents{1, 1};
  if (t.agents.empty() && !r.failure())
    agents.second = simulation::most_agents_worth_trying(o.queue);
  r.read(t.agents, agents, read_agents);
  std::tie(o.least_agents, o.most_agents) = agents;
  r.number<uint64_t>("--calls", t.calls, o.study.calls, t.live.live ? 1 : 100, 1'000'000'000);
  if (t.live.live) {
    r.check(agents.first == agents.second, "--agents", "live, expected one number");
    o.queue.agents = agents.first;
    read_live(r, t.live, o.queue, t.calls.empty() ? 0 : o.study.calls, o.live.emplace());
  }
  if (r.failure())
    return tl::unexpected{*r.failure()};
  if (!o.target && agents.second - agents.first >= most_steps)
    return fail("--agents", fmt::format("expected at most {} numbers, or --target", most_steps));
  const double load = o.queue.busy_agents();
  if (agents.first == agents.second && !o.target && !o.queue.patience && load >= agents.first)
    return fail("--agents", fmt::format("{} agents where callers keep {:.4g} busy: the line grows "
                                        "for ever, expected {} or more, or --patience",
                                        agents.first, load, static_cast<uint64_t>(load) + 1));
  return o;
}

} // namespace

result<std::optional<simulate_options>>
parse_simulate_options(const std::vector<std::string>& arguments) {
  CLI::App app{"Plays callers and agents in simulated time, with the queues and agents of serve, "
               "and says what service that is, beside what Erlang's formulas say. Or, --live, in "
               "real time, who call a queue and answer its calls.",
               "jackfield simulate"};
  app.get_formatter()->column_width(30);
  texts t;
  simulate_options o;
  declare(app, t, o);
  if (auto known = check_options(app, arguments); !known)
    return tl::unexpected{std::move(known.error())};
  auto reversed = arguments;
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::optional<simulate_options>{};
  } catch (const CLI::ParseError& e) {
    return fail("jackfield simulate", std::string{e.what()} + ", see --help");
  }
  if (auto all = demand_texts(app); !all)
    return tl::unexpected{std::move(all.error())};
  o.command = shown_command("jackfield simulate", arguments);
  return options_of(app, t, std::move(o)).map([](auto done) {
    return std::optional{std::move(done)};
  });
}

} // namespace jackfield::app
