#include "app/centre_view.hpp"

namespace jackfield::app {

void centre_view::take(const centre_event& event) {
  const std::lock_guard lock{mutex_};
  if (event.what == centre_event::kind::agent_state)
    on_agent(event);
  else if (event.call != 0)
    on_call(event);
}

void centre_view::on_agent(const centre_event& event) {
  auto& known = agent_state_.try_emplace(event.agent, "logged_out").first->second;
  count_less(known);
  known = event.detail;
  if (known == "logged_out" && leaving_.erase(event.agent) > 0)
    agent_state_.erase(event.agent);
  else
    ++agents_in_[known];
}

void centre_view::count_less(const std::string& state) {
  const auto counted = agents_in_.find(state);
  if (counted != agents_in_.end() && --counted->second == 0)
    agents_in_.erase(counted);
}

void centre_view::change(const std::vector<std::string>& gone,
                         const std::vector<std::string>& come) {
  const std::lock_guard lock{mutex_};
  for (const auto& name : gone) {
    const auto known = agent_state_.find(name);
    if (known != agent_state_.end() && known->second != "logged_out") {
      leaving_.insert(name);
      continue;
    }
    count_less("logged_out");
    agent_state_.erase(name);
  }
  for (const auto& name : come)
    if (leaving_.erase(name) == 0)
      ++agents_in_["logged_out"];
}

// They come from the queue and from the call's lane, so their order between these is not certain.
void centre_view::on_call(const centre_event& event) {
  using kind = centre_event::kind;
  const auto found = calls_.find(event.call);
  switch (event.what) {
  case kind::entered:
    calls_.insert_or_assign(event.call,
                            call{event.call, event.call_id, event.from, event.queue, {}, event.at});
    break;
  case kind::resumed:
    calls_.insert_or_assign(
      event.call, call{event.call, event.call_id, event.from, event.queue, event.agent, event.at});
    break;
  case kind::connected:
    if (over_early_.erase(event.call) == 0 && found != calls_.end()) {
      found->second.agent = event.agent;
      found->second.since = event.at;
    }
    break;
  case kind::completed:
    if (found == calls_.end())
      break;
    if (found->second.agent.empty())
      over_early_.insert(event.call);
    calls_.erase(found);
    break;
  case kind::abandoned:
  case kind::overflowed:
    // In another queue by now, perhaps.
    if (found != calls_.end() && found->second.queue == event.queue)
      calls_.erase(found);
    break;
  case kind::refused:
  case kind::offered:
  case kind::not_taken:
  case kind::agent_state:
  case kind::recorded:
  case kind::not_recorded:
  case kind::callback_promised:
  case kind::callback_over:
  case kind::trunk_state:
    break;
  }
}

centre_view::calls_page centre_view::calls(uint64_t after, size_t limit) const {
  const std::lock_guard lock{mutex_};
  calls_page out;
  auto each = calls_.upper_bound(after);
  for (; each != calls_.end() && out.calls.size() < limit; ++each)
    out.calls.push_back(each->second);
  out.more = each != calls_.end();
  return out;
}

std::optional<centre_view::call> centre_view::find(uint64_t number) const {
  const std::lock_guard lock{mutex_};
  const auto found = calls_.find(number);
  return found == calls_.end() ? std::nullopt : std::optional{found->second};
}

centre_view::counts centre_view::count() const {
  const std::lock_guard lock{mutex_};
  counts out;
  for (const auto& [number, each] : calls_)
    ++(each.agent.empty() ? out.waiting : out.talking);
  out.agents = agents_in_;
  return out;
}

} // namespace jackfield::app
