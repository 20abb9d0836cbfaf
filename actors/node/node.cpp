#include "actors/node/node.hpp"

#include <utility>

#include "engine/lane/pool_scheduler.hpp"

namespace jackfield {

namespace {

/// Threads of CAF's own pool: for what may take long, never for calls.
constexpr size_t pool_threads = 1;

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
  residents_.clear();
  // What was sent last may hold the last reference of an actor, of whichever lane.
  for (auto& p : parts_)
    p.home->abandon_inbox();
  // Sockets go before the event loops that watch them.
  for (auto& p : parts_)
    p.contexts.clear();
}

result<std::unique_ptr<node>> node::make(const node_settings& settings) {
  std::unique_ptr<node> made{new node};
  for (unsigned i = 0; i < settings.lanes; ++i) {
    auto home = lane::io_lane::make(made->system_, i);
    if (!home)
      return tl::unexpected{std::move(home.error())};
    part p;
    p.home = std::move(*home);
    for (unsigned k = 0; k < settings.contexts_a_lane; ++k)
      p.contexts.push_back(
        std::make_unique<lane_context>(*p.home, settings.router, settings.media));
    made->parts_.push_back(std::move(p));
  }
  return made;
}

void node::start() {
  for (auto& p : parts_)
    p.home->start();
}

} // namespace jackfield
