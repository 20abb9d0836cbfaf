#include "engine/policy/queue_state.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace jackfield::policy {

namespace {

constexpr int32_t all_tiers = std::numeric_limits<uint16_t>::max();

/// Held at the ends of what time can say: a priority may be any number.
time_point earlier_by(time_point at, int64_t times, duration worth) noexcept {
  int64_t back = 0;
  int64_t left = 0;
  if (__builtin_mul_overflow(times, worth.count(), &back) ||
      __builtin_sub_overflow(at.time_since_epoch().count(), back, &left))
    return times > 0 ? time_point::min() : time_point::max();
  return time_point{duration{left}};
}

} // namespace

queue_desk::state::state(queue_id queue, queue_rules with, uint64_t seed)
    : id(queue), rules(std::move(with)), pool(seed) {
  pool.use(rules.picks);
}

// --- who may serve whom ---

int32_t queue_desk::state::open_tier(const waiting_caller& who) const {
  // Before the first step nobody is to be tried, so nobody's absence opens anything.
  if (who.open_tier < 0 || !rules.skips_empty_tiers)
    return who.open_tier;
  return std::max(who.open_tier, lowest_tier);
}

bool queue_desk::state::may_serve(const queue_member& whom, const waiting_caller& who) const {
  return whom.part.tier <= open_tier(who) &&
         (who.needs.empty() || qualified(whom.part.skills, who.needs));
}

bool queue_desk::state::seeks(const waiting_caller& who) const {
  return !who.leaves && (who.bids.empty() || rules.picks == strategy::ring_all);
}

bool queue_desk::state::serve_caller(time_point now, waiting_caller& who, queue_actions& out) {
  const auto tier = open_tier(who);
  if (tier < 0 || pool.size() == 0 || !seeks(who))
    return false;
  const auto up_to = static_cast<uint16_t>(tier);
  if (rules.picks != strategy::ring_all) {
    auto* whom = pool.pick(up_to, who.needs);
    if (whom == nullptr)
      return false;
    make_bid(now, who, *whom, no_round, out);
    return true;
  }
  std::vector<queue_member*> all;
  pool.collect(up_to, who.needs, all);
  for (auto* whom : all)
    make_bid(now, who, *whom, no_round, out);
  return !all.empty();
}

bool queue_desk::state::serve_member(time_point now, queue_member& whom, round_id round,
                                     queue_actions& out) {
  if (!whom.pooled)
    return false;
  for (const auto& [stands, who] : rules.picks == strategy::ring_all ? line : open) {
    if (seeks(*who) && may_serve(whom, *who)) {
      make_bid(now, *who, whom, round, out);
      return true;
    }
  }
  return false;
}

void queue_desk::state::serve_all(time_point now, queue_actions& out) {
  std::vector<waiting_caller*> all;
  all.reserve(line.size());
  for (const auto& entry : rules.picks == strategy::ring_all ? line : open)
    all.push_back(entry.who);
  for (auto* who : all) {
    if (pool.size() == 0)
      return;
    serve_caller(now, *who, out);
  }
}

// --- bids ---

void queue_desk::state::make_bid(time_point now, waiting_caller& who, queue_member& whom,
                                 round_id round, queue_actions& out) {
  const auto number = bid_id{++last_bid};
  pool.remove(whom);
  pool.took(whom);
  whom.bid = number;
  who.bids.push_back(number);
  set_open(who, false);
  auto& b = bids[number];
  b.id = number;
  b.who = &who;
  b.whom = &whom;
  bid_agenda.set(b, later(now, rules.answer_lease));
  out.emplace_back(to_agent<bid>{whom.id, {id, number, who.id, who.priority, who.joined, round}});
}

void queue_desk::state::make_offer(time_point now, live_bid& b, queue_actions& out) {
  const auto until = later(now, rules.ring_time);
  b.offered = true;
  bid_agenda.set(b, later(until, rules.answer_lease));
  out.emplace_back(to_agent<offer>{b.whom->id, {id, b.id, b.who->id, until, rules.wrap_up}});
}

void queue_desk::state::withdraw(agent_id agent, bid_id number, withdrawal_reason why,
                                 queue_actions& out) const {
  out.emplace_back(to_agent<withdrawal>{agent, {id, number, why}});
}

void queue_desk::state::forget_bid(live_bid& b) {
  if (b.who != nullptr)
    std::erase(b.who->bids, b.id);
  b.whom->bid.reset();
  bid_agenda.clear(b);
  bids.erase(bid_id{b.id}); // a copy: what it refers to goes
}

