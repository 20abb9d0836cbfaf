#include "actors/load/load_launch.hpp"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "actors/load/answering_engine.hpp"
#include "actors/load/load_generator.hpp"
#include "actors/load/load_setup.hpp"
#include "engine/crypto/certificate.hpp"
#include "engine/lane/source_address.hpp"

namespace jackfield {

namespace {

/// Which of a lane's contexts answers in an embedded run; the first one calls.
constexpr unsigned answering_context = 1;

/// The embedded answering engine: on each lane beside the caller, listening on a port of its own.
result<std::vector<transport::target>> embed(transport::protocol p, node& engine,
                                             const transport::listen_settings& listening) {
  std::vector<transport::target> targets;
  for (unsigned i = 0; i < engine.lanes(); ++i) {
    auto bound =
      listen_on(engine.context(i, answering_context), p, lane::endpoint::loopback_v4(0), listening);
    if (!bound)
      return tl::unexpected{std::move(bound.error())};
    targets.push_back({p, *bound});
  }
  return targets;
}

} // namespace

result<prepared_run> prepare(const load_settings& settings, const std::string& user_agent) {
  prepared_run run;
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const bool embedded = !settings.uri;
  run.lanes = static_cast<unsigned>(
    std::min<uint64_t>(settings.lanes != 0 ? settings.lanes : cores, settings.limit));

  transport::target_selection servers;
  auto local = settings.local;
  if (!embedded) {
    auto selected = find_target(settings);
    if (!selected)
      return tl::unexpected{std::move(selected.error())};
    servers = std::move(*selected);
    if (!local.valid()) {
      auto source = lane::source_address_for(servers.current().remote);
      if (!source)
        return tl::unexpected{std::move(source.error())};
      local = *source;
    }
  } else if (!local.valid()) {
    local = lane::endpoint::loopback_v4(0);
  }
  auto audio = make_audio(settings);
  if (!audio)
    return tl::unexpected{std::move(audio.error())};

  node_settings wanted;
  wanted.lanes = run.lanes;
  wanted.contexts_a_lane = embedded ? 2 : 1;
  wanted.router.user_agent = user_agent;
  wanted.router.resolver.servers = settings.dns_servers;
  wanted.router.transport.keep_alive.stream = settings.keep_alive;
  wanted.router.transport.keep_alive.websocket = settings.keep_alive;
  wanted.router.transport.keep_alive.udp = settings.keep_alive;
  wanted.media.address = settings.media_address.valid() ? settings.media_address : local;
  wanted.media.first_port = settings.first_media_port;
  wanted.media.last_port = settings.last_media_port;
  if (settings.rtp && settings.protection == sdp::protection::dtls)
    wanted.webrtc = settings.webrtc;
  auto engine = node::make(wanted);
  if (!engine)
    return tl::unexpected{std::move(engine.error())};
  run.engine = std::move(*engine);
  if (settings.rtp && settings.media_address.valid())
    if (auto usable = run.engine->context(0).media.check_address(); !usable)
      return fail("--media-ip", usable.error().to_string());

  std::string trusted;
  std::vector<transport::target> beside; // of each lane: the embedded engine there
  if (embedded) {
    transport::listen_settings listening;
    if (transport::is_secure(settings.transport)) {
      const std::vector<std::string> names{"127.0.0.1"};
      auto own = crypto::self_signed_certificate(names);
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
    auto listening_at = embed(settings.transport, *run.engine, listening);
    if (!listening_at)
      return tl::unexpected{std::move(listening_at.error())};
    beside = std::move(*listening_at);
    answering_settings answering;
    answering.rtp = settings.rtp;
    answering.opus = settings.opus;
    answering.mode = audio_mode::play;
    answering.answer_after = settings.answer_after;
    run.answers = answer_manner_of(
      answering, run.engine->context(0, answering_context).media.address(), nullptr);
  }

  const auto uri =
    settings.uri ? *settings.uri : "sip:service@" + beside.front().remote.to_string();
  auto connections = make_connections(settings, uri, trusted);
  if (!connections)
    return tl::unexpected{std::move(connections.error())};
  auto users = make_targets(settings, uri, local, *audio);
  if (!users)
    return tl::unexpected{std::move(users.error())};
  auto plan = make_plan(settings, std::move(*users));
  if (!plan)
    return tl::unexpected{std::move(plan.error())};
  run.plan = std::move(*plan);

  for (unsigned i = 0; i < run.lanes; ++i) {
    auto& context = run.engine->context(i);
    const auto listening = settings.transport == transport::protocol::tcp
                             ? transport::protocol::tcp
                             : transport::protocol::udp;
    const auto former = settings.local_port == 0 && i < settings.former_ports.size()
                          ? settings.former_ports[i]
                          : settings.local_port;
    auto first = listen_on(context, listening, local.with_port(former));
    if (!first && former != settings.local_port) // somebody has it now
      first = listen_on(context, listening, local.with_port(settings.local_port));
    if (!first)
      return fail(settings.local_port != 0 ? "--local-port" : "--local-ip",
                  first.error().to_string());
    // Over TLS and WebSocket nobody can connect to us: what is shown is for identity only, and the
    // peer keeps to the connection (RFC 5923, RFC 7118).
    if (transport::is_secure(settings.transport) && !transport::is_websocket(settings.transport))
      context.router.set_public_address(settings.transport, *first);
    if (embedded)
      servers = beside[i];
    run.manners.push_back(
      make_manner(settings, servers, *connections, *audio, context.media.address()));
  }

  run.connections = std::move(*connections);
  run.audio = *audio != nullptr;
  return run;
}

caf::actor launch(prepared_run& run, const caf::actor& observer) {
  auto& engine = *run.engine;
  auto coordinator = engine.context(0).home.spawn<load_run>(observer);
  auto& parts = run.parts;
  const auto room =
    run.plan->limit != UINT64_MAX ? std::make_shared<run_room>(run.plan->limit) : nullptr;
  for (unsigned i = 0; i < run.lanes; ++i) {
    auto& context = engine.context(i);
    load_generator::share share;
    share.index = i;
    share.count = run.lanes;
    share.room = room;
    parts.generators.push_back(context.home.spawn<load_generator>(
      context, run.plan, run.manners[i], share, caf::actor_cast<caf::strong_actor_ptr>(coordinator),
      run.history));
  }
  hand_over(std::move(run.left), parts.generators,
            caf::actor_cast<caf::strong_actor_ptr>(observer));
  for (unsigned i = 0; run.answers && i < run.lanes; ++i)
    parts.answerers.push_back(
      start_answering(engine.context(i, answering_context), run.answers, {}, run.lanes + i));
  for (const auto& actors : {parts.generators, parts.answerers})
    for (const auto& actor : actors)
      engine.keep(actor);
  engine.start();
  return coordinator;
}

void begin(prepared_run& run, const caf::actor& launched) {
  caf::anon_send(launched, start_run{std::exchange(run.parts, {}), run.history});
}

} // namespace jackfield
