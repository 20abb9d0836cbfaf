#include "actors/centre/queue.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "engine/policy/names.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

// Of its timers.
constexpr unsigned desk_clock = 0;
constexpr unsigned record_clock = 1;

queue_exit exit_for(policy::join_refusal why) {
  switch (why) {
  case policy::join_refusal::full:
  case policy::join_refusal::wait_too_long:
    return queue_exit::full;
  case policy::join_refusal::nobody_logged_in:
  case policy::join_refusal::nobody_working:
    return queue_exit::no_agents;
  case policy::join_refusal::closed:
  case policy::join_refusal::already_waiting:
    break;
  }
  return queue_exit::closed;
}

queue_exit exit_for(policy::overflow_reason why) {
  switch (why) {
  case policy::overflow_reason::max_wait:
    return queue_exit::timed_out;
  case policy::overflow_reason::no_agents:
    return queue_exit::no_agents;
  case policy::overflow_reason::shrunk:
    return queue_exit::full;
  case policy::overflow_reason::closed:
    break;
  }
  return queue_exit::closed;
}

/// Not one of many who do not say who they are (RFC 3323 §4.1.1.3).
bool is_somebody(std::string_view uri) {
  const auto parsed = sip::uri::parse(uri);
  return parsed && !parsed->user().empty() && parsed->user() != "anonymous";
}

} // namespace

queue::queue(caf::actor_config& config, lane::lane& home, queue_profile profile,
             caf::strong_actor_ptr watcher, queue_keeping keeping)
    : lane::lane_actor(config, home), profile_(std::move(profile)), watcher_(std::move(watcher)),
      desk_(profile_.number, profile_.rules, profile_.seed), timer_(*this, desk_clock),
      keeping_(std::move(keeping)),
      record_(*this, record_clock, keeping_.where, storage::queue_key(profile_.name)) {
  // nop
}

caf::behavior queue::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  if (const auto was = std::exchange(keeping_.before, std::nullopt)) {
    policy::queue_actions actions; // none: it has neither members nor callers
    desk_.restore(home().now(), snapshot_of(*was, keeping_.returning), actions);
    carry_out(actions);
  }
  return {
    [this](queue_parts& parts) { on_parts(parts); },
    [this](queue_changed& changed) { on_changed(changed); },
    [this](enter_queue& call) { on_enter(call); },
    [this](leave_queue how) { on_leave(how); },
    [this](caller_lost& lost) { on_lost(lost); },
    [this](const call_taken& taken) { on_taken(taken); },
    [this](const agent_to_queue& said) { on_agent(said); },
    [this](const ask_queue_state& asked) { return state(asked); },
    [this](const lane::timer_fired& fired) {
      if (fired.id == record_clock) {
        record_.on_time();
        return;
      }
      policy::queue_actions actions;
      desk_.on_time(home().now(), actions);
      carry_out(actions);
    },
  };
}

void queue::on_exit() {
  timer_.cancel();
  record_.finish();
  members_.clear();
  others_.clear();
  calls_.clear();
  watcher_ = nullptr;
}

queue_state queue::state(const ask_queue_state& asked) const {
  const auto now = home().now();
  queue_state told{profile_.name,     desk_.figures(),   desk_.waiting(),
                   desk_.logged_in(), desk_.available(), desk_.longest_wait(now)};
  if (asked.most == 0)
    return told;
  const auto line = desk_.line();
  for (size_t i = asked.first; i < line.size() && told.line.size() < asked.most; ++i)
    if (const auto call = calls_.find(static_cast<uint64_t>(line[i])); call != calls_.end())
      told.line.push_back({call->first, call->second.call_id, call->second.from,
                           call->second.priority, now - call->second.since});
  return told;
}

void queue::on_parts(queue_parts& parts) {
  policy::queue_actions actions;
  others_ = std::move(parts.others);
  for (auto& each : parts.members) {
    monitor(caf::actor_cast<caf::actor>(each.actor));
    const auto number = each.number;
    const auto part = each.part;
    members_.insert_or_assign(static_cast<uint64_t>(number), std::move(each));
    desk_.put_member(home().now(), number, part, actions);
  }
  carry_out(actions);
}

