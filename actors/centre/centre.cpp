#include "actors/centre/centre.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include "actors/centre/trunk.hpp"

namespace jackfield {

namespace {

/// Of agents or queues.
template <class Parts>
auto number_of(const Parts& all, size_t place) {
  using id = decltype(Parts::value_type::number);
  const auto own = all[place].number;
  return own != id{} ? own : id{static_cast<std::underlying_type_t<id>>(place + 1)};
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

std::vector<queue_ticket> tickets_of(const centre_plan& plan, const centre_actors& all) {
  std::vector<queue_ticket> tickets;
  for (size_t i = 0; i < plan.queues.size(); ++i)
    tickets.push_back({plan.queues[i].name, caf::actor_cast<caf::strong_actor_ptr>(all.queues[i]),
                       0, plan.queues[i].record ? plan.recordings : nullptr,
                       plan.queues[i].announces, plan.queues[i].calls_back});
  return tickets;
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

/// Who and what is called.
std::shared_ptr<const centre_roster> roster_of(const centre_plan& plan, const centre_actors& all,
                                               const std::vector<queue_ticket>& tickets) {
  auto roster = std::make_shared<centre_roster>();
  roster->anyone_calls = plan.anyone_calls;
  roster->trunks = all.book;
  roster->clocks = all.clocks;
  for (size_t i = 0; i < plan.agents.size(); ++i)
    roster->agents.emplace(plan.agents[i].name,
                           caf::actor_cast<caf::strong_actor_ptr>(all.agents[i]));
  for (size_t i = 0; i < plan.queues.size(); ++i) {
    const centre_roster::line line{{tickets[i], plan.queues[i].music}, {}};
    for (const auto& number : plan.queues[i].numbers)
      roster->numbers.emplace(number, line);
    roster->queues.emplace(plan.queues[i].name, line);
  }
  roster->menus = menus_of(plan, tickets);
  for (size_t i = 0; i < plan.menus.size(); ++i)
    for (const auto& number : plan.menus[i].numbers)
      roster->numbers.emplace(number, centre_roster::line{{}, i});
  return roster;
}

/// Those queues that are named: of thousands, each knows a few.
std::vector<queue_ticket> named(const std::vector<queue_ticket>& tickets,
                                const policy::overflow_targets& to) {
  std::vector<queue_ticket> some;
  for (const auto* const name : {&to.max_wait, &to.no_agents, &to.closed, &to.shrunk})
    if (!name->empty() && std::ranges::find(some, *name, &queue_ticket::name) == some.end())
      std::ranges::copy_if(tickets, std::back_inserter(some),
                           [&](const queue_ticket& each) { return each.name == *name; });
  return some;
}

/// The members and neighbours of a queue.
queue_parts parts_of(const centre_plan& plan, size_t queue, const centre_actors& all,
                     const std::vector<queue_ticket>& tickets) {
  queue_parts parts;
  parts.others = named(tickets, plan.queues[queue].rules.overflow_to);
  for (const auto& each : plan.queues[queue].members)
    parts.members.push_back({number_of(plan.agents, each.agent), plan.agents[each.agent].name,
                             caf::actor_cast<caf::strong_actor_ptr>(all.agents[each.agent]),
                             each.part, each.priority});
  return parts;
}

template <class Parts>
size_t place_of(const Parts& all, const std::string& name) {
  return static_cast<size_t>(std::ranges::find(all, name, &Parts::value_type::name) - all.begin());
}

/// On its lane at once; from another thread it is waited for.
template <class Make>
caf::actor made_on(lane::lane& home, const Make& make) {
  if (home.on_lane())
    return make();
  std::promise<caf::actor> made;
  home.post([&] { made.set_value(make()); });
  return made.get_future().get();
}

/// Gives each the number that its name has, or one that is free. True: it is new.
template <class Parts>
std::vector<bool> number(Parts& parts, const Parts& before) {
  using id = decltype(Parts::value_type::number);
  std::vector<bool> is_new(parts.size());
  std::underlying_type_t<id> last = 0;
  for (size_t i = 0; i < before.size(); ++i)
    last = std::max(last, static_cast<std::underlying_type_t<id>>(number_of(before, i)));
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto was = place_of(before, parts[i].name);
    is_new[i] = was == before.size();
    parts[i].number = is_new[i] ? id{++last} : number_of(before, was);
  }
  return is_new;
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
  made.clocks = two_clocks::of(contexts.front()->home);
  for (size_t i = 0; i < plan.agents.size(); ++i) {
    const auto& each = plan.agents[i];
    auto& context = context_of(i);
    agent_keeping keeping{context.keeps};
    if (before != nullptr) {
      keeping.before = find(before->kept.agents, each.name);
      keeping.heard = before->heard;
      keeping.talk = find(before->talking, each.name);
      if (keeping.talk && !keeping.before) // it had come just before
        keeping.before.emplace();
    }
    made.agents.push_back(context.home.spawn<agent>(
      agent_profile{number_of(plan.agents, i), each.name, each.rules, each.ready_at_once}, watcher,
      std::move(keeping)));
  }
  made.book = book_of(plan, contexts.front()->home);
  for (size_t i = 0; i < plan.trunks.size(); ++i)
    made.trunks.push_back(context_of(i).home.spawn<trunk>(context_of(i), made.book, i, watcher));
  for (size_t i = 0; i < plan.queues.size(); ++i) {
    const auto& each = plan.queues[i];
    auto& context = context_of(i);
    queue_keeping keeping{context.keeps};
    if (before != nullptr) {
      keeping.before = find(before->kept.queues, each.name);
      keeping.returning = find(before->returning, each.name).value_or(0);
    }
    made.queues.push_back(context.home.spawn<queue>(
      queue_profile{number_of(plan.queues, i), each.name, each.rules, plan.seed + i}, watcher,
      std::move(keeping)));
  }
  const auto tickets = tickets_of(plan, made);
  std::vector<agent_queues> serves(plan.agents.size());
  for (size_t i = 0; i < plan.queues.size(); ++i) {
    for (const auto& each : plan.queues[i].members)
      serves[each.agent].all.push_back(
        {number_of(plan.queues, i), tickets[i].queue, each.priority});
    caf::anon_send(made.queues[i], parts_of(plan, i, made, tickets));
  }
  for (size_t i = 0; i < serves.size(); ++i)
    caf::anon_send(made.agents[i], std::move(serves[i]));
  const auto roster = roster_of(plan, made, tickets);
  const auto own = with_secret(registrations, contexts.front()->home);
  auto shards = std::make_shared<registrar_shards>(contexts.size());
  for (size_t i = 0; i < contexts.size(); ++i)
    made.services.push_back(contexts[i]->home.spawn<centre_service>(
      *contexts[i], manner, roster, own, static_cast<unsigned>(i), shards, watcher));
  return made;
}

changed_centre change_centre(const std::vector<lane_context*>& contexts, const centre_plan& before,
                             centre_plan plan, const centre_actors& running,
                             const registrar_settings& registrations,
                             const caf::strong_actor_ptr& watcher) {
  changed_centre made;
  auto& all = made.now;
  all.services = running.services;
  all.trunks = running.trunks;
  all.book = running.book;
  all.clocks = running.clocks;
  const auto context_of = [&](size_t place) -> lane_context& {
    return *contexts[place % contexts.size()];
  };
  const auto new_agents = number(plan.agents, before.agents);
  const auto new_queues = number(plan.queues, before.queues);
  for (size_t i = 0; i < plan.agents.size(); ++i) {
    const auto& each = plan.agents[i];
    auto& context = context_of(i);
    all.agents.push_back(
      !new_agents[i] ? running.agents[place_of(before.agents, each.name)]
                     : made_on(context.home, [&] {
                         return caf::actor{context.home.spawn<agent>(
                           agent_profile{each.number, each.name, each.rules, each.ready_at_once},
                           watcher, agent_keeping{context.keeps})};
                       }));
    caf::anon_send(all.agents.back(), agent_changed{each.rules, each.ready_at_once});
  }
  for (size_t i = 0; i < plan.queues.size(); ++i) {
    const auto& each = plan.queues[i];
    auto& context = context_of(i);
    all.queues.push_back(!new_queues[i]
                           ? running.queues[place_of(before.queues, each.name)]
                           : made_on(context.home, [&] {
                               return caf::actor{context.home.spawn<queue>(
                                 queue_profile{each.number, each.name, each.rules, plan.seed + i},
                                 watcher, queue_keeping{context.keeps})};
                             }));
  }
  const auto tickets = tickets_of(plan, all);
  for (size_t i = 0; i < plan.queues.size(); ++i)
    caf::anon_send(all.queues[i],
                   queue_changed{plan.queues[i].rules, parts_of(plan, i, all, tickets), false});
  for (size_t i = 0; i < before.queues.size(); ++i)
    if (place_of(plan.queues, before.queues[i].name) == plan.queues.size()) {
      made.leaving.push_back(running.queues[i]);
      caf::anon_send(
        running.queues[i],
        queue_changed{{}, {{}, named(tickets, before.queues[i].rules.overflow_to)}, true});
    }
  for (size_t i = 0; i < before.agents.size(); ++i)
    if (place_of(plan.agents, before.agents[i].name) == plan.agents.size()) {
      made.leaving.push_back(running.agents[i]);
      caf::anon_send(running.agents[i], agent_leaves{});
    }
  const centre_changed told{roster_of(plan, all, tickets),
                            std::make_shared<const registrar_settings>(registrations)};
  for (const auto& each : all.services)
    caf::anon_send(each, told);
  made.plan = std::move(plan);
  return made;
}

} // namespace jackfield
