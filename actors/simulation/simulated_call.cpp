#include "actors/simulation/simulated_call.hpp"

#include <algorithm>
#include <utility>

#include <caf/behavior.hpp>

namespace jackfield {

caf::behavior simulated_call::make_behavior() {
  return {
    [this](const ring_agent& ring) { on_ring(ring); },
    [this](const stop_ringing& stop) { on_stop(stop.offer); },
    [this](const connect_agent& connect) { on_connect(connect.offer); },
    [this](const queue_dismissed& dismissed) {
      if (is_ != state::waits)
        return;
      if (dismissed.refused)
        fresh_ = false;
      settle();
      is_ = state::idle;
      withdraw();
      user_.on_dismissed(slot_, number_, dismissed);
    },
    [](const wait_told&) {},
  };
}

void simulated_call::on_exit() {
  rings_.clear();
  has_.reset();
  queue_ = nullptr;
}

void simulated_call::enter(uint64_t number, caf::strong_actor_ptr queue, int priority,
                           lane::time_point since) {
  number_ = number;
  queue_ = std::move(queue);
  is_ = state::waits;
  fresh_ = true;
  lane::tell_from(*this, queue_, enter_queue{{}, {}, priority, since});
}

void simulated_call::settle() {
  if (std::exchange(fresh_, false))
    user_.on_let_in(slot_, number_);
}

void simulated_call::hang_up() {
  if (is_ != state::waits)
    return;
  is_ = state::idle;
  lane::tell_from(*this, queue_, leave_queue{});
  withdraw();
}

void simulated_call::answer(caf::actor_id agent) {
  const auto rung = std::ranges::find_if(
    rings_, [&](const rings& each) { return each.agent.actor->id() == agent; });
  if (rung != rings_.end())
    lane::tell_from(*this, rung->agent.actor, ring_over{rung->key, policy::ring_result::answered});
}

void simulated_call::end_talk() {
  is_ = state::idle;
  if (const auto had = std::exchange(has_, std::nullopt))
    lane::tell_from(*this, had->agent.actor, talk_over{had->key});
}

void simulated_call::on_ring(const ring_agent& ring) {
  if (is_ != state::waits) {
    lane::tell_from(*this, ring.agent.actor,
                    ring_over{ring.offer, policy::ring_result::caller_gone});
    return;
  }
  settle();
  rings_.push_back({ring.offer, ring.agent});
  user_.on_rung(slot_, number_, ring);
}

void simulated_call::on_stop(const offer_key& key) {
  const auto rung = find(key);
  if (rung == rings_.end())
    return;
  const auto agent = rung->agent.actor;
  rings_.erase(rung);
  lane::tell_from(*this, agent, ring_over{key, policy::ring_result::no_answer});
}

void simulated_call::on_connect(const offer_key& key) {
  const auto rung = find(key);
  if (is_ != state::waits || rung == rings_.end())
    return;
  is_ = state::talks;
  has_ = std::move(*rung);
  rings_.erase(rung);
  lane::tell_from(*this, queue_, call_taken{key.bid, has_->agent.name});
  withdraw();
  user_.on_connected(slot_, number_, has_->agent);
}

void simulated_call::withdraw() {
  for (const auto& each : std::exchange(rings_, {}))
    lane::tell_from(*this, each.agent.actor, ring_over{each.key, policy::ring_result::caller_gone});
}

std::vector<simulated_call::rings>::iterator simulated_call::find(const offer_key& key) {
  return std::ranges::find(rings_, key, &rings::key);
}

} // namespace jackfield
