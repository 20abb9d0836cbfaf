#include "actors/wire/server_memory.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace jackfield {

server_memory::resting* server_memory::find(const transport::target& server) noexcept {
  const auto at = std::find_if(resting_.begin(), resting_.end(),
                               [&](const resting& r) { return r.server == server; });
  return at != resting_.end() ? &*at : nullptr;
}

void server_memory::failed(const transport::target& server, lane::time_point now, failure how,
                           lane::duration rest) {
  const auto until = now + std::max(rest, trial_);
  if (auto* known = find(server)) {
    known->until = std::max(known->until, until);
    if (std::exchange(known->tried, false) || how == failure::refused)
      known->how = how;
    return;
  }
  if (resting_.size() >= most_servers)
    resting_.erase(
      std::min_element(resting_.begin(), resting_.end(),
                       [](const resting& a, const resting& b) { return a.until < b.until; }));
  resting_.push_back({server, until, how, false});
}

void server_memory::tries(const transport::target& server) noexcept {
  if (auto* known = find(server))
    known->tried = true;
}

void server_memory::answered(const transport::target& server, int status) noexcept {
  const bool serves = status > 100 && status != 401 && status != 407;
  std::erase_if(resting_, [&](const resting& r) {
    return r.server == server && (r.how == failure::unreachable || (r.tried && serves));
  });
}

transport::target_selection server_memory::order(const transport::target_selection& servers,
                                                 lane::time_point now) {
  const auto all = servers.all();
  if (resting_.empty() || all.size() < 2)
    return servers;
  std::vector<transport::target> ordered{all.begin(), all.end()};
  std::stable_partition(ordered.begin(), ordered.end(), [&](const transport::target& t) {
    const auto* known = find(t);
    return known == nullptr || known->until <= now;
  });
  if (auto* first = find(ordered.front()); first != nullptr && first->until <= now)
    first->until = now + trial_;
  return transport::target_selection{std::move(ordered), std::string{servers.host()}};
}

} // namespace jackfield
