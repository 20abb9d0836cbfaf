#include "engine/policy/queue_desk.hpp"

#include <algorithm>
#include <utility>

#include "engine/policy/queue_state.hpp"

namespace jackfield::policy {

namespace {

/// Bids that were made after the last snapshot are not to be taken for those of the new desk.
constexpr uint64_t bids_since_snapshot = uint64_t{1} << 24U;

} // namespace

queue_desk::queue_desk(queue_id id, queue_rules rules, uint64_t seed)
    : state_(std::make_unique<state>(id, std::move(rules), seed)) {}

queue_desk::~queue_desk() = default;
queue_desk::queue_desk(queue_desk&&) noexcept = default;
queue_desk& queue_desk::operator=(queue_desk&&) noexcept = default;

void queue_desk::set_rules(time_point now, queue_rules rules, queue_actions& out) {
  auto& s = *state_;
  const bool other_announcements = rules.announce_every != s.rules.announce_every ||
                                   rules.announce_first != s.rules.announce_first;
  s.rules = std::move(rules);
  s.pool.use(s.rules.picks);
  for (auto& [agent, whom] : s.members)
    s.set_pooled(whom);
  s.line.clear();
  s.open.clear();
  std::vector<waiting_caller*> all;
  all.reserve(s.callers.size());
  for (auto& [call, who] : s.callers) {
    who.leaves.reset();
    who.open_tier = -1;
    who.tier_steps = 0;
    who.skill_steps = 0;
    if (who.wants_by_rules)
      who.wants = s.rules.wants;
    who.needs = who.wants;
    s.widen(now, who);
    who.overdue_at =
      s.rules.max_wait > duration::zero() ? later(who.entered, s.rules.max_wait) : never;
    if (other_announcements)
      who.announce_at =
        s.rules.announce_every > duration::zero() ? later(now, s.rules.announce_every) : never;
    s.caller_agenda.clear(who); // it stands there by what is about to change
    who.stands = s.place_of(who);
    s.set_deadline(who);
    all.push_back(&who);
  }
  std::ranges::sort(all, {}, [](const waiting_caller* who) { return who->stands; });
  for (auto* who : all) { // each at the end
    s.line.insert(*who);
    if (std::exchange(who->open, false))
      s.set_open(*who, true);
  }
  s.close_to_some(now, out);
  s.serve_all(now, out);
  s.no_agents_at = never;
  s.check_attendance(now, out);
}

void queue_desk::put_member(time_point now, agent_id agent, membership part, queue_actions& out) {
  auto& s = *state_;
  const auto [at, is_new] = s.members.try_emplace(agent);
  auto& whom = at->second;
  if (is_new) {
    whom.id = agent;
    whom.number = ++s.last_member;
    whom.part = std::move(part);
    s.count(whom, 1);
    s.asked_until = later(now, s.rules.answer_lease);
    out.emplace_back(ask_status{agent});
    return;
  }
  s.count(whom, -1);
  s.pool.remove(whom);
  whom.part = std::move(part);
  s.count(whom, 1);
  s.set_pooled(whom);
  s.serve_member(now, whom, no_round, out);
  s.check_attendance(now, out);
}

void queue_desk::remove_member(time_point now, agent_id agent, queue_actions& out) {
  auto& s = *state_;
  auto* whom = s.find_member(agent);
  if (whom == nullptr)
    return;
  waiting_caller* who = nullptr;
  if (whom->bid) {
    auto& b = s.bids.at(*whom->bid);
    who = b.who;
    if (who != nullptr)
      s.withdraw(agent, b.id, withdrawal_reason::not_member, out);
    s.forget_bid(b);
  }
  s.count(*whom, -1);
  s.pool.remove(*whom);
  s.member_agenda.clear(*whom);
  s.members.erase(agent);
  if (who != nullptr)
    s.resume(now, *who, out);
  s.check_attendance(now, out);
}

tl::expected<void, join_refusal> queue_desk::join(time_point now, const caller& who,
                                                  queue_actions& out) {
  auto& s = *state_;
  const auto refuse = [&s](join_refusal why) {
    ++s.figures.refused;
    return tl::unexpected{why};
  };
  if (s.callers.contains(who.id))
    return tl::unexpected{join_refusal::already_waiting};
  if (!s.rules.open && !who.promised)
    return refuse(join_refusal::closed);
  if (s.rules.most_waiting > 0 && s.line.size() >= s.rules.most_waiting && !who.promised)
    return refuse(join_refusal::full);
  if (!s.attended(s.rules.join_needs) && !s.asks_still(now) && !who.promised)
    return refuse(s.logged_in == 0 ? join_refusal::nobody_logged_in : join_refusal::nobody_working);

  waiting_caller comes;
  comes.id = who.id;
  comes.priority = who.priority;
  comes.wants_by_rules = who.wants.empty();
  comes.wants = comes.wants_by_rules ? s.rules.wants : who.wants;
  comes.needs = comes.wants;
  comes.joined = std::min(who.joined, now);
  comes.entered = now;
  comes.stands.order = ++s.last_order;
  comes.stands = s.place_of(comes);
  if (s.rules.most_expected_wait > duration::zero() && !who.promised) {
    const auto wait = expected_wait(now, s.line.before(comes.stands) + 1);
    if (wait && *wait > s.rules.most_expected_wait)
      return refuse(join_refusal::wait_too_long);
  }
  ++s.figures.offered;
  auto& waits = s.callers.emplace(who.id, std::move(comes)).first->second;
  s.stand(waits);
  if (s.rules.max_wait > duration::zero())
    waits.overdue_at = later(now, s.rules.max_wait);
  if (s.rules.announce_first > duration::zero())
    waits.announce_at = later(now, s.rules.announce_first);
  else if (s.rules.announce_every > duration::zero())
    waits.announce_at = later(now, s.rules.announce_every);
  s.widen(now, waits);
  s.set_deadline(waits);
  s.resume(now, waits, out);
  s.check_attendance(now, out);
  return {};
}

bool queue_desk::leave(time_point now, call_id call, leave_reason why, queue_actions& out) {
  auto& s = *state_;
  const auto at = s.callers.find(call);
  if (at == s.callers.end())
    return false;
  const auto waited = now - at->second.entered;
  if (why == leave_reason::hung_up)
    s.figures.count_abandoned(waited, s.rules.service_level_within);
  else
    s.figures.count_withdrawn(waited);
  s.remove(at->second, withdrawal_reason::caller_left, out);
  return true;
}

bool queue_desk::set_priority(time_point /*now*/, call_id call, int32_t priority,
                              queue_actions& /*out*/) {
  auto& s = *state_;
  const auto at = s.callers.find(call);
  if (at == s.callers.end())
    return false;
  // Nobody is served by it: who could be had a bid before.
  auto& who = at->second;
  const bool was_open = who.open;
  s.set_open(who, false);
  s.line.erase(who);
  s.caller_agenda.clear(who);
  who.priority = priority;
  s.stand(who);
  s.set_deadline(who);
  s.set_open(who, was_open);
  return true;
}

void queue_desk::on_status(time_point now, const agent_status& what, round_id round,
                           queue_actions& out) {
  auto& s = *state_;
  bool bid_for = false;
  if (auto* whom = s.find_member(what.agent)) {
    s.hear(*whom, what);
    bid_for = s.serve_member(now, *whom, round, out);
  }
  if (round != no_round && !bid_for)
    out.emplace_back(to_agent<no_bid>{what.agent, {s.id, round}});
  s.check_attendance(now, out);
}

void queue_desk::on_bid_answer(time_point now, const bid_answer& what, queue_actions& out) {
  auto& s = *state_;
  auto* whom = s.find_member(what.status.agent);
  const bool granted = what.verdict == bid_verdict::granted;
  if (whom == nullptr) {
    if (granted)
      s.withdraw(what.status.agent, what.id, withdrawal_reason::not_member, out);
    return;
  }
  s.hear(*whom, what.status);
  if (whom->bid != what.id) {
    // Too late, and another caller may have been brought to somebody else since.
    if (granted)
      s.withdraw(whom->id, what.id, withdrawal_reason::lease_over, out);
  } else if (auto& b = s.bids.at(what.id); !b.offered) {
    if (granted && b.who != nullptr) {
      s.make_offer(now, b, out);
    } else {
      // A withdrawal may have overtaken its bid: it is said again.
      if (granted)
        s.withdraw(whom->id, what.id, withdrawal_reason::caller_left, out);
      // One that will not, and yet is available for all that it says, is not asked in a loop.
      else if (what.verdict != bid_verdict::withdrawn && whom->status.now == presence::available &&
               whom->status.version <= what.status.version)
        s.leave_alone(now, *whom);
      s.end_bid(now, b, out);
    }
  }
  s.set_pooled(*whom);
  s.serve_member(now, *whom, no_round, out);
  s.check_attendance(now, out);
}

void queue_desk::on_outcome(time_point now, const offer_outcome& what, queue_actions& out) {
  auto& s = *state_;
  auto* whom = s.find_member(what.status.agent);
  const bool answered = what.result == offer_result::answered;
  if (whom != nullptr)
    s.hear(*whom, what.status);
  if (whom == nullptr || whom->bid != what.id) {
    if (answered)
      s.withdraw(what.status.agent, what.id, withdrawal_reason::lease_over, out);
  } else {
    auto& b = s.bids.at(what.id);
    if (b.who == nullptr) {
      s.forget_bid(b);
    } else if (answered) {
      s.assign(now, *b.who, b, out);
    } else if (what.result == offer_result::caller_gone) {
      const auto call = b.who->id;
      s.forget_bid(b);
      leave(now, call, leave_reason::hung_up, out);
    } else {
      s.end_bid(now, b, out);
    }
  }
  if (whom != nullptr) {
    s.set_pooled(*whom);
    s.serve_member(now, *whom, no_round, out);
  }
  s.check_attendance(now, out);
}

void queue_desk::on_time(time_point now, queue_actions& out) {
  auto& s = *state_;
  while (auto* b = s.bid_agenda.take(now)) {
    auto& whom = *b->whom;
    if (b->who != nullptr)
      s.withdraw(whom.id, b->id, withdrawal_reason::lease_over, out);
    s.leave_alone(now, whom);
    auto* who = b->who;
    s.forget_bid(*b);
    if (who != nullptr)
      s.resume(now, *who, out);
  }
  while (auto* whom = s.member_agenda.take(now)) {
    whom->silent = false;
    s.set_pooled(*whom);
    s.serve_member(now, *whom, no_round, out);
  }
  while (auto* who = s.caller_agenda.take(now))
    s.on_caller_due(now, *who, out);
  if (s.no_agents_at <= now)
    s.check_attendance(now, out);
}

time_point queue_desk::next_deadline() const noexcept {
  const auto& s = *state_;
  return std::min(
    {s.bid_agenda.next(), s.member_agenda.next(), s.caller_agenda.next(), s.no_agents_at});
}

queue_id queue_desk::id() const noexcept {
  return state_->id;
}

const queue_rules& queue_desk::rules() const noexcept {
  return state_->rules;
}

size_t queue_desk::waiting() const noexcept {
  return state_->line.size();
}

size_t queue_desk::members() const noexcept {
  return state_->members.size();
}

size_t queue_desk::available() const noexcept {
  return state_->pool.size();
}

size_t queue_desk::logged_in() const noexcept {
  return state_->logged_in;
}

size_t queue_desk::working() const noexcept {
  return state_->working;
}

size_t queue_desk::bids() const noexcept {
  return state_->bids.size();
}

std::optional<size_t> queue_desk::position(call_id call) const {
  const auto at = state_->callers.find(call);
  if (at == state_->callers.end())
    return std::nullopt;
  return state_->line.before(at->second.stands) + 1;
}

std::optional<duration> queue_desk::expected_wait(time_point now, size_t position) const {
  const auto& s = *state_;
  if (s.pool.size() > 0 && s.open.empty())
    return duration::zero();
  return s.estimate.at(now, position);
}

duration queue_desk::longest_wait(time_point now) const {
  duration longest{};
  for (const auto& [stands, who] : state_->line)
    longest = std::max(longest, now - who->entered);
  return longest;
}

std::vector<call_id> queue_desk::line() const {
  std::vector<call_id> calls;
  calls.reserve(state_->line.size());
  for (const auto& [stands, who] : state_->line)
    calls.push_back(who->id);
  return calls;
}

const queue_figures& queue_desk::figures() const noexcept {
  return state_->figures;
}

queue_figures queue_desk::take_figures() noexcept {
  return std::exchange(state_->figures, {});
}

queue_snapshot queue_desk::snapshot() const {
  const auto& s = *state_;
  auto all = totals();
  all.line.reserve(s.line.size());
  for (const auto& [stands, who] : s.line)
    all.line.push_back({who->id, who->priority,
                        who->wants_by_rules ? std::vector<wanted_skill>{} : who->wants, who->joined,
                        who->entered, who->announce_at});
  all.members.reserve(s.members.size());
  for (const auto& [agent, whom] : s.members)
    all.members.push_back({agent, whom.number, whom.part});
  std::ranges::sort(all.members, {}, &queue_snapshot::member::order);
  return all;
}

queue_snapshot queue_desk::totals() const {
  const auto& s = *state_;
  queue_snapshot all;
  all.turns = s.pool.turns();
  all.last_bid = s.last_bid;
  all.figures = s.figures;
  all.estimate = s.estimate;
  return all;
}

void queue_desk::restore(time_point now, const queue_snapshot& snapshot, queue_actions& out) {
  auto& s = *state_;
  s.last_bid = snapshot.last_bid + bids_since_snapshot;
  s.figures = snapshot.figures;
  s.estimate = snapshot.estimate;
  s.pool.set_turns(snapshot.turns);
  for (const auto& was : snapshot.members) {
    s.last_member = was.order - 1;
    put_member(now, was.id, was.part, out);
  }
  for (const auto& was : snapshot.line)
    s.take_back(now, was, out);
  s.close_to_some(now, out);
  s.check_attendance(now, out);
}

void queue_desk::take_back(time_point now, const queue_snapshot::waiting& who, queue_actions& out) {
  auto& s = *state_;
  if (s.callers.contains(who.id))
    return;
  s.take_back(now, who, out);
  s.close_to_some(now, out);
  s.check_attendance(now, out);
}

void queue_desk::state::take_back(time_point now, const queue_snapshot::waiting& was,
                                  queue_actions& out) {
  auto& who = callers[was.id];
  who.id = was.id;
  who.priority = was.priority;
  who.wants_by_rules = was.wants.empty();
  who.wants = who.wants_by_rules ? rules.wants : was.wants;
  who.joined = was.joined;
  who.entered = was.entered;
  who.announce_at = was.announce_at;
  who.needs = who.wants;
  who.stands.order = ++last_order;
  stand(who);
  widen(now, who);
  if (rules.max_wait > duration::zero())
    who.overdue_at = later(who.entered, rules.max_wait);
  set_deadline(who);
  resume(now, who, out);
}

} // namespace jackfield::policy