void queue::on_changed(queue_changed& changed) {
  others_ = std::move(changed.parts.others);
  if (changed.leaves) {
    leaves_ = true;
    changed.rules = profile_.rules;
    changed.rules.open = false;
    changed.rules.drains = true;
  } else {
    set_members(changed.parts.members);
  }
  if (changed.rules != profile_.rules) {
    policy::queue_actions actions;
    profile_.rules = changed.rules;
    desk_.set_rules(home().now(), std::move(changed.rules), actions);
    carry_out(actions);
  }
  end_if_left();
}

void queue::set_members(std::vector<queue_parts::member>& all) {
  policy::queue_actions actions;
  const auto now = home().now();
  std::vector<uint64_t> stay;
  stay.reserve(all.size());
  for (const auto& each : all)
    stay.push_back(static_cast<uint64_t>(each.number));
  std::ranges::sort(stay);
  std::vector<uint64_t> gone;
  for (const auto& [number, each] : members_)
    if (!std::ranges::binary_search(stay, number))
      gone.push_back(number);
  std::ranges::sort(gone);
  for (const auto number : gone) {
    const auto member = members_.find(number);
    desk_.remove_member(now, member->second.number, actions);
    carry_out(actions);
    actions.clear();
    // Last, so that it knows what was said to it as a member.
    lane::tell_from(*this, member->second.actor, membership_told{profile_.number, {}});
    demonitor(caf::actor_cast<caf::actor_addr>(member->second.actor));
    members_.erase(member);
  }
  for (auto& each : all) {
    const auto number = static_cast<uint64_t>(each.number);
    const auto known = members_.find(number);
    if (known == members_.end())
      monitor(caf::actor_cast<caf::actor>(each.actor));
    if (known == members_.end() || known->second.priority != each.priority)
      lane::tell_from(*this, each.actor, membership_told{profile_.number, each.priority});
    if (known == members_.end() || known->second.part != each.part)
      desk_.put_member(now, each.number, each.part, actions);
    members_.insert_or_assign(number, std::move(each));
  }
  carry_out(actions);
}

void queue::end_if_left() {
  if (leaves_ && calls_.empty())
    quit();
}

// -- calls -------------------------------------------------------------------------

void queue::on_enter(enter_queue& call) {
  policy::queue_actions actions;
  const auto number = current_sender()->id();
  monitor(caf::actor_cast<caf::actor>(current_sender()));
  const auto place = left_.take(home().now(), call.from).value_or(call.since);
  calls_.insert_or_assign(number, waiting_call{current_sender(), std::move(call.call_id),
                                               std::move(call.from), call.priority, call.since,
                                               std::min(place, call.since), call.promised});
  if (call.returns)
    desk_.take_back(home().now(), returning(number, calls_.at(number)), actions);
  if (call.returns || let_in(number, actions))
    tell(centre_event::kind::entered, calls_.at(number), {}, {}, {},
         desk_.position(policy::call_id{number}).value_or(1));
  carry_out(actions);
}

bool queue::let_in(uint64_t number, policy::queue_actions& actions) {
  const auto& call = calls_.at(number);
  const policy::call_id id{number};
  const auto joined =
    desk_.join(home().now(), {id, call.priority, {}, call.place, call.promised}, actions);
  if (!joined) {
    const auto why = exit_for(joined.error());
    tell(centre_event::kind::refused, call, {}, to_string(joined.error()));
    const auto& to = profile_.rules.overflow_to;
    turn_away(number, why,
              why == queue_exit::no_agents ? to.no_agents
              : why == queue_exit::full    ? to.shrunk
                                           : to.closed);
  }
  return joined.has_value();
}

void queue::turn_away(uint64_t number, queue_exit why, std::string_view to) {
  const auto call = calls_.find(number);
  queue_dismissed said{why, {}};
  const auto next = std::ranges::find(others_, to, &queue_ticket::name);
  if (next != others_.end()) {
    said.next = *next;
    said.next->priority = call->second.priority;
  }
  lane::tell_from(*this, call->second.actor, std::move(said));
  forget(call);
}

void queue::on_leave(leave_queue how) {
  const auto call = calls_.find(current_sender()->id());
  if (call == calls_.end())
    return;
  policy::queue_actions actions;
  const auto now = home().now();
  desk_.leave(now, policy::call_id{call->first},
              how.to_be_called ? policy::leave_reason::withdrawn : policy::leave_reason::hung_up,
              actions);
  if (how.to_be_called)
    tell(centre_event::kind::overflowed, call->second, now - call->second.since, "callback");
  else
    tell(centre_event::kind::abandoned, call->second, now - call->second.since);
  if (is_somebody(call->second.from) && !how.to_be_called)
    left_.leave(now, call->second.from, call->second.place, now + profile_.rules.resume_place);
  forget(call);
  carry_out(actions);
}

