#include "actors/node/login_guard.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

namespace jackfield {

namespace {

/// What one customer has, who may use any address of it.
lane::endpoint source_of(const lane::endpoint& from) {
  if (!from.is_v6())
    return from.with_port(0);
  sockaddr_storage at{};
  const auto length = from.with_port(0).to_sockaddr(at);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(at);
  std::fill(std::begin(v6.sin6_addr.s6_addr) + 8, std::end(v6.sin6_addr.s6_addr), uint8_t{0});
  return lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&at), length);
}

} // namespace

bool login_guard::is_banned(const lane::endpoint& from, lane::time_point now) const {
  if (known_.empty() || from.is_loopback())
    return false;
  const auto found = known_.find(source_of(from));
  return found != known_.end() && now < found->second.banned_until;
}

bool login_guard::on_failure(const lane::endpoint& from, lane::time_point now) {
  if (from.is_loopback())
    return false;
  const auto source = source_of(from);
  if (!known_.contains(source) && known_.size() >= settings_.most_addresses)
    make_room(now);
  auto& known = known_[source];
  if (known.failures == 0 || now - known.since > settings_.within)
    known = {0, now, {}};
  if (++known.failures < settings_.most_failures)
    return false;
  known = {0, now, now + settings_.rest};
  ++bans_;
  return true;
}

void login_guard::on_success(const lane::endpoint& from) {
  if (!known_.empty() && !from.is_loopback())
    known_.erase(source_of(from));
}

// All that is over, or else an eighth of them, so that it is seldom done.
void login_guard::make_room(lane::time_point now) {
  std::erase_if(known_, [&](const auto& each) {
    return now >= each.second.banned_until && now - each.second.since > settings_.within;
  });
  if (known_.size() < settings_.most_addresses)
    return;
  std::vector<lane::time_point> since;
  for (const auto& [from, known] : known_)
    since.push_back(known.since);
  const auto eighth = since.begin() + static_cast<std::ptrdiff_t>(since.size() / 8);
  std::ranges::nth_element(since, eighth);
  std::erase_if(known_, [&](const auto& each) { return each.second.since <= *eighth; });
}

} // namespace jackfield
