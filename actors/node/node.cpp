#include "actors/node/node.hpp"

#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/media/webrtc_services.hpp"
#include "actors/node/recorder.hpp"
#include "actors/wire/lane_peers.hpp"
#include "engine/lane/pool_scheduler.hpp"

namespace jackfield {

namespace {

/// Threads of CAF's own pool: for what may take long, never for calls.
constexpr size_t pool_threads = 1;

/// What CAF, the journal and libraries start beside the lanes, generously.
constexpr unsigned other_threads = 8;

/// Whoever is given no thread half-way through its start ends in an abort, so this asks before.
result<void> check_threads(unsigned wanted) {
  std::promise<void> checked;
  const auto over = checked.get_future().share();
  std::vector<std::jthread> some; // joined first
  result<void> made;
  try {
    while (some.size() < wanted)
      some.emplace_back([over] { over.wait(); });
  } catch (const std::system_error& e) {
    made = fail("threads", "the system gives " + std::to_string(some.size()) + ", expected " +
                             std::to_string(wanted) + " (ulimit -u): " + e.code().message());
  }
  checked.set_value();
  return made;
}

caf::actor_system_config& configured(caf::actor_system_config& config) {
  config.load<lane::pool_scheduler>();
  config.set("scheduler.max-threads", pool_threads);
  return config;
}

} // namespace

node::node() : system_(configured(config_)) {
  // nop
}

node::~node() {
  for (auto& p : parts_)
    p.home->stop();
  for (auto& p : parts_)
    p.home->join();
  // Actors that still live hold one another: services their calls, calls their owners and streams.
  for (const auto& resident : residents_)
    caf::anon_send_exit(resident, caf::exit_reason::kill);
  for (auto& p : parts_)
    for (auto& context : p.contexts)
      context->router.legs().end_all();
  for (auto& p : parts_)
    p.home->run_down();
  residents_.clear();
  // On its own thread it lets go of what it knows of the lanes, while there still are any.
  if (journal_) {
    caf::scoped_actor self{system_};
    self->send_exit(journal_, caf::exit_reason::kill);
    self->wait_for(std::exchange(journal_, nullptr));
  }
  // What was sent last may hold the last reference of an actor, of whichever lane.
  for (auto& p : parts_)
    p.home->abandon_inbox();
  // Sockets go before the event loops that watch them.
  for (auto& p : parts_)
    p.contexts.clear();
}

result<std::unique_ptr<node>> node::make(const node_settings& settings) {
  if (auto enough = check_threads(settings.lanes + other_threads); !enough)
    return tl::unexpected{std::move(enough.error())};
  std::unique_ptr<node> made{new node};
  auto router = settings.router;
  auto media = settings.media;
  if (settings.webrtc) {
    auto services = webrtc_services::make(made->system_, *settings.webrtc);
    if (!services)
      return tl::unexpected{std::move(services.error())};
    media.webrtc = std::move(*services);
  }
  for (unsigned i = 0; i < settings.lanes; ++i) {
    auto home = lane::io_lane::make(made->system_, i, settings.media_gathering);
    if (!home)
      return tl::unexpected{std::move(home.error())};
    if (router.seed == 0)
      router.seed = (*home)->random();
    part p;
    p.home = std::move(*home);
    for (unsigned k = 0; k < settings.contexts_a_lane; ++k)
      p.contexts.push_back(std::make_unique<lane_context>(*p.home, router, media));
    made->parts_.push_back(std::move(p));
  }
  for (unsigned k = 0; settings.serve_together && k < settings.contexts_a_lane; ++k) {
    std::vector<sip_router*> together;
    for (unsigned i = 0; i < settings.lanes; ++i)
      together.push_back(&made->context(i, k).router);
    lane_peers::join(together);
  }
  return made;
}

result<lane::endpoint> node::listen_together(transport::protocol p, const lane::endpoint& local,
                                             transport::listen_settings settings) {
  auto at = local;
  for (unsigned i = 0; i < lanes(); ++i) {
    if (lanes() > 1)
      settings.sharing = i == 0 ? lane::port_sharing::first : lane::port_sharing::beside;
    auto bound = context(i).router.transport().listen(p, at, settings);
    if (!bound)
      return bound;
    at = *bound;
    if (!at.is_unspecified())
      context(i).router.set_public_address(p, at);
  }
  return at;
}

void node::keep_calls(storage::commit_log log, uint64_t run, storage::durability calls,
                      const caf::actor& watcher) {
  journal_ = system_.spawn<journal, caf::detached>(
    journal_work{std::move(log), caf::actor_cast<caf::strong_actor_ptr>(watcher)});
  const auto writes_to = caf::actor_cast<caf::strong_actor_ptr>(journal_);
  for (auto& p : parts_) {
    auto keeper =
      p.home->spawn<recorder>(writes_to, recorder::settings{run, calls, p.home->index(), lanes()});
    p.contexts.front()->keeps = caf::actor_cast<recorder*>(keeper);
    keep(std::move(keeper));
  }
}

void node::start() {
  for (auto& p : parts_)
    p.home->start();
}

} // namespace jackfield
