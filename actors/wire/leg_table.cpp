#include "actors/wire/leg_table.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace jackfield {

leg_table::~leg_table() {
  // Legs that are still open close themselves as their actors go, which needs the table.
  for (auto& s : slots_)
    const auto released = std::exchange(s.owner, nullptr);
}

std::optional<sip::leg_id> leg_table::open(lane::lane_actor& owner) {
  if (!has_room())
    return std::nullopt;
  uint32_t index = 0;
  // Slots rest before they are used again, so that a generation lasts.
  constexpr size_t resting = 1024;
  while (!free_.empty() && slots_[free_.front()].owner) // adopted meanwhile
    free_.pop_front();
  if (free_.size() > resting || (!free_.empty() && slots_.size() > sip::leg_id::max_slot)) {
    index = free_.front();
    free_.pop_front();
  } else if (slots_.size() <= sip::leg_id::max_slot) {
    index = add_slot();
  } else {
    return std::nullopt;
  }
  auto& s = slots_[index];
  s.owner = caf::strong_actor_ptr{owner.ctrl()};
  s.id.generation += 1;
  s.id.nonce = home_.random();
  count(size() + 1);
  return s.id;
}

uint32_t leg_table::add_slot() {
  const auto index = static_cast<uint32_t>(slots_.size());
  slots_.emplace_back();
  slots_.back().id.lane = lane_;
  slots_.back().id.slot = index;
  return index;
}

bool leg_table::adopt(lane::lane_actor& owner, const sip::leg_id& leg) {
  if (leg.lane != lane_ || leg.slot > sip::leg_id::max_slot || leg.nonce == 0)
    return false;
  while (slots_.size() <= leg.slot)
    free_.push_back(add_slot());
  auto& s = slots_[leg.slot];
  if (s.owner)
    return false;
  // Its place in `free_` is passed over when its turn comes.
  s.owner = caf::strong_actor_ptr{owner.ctrl()};
  s.id = leg;
  ++open_;
  return true;
}

void leg_table::close(const sip::leg_id& leg) noexcept {
  auto* s = slot_of(leg);
  if (s == nullptr)
    return;
  detach(*s);
  s->owner = nullptr;
  s->id.nonce = 0;
  free_.push_back(leg.slot);
  count(size() - 1);
}

leg_table::slot* leg_table::slot_of(const sip::leg_id& leg) noexcept {
  if (leg.slot >= slots_.size())
    return nullptr;
  auto& s = slots_[leg.slot];
  return s.owner && s.id == leg ? &s : nullptr;
}

const caf::strong_actor_ptr* leg_table::find(const sip::leg_id& leg) noexcept {
  auto* s = slot_of(leg);
  return s != nullptr ? &s->owner : nullptr;
}

void leg_table::attach(const sip::leg_id& leg, const transport::flow& f) {
  auto* s = slot_of(leg);
  const connection_key key{f.handle, f.lane};
  const bool connection = transport::is_reliable(f.protocol);
  if (s == nullptr || (connection && s->attached == key))
    return;
  detach(*s);
  if (!connection)
    return;
  s->attached = key;
  const auto [first, fresh] = attached_.try_emplace(key, leg.slot);
  if (!fresh) {
    s->next = first->second;
    slots_[first->second].previous = leg.slot;
    first->second = leg.slot;
  }
}

void leg_table::detach(slot& s) noexcept {
  if (!s.attached.handle)
    return;
  if (s.next != no_slot)
    slots_[s.next].previous = s.previous;
  if (s.previous != no_slot)
    slots_[s.previous].next = s.next;
  else if (s.next != no_slot)
    attached_[s.attached] = s.next;
  else
    attached_.erase(s.attached);
  s.attached = {};
  s.next = s.previous = no_slot;
}

void leg_table::on_peer_refused(const peer_refused& by) {
  for (const auto& s : slots_)
    if (s.owner)
      lane::tell(home_, s.owner, by);
}

void leg_table::end_all() {
  for (const auto& s : slots_)
    if (s.owner)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(s.owner), caf::exit_reason::kill);
}

std::vector<caf::strong_actor_ptr> leg_table::attached_to(const transport::flow& f) const {
  std::vector<caf::strong_actor_ptr> found;
  if (const auto first = attached_.find({f.handle, f.lane}); first != attached_.end())
    for (auto index = first->second; index != no_slot; index = slots_[index].next)
      found.push_back(slots_[index].owner);
  return found;
}

void leg_table::on_flow_failed(const transport::flow& gone,
                               const std::shared_ptr<const transport::flow_end>& how) {
  const auto first = attached_.find({gone.handle, gone.lane});
  if (first == attached_.end())
    return;
  auto index = first->second;
  while (index != no_slot) {
    auto& s = slots_[index];
    index = s.next;
    s.attached = {};
    s.next = s.previous = no_slot;
    lane::tell(home_, s.owner, flow_lost{gone, how});
  }
  attached_.erase(first);
}

} // namespace jackfield
