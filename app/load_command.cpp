#include "app/load_command.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

#include <caf/scoped_actor.hpp>

#include "actors/load_run.hpp"
#include "actors/node.hpp"
#include "app/answering_engine.hpp"
#include "app/interrupts.hpp"
#include "app/load_options.hpp"
#include "app/load_setup.hpp"
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

/// A run that has been set up and not yet begun.
struct prepared_run {
  std::unique_ptr<node> engine;
  unsigned lanes = 0;
  std::shared_ptr<const load_plan> plan;
  /// For each calling lane, by target in the order of trying them.
  std::vector<std::vector<std::shared_ptr<const call_manner>>> manners;
  std::shared_ptr<const answer_manner> answers;
  report::run_info info;
};

const char* name_of(load_flow flow) {
  return flow == load_flow::register_ ? "register"
         : flow == load_flow::options ? "options"
                                      : "call";
}

/// Which of a lane's contexts answers in an embedded run; the first one calls.
constexpr unsigned answering_context = 1;

/// The embedded answering engine: on each lane beside the caller, listening on a port of its own.
result<std::vector<transport::target>> embed(const load_options& options, node& engine,
                                             const transport::listen_settings& listening) {
  std::vector<transport::target> targets;
  for (unsigned i = 0; i < engine.lanes(); ++i) {
    auto bound = listen_on(engine.context(i, answering_context), options.transport,
                           lane::endpoint::loopback_v4(0), listening);
    if (!bound)
      return tl::unexpected{std::move(bound.error())};
    targets.push_back({options.transport, *bound});
  }
  return targets;
}

result<prepared_run> prepare(const load_options& options) {
  prepared_run run;
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const bool embedded = !options.uri;
  run.lanes = static_cast<unsigned>(
    std::min<uint64_t>(options.lanes != 0 ? options.lanes : cores, options.limit));

  std::vector<transport::target> targets;
  auto local = options.local;
  if (!embedded) {
    auto selected = find_target(options);
    if (!selected)
      return tl::unexpected{std::move(selected.error())};
    targets.assign(selected->all().begin(), selected->all().end());
    if (!local.valid()) {
      auto source = lane::source_address_for(targets.front().remote);
      if (!source)
        return tl::unexpected{std::move(source.error())};
      local = *source;
    }
  } else if (!local.valid()) {
    local = lane::endpoint::loopback_v4(0);
  }
  auto audio = make_audio(options);
  if (!audio)
    return tl::unexpected{std::move(audio.error())};

  node_settings settings;
  settings.lanes = run.lanes;
  settings.contexts_a_lane = embedded ? 2 : 1;
  settings.router.user_agent = "Jackfield/" + std::string{version};
  settings.router.transport.keep_alive.stream = options.keep_alive;
  settings.router.transport.keep_alive.websocket = options.keep_alive;
  settings.router.transport.keep_alive.udp = options.keep_alive;
  settings.media.address = options.media_address.valid() ? options.media_address : local;
  settings.media.first_port = options.first_media_port;
  settings.media.last_port = options.last_media_port;
  auto engine = node::make(settings);
  if (!engine)
    return tl::unexpected{std::move(engine.error())};
  run.engine = std::move(*engine);
  if (options.rtp && options.media_address.valid())
    if (auto usable = run.engine->context(0).media.check_address(); !usable)
      return fail("--media-ip", usable.error().to_string());

  std::string trusted;
  if (embedded) {
    transport::listen_settings listening;
    if (transport::is_secure(options.transport)) {
      const std::vector<std::string> names{"127.0.0.1"};
      auto own = transport::self_signed_certificate(names);
      if (!own)
        return tl::unexpected{std::move(own.error())};
      trusted = own->certificate_pem;
      transport::tls_settings tls;
      tls.own = std::move(*own);
      auto context = transport::tls_context::make(transport::tls_context::role::server, tls);
      if (!context)
        return tl::unexpected{std::move(context.error())};
      listening.tls = std::move(*context);
    }
    auto listening_at = embed(options, *run.engine, listening);
    if (!listening_at)
      return tl::unexpected{std::move(listening_at.error())};
    targets = std::move(*listening_at);
    answering_settings answering;
    answering.rtp = options.rtp;
    answering.mode = audio_mode::play;
    answering.answer_after = options.answer_after;
    run.answers = answer_manner_of(answering, nullptr);
  }

  const auto uri = options.uri ? *options.uri : "sip:service@" + targets.front().remote.to_string();
  auto connections = make_connections(options, uri, trusted);
  if (!connections)
    return tl::unexpected{std::move(connections.error())};
  auto users = make_targets(options, uri, local);
  if (!users)
    return tl::unexpected{std::move(users.error())};
  auto plan = make_plan(options, std::move(*users));
  if (!plan)
    return tl::unexpected{std::move(plan.error())};
  run.plan = std::move(*plan);

  for (unsigned i = 0; i < run.lanes; ++i) {
    auto& context = run.engine->context(i);
    const auto port = options.local_port;
    const auto first =
      listen_on(context,
                options.transport == transport::protocol::tcp ? transport::protocol::tcp
                                                              : transport::protocol::udp,
                local.with_port(port));
    if (!first)
      return fail("--local-ip", first.error().to_string());
    // Over TLS and WebSocket nobody can connect to us: what is shown is for identity only, and the
    // peer keeps to the connection (RFC 5923, RFC 7118).
    if (transport::is_secure(options.transport) && !transport::is_websocket(options.transport))
      context.router.set_public_address(options.transport, *first);
    std::vector<std::shared_ptr<const call_manner>> manners;
    for (size_t k = 0; k < targets.size(); ++k) {
      // Each lane calls the embedded engine beside it; a real target's addresses are alternatives.
      const auto& target = targets[embedded ? (i + k) % targets.size() : k];
      manners.push_back(
        make_manner(options, target, *connections, *audio, context.media.address()));
    }
    run.manners.push_back(std::move(manners));
  }

  run.info.version = version;
  run.info.command = options.command;
  run.info.target = options.uri ? without_password(*options.uri) : "embedded answering engine";
  run.info.flow = name_of(options.flow);
  run.info.transport = option_name(options.transport);
  run.info.media = *audio ? "rtp" : "none";
  run.info.mos_model = *audio ? "ITU-T G.107, G.711 with concealment" : "";
  run.info.lanes = run.lanes;
  run.info.started = std::chrono::system_clock::now();
  return run;
}

