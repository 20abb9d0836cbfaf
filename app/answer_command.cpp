#include "app/answer_command.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <caf/scoped_actor.hpp>

#include "actors/load/answering_engine.hpp"
#include "actors/node/journal.hpp"
#include "actors/node/node.hpp"
#include "app/answer_options.hpp"
#include "app/interrupts.hpp"
#include "app/kept_state.hpp"
#include "app/machine_load.hpp"
#include "app/option_reader.hpp"
#include "app/playable_audio.hpp"
#include "app/registered_users.hpp"
#include "app/usable_lanes.hpp"
#include "app/version.hpp"
#include "engine/lane/source_address.hpp"
#include "engine/report/escape.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/report/run_report.hpp"
#include "engine/report/summary_json.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::app {

namespace {

int usage(const error& e) {
  std::fprintf(stderr, "%s\n", e.to_string().c_str());
  return static_cast<int>(report::exit_code::usage);
}

constexpr std::chrono::milliseconds poll_interval{50};
/// How often WebSocket clients that may be called are asked whether they are there.
constexpr std::chrono::seconds registered_ping{30};

/// What the lanes measured, as they ended.
struct served_lanes {
  report::run_metrics all;
  std::vector<uint64_t> calls;
};

report::run_report report_of(const answer_options& options, const served_lanes& lanes,
                             const machine_load& machine,
                             std::chrono::system_clock::time_point started,
                             std::chrono::steady_clock::duration served) {
  report::run_report report;
  report.info.version = version;
  report.info.command = options.command;
  report.info.flow = "answer";
  if (options.registering) {
    report.info.target = *options.registering->uri;
    report.info.transport = option_name(options.registering->transport);
  }
  for (const auto& at : options.listening.at) {
    if (!report.info.transport.empty())
      report.info.transport += ',';
    report.info.transport += option_name(at.protocol);
  }
  const auto& answering = options.answering;
  report.info.media = !answering.rtp          ? "none"
                      : !answering.protection ? "any"
                                              : media_name(*answering.protection);
  report.info.started = started;
  report.info.duration = served;
  report.info.lanes = static_cast<unsigned>(lanes.calls.size());
  report.info.calls_by_lane = lanes.calls;
  report.metrics = lanes.all;
  machine.show(report.metrics.health);
  report.validity = report::judge(report.metrics, served * report.info.lanes);
  return report;
}

void tell_outcome(const answer_options& options, const report::run_report& report) {
  const auto& all = report.metrics;
  const auto say = [](const char* format, auto... counts) {
    std::fprintf(stderr, format, static_cast<unsigned long long>(counts)...);
  };
  const auto& calls = all.calls;
  if (options.registering)
    say("%llu users registered, %llu failed\n", all.users.succeeded, all.users.failed);
  if (options.registering || calls.busy + calls.unanswered > 0)
    say("%llu calls, %llu answered, %llu busy, %llu unanswered, %llu completed, %llu failed\n",
        calls.started, calls.answered, calls.busy, calls.unanswered, calls.completed, calls.failed);
  else
    say("%llu calls, %llu answered, %llu completed, %llu failed\n", calls.started, calls.answered,
        calls.completed, calls.failed);
  for (const auto& [cause, count] : calls.failures) {
    std::fprintf(stderr, "%9llu  %s\n", static_cast<unsigned long long>(count),
                 cause.text().c_str());
    if (const auto* said = calls.details.of(cause))
      for (const auto& [text, times] : *said)
        std::fprintf(stderr, "%18llu  %s\n", static_cast<unsigned long long>(times),
                     report::escape_terminal(text).c_str());
  }
  for (const auto& reason : report.validity.invalid_reasons)
    std::fprintf(stderr, "INVALID: %s\n", reason.c_str());
}

} // namespace

