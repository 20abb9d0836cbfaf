#include "actors/wire/lane_peers.hpp"

#include <utility>

#include "actors/wire/sip_router.hpp"

namespace jackfield {

lane_peers::~lane_peers() {
  if (group_)
    group_->routers[position_] = nullptr;
}

void lane_peers::join(const std::vector<sip_router*>& routers) {
  if (routers.size() < 2)
    return;
  auto made = std::make_shared<group>();
  made->routers = routers;
  while (made->ways.size() < routers.size() * routers.size())
    made->ways.push_back(std::make_unique<lane_mailbox>());
  for (auto* router : routers)
    router->peers().group_ = made;
}

std::optional<uint8_t> lane_peers::with_room() const {
  std::optional<uint8_t> best;
  size_t fewest = SIZE_MAX;
  for (size_t i = 0; i < count(); ++i) {
    if (!knows(i) || group_->routers[i] == nullptr || !group_->routers[i]->has_room())
      continue;
    if (const auto legs = group_->routers[i]->legs().size(); legs < fewest) {
      fewest = legs;
      best = static_cast<uint8_t>(i);
    }
  }
  return best;
}

bool lane_peers::put(uint8_t to, const lane_mailbox::item& i, std::string_view bytes) {
  auto* const router = group_->routers[to];
  if (router == nullptr)
    return false;
  switch (group_->ways[position_ * count() + to]->put(i, bytes)) {
  case lane_mailbox::outcome::full:
    ++drops_;
    return false;
  case lane_mailbox::outcome::first:
    router->home().post([router, from = position_] { router->peers().empty(from); });
    break;
  case lane_mailbox::outcome::kept:
    break;
  }
  return true;
}

bool lane_peers::hand(uint8_t to, const sip_arrival& arrival, errand what) {
  return put(to, {arrival.from(), arrival.arrived(), 0, 0, what, 0}, arrival.bytes());
}

bool lane_peers::send(const transport::flow& over, std::string_view bytes, uint8_t rank) {
  return knows(over.lane) && put(over.lane, {over, {}, 0, 0, errand::send, rank}, bytes);
}

void lane_peers::post(uint8_t to, std::function<void(sip_router&)> what) {
  if (auto* const router = knows(to) ? group_->routers[to] : nullptr)
    router->home().post([router, act = std::move(what)] { act(*router); });
}

void lane_peers::post_to_all(const std::function<void(sip_router&)>& what,
                             const std::function<bool(const sip_router&)>& whom) {
  for (size_t i = 0; i < count(); ++i)
    if (knows(i) && group_->routers[i] != nullptr && whom(*group_->routers[i]))
      post(static_cast<uint8_t>(i), what);
}

void lane_peers::empty(uint8_t from) {
  const auto& batch = group_->ways[from * count() + position_]->take();
  for (const auto& i : batch.items) {
    if (i.what == errand::send)
      (void)own_.transport().send(i.which, batch.text(i), i.rank);
    else
      own_.on_handed(i.which, batch.text(i), i.arrived, i.what);
  }
}

// -- connections of others -------------------------------------------------------

void lane_peers::borrow(const transport::flow& theirs) {
  if (knows(theirs.lane) && borrowed_.insert(theirs).second)
    post(theirs.lane,
         [theirs, to = position_](sip_router& router) { router.peers().lend(theirs, to); });
}

void lane_peers::lend(const transport::flow& ours, uint8_t to) {
  lent_[ours] |= uint64_t{1} << to;
  if (!own_.transport().find(ours)) // it ended meanwhile
    on_flow_failed(ours, nullptr);
}

void lane_peers::on_flow_failed(const transport::flow& gone,
                                const std::shared_ptr<const transport::flow_end>& how) {
  const auto lent = lent_.find(gone);
  if (lent == lent_.end())
    return;
  const auto lanes = lent->second;
  lent_.erase(lent);
  for (size_t i = 0; i < count(); ++i)
    if ((lanes >> i & 1U) != 0)
      post(static_cast<uint8_t>(i),
           [=](sip_router& router) { router.peers().on_borrowed_failed(gone, how); });
}

void lane_peers::on_borrowed_failed(const transport::flow& gone,
                                    const std::shared_ptr<const transport::flow_end>& how) {
  borrowed_.erase(gone);
  own_.on_flow_over(gone, how);
}

} // namespace jackfield
