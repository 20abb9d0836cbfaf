#include "engine/policy/left_places.hpp"

#include <utility>

namespace jackfield::policy {

void left_places::leave(time_point now, std::string_view who, time_point joined, time_point until) {
  forget_old(now);
  if (until <= now)
    return;
  std::string name{who};
  places_.insert_or_assign(name, kept{joined, until, ++last_});
  order_.push_back({std::move(name), last_});
  while (order_.size() > most) {
    const auto oldest = places_.find(order_.front().who);
    if (oldest != places_.end() && oldest->second.number == order_.front().number)
      places_.erase(oldest);
    order_.pop_front();
  }
}

std::optional<time_point> left_places::take(time_point now, std::string_view who) {
  forget_old(now);
  const auto found = places_.find(std::string{who});
  if (found == places_.end())
    return std::nullopt;
  const auto place = found->second;
  places_.erase(found);
  // Rules that changed may have let an older one last longer.
  return place.until > now ? std::optional{place.joined} : std::nullopt;
}

void left_places::forget_old(time_point now) {
  while (!order_.empty()) {
    const auto oldest = places_.find(order_.front().who);
    const bool kept_still =
      oldest != places_.end() && oldest->second.number == order_.front().number;
    if (kept_still && oldest->second.until > now)
      return;
    if (kept_still)
      places_.erase(oldest);
    order_.pop_front();
  }
}

} // namespace jackfield::policy
