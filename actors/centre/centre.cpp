#include "actors/centre/centre.hpp"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include "actors/centre/trunk.hpp"

namespace jackfield {

namespace {

policy::queue_id queue_number(size_t place) {
  return policy::queue_id{static_cast<uint32_t>(place + 1)};
}

policy::agent_id agent_number(size_t place) {
  return policy::agent_id{place + 1};
}

std::shared_ptr<const trunk_book> book_of(const centre_plan& plan, lane::lane& home) {
  auto made = std::make_shared<trunk_book>();
  for (const auto& each : plan.trunks)
    made->lines.push_back(std::make_unique<trunk_line>(each));
  made->routes = plan.routes;
  static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  if (!made->lines.empty())
    for (auto bits = home.random(); made->mark.size() < 12; bits >>= 5U)
      made->mark += letters[bits & 31U];
  return made;
}

/// What was kept under that name.
template <class Record>
std::optional<Record> find(const std::unordered_map<std::string, Record>& all,
                           const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? std::nullopt : std::optional{found->second};
}

std::shared_ptr<const centre_menus> menus_of(const centre_plan& plan,
                                             const std::vector<queue_ticket>& tickets) {
  auto made = std::make_shared<centre_menus>();
  auto rules = std::make_shared<std::vector<policy::menu_rules>>();
  for (const auto& each : plan.menus) {
    rules->push_back(each.rules);
    made->prompts.push_back(each.prompt);
  }
  made->rules = std::move(rules);
  for (size_t i = 0; i < plan.queues.size(); ++i)
    made->lines.emplace(plan.queues[i].name, centre_line{tickets[i], plan.queues[i].music});
  return made;
}

} // namespace

centre_actors start_centre(const std::vector<lane_context*>& contexts, const centre_plan& plan,
                           const std::shared_ptr<const bridge_manner>& manner,
                           const registrar_settings& registrations,
                           const caf::strong_actor_ptr& watcher, const centre_memory* before) {
  centre_actors made;
  const auto context_of = [&](size_t place) -> lane_context& {
    return *contexts[place % contexts.size()];
  };
  auto roster = std::make_shared<centre_roster>();
  roster->anyone_calls = plan.anyone_calls;
  roster->clocks = two_clocks::of(contexts.front()->home);
  for (size_t i = 0; i < plan.agents.size(); ++i) {
    const auto& each = plan.agents[i];
    auto& context = context_of(i);
    agent_keeping keeping{context.keeps};
    if (before != nullptr) {
      keeping.before = find(before->kept.agents, each.name);
      keeping.heard = before->heard;
    }
    made.agents.push_back(context.home.spawn<agent>(
      agent_profile{agent_number(i), each.name, each.rules, each.ready_at_once}, watcher,
      std::move(keeping)));
    roster->agents.emplace(each.name, caf::actor_cast<caf::strong_actor_ptr>(made.agents.back()));
  }
  roster->trunks = made.book = book_of(plan, contexts.front()->home);
  for (size_t i = 0; i < plan.trunks.size(); ++i)
    made.trunks.push_back(context_of(i).home.spawn<trunk>(context_of(i), made.book, i, watcher));
  std::vector<queue_ticket> tickets;
  for (size_t i = 0; i < plan.queues.size(); ++i) {
    const auto& each = plan.queues[i];
    auto& context = context_of(i);
    queue_keeping keeping{context.keeps};
    if (before != nullptr) {
      keeping.before = find(before->kept.queues, each.name);
      keeping.returning = find(before->returning, each.name).value_or(0);
    }
    made.queues.push_back(context.home.spawn<queue>(
      queue_profile{queue_number(i), each.name, each.rules, plan.seed + i}, watcher,
      std::move(keeping)));
    tickets.push_back({each.name, caf::actor_cast<caf::strong_actor_ptr>(made.queues.back()), 0,
                       each.record ? plan.recordings : nullptr});
    for (const auto& number : each.numbers)
      roster->numbers.emplace(number, centre_roster::line{{tickets.back(), each.music}, {}});
    roster->queues.emplace(each.name, centre_roster::line{{tickets.back(), each.music}, {}});
  }
  roster->menus = menus_of(plan, tickets);
  for (size_t i = 0; i < plan.menus.size(); ++i)
    for (const auto& number : plan.menus[i].numbers)
      roster->numbers.emplace(number, centre_roster::line{{}, i});
  std::vector<agent_queues> serves(plan.agents.size());
  for (size_t i = 0; i < plan.queues.size(); ++i) {
    queue_parts parts;
    parts.others = tickets;
    for (const auto& each : plan.queues[i].members) {
      serves[each.agent].all.push_back({queue_number(i), tickets[i].queue, each.priority});
      parts.members.push_back({agent_number(each.agent), plan.agents[each.agent].name,
                               caf::actor_cast<caf::strong_actor_ptr>(made.agents[each.agent]),
                               each.part});
    }
    caf::anon_send(made.queues[i], std::move(parts));
  }
  for (size_t i = 0; i < serves.size(); ++i)
    caf::anon_send(made.agents[i], std::move(serves[i]));
  const auto own = with_secret(registrations, contexts.front()->home);
  auto shards = std::make_shared<registrar_shards>(contexts.size());
  for (size_t i = 0; i < contexts.size(); ++i)
    made.services.push_back(contexts[i]->home.spawn<centre_service>(
      *contexts[i], manner, roster, own, static_cast<unsigned>(i), shards, watcher));
  return made;
}

} // namespace jackfield
