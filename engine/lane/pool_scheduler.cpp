#include "engine/lane/pool_scheduler.hpp"

#include <memory>
#include <utility>

#include <caf/group.hpp>
#include <caf/message.hpp>

#include "engine/lane/lane_actor.hpp"

namespace jackfield::lane {

pool_scheduler::pool_scheduler(caf::actor_system& system) : coordinator(system), quiet_(*this) {
  // nop
}

caf::actor_system::module* pool_scheduler::make(caf::actor_system& system,
                                                caf::detail::type_list<>) {
  return std::make_unique<pool_scheduler>(system).release(); // the system owns its modules
}

void pool_scheduler::quiet_clock::set_ordinary_timeout(time_point t, caf::abstract_actor* self,
                                                       caf::atom_value type, uint64_t id) {
  real().set_ordinary_timeout(t, self, type, id);
}

void pool_scheduler::quiet_clock::set_multi_timeout(time_point t, caf::abstract_actor* self,
                                                    caf::atom_value type, uint64_t id) {
  real().set_multi_timeout(t, self, type, id);
}

void pool_scheduler::quiet_clock::set_request_timeout(time_point t, caf::abstract_actor* self,
                                                      caf::message_id id) {
  real().set_request_timeout(t, self, id);
}

void pool_scheduler::quiet_clock::cancel_ordinary_timeout(caf::abstract_actor* self,
                                                          caf::atom_value type) {
  real().cancel_ordinary_timeout(self, type);
}

void pool_scheduler::quiet_clock::cancel_request_timeout(caf::abstract_actor* self,
                                                         caf::message_id id) {
  real().cancel_request_timeout(self, id);
}

void pool_scheduler::quiet_clock::cancel_timeouts(caf::abstract_actor* self) {
  if (dynamic_cast<lane_actor*>(self) == nullptr)
    real().cancel_timeouts(self);
}

void pool_scheduler::quiet_clock::schedule_message(time_point t, caf::strong_actor_ptr receiver,
                                                   caf::mailbox_element_ptr content) {
  real().schedule_message(t, std::move(receiver), std::move(content));
}

void pool_scheduler::quiet_clock::schedule_message(time_point t, caf::group target,
                                                   caf::strong_actor_ptr sender,
                                                   caf::message content) {
  real().schedule_message(t, std::move(target), std::move(sender), std::move(content));
}

void pool_scheduler::quiet_clock::cancel_all() {
  real().cancel_all();
}

} // namespace jackfield::lane
