#include "app/serving/running_centre.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include <caf/send.hpp>
#include <fmt/format.h>

namespace jackfield::app {

namespace {

std::unordered_set<caf::actor_id> ids_of(const std::vector<caf::actor>& all) {
  std::unordered_set<caf::actor_id> ids;
  for (const auto& each : all)
    ids.insert(each.id());
  return ids;
}

/// Its place among them, if it is one of them.
std::optional<size_t> place_in(const std::vector<caf::actor>& all, const caf::actor_addr& one) {
  const auto at =
    std::ranges::find_if(all, [&](const caf::actor& each) { return one == each.address(); });
  return at == all.end() ? std::nullopt
                         : std::optional{static_cast<size_t>(std::distance(all.begin(), at))};
}

} // namespace

void running_centre::watch(const caf::actor& part) {
  self_->monitor(part);
  engine_.keep(part);
}

void running_centre::begin(const centre_plan& plan,
                           const std::shared_ptr<const bridge_manner>& manner,
                           const registrar_settings& registrations,
                           const caf::strong_actor_ptr& watcher, const centre_memory* before) {
  for (unsigned i = 0; i < engine_.lanes(); ++i)
    contexts_.push_back(&engine_.context(i));
  plan_ = plan;
  actors_ = start_centre(contexts_, plan, manner, registrations, watcher, before);
  trunks_ = actors_.trunks.size();
  for (const auto* group : {&actors_.services, &actors_.queues, &actors_.agents, &actors_.trunks})
    for (const auto& each : *group)
      watch(each);
}

void running_centre::change(centre_plan plan, const registrar_settings& registrations,
                            const caf::strong_actor_ptr& watcher) {
  const auto before = std::exchange(actors_, {});
  auto changed = change_centre(contexts_, plan_, std::move(plan), before, registrations, watcher);
  plan_ = std::move(changed.plan);
  actors_ = std::move(changed.now);
  leaving_.insert(leaving_.end(), changed.leaving.begin(), changed.leaving.end());
  for (const auto& [now, were] :
       {std::pair{&actors_.queues, &before.queues}, std::pair{&actors_.agents, &before.agents}}) {
    const auto known = ids_of(*were);
    for (const auto& each : *now)
      if (!known.contains(each.id()))
        watch(each);
  }
}

void running_centre::on_stopped(const centre_stopped& last) {
  ++stopped_;
  calls_ += last.calls;
  refused_ += last.refused;
}

std::string running_centre::name_of(const caf::actor_addr& part) const {
  if (const auto at = place_in(actors_.services, part))
    return fmt::format("the service of lane {}", *at);
  if (const auto at = place_in(actors_.queues, part))
    return fmt::format("the queue \"{}\"", plan_.queues[*at].name);
  if (const auto at = place_in(actors_.agents, part))
    return fmt::format("the agent \"{}\"", plan_.agents[*at].name);
  if (const auto at = place_in(actors_.trunks, part))
    return fmt::format("the trunk \"{}\"", plan_.trunks[*at].name);
  return "a part that was to leave";
}

bool running_centre::on_down(const caf::down_msg& down) {
  if (place_in(actors_.trunks, down.source))
    --trunks_;
  if (down.reason == caf::exit_reason::normal)
    return false;
  if (place_in(actors_.services, down.source))
    ++stopped_;
  if (lost_)
    return false;
  lost_ = fmt::format("an error ended {}: {}", name_of(down.source), caf::to_string(down.reason));
  return true;
}

void running_centre::drain() {
  for (const auto& each : actors_.services)
    self_->send(each, centre_drain{});
  for (const auto& each : actors_.trunks) // nobody is to call us any more
    self_->send(each, jackfield::hang_up{});
}

void running_centre::hang_up() {
  hanging_up_ = true;
  for (const auto& each : actors_.services)
    self_->send(each, centre_stop{});
}

std::vector<queue_state> running_centre::ask_queues() {
  std::vector<queue_state> states;
  for (const auto& each : actors_.queues)
    self_->request(each, std::chrono::seconds{5}, ask_queue_state{})
      .receive([&](const queue_state& state) { states.push_back(state); },
               [](const caf::error&) {}); // it has ended
  return states;
}

void running_centre::let_go() {
  for (const auto* group : {&actors_.queues, &actors_.agents, &actors_.trunks, &leaving_})
    for (const auto& each : *group)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  actors_ = {};
  leaving_.clear();
}

} // namespace jackfield::app
