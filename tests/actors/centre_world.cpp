#include "tests/actors/centre_world.hpp"

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <caf/send.hpp>

namespace jackfield {

/// To the watcher: tell that service to stop.
struct stop_this {
  caf::actor service;
  bool hang_up = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::stop_this)

namespace jackfield {

class centre_world::watcher final : public lane::lane_actor {
public:
  watcher(caf::actor_config& config, lane::lane& home, centre_world& world)
      : lane::lane_actor(config, home), world_(world) {}

  caf::behavior make_behavior() override {
    return {
      [this](const centre_event& e) { world_.events_.push_back(e); },
      [this](const centre_stopped& s) { world_.stopped_.push_back(s); },
      [this](const stop_this& s) {
        if (s.hang_up)
          send(s.service, centre_stop{});
        else
          send(s.service, centre_drain{});
      },
    };
  }

private:
  centre_world& world_;
};

centre_world::centre_world(uint64_t seed, const lane::sim_link& link)
    : sim_world(seed, link), watcher_(lane().spawn<watcher>(*this)) {
  let_stay(1);
}

// As a node that goes: they hold one another. What is told of that is told to nobody.
centre_world::~centre_world() {
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  for (const auto* all : {&centre_.services, &centre_.queues, &centre_.agents, &centre_.trunks})
    for (const auto& each : *all)
      caf::anon_send_exit(each, caf::exit_reason::kill);
  centre_ = {};
  watcher_ = nullptr;
  lane().run_until(lane().now());
}

void centre_world::serve_at(const std::vector<lane_context*>& lanes, const centre_plan& plan,
                            const std::shared_ptr<const bridge_manner>& manner,
                            registrar_settings who) {
  who.secret = "a secret of the simulated registrar";
  centre_ =
    start_centre(lanes, plan, manner, who, caf::actor_cast<caf::strong_actor_ptr>(watcher_));
  let_stay(centre_.services.size() + centre_.queues.size() + centre_.agents.size() +
           centre_.trunks.size());
  lane().run_until(lane().now());
}

void centre_world::stop_centre(bool hang_up) {
  lane::tell(lane(), caf::actor_cast<caf::strong_actor_ptr>(watcher_),
             stop_this{centre_.services.front(), hang_up});
}

} // namespace jackfield
