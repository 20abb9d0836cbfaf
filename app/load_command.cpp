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
#include "actors/node/journal.hpp"
#include "app/interrupts.hpp"
#include "app/kept_state.hpp"
#include "app/load_options.hpp"
#include "app/metrics_server.hpp"
#include "app/option_reader.hpp"
#include "app/run_observer.hpp"
#include "app/version.hpp"
#include "engine/lane/source_address.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/sip/shown_uri.hpp"

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
  info.target = options.uri ? sip::without_password(*options.uri) : "embedded answering engine";
  info.flow = name_of(options.flow);
  info.transport = option_name(options.transport);
  info.media = run.audio ? media_name(options.protection) : "none";
  if (run.audio)
    info.mos_model = mos_model_of(options.codecs);
  info.lanes = run.lanes;
  info.started = std::chrono::system_clock::now();
  return info;
}

/// How a run came to its end.
struct run_end {
  run_finished last;
  /// Who ended it before its own time; empty: nobody.
  std::string ended_by;
  /// What is kept of it could not be written, and cannot now.
  std::optional<storage::fault> unwritten;
};

/// Lets a prepared run run, and follows it. The run's state is kept, if it is to be.
storage::outcome<run_end> follow(const load_options& options, prepared_run& prepared,
                                 run_observer& observer, const open_trace& trace,
                                 kept_state* state) {
  caf::scoped_actor self{prepared.engine->system()};
  const auto watcher = caf::actor_cast<caf::actor>(self);
  unsigned recovering = 0;
  unsigned resuming = 0;
  unsigned removing = 0;
  parting_counts parted{};
  unbinding_counts unbound{};
  calls_resumed resumed;
  const auto tell_observer = [&] {
    observer.set_resumed({.crashes = state->cut_off()->resumed + 1,
                          .resumed = resumed.resumed,
                          .lost = resumed.lost,
                          .slowest = resumed.slowest});
  };
  if (state != nullptr) {
    storage::run_record run;
    run.kind = "load";
    run.command = options.command;
    run.seed = prepared.plan->seed;
    run.embedded = !options.uri;
    run.plan = options.plan;
    run.lanes = prepared.lanes;
    if (auto begun = state->begin(*prepared.engine, std::move(run), watcher); !begun)
      return tl::unexpected{std::move(begun.error())};
    if (state->cut_off() != nullptr) {
      prepared.left = state->resumable(prepared.lanes);
      resuming =
        static_cast<unsigned>(std::count_if(prepared.left.begin(), prepared.left.end(),
                                            [](const auto& lane) { return !lane.empty(); }));
      observer.set_before(*prepared.history);
      tell_observer();
    }
    recovering = state->recover(*prepared.engine, prepared.connections, watcher);
    removing = state->remove_bindings(*prepared.engine, prepared.connections,
                                      prepared.plan->targets, watcher);
  }
  const auto run = launch(prepared, watcher);
  std::optional<run_finished> finished;
  run_end end;
  int seen = 0;
  const auto drain = [&](std::string why) {
    end.ended_by = std::move(why);
    observer.set_ended_by(end.ended_by);
    if (std::exchange(seen, std::max(seen, 1)) == 0)
      caf::anon_send(run, load_drain{});
  };
  // A user who registers the contact that is being removed would lose it with that.
  bool waits = options.flow == load_flow::register_ && removing > 0;
  if (!waits)
    begin(prepared, run);
  while (!finished || recovering + resuming + removing > 0) {
    self->receive([&](const run_progress& progress) { observer.on_progress(progress); },
                  [&](const call_lines_batch& batch) { observer.on_call_lines(batch); },
                  [&](const run_finished& last) { finished = last; },
                  [&](const journal_failing& failing) {
                    end.unwritten = failing.why;
                    std::fprintf(stderr, "%s; no more calls are placed\n",
                                 failing.why.why.to_string().c_str());
                    drain("its state could not be written");
                  },
                  [&](journal_recovered) { end.unwritten.reset(); },
                  [&](const calls_recovered& lane) {
                    for (size_t i = 0; i < parted.size(); ++i)
                      parted[i] += lane.counts[i];
                    if (--recovering == 0)
                      state->tell_recovered(parted);
                  },
                  [&](const registrations_recovered& lane) {
                    for (size_t i = 0; i < unbound.size(); ++i)
                      unbound[i] += lane.counts[i];
                    if (--removing == 0)
                      state->tell_removed(unbound);
                  },
                  [&](const calls_resumed& lane) {
                    resumed.merge(lane);
                    tell_observer();
                    if (--resuming == 0)
                      state->tell_resumed(resumed);
                  },
                  caf::after(poll_interval) >> [] {});
    if (waits && removing == 0) {
      waits = false;
      begin(prepared, run);
      if (seen > 0) // it had nothing to drain when it was told
        caf::anon_send(run, load_drain{});
    }
    trace.tell_failure();
    if (const auto why = observer.wants_abort(); !why.empty() && seen == 0)
      drain(std::string{why});
    while (seen < interrupts()) {
      if (seen == 0) {
        drain(interrupted_by());
      } else {
        ++seen;
        observer.set_ended_by(end.ended_by = interrupted_by());
        if (seen == 2) {
          caf::anon_send(run, load_abort{});
        } else {
          caf::anon_send(run, load_give_up{});
          recovering = resuming = removing = 0; // the next start goes on with it
        }
      }
    }
  }
  end.last = std::move(*finished);
  return end;
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
  auto state = kept_state::open(options.kept);
  if (!state)
    return tell_fault(state.error());
  if (*state)
    options.former_ports = (*state)->former_ports();
  const auto* const cut_off = *state ? (*state)->cut_off() : nullptr;
  if (options.kept.go_on) {
    if (cut_off == nullptr)
      return usage({"--resume", "no run was cut off in " + options.kept.directory});
    if (cut_off->plan != options.plan)
      return usage(
        {"--resume", "that run was \"" + cut_off->command + "\", expected the same options"});
    options.lanes = cut_off->lanes;
  }
  auto prepared = prepare(options, "Jackfield/" + std::string{version});
  if (!prepared)
    return usage(prepared.error());
  auto info = info_of(options, *prepared);
  if (cut_off != nullptr) {
    auto history = (*state)->history(*prepared->plan, prepared->lanes);
    if (!history)
      return tell_fault(history.error());
    prepared->history = std::move(*history);
    info.started =
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(cut_off->started);
  }
  run_observer observer{options, std::move(info)};
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

  auto end = follow(options, *prepared, observer, *trace, state->get());
  if (!end)
    return tell_fault(end.error());
  auto report = observer.on_finished(end->last);
  trace->close();
  metrics.reset();
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().to_string().c_str());
    return static_cast<int>(report::exit_code::internal_error);
  }
  if (*state) {
    if (end->unwritten)
      return tell_fault(*end->unwritten);
    prepared->engine.reset();
    if (auto ended = (*state)->end(end->ended_by); !ended)
      return tell_fault(ended.error());
  }
  return static_cast<int>(report::exit_code_of(*report));
}

} // namespace jackfield::app
