#include "engine/simulation/call_samples.hpp"

namespace jackfield::simulation {

call_samples::call_samples(const centre_plan& plan, uint64_t seed) : plan_(&plan), random_(seed) {
  sources_.reserve(plan.queues.size());
  for (uint32_t i = 0; i < plan.queues.size(); ++i) {
    sources_.push_back({arrival_process{plan.queues[i].arrivals, i}, std::nullopt});
    sources_.back().next = sources_.back().process.next(random_);
  }
}

std::optional<arrival> call_samples::next_arrival() {
  source* first = nullptr;
  for (auto& each : sources_)
    if (each.next && (first == nullptr || *each.next < *first->next))
      first = &each;
  if (first == nullptr)
    return std::nullopt;
  const arrival who{++arrivals_, *first->next, static_cast<uint32_t>(first - sources_.data())};
  first->next = first->process.next(random_);
  return who;
}

std::optional<duration> call_samples::patience(const arrival& who, uint32_t attempt) const {
  const auto& patience = plan_->queues[who.queue].patience;
  if (!patience)
    return std::nullopt;
  return sample(*patience, draw::patience, who.number, attempt);
}

duration call_samples::talk(uint64_t number, uint32_t queue) const {
  return sample(plan_->queues[queue].talk, draw::talk, number);
}

duration call_samples::wrap_up(uint64_t number, uint32_t queue) const {
  return sample(plan_->queues[queue].wrap_up, draw::wrap_up, number);
}

std::optional<duration> call_samples::redial(const arrival& who, uint32_t attempt) const {
  const auto& plan = plan_->queues[who.queue].redials;
  if (attempt >= plan.most || random_.uniform(draw::redials, who.number, attempt) >= plan.share)
    return std::nullopt;
  return sample(plan.after, draw::redial_after, who.number, attempt);
}

std::optional<duration> call_samples::answer(uint32_t agent, uint64_t offer) const {
  const auto& plan = plan_->agents[agent];
  if (plan.no_answer > 0 && random_.uniform(draw::answers, offer, agent) < plan.no_answer)
    return std::nullopt;
  return sample(plan.answers_after, draw::answer_after, offer, agent);
}

duration call_samples::fails_after(uint32_t agent, uint64_t failure) const {
  return sample(plan_->agents[agent].failures->after, draw::fails_after, failure, agent);
}

duration call_samples::failure_lasts(uint32_t agent, uint64_t failure) const {
  return sample(plan_->agents[agent].failures->lasts, draw::failure_lasts, failure, agent);
}

uint64_t call_samples::strategy_seed(uint32_t queue) const {
  return random_.bits(draw::strategy, queue);
}

} // namespace jackfield::simulation