int answer_command(const std::vector<std::string>& arguments) {
  auto parsed = parse_answer_options(arguments);
  if (!parsed)
    return usage(parsed.error());
  if (!*parsed)
    return 0;
  const auto& options = **parsed;
  raise_file_limit();
  const machine_load machine;
  std::optional<registered_users> users;
  if (options.registering) {
    auto found = registered_users::prepare(options);
    if (!found)
      return usage(found.error());
    users = std::move(*found);
  }
  node_settings settings;
  settings.lanes = usable_lanes(options.lanes);
  settings.serve_together = !options.listening.at.empty(); // else each lane has users of its own
  settings.router.user_agent = "Jackfield/" + std::string{version};
  settings.router.resolver.servers = options.dns_servers;
  settings.media.address = options.media_address;
  if (!settings.media.address.valid() && !options.listening.at.empty())
    settings.media.address = options.listening.at.front().address;
  if (users && (!settings.media.address.valid() || settings.media.address.is_unspecified()))
    settings.media.address = users->local();
  if (settings.media.address.is_unspecified())
    return usage(error{"--media-ip", "needed where a listener serves every address"});
  settings.media.first_port = options.first_media_port;
  settings.media.last_port = options.last_media_port;
  const auto& answering = options.answering;
  if (answering.connect) // who is gone is not called, and who waits long is kept
    settings.router.transport.keep_alive.websocket = registered_ping;
  if (users && options.registering->keep_alive > std::chrono::nanoseconds::zero()) {
    auto& keep_alive = settings.router.transport.keep_alive;
    keep_alive.stream = keep_alive.websocket = keep_alive.udp = options.registering->keep_alive;
  }
  if (answering.connect || (answering.rtp && answering.protection.value_or(sdp::protection::dtls) ==
                                               sdp::protection::dtls))
    settings.webrtc = options.webrtc;
  auto state = kept_state::open(options.kept);
  if (!state)
    return tell_fault(state.error());
  auto engine = node::make(settings);
  if (!engine)
    return usage(engine.error());
  auto& context = (*engine)->context(0);
  if (options.media_address.valid())
    if (auto usable = context.media.check_address(); !usable)
      return usage(error{"--media-ip", usable.error().to_string()});
  const auto manner = answer_manner_of(options.answering, settings.media.address, nullptr);
  if (manner->audio)
    if (auto playable = check_playable(*manner->audio); !playable)
      return usage(playable.error());
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> json{nullptr, &std::fclose};
  if (!options.json.empty()) {
    json.reset(options.json == "-" ? stdout : std::fopen(options.json.c_str(), "wb"));
    if (!json)
      return usage(
        fail_errno("--json", "\"" + options.json + "\" cannot be written", errno).value());
  }
  const auto trace = start_trace(options.tracing);
  if (!trace)
    return usage(trace.error());
  if (auto opened = open_listeners(options.listening, options.quiet, **engine); !opened)
    return usage(error{"--listen", opened.error().to_string()});
  if (users) {
    if (auto opened =
          users->open(**engine, *state ? (*state)->former_ports() : std::vector<uint16_t>{});
        !opened)
      return usage(opened.error());
    if (auto read = users->read(*manner); !read)
      return usage(read.error());
  }
  catch_interrupts();
  auto services =
    start_answering(**engine, manner, options.answering.registrations, trace->settings);
  std::optional<caf::scoped_actor> own{(*engine)->system()};
  auto& self = *own;
  unsigned recovering = 0;
  unsigned resuming = 0;
  unsigned removing = 0;
  parting_counts parted{};
  unbinding_counts unbound{};
  calls_resumed resumed;
  const auto watcher = caf::actor_cast<caf::actor>(self);
  if (*state) {
    storage::run_record run;
    run.kind = "answer";
    run.command = options.command;
    if (auto begun = (*state)->begin(**engine, std::move(run), watcher); !begun)
      return tell_fault(begun.error());
    if (auto restored = (*state)->restore_bindings(services); !restored)
      return tell_fault(restored.error());
    resuming = hand_over((*state)->resumable((*engine)->lanes()), services,
                         caf::actor_cast<caf::strong_actor_ptr>(self));
    recovering = (*state)->recover(**engine, nullptr, watcher);
    if (users)
      removing =
        (*state)->remove_bindings(**engine, users->connections(), users->targets(), watcher);
    else
      (*state)->tell_bindings_left();
  }
  if (users && removing == 0)
    users->begin(**engine, services, watcher);
  std::optional<storage::fault> unwritten;
  const auto started = std::chrono::system_clock::now();
  const auto began = std::chrono::steady_clock::now();
  (*engine)->start();

  served_lanes lanes;
  lanes.calls.resize(services.size());
  size_t stopped = 0;
  int seen = 0;
  for (const auto& service : services)
    self->monitor(service);
  bool lost = false;
  while (stopped < services.size() || recovering + resuming + removing > 0) {
    self->receive(
      [&](const service_stopped& last) {
        ++stopped;
        lanes.all.merge(*last.metrics);
        lanes.calls.at(last.source) = last.metrics->calls.started;
      },
      [&](const caf::down_msg& down) {
        if (down.reason == caf::exit_reason::normal)
          return; // it has said so
        ++stopped;
        ++lanes.all.health.parts_lost;
        lost = true;
      },
      [&](const journal_failing& failing) {
        unwritten = failing.why;
        std::fprintf(stderr, "%s; no more calls are taken\n", failing.why.why.to_string().c_str());
      },
      [&](const calls_recovered& lane) {
        for (size_t i = 0; i < parted.size(); ++i)
          parted[i] += lane.counts[i];
        if (--recovering == 0)
          (*state)->tell_recovered(parted);
      },
      [&](const users_standing& lane) { users->on_standing(lane); },
      [&](const user_failed& user) { users->on_failed(user); },
      [&](const registrations_recovered& lane) {
        for (size_t i = 0; i < unbound.size(); ++i)
          unbound[i] += lane.counts[i];
        if (--removing > 0)
          return;
        (*state)->tell_removed(unbound);
        if (seen == 0) // who registered a Contact that is being removed would lose it with that
          users->begin(**engine, services, watcher);
      },
      [&](const calls_resumed& lane) {
        resumed.merge(lane);
        if (--resuming == 0)
          (*state)->tell_resumed(resumed);
      },
      [&](journal_recovered) {
        unwritten.reset();
        std::fprintf(stderr, "%s: is written again; calls are taken\n",
                     options.kept.directory.c_str());
      },
      caf::after(poll_interval) >> [] {});
    trace->tell_failure();
    while (stopped < services.size() && (seen < interrupts() || (lost && seen == 0))) {
      ++seen;
      for (const auto& service : services) {
        if (seen == 1)
          self->send(service, service_drain{});
        else
          self->send(service, service_stop{});
      }
    }
  }
  trace->close();
  if (lost)
    std::fprintf(stderr, "an error within ended a lane's service; the others were drained\n");
  const auto report =
    report_of(options, lanes, machine, started, std::chrono::steady_clock::now() - began);
  if (!options.quiet)
    tell_outcome(options, report);
  if (json) {
    const auto text = report::summary_json(report);
    if (std::fwrite(text.data(), 1, text.size(), json.get()) != text.size() ||
        std::fflush(json.get()) != 0) {
      std::fprintf(stderr, "--json: \"%s\" cannot be written\n", options.json.c_str());
      return static_cast<int>(report::exit_code::internal_error);
    }
  }
  if (*state) {
    if (unwritten)
      return tell_fault(*unwritten);
    own.reset();
    services.clear();
    engine->reset();
    if (auto ended = (*state)->end(lost ? "an error within" : ""); !ended)
      return tell_fault(ended.error());
  }
  if (lost)
    return static_cast<int>(report::exit_code::internal_error);
  if (!report.validity.valid)
    return static_cast<int>(report::exit_code::invalid);
  return lanes.all.calls.failed + lanes.all.users.failed == 0 ? 0 : 1;
}

} // namespace jackfield::app