void queue::on_lost(caller_lost& lost) {
  policy::queue_actions actions;
  const auto now = home().now();
  auto& call = lost.call;
  const waiting_call gone{current_sender(),     std::move(call.call_id),
                          std::move(call.from), call.priority,
                          call.since,           call.since};
  // In and out at once: the figures have it as one who waits.
  const auto number = gone.actor->id();
  desk_.take_back(now, returning(number, gone), actions);
  desk_.leave(now, policy::call_id{number},
              lost.hung_up ? policy::leave_reason::hung_up : policy::leave_reason::withdrawn,
              actions);
  tell(centre_event::kind::abandoned, gone, now - gone.since,
       lost.hung_up ? std::string_view{} : storage::call_ended::engine_restart);
  carry_out(actions);
}

policy::queue_snapshot::waiting queue::returning(uint64_t number, const waiting_call& call) const {
  const auto& rules = profile_.rules;
  const auto next =
    rules.announce_first > lane::duration::zero() ? rules.announce_first : rules.announce_every;
  return {policy::call_id{number},
          call.priority,
          {},
          call.place,
          call.since,
          next > lane::duration::zero() ? policy::later(home().now(), next) : policy::never};
}

void queue::keep() {
  if (!record_)
    return;
  auto now = record_of(desk_.totals());
  if (kept_ == now)
    return;
  record_.put(storage::pack(now));
  kept_ = std::move(now);
}

void queue::on_taken(const call_taken& taken) {
  offers_.erase(static_cast<uint64_t>(taken.bid));
  const auto call = calls_.find(current_sender()->id());
  if (call == calls_.end())
    return;
  const auto now = home().now();
  // It may wait again, where its agent was given up meanwhile.
  policy::queue_actions actions;
  desk_.leave(now, policy::call_id{call->first}, policy::leave_reason::withdrawn, actions);
  tell(centre_event::kind::connected, call->second, now - call->second.since, {}, taken.agent);
  forget(call);
  carry_out(actions);
}

void queue::forget(calls::iterator call) {
  if (call == calls_.end())
    return;
  demonitor(caf::actor_cast<caf::actor_addr>(call->second.actor));
  calls_.erase(call);
  end_if_left();
}

// An agent or a call whose actor went without a word: an error within.
void queue::on_down(const caf::down_msg& down) {
  policy::queue_actions actions;
  const auto now = home().now();
  if (const auto call = calls_.find(down.source.id()); call != calls_.end()) {
    desk_.leave(now, policy::call_id{call->first}, policy::leave_reason::withdrawn, actions);
    tell(centre_event::kind::abandoned, call->second, now - call->second.since, "internal");
    calls_.erase(call);
    end_if_left();
  }
  const auto member = std::ranges::find_if(
    members_, [&](const auto& each) { return down.source == each.second.actor; });
  const auto agent = member == members_.end() ? policy::agent_id{} : member->second.number;
  if (member != members_.end())
    desk_.remove_member(now, agent, actions);
  carry_out(actions);
  if (member == members_.end())
    return;
  members_.erase(member);
  take_back(agent);
}

void queue::take_back(policy::agent_id agent) {
  std::vector<uint64_t> its;
  for (const auto& [bid, each] : offers_)
    if (each.agent == agent)
      its.push_back(each.call);
  std::erase_if(offers_, [&](const auto& each) { return each.second.agent == agent; });
  policy::queue_actions actions;
  for (const auto call : its)
    if (calls_.contains(call) && !desk_.position(policy::call_id{call}))
      let_in(call, actions);
  carry_out(actions);
}

// -- agents ------------------------------------------------------------------------

void queue::on_agent(const agent_to_queue& said) {
  policy::queue_actions actions;
  const auto now = home().now();
  std::visit(
    [&](const auto& what) {
      using message = std::decay_t<decltype(what)>;
      if constexpr (std::is_same_v<message, agent_to_queue::status>)
        desk_.on_status(now, what.now, what.round, actions);
      else if constexpr (std::is_same_v<message, policy::bid_answer>)
        desk_.on_bid_answer(now, what, actions);
      else
        on_outcome(what);
    },
    said.what);
  carry_out(actions);
}

