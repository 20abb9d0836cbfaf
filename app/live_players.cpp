#include "app/live_players.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <fmt/format.h>

#include "actors/live/live_callers.hpp"
#include "actors/load/answering_engine.hpp"
#include "actors/load/load_setup.hpp"
#include "app/usable_lanes.hpp"
#include "app/version.hpp"
#include "engine/lane/source_address.hpp"

namespace jackfield::app {

namespace {

constexpr std::chrono::milliseconds poll_interval{50};
/// Agents who register a second, of all lanes.
constexpr double register_rate = 100;
/// Keeps agents' WebSockets through what stands before the PBX.
constexpr std::chrono::seconds websocket_ping{30};
/// Which of a lane's contexts has the callers; the first one has the agents' phones.
constexpr unsigned callers_context = 1;

result<lane::endpoint> local_for(const load_settings& settings,
                                 const transport::target_selection& servers) {
  if (settings.local.valid())
    return settings.local;
  return lane::source_address_for(servers.current().remote);
}

} // namespace

live_players::live_players(const live_options& options, bool quiet) : options_(options) {
  phones_.registering = options.agents;
  phones_.register_rate = register_rate;
  phones_.dns_servers = options.agents.dns_servers;
  phones_.answering.rtp = options.agents.rtp;
  phones_.answering.protection = options.agents_protected;
  phones_.answering.mode = audio_mode::play;
  phones_.lanes = options.agents.lanes;
  phones_.quiet = quiet;
}

live_players::~live_players() {
  self_.reset();
  callers_.clear();
  services_.clear();
}

result<std::unique_ptr<live_players>>
live_players::make(const live_options& options, const std::string& trusted_pem, bool quiet) {
  std::unique_ptr<live_players> made{new live_players{options, quiet}};
  if (auto opened = made->open(trusted_pem); !opened)
    return tl::unexpected{std::move(opened.error())};
  return made;
}

result<void> live_players::open(const std::string& trusted_pem) {
  const auto& callers = options_.callers;
  auto users = registered_users::prepare(phones_, trusted_pem);
  if (!users)
    return tl::unexpected{std::move(users.error())};
  users_.emplace(std::move(*users));
  auto servers = find_target(callers);
  if (!servers)
    return tl::unexpected{std::move(servers.error())};
  const auto local = local_for(callers, *servers);
  if (!local)
    return tl::unexpected{local.error()};
  auto audio = make_audio(callers);
  if (!audio)
    return tl::unexpected{std::move(audio.error())};
  auto connections = make_connections(callers, *callers.uri, trusted_pem);
  if (!connections)
    return tl::unexpected{std::move(connections.error())};
  auto targets = make_targets(callers, *callers.uri, *local, *audio);
  if (!targets)
    return tl::unexpected{std::move(targets.error())};
  whom_ = targets->front();

  node_settings wanted;
  wanted.lanes = usable_lanes(callers.lanes);
  wanted.contexts_a_lane = 2;
  wanted.router.user_agent = "Jackfield/" + std::string{version};
  wanted.router.resolver.servers = callers.dns_servers;
  wanted.router.transport.keep_alive.websocket = websocket_ping;
  wanted.media.address = *local;
  const auto protection = options_.agents_protected.value_or(sdp::protection::dtls);
  if ((options_.agents.rtp && protection == sdp::protection::dtls) ||
      (callers.rtp && callers.protection == sdp::protection::dtls))
    wanted.webrtc.emplace();
  auto engine = node::make(wanted);
  if (!engine)
    return tl::unexpected{std::move(engine.error())};
  engine_ = std::move(*engine);
  for (unsigned i = 0; i < engine_->lanes(); ++i) {
    auto& context = engine_->context(i, callers_context);
    const auto p = callers.transport == transport::protocol::tcp ? transport::protocol::tcp
                                                                 : transport::protocol::udp;
    const auto bound = listen_on(context, p, local->with_port(0));
    if (!bound)
      return fail("--local-ip", bound.error().to_string());
    // As in load_launch: for identity only, nobody can connect to it.
    if (transport::is_secure(callers.transport) && !transport::is_websocket(callers.transport))
      context.router.set_public_address(callers.transport, *bound);
    manners_.push_back(
      make_manner(callers, *servers, *connections, *audio, context.media.address()));
  }
  if (auto opened = users_->open(*engine_, {}); !opened)
    return opened;
  answers_ = answer_manner_of(phones_.answering, engine_->context(0).media.address(), nullptr);
  return users_->read(*answers_);
}

void live_players::start(const simulation::centre_plan& plan, uint64_t seed) {
  services_ = start_answering(*engine_, answers_, phones_.answering.registrations);
  self_.emplace(engine_->system());
  const auto watcher = caf::actor_cast<caf::actor>(*self_);
  const auto listener = caf::actor_cast<caf::strong_actor_ptr>(watcher);
  for (unsigned i = 0; i < engine_->lanes(); ++i) {
    auto& context = engine_->context(i, callers_context);
    callers_.push_back(context.home.spawn<live_callers>(context, manners_[i], whom_,
                                                        engine_->lanes() + i, listener));
    engine_->keep(callers_.back());
  }
  for (const auto* group : {&callers_, &services_})
    for (const auto& each : *group)
      (*self_)->monitor(each);
  users_->begin(*engine_, services_, watcher, {live_answers(plan, seed), listener});
  engine_->start();
}

result<void> live_players::log_in(const simulation::centre_plan& plan, uint64_t seed,
                                  const std::function<bool()>& cut) {
  start(plan, seed);
  bool lost = false;
  while (!users_->complete() && !lost && !cut())
    (*self_)->receive([&](const users_standing& lane) { users_->on_standing(lane); },
                      [&](const user_failed& user) { users_->on_failed(user); },
                      [&](const caf::down_msg&) { lost = true; },
                      caf::after(poll_interval) >> [] {});
  if (lost)
    return fail("agents", "an error within ended a part of them");
  if (cut())
    return {}; // the day will be over at once
  if (users_->registered() != plan.agents.size())
    return fail("agents",
                fmt::format("{} of {} are registered at {}, expected all", users_->registered(),
                            plan.agents.size(), *options_.agents.uri));
  return {};
}

result<live_day_result> live_players::play(const simulation::centre_plan& plan,
                                           const simulation::simulation_options& options,
                                           const live_watch& watch) {
  return play_live(plan, options, *self_, callers_, watch);
}

void live_players::stop() {
  if (!self_)
    return;
  auto& self = *self_;
  std::vector<caf::actor_addr> running;
  for (const auto* group : {&callers_, &services_})
    for (const auto& each : *group) {
      self->monitor(each); // again: that one ended before may have been heard already
      running.push_back(each.address());
    }
  for (const auto& each : callers_)
    self->send(each, callers_go{});
  size_t calling = callers_.size();
  while (!running.empty()) {
    // Agents' calls end as their callers hang up, and only then do they leave.
    if (calling == 0 && std::exchange(calling, SIZE_MAX) == 0)
      for (const auto& each : services_)
        self->send(each, service_stop{});
    self->receive(
      [&](const service_stopped& last) {
        const bool of_callers = last.source >= engine_->lanes();
        (of_callers ? callers_metrics_ : agents_metrics_).merge(*last.metrics);
        calling -= of_callers ? 1 : 0;
      },
      [&](const caf::down_msg& down) {
        if (std::erase(running, down.source) == 0 || down.reason == caf::exit_reason::normal)
          return;
        lost_ = true;
        calling -= std::ranges::any_of(
          callers_, [&](const caf::actor& each) { return down.source == each.address(); });
      },
      [](const user_rung&) {}, [](const user_talks&) {}, [](const user_free&) {},
      [](const caller_answered&) {}, [](const caller_gone&) {}, [](const users_standing&) {},
      [](const user_failed&) {});
  }
}

} // namespace jackfield::app
