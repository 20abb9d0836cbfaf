#include "app/load_command.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include <caf/scoped_actor.hpp>

#include "actors/load/load_launch.hpp"
#include "actors/load/load_run.hpp"
#include "app/interrupts.hpp"
#include "app/load_options.hpp"
#include "app/metrics_server.hpp"
#include "app/option_reader.hpp"
#include "app/run_observer.hpp"
#include "app/version.hpp"
#include "engine/lane/source_address.hpp"
#include "engine/report/exit_code.hpp"

namespace jackfield::app {

namespace {

int usage(const error& e) {
  std::fprintf(stderr, "%s\n", e.to_string().c_str());
  return static_cast<int>(report::exit_code::usage);
}

/// How often interrupts are looked at.
constexpr std::chrono::milliseconds poll_interval{50};

const char* name_of(load_flow flow) {
  return flow == load_flow::register_ ? "register"
         : flow == load_flow::options ? "options"
                                      : "call";
}

/// By what the opinion scores are made: one model for each kind of codec that calls may come to
/// use.
std::string mos_model_of(const std::vector<audio::codec>& codecs) {
  if (std::find(codecs.begin(), codecs.end(), audio::codec::opus) == codecs.end())
    return "ITU-T G.107, G.711 with concealment";
  return codecs.size() == 1
           ? "ITU-T G.107.2, Opus as EVS"
           : "ITU-T G.107.2, Opus as EVS; other codecs G.107, G.711 with concealment";
}

report::run_info info_of(const load_options& options, const prepared_run& run) {
  report::run_info info;
  info.version = version;
  info.command = options.command;
  info.target = options.uri ? without_password(*options.uri) : "embedded answering engine";
  info.flow = name_of(options.flow);
  info.transport = option_name(options.transport);
  info.media = run.audio ? media_name(options.protection) : "none";
  if (run.audio)
    info.mos_model = mos_model_of(options.codecs);
  info.lanes = run.lanes;
  info.started = std::chrono::system_clock::now();
  return info;
}

} // namespace

int load_command(const std::vector<std::string>& arguments) {
  auto parsed = parse_load_options(arguments);
  if (!parsed)
    return usage(parsed.error());
  if (!*parsed)
    return 0;
  auto& options = **parsed;
  raise_file_limit();
  const auto trace = start_trace(options.tracing);
  if (!trace)
    return usage(trace.error());
  options.trace = trace->settings;
  auto prepared = prepare(options, "Jackfield/" + std::string{version});
  if (!prepared)
    return usage(prepared.error());
  run_observer observer{options, info_of(options, *prepared)};
  if (auto opened = observer.open(); !opened)
    return usage(opened.error());
  std::optional<metrics_server> metrics;
  if (options.metrics_listen) {
    auto server =
      metrics_server::start(*options.metrics_listen, [&observer] { return observer.latest(); });
    if (!server)
      return usage(error{"--metrics", server.error().to_string()});
    metrics.emplace(std::move(*server));
  }
  catch_interrupts();

  caf::scoped_actor self{prepared->engine->system()};
  const auto run = launch(*prepared, caf::actor_cast<caf::actor>(self));
  std::optional<run_finished> finished;
  int seen = 0;
  while (!finished) {
    self->receive([&](const run_progress& progress) { observer.on_progress(progress); },
                  [&](const call_lines_batch& batch) { observer.on_call_lines(batch); },
                  [&](const run_finished& last) { finished = last; },
                  caf::after(poll_interval) >> [] {});
    trace->tell_failure();
    if (observer.wants_abort() && seen == 0) {
      seen = 1;
      observer.set_ended_by("a threshold with abortOnFail");
      caf::anon_send(run, load_drain{});
    }
    while (seen < interrupts()) {
      observer.set_ended_by("interrupted");
      if (++seen == 1)
        caf::anon_send(run, load_drain{});
      else
        caf::anon_send(run, load_abort{});
    }
  }
  auto report = observer.on_finished(*finished);
  trace->close();
  metrics.reset();
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().to_string().c_str());
    return static_cast<int>(report::exit_code::internal_error);
  }
  return static_cast<int>(report::exit_code_of(*report));
}

} // namespace jackfield::app