void queue::on_outcome(const policy::offer_outcome& outcome) {
  using policy::offer_result;
  policy::queue_actions actions;
  desk_.on_outcome(home().now(), outcome, actions);
  carry_out(actions); // it may have been sent on by that
  actions.clear();
  const auto offer = offers_.find(static_cast<uint64_t>(outcome.id));
  if (offer == offers_.end() || outcome.result == offer_result::answered)
    return;
  const auto call = calls_.find(offer->second.call);
  offers_.erase(offer);
  if (call == calls_.end())
    return;
  if (outcome.result != offer_result::caller_gone)
    tell(centre_event::kind::not_taken, call->second, home().now() - call->second.since,
         to_string(outcome.result), name_of(outcome.status.agent));
  // It was to be that agent's, who is gone: it waits again, in its place.
  if (!desk_.position(policy::call_id{call->first}) && let_in(call->first, actions))
    carry_out(actions);
}

template <class Message>
void queue::tell_agent(policy::agent_id agent, Message what, caf::strong_actor_ptr call) {
  const auto member = members_.find(static_cast<uint64_t>(agent));
  if (member != members_.end())
    lane::tell_from(*this, member->second.actor, queue_to_agent{what, std::move(call)});
}

std::string_view queue::name_of(policy::agent_id agent) const {
  const auto member = members_.find(static_cast<uint64_t>(agent));
  return member == members_.end() ? std::string_view{} : member->second.name;
}

void queue::carry_out(policy::queue_actions& actions) {
  // What is done may bring more about.
  for (size_t i = 0; i < actions.size(); ++i) {
    auto action = std::move(actions[i]);
    std::visit(
      [&](auto& what) {
        using kind = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<kind, policy::to_agent<policy::offer>>) {
          const auto call = calls_.find(static_cast<uint64_t>(what.what.call));
          if (call == calls_.end())
            return;
          offers_.emplace(static_cast<uint64_t>(what.what.id), offered{call->first, what.agent});
          tell_agent(what.agent, what.what, call->second.actor);
          tell(centre_event::kind::offered, call->second, home().now() - call->second.since, {},
               name_of(what.agent));
        } else if constexpr (std::is_same_v<kind, policy::to_agent<policy::withdrawal>>) {
          const auto offer = offers_.extract(static_cast<uint64_t>(what.what.id));
          tell_agent(what.agent, what.what);
          using policy::withdrawal_reason;
          const bool waits_on = what.what.why == withdrawal_reason::lease_over ||
                                what.what.why == withdrawal_reason::not_member;
          const auto call = offer && waits_on ? calls_.find(offer.mapped().call) : calls_.end();
          if (call != calls_.end())
            tell(centre_event::kind::not_taken, call->second, home().now() - call->second.since,
                 to_string(policy::offer_result::not_reserved), name_of(what.agent));
        } else if constexpr (std::is_same_v<kind, policy::ask_status>) {
          const auto member = members_.find(static_cast<uint64_t>(what.agent));
          if (member != members_.end())
            lane::tell_from(*this, member->second.actor, ask_agent_status{profile_.number});
        } else if constexpr (std::is_same_v<kind, policy::overflowed>) {
          const auto number = static_cast<uint64_t>(what.call);
          const auto call = calls_.find(number);
          if (call == calls_.end())
            return;
          tell(centre_event::kind::overflowed, call->second, home().now() - call->second.since,
               to_string(what.why));
          turn_away(number, exit_for(what.why), what.to);
        } else if constexpr (std::is_same_v<kind, policy::announce>) {
          const auto call = calls_.find(static_cast<uint64_t>(what.call));
          if (call != calls_.end())
            lane::tell_from(*this, call->second.actor,
                            wait_told{what.position, what.expected_wait});
        } else {
          tell_agent(what.agent, what.what);
        }
      },
      action);
  }
  const auto due = desk_.next_deadline();
  if (due == policy::never)
    timer_.cancel();
  else if (!timer_.armed() || timer_.deadline() != due)
    timer_.arm(due);
  keep();
}

void queue::tell(centre_event::kind what, const waiting_call& call, lane::duration waited,
                 std::string_view detail, std::string_view agent, size_t position) {
  if (!watcher_)
    return;
  centre_event event;
  event.what = what;
  event.at = home().wall_now();
  event.call = call.actor->id();
  event.call_id = call.call_id;
  event.queue = profile_.name;
  event.agent = agent;
  event.from = call.from;
  event.detail = detail;
  event.position = position;
  event.waited = waited;
  lane::tell_from(*this, watcher_, std::move(event));
}

} // namespace jackfield
