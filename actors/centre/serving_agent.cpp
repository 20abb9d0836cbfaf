#include "actors/centre/serving_agent.hpp"

#include <utility>

namespace jackfield {

void serving_agent::take(const agent_address& who, const offer_key& by) {
  name_ = who.name;
  actor_ = who.actor;
  offer_ = by;
  serves_ = true;
}

void serving_agent::take_back(std::string name, caf::strong_actor_ptr actor) {
  take({std::move(name), {}, std::move(actor)}, offer_before_restart);
  if (actor_)
    lane::tell_from(call_, actor_, talk_goes_on{});
}

void serving_agent::record(const place_in_line& of, const caf::strong_actor_ptr& caller,
                           const caf::strong_actor_ptr& agent) {
  const auto& queue = of.ticket();
  if (!queue.record || !serves_ || !caller || !agent)
    return;
  recorder_ = std::make_unique<talk_recorder>(
    call_, queue.record, talk_names{of.who().call_id, queue.name, name_, of.who().from});
  recorder_->hear(caller, recording::leg::caller);
  recorder_->hear(agent, recording::leg::agent);
}

void serving_agent::end(const std::function<void()>& then) {
  if (!std::exchange(serves_, false))
    return;
  if (talks_since_)
    talked_ = call_.home().now() - *talks_since_;
  if (actor_)
    lane::tell_from(call_, std::exchange(actor_, nullptr), talk_over{offer_});
  if (recorder_)
    recorder_->finish([this, then](const recording_over& over) {
      recorded_ = over;
      then();
    });
}

void serving_agent::let_go() {
  actor_ = nullptr;
  recorder_ = nullptr;
}

} // namespace jackfield