/// Starts the actors of a prepared run; the run reports to `observer`.
caf::actor launch(prepared_run& run, const caf::actor& observer) {
  auto& engine = *run.engine;
  auto coordinator = engine.context(0).home.spawn<load_run>(observer);
  load_run::parts parts;
  for (unsigned i = 0; i < run.lanes; ++i) {
    auto& context = engine.context(i);
    load_generator::share share;
    share.index = i;
    share.count = run.lanes;
    if (run.plan->limit != UINT64_MAX)
      share.limit = run.plan->limit / run.lanes + (i < run.plan->limit % run.lanes ? 1 : 0);
    parts.generators.push_back(
      context.home.spawn<load_generator>(context, run.plan, run.manners[i], share,
                                         caf::actor_cast<caf::strong_actor_ptr>(coordinator)));
  }
  for (unsigned i = 0; run.answers && i < run.lanes; ++i)
    parts.answerers.push_back(
      start_answering(engine.context(i, answering_context), run.answers, {}, run.lanes + i));
  for (const auto& actors : {parts.generators, parts.answerers})
    for (const auto& actor : actors)
      engine.keep(actor);
  engine.start();
  caf::anon_send(coordinator, start_run{parts});
  return coordinator;
}

} // namespace

int load_command(const std::vector<std::string>& arguments) {
  auto parsed = parse_load_options(arguments);
  if (!parsed)
    return usage(parsed.error());
  if (!*parsed)
    return 0;
  const auto& options = **parsed;
  raise_file_limit();
  auto prepared = prepare(options);
  if (!prepared)
    return usage(prepared.error());
  run_observer observer{options, prepared->info};
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
  metrics.reset();
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().to_string().c_str());
    return static_cast<int>(report::exit_code::internal_error);
  }
  return static_cast<int>(report::exit_code_of(*report));
}

} // namespace jackfield::app
