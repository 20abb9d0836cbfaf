#include "actors/wire/awaited_clients.hpp"

#include <algorithm>

namespace jackfield {

void awaited_clients::add(const client_name& who, const sip::leg_id& leg) {
  legs_[who].push_back(leg);
  size_.store(size() + 1, std::memory_order_relaxed);
}

void awaited_clients::remove(const client_name& who, const sip::leg_id& leg) {
  const auto known = legs_.find(who);
  if (known == legs_.end())
    return;
  auto& legs = known->second;
  const auto at = std::find(legs.begin(), legs.end(), leg);
  if (at == legs.end())
    return;
  legs.erase(at);
  if (legs.empty())
    legs_.erase(known);
  size_.store(size() - 1, std::memory_order_relaxed);
}

std::vector<sip::leg_id> awaited_clients::of(const client_name& who) const {
  const auto known = legs_.find(who);
  return known == legs_.end() ? std::vector<sip::leg_id>{} : known->second;
}

} // namespace jackfield
