#include "actors/call/registration_recovery.hpp"

#include <utility>

#include <caf/behavior.hpp>

namespace jackfield {

registration_recovery::registration_recovery(
  caf::actor_config& config, lane::lane& home, lane_context& context,
  std::shared_ptr<const transport::open_settings> connections, std::deque<left_registration> left,
  caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), context_(context), connections_(std::move(connections)),
      left_(std::move(left)), owner_(std::move(owner)) {
  // nop
}

caf::behavior registration_recovery::make_behavior() {
  remove_next();
  return {
    [this](const binding_removed& one) { on_removed(one); },
    [this](recorder_idle) { tell_owner(); },
  };
}

void registration_recovery::on_exit() {
  left_.clear();
  owner_ = nullptr;
}

void registration_recovery::remove_next() {
  for (; removing_.size() < at_once && !left_.empty(); left_.pop_front()) {
    auto& next = left_.front();
    removing_.insert(home()
                       .spawn<binding_removal>(context_.router, context_.keeps,
                                               std::move(next.what), connections_,
                                               std::move(next.user), caf::strong_actor_ptr{ctrl()})
                       .id());
  }
}

void registration_recovery::on_removed(const binding_removed& one) {
  ++counts_.at(static_cast<size_t>(one.how));
  removing_.erase(one.which);
  remove_next();
  if (removing_.empty()) // what became of them is in the store first
    context_.keeps->when_idle(caf::strong_actor_ptr{ctrl()});
}

void registration_recovery::tell_owner() {
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell_from(*this, owner, registrations_recovered{counts_});
  quit();
}

} // namespace jackfield
