#include "engine/lane/lane_actor.hpp"

#include <utility>

namespace jackfield::lane {

lane_actor::lane_actor(caf::actor_config& config, lane& home)
    : caf::event_based_actor(config), home_(home) {
  home_.live_actors_.fetch_add(1, std::memory_order_relaxed);
}

lane_actor::~lane_actor() {
  home_.live_actors_.fetch_sub(1, std::memory_order_relaxed);
}

void lane_actor::enqueue(caf::mailbox_element_ptr message, caf::execution_unit* from) {
  if (from != &home_) {
    home_.inject(caf::strong_actor_ptr{ctrl()}, std::move(message));
    return;
  }
  const lane::own_job_scope scope{home_};
  caf::event_based_actor::enqueue(std::move(message), from);
}

void actor_timer::fire(void* self) {
  auto& timer = *static_cast<actor_timer*>(self);
  auto& owner = timer.owner_;
  owner.enqueue(
    caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, timer_fired{timer.id_}),
    &owner.home());
}

} // namespace jackfield::lane