void queue_desk::state::cancel_bid(live_bid& b, withdrawal_reason why, queue_actions& out) {
  if (b.who == nullptr)
    return;
  withdraw(b.whom->id, b.id, why, out);
  if (b.offered) {
    auto& whom = *b.whom;
    forget_bid(b);
    set_pooled(whom);
    return;
  }
  std::erase(b.who->bids, b.id);
  b.who = nullptr;
}

void queue_desk::state::end_bid(time_point now, live_bid& b, queue_actions& out) {
  auto* who = b.who;
  forget_bid(b);
  if (who != nullptr)
    resume(now, *who, out);
}

// --- callers ---

place queue_desk::state::place_of(const waiting_caller& who) const noexcept {
  if (rules.priority_worth == duration::zero())
    return {-int64_t{who.priority}, who.joined, who.stands.order};
  return {0, earlier_by(who.joined, who.priority, rules.priority_worth), who.stands.order};
}

void queue_desk::state::set_open(waiting_caller& who, bool is_open) {
  if (who.open == is_open)
    return;
  who.open = is_open;
  if (is_open)
    open.insert(who);
  else
    open.erase(who);
}

void queue_desk::state::stand(waiting_caller& who) {
  who.stands = place_of(who);
  line.insert(who);
}

void queue_desk::state::resume(time_point now, waiting_caller& who, queue_actions& out) {
  if (!who.bids.empty())
    return;
  if (who.leaves) {
    send_on(now, who, *who.leaves, out);
    return;
  }
  set_open(who, true);
  if (serve_caller(now, who, out) || who.found_nobody)
    return;
  who.found_nobody = true;
  ++found_nobody;
  estimate.begin(now);
}

void queue_desk::state::assign(time_point now, waiting_caller& who, live_bid& b,
                               queue_actions& out) {
  const auto waited = now - who.entered;
  out.emplace_back(assigned{b.whom->id, {id, b.id, who.id}, waited});
  figures.count_answered(waited, rules.service_level_within);
  if (who.found_nobody)
    estimate.departed(now);
  forget_bid(b);
  remove(who, withdrawal_reason::answered_elsewhere, out);
}

void queue_desk::state::send_on(time_point now, waiting_caller& who, overflow_reason why,
                                queue_actions& out) {
  const auto waited = now - who.entered;
  figures.count_overflowed(waited);
  out.emplace_back(overflowed{who.id, why, rules.overflow_to.of(why), waited});
  remove(who, withdrawal_reason::caller_left, out);
}

void queue_desk::state::remove(waiting_caller& who, withdrawal_reason why, queue_actions& out) {
  while (!who.bids.empty())
    cancel_bid(bids.at(who.bids.back()), why, out);
  set_open(who, false);
  line.erase(who);
  caller_agenda.clear(who);
  if (who.found_nobody && --found_nobody == 0)
    estimate.end();
  callers.erase(call_id{who.id}); // a copy: what it refers to goes
  if (line.empty())
    no_agents_at = never;
}

void queue_desk::state::must_leave(time_point now, waiting_caller& who, overflow_reason why,
                                   queue_actions& out) {
  who.leaves = why;
  set_deadline(who);
  if (who.bids.empty())
    send_on(now, who, why, out);
}

bool queue_desk::state::widen(time_point now, waiting_caller& who) {
  const auto waited = now - who.joined;
  const auto tier_steps = who.tier_steps;
  const auto skill_steps = who.skill_steps;
  if (rules.tiers.empty())
    who.open_tier = all_tiers;
  for (; who.tier_steps < rules.tiers.size(); ++who.tier_steps) {
    const auto& step = rules.tiers[who.tier_steps];
    if (step.after > waited)
      break;
    who.open_tier = std::max<int32_t>(who.open_tier, step.up_to);
  }
  while (who.skill_steps < rules.skill_steps.size() &&
         rules.skill_steps[who.skill_steps].after <= waited)
    ++who.skill_steps;
  if (who.skill_steps != skill_steps)
    who.needs = relaxed(who.wants, rules.skill_steps, who.skill_steps);
  who.widen_at = never;
  if (who.tier_steps < rules.tiers.size())
    who.widen_at = later(who.joined, rules.tiers[who.tier_steps].after);
  if (who.skill_steps < rules.skill_steps.size() && !who.needs.empty())
    who.widen_at =
      std::min(who.widen_at, later(who.joined, rules.skill_steps[who.skill_steps].after));
  return who.tier_steps != tier_steps || who.skill_steps != skill_steps;
}

