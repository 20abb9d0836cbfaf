#include "engine/policy/idle_pool.hpp"

namespace jackfield::policy {

namespace {

bool fits(const queue_member& member, std::span<const wanted_skill> needs) {
  return needs.empty() || qualified(member.part.skills, needs);
}

} // namespace

void idle_pool::use(strategy picks) {
  for (const auto& [by, who] : order_)
    who->pooled = false;
  for (const auto& [tier, members] : tiers_)
    for (auto* who : members)
      who->pooled = false;
  order_.clear();
  tiers_.clear();
  size_ = 0;
  picks_ = picks;
}

idle_pool::key idle_pool::key_of(const queue_member& member) const noexcept {
  key by{member.part.tier, 0, member.part.position, member.number};
  const auto& status = member.status;
  if (picks_ == strategy::longest_idle)
    by.measure = status.available_since.time_since_epoch().count();
  else if (picks_ == strategy::least_talk_time)
    by.measure = status.talk_time.count();
  else if (picks_ == strategy::fewest_calls)
    by.measure = static_cast<int64_t>(status.answered_calls);
  return by;
}

void idle_pool::add(queue_member& member) {
  if (picks_ == strategy::random) {
    auto& tier = tiers_[member.part.tier];
    member.pool_index = tier.size();
    tier.push_back(&member);
  } else {
    order_.insert({key_of(member), &member});
  }
  member.pooled = true;
  ++size_;
}

void idle_pool::remove(queue_member& member) {
  if (!member.pooled)
    return;
  if (picks_ == strategy::random) {
    const auto at = tiers_.find(member.part.tier);
    auto& tier = at->second;
    tier[member.pool_index] = tier.back();
    tier[member.pool_index]->pool_index = member.pool_index;
    tier.pop_back();
    if (tier.empty())
      tiers_.erase(at);
  } else {
    order_.erase({key_of(member), &member});
  }
  member.pooled = false;
  --size_;
}

queue_member* idle_pool::pick(uint16_t up_to_tier, std::span<const wanted_skill> needs) {
  if (picks_ == strategy::random)
    return pick_at_random(up_to_tier, needs);
  if (picks_ == strategy::round_robin)
    return pick_in_turn(up_to_tier, needs);
  for (const auto& [by, who] : order_) {
    if (by.tier > up_to_tier)
      break;
    if (fits(*who, needs))
      return who;
  }
  return nullptr;
}

queue_member* idle_pool::pick_at_random(uint16_t up_to_tier, std::span<const wanted_skill> needs) {
  for (const auto& [tier, members] : tiers_) {
    if (tier > up_to_tier)
      break;
    if (needs.empty())
      return members[below(members.size())];
    // Each of those that fit has the same chance, however many there turn out to be.
    queue_member* chosen = nullptr;
    uint64_t seen = 0;
    for (auto* who : members)
      if (fits(*who, needs) && below(++seen) == 0)
        chosen = who;
    if (chosen != nullptr)
      return chosen;
  }
  return nullptr;
}

queue_member* idle_pool::pick_in_turn(uint16_t up_to_tier,
                                      std::span<const wanted_skill> needs) const {
  for (auto first = order_.begin(); first != order_.end() && first->by.tier <= up_to_tier;) {
    const auto tier = first->by.tier;
    const auto last = tier == UINT16_MAX
                        ? order_.end()
                        : order_.lower_bound({{static_cast<uint16_t>(tier + 1), 0, 0, 0}, nullptr});
    const auto was = turns_.find(tier);
    const auto next =
      was == turns_.end()
        ? first
        : order_.upper_bound({{tier, 0, was->second.position, was->second.number}, nullptr});
    for (auto at = next; at != last; ++at)
      if (fits(*at->who, needs))
        return at->who;
    for (auto at = first; at != next; ++at)
      if (fits(*at->who, needs))
        return at->who;
    first = last;
  }
  return nullptr;
}

void idle_pool::collect(uint16_t up_to_tier, std::span<const wanted_skill> needs,
                        std::vector<queue_member*>& into) const {
  for (const auto& [by, who] : order_) {
    if (by.tier > up_to_tier)
      break;
    if (fits(*who, needs))
      into.push_back(who);
  }
}

void idle_pool::took(const queue_member& member) {
  turns_[member.part.tier] = {member.part.position, member.number};
}

std::vector<queue_snapshot::turn> idle_pool::turns() const {
  std::vector<queue_snapshot::turn> all;
  all.reserve(turns_.size());
  for (const auto& [tier, was] : turns_)
    all.push_back({tier, was.position, was.number});
  return all;
}

void idle_pool::set_turns(std::span<const queue_snapshot::turn> turns) {
  turns_.clear();
  for (const auto& was : turns)
    turns_[was.tier] = {was.position, was.order};
}

uint64_t idle_pool::below(uint64_t bound) noexcept {
  random_ += 0x9e3779b97f4a7c15U;
  uint64_t z = random_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  z ^= z >> 31U;
  __extension__ using wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<wide>(z) * bound) >> 64U);
}

} // namespace jackfield::policy