void queue_desk::state::set_deadline(waiting_caller& who) {
  caller_agenda.set(who, who.leaves ? who.announce_at
                                    : std::min({who.widen_at, who.announce_at, who.overdue_at}));
}

void queue_desk::state::on_caller_due(time_point now, waiting_caller& who, queue_actions& out) {
  if (!who.leaves && who.overdue_at <= now) {
    must_leave(now, who, overflow_reason::max_wait, out);
    return;
  }
  if (who.announce_at <= now) {
    const auto at = line.before(who.stands) + 1;
    out.emplace_back(announce{who.id, static_cast<uint32_t>(at), estimate.at(now, at)});
    // What was missed is not made good for: nobody wants to hear it twice.
    who.announce_at =
      rules.announce_every > duration::zero() ? later(now, rules.announce_every) : never;
  }
  const bool wider = who.widen_at <= now && widen(now, who);
  set_deadline(who);
  if (wider)
    serve_caller(now, who, out);
}

void queue_desk::state::close_to_some(time_point now, queue_actions& out) {
  const bool all = !rules.open && !rules.drains;
  const size_t room = all                       ? 0
                      : rules.most_waiting == 0 ? line.size()
                                                : std::min<size_t>(rules.most_waiting, line.size());
  std::vector<waiting_caller*> surplus;
  for (auto at = line.begin() + static_cast<std::ptrdiff_t>(room); at != line.end(); ++at)
    surplus.push_back(at->who);
  for (auto* who : surplus)
    must_leave(now, *who, all ? overflow_reason::closed : overflow_reason::shrunk, out);
}

// --- members ---

queue_member* queue_desk::state::find_member(agent_id agent) {
  const auto at = members.find(agent);
  return at == members.end() ? nullptr : &at->second;
}

void queue_desk::state::count(const queue_member& whom, int by) {
  if (!whom.known) {
    unknown += static_cast<size_t>(by);
    return;
  }
  if (whom.status.now == presence::away)
    return;
  logged_in += static_cast<size_t>(by);
  working += whom.status.now == presence::paused ? 0 : static_cast<size_t>(by);
  auto& of_tier = logged_in_of_tier[whom.part.tier];
  of_tier += static_cast<size_t>(by);
  if (of_tier == 0)
    logged_in_of_tier.erase(whom.part.tier);
}

void queue_desk::state::set_pooled(queue_member& whom) {
  const bool ready =
    whom.known && whom.status.now == presence::available && !whom.bid && !whom.silent;
  if (ready && !whom.pooled)
    pool.add(whom);
  else if (!ready)
    pool.remove(whom);
}

void queue_desk::state::hear(queue_member& whom, const agent_status& status) {
  if (whom.silent) {
    whom.silent = false;
    member_agenda.clear(whom);
  }
  if (!whom.known || status.version > whom.status.version) {
    count(whom, -1);
    pool.remove(whom); // it stands there by what is about to change
    whom.status = status;
    whom.known = true;
    count(whom, 1);
  }
  set_pooled(whom);
}

void queue_desk::state::leave_alone(time_point now, queue_member& whom) {
  whom.silent = true;
  member_agenda.set(whom, later(now, rules.silent_rest));
  set_pooled(whom);
}

bool queue_desk::state::attended(attendance need) const noexcept {
  return need == attendance::none || (need == attendance::logged_in ? logged_in : working) > 0;
}

bool queue_desk::state::asks_still(time_point now) const noexcept {
  return unknown > 0 && now < asked_until;
}

void queue_desk::state::check_attendance(time_point now, queue_actions& out) {
  const auto lowest = logged_in_of_tier.empty() ? -1 : int32_t{logged_in_of_tier.begin()->first};
  const bool opened = lowest > lowest_tier;
  lowest_tier = lowest;
  if (opened && rules.skips_empty_tiers)
    serve_all(now, out);
  if (attended(rules.stay_needs) || line.empty()) {
    no_agents_at = never;
    return;
  }
  if (no_agents_at == never)
    no_agents_at = std::max(later(now, rules.without_agents), asks_still(now) ? asked_until : now);
  if (no_agents_at > now)
    return;
  std::vector<waiting_caller*> all;
  for (const auto& entry : line)
    all.push_back(entry.who);
  for (auto* who : all)
    must_leave(now, *who, overflow_reason::no_agents, out);
  no_agents_at = never;
}

} // namespace jackfield::policy
