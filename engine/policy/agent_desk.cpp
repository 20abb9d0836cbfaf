#include "engine/policy/agent_desk.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace jackfield::policy {

namespace {

/// A status that was sent after the last snapshot is not to be newer than those of the new desk.
constexpr uint64_t versions_since_snapshot = uint64_t{1} << 24U;

offer_result to_offer_result(ring_result result) noexcept {
  switch (result) {
  case ring_result::answered:
    return offer_result::answered;
  case ring_result::rejected:
    return offer_result::rejected;
  case ring_result::busy:
    return offer_result::busy;
  case ring_result::unreachable:
    return offer_result::unreachable;
  case ring_result::caller_gone:
    return offer_result::caller_gone;
  case ring_result::no_answer:
    break;
  }
  return offer_result::no_answer;
}

} // namespace

agent_desk::agent_desk(agent_id id, agent_rules rules) : id_(id), rules_(rules) {}

void agent_desk::set_rules(agent_rules rules) {
  rules_ = rules;
}

// --- what it is ---

agent_state agent_desk::state() const noexcept {
  switch (activity_) {
  case activity::reserved:
    return agent_state::reserved;
  case activity::offered:
    return agent_state::offered;
  case activity::answered:
    return agent_state::answered;
  case activity::in_call:
    return agent_state::in_call;
  case activity::wrap_up:
    return direct_calls_.empty() ? agent_state::wrap_up : agent_state::in_call;
  case activity::idle:
    break;
  }
  if (!direct_calls_.empty())
    return agent_state::in_call;
  if (!logged_in_)
    return agent_state::logged_out;
  if (!reachable_)
    return agent_state::unreachable;
  if (paused_)
    return agent_state::paused;
  return rest_until_ != never ? agent_state::resting : agent_state::ready;
}

time_point agent_desk::state_until() const noexcept {
  switch (state()) {
  case agent_state::reserved:
  case agent_state::offered:
  case agent_state::answered:
  case agent_state::wrap_up:
    return activity_until_;
  case agent_state::resting:
    return rest_until_;
  default:
    return never;
  }
}

presence agent_desk::current_presence() const noexcept {
  switch (state()) {
  case agent_state::logged_out:
  case agent_state::unreachable:
    return presence::away;
  case agent_state::paused:
    return presence::paused;
  case agent_state::ready:
    return presence::available;
  default:
    return presence::busy;
  }
}

agent_status agent_desk::status() const noexcept {
  return {id_, version_, told_presence_, available_since_, answered_calls_, talk_time_};
}

bool agent_desk::may_be_bid_for() const noexcept {
  return state() == agent_state::ready;
}

std::optional<bid_id> agent_desk::reservation() const noexcept {
  if (activity_ == activity::reserved || activity_ == activity::offered ||
      activity_ == activity::answered)
    return held_.id;
  return std::nullopt;
}

std::optional<queue_id> agent_desk::serves() const noexcept {
  if (reservation() || activity_ == activity::in_call)
    return held_.queue;
  return std::nullopt;
}

std::vector<queue_id> agent_desk::queues() const {
  std::vector<queue_id> all;
  all.reserve(queues_.size());
  for (const auto& q : queues_)
    all.push_back(q.id);
  return all;
}

agent_desk::queue_entry* agent_desk::find(queue_id queue) noexcept {
  const auto at = std::ranges::find(queues_, queue, &queue_entry::id);
  return at == queues_.end() ? nullptr : &*at;
}

bool agent_desk::holds(queue_id queue, bid_id id) const noexcept {
  return reservation() == id && held_.queue == queue;
}

// --- after each step ---

void agent_desk::settle(time_point now, agent_actions& out) {
  if (activity_ == activity::idle && direct_calls_.empty()) {
    if (std::exchange(log_out_pending_, false)) {
      logged_in_ = false;
      reachable_ = false;
      paused_ = false;
      pause_pending_ = false;
      rest_until_ = never;
      unanswered_ = 0;
      pause_reason_.clear();
    }
    if (std::exchange(pause_pending_, false))
      paused_ = true;
  }
  const auto is = state();
  if (is != told_) {
    out.emplace_back(state_changed{told_, is, state_until(),
                                   is == agent_state::paused ? pause_reason_ : std::string{}});
    told_ = is;
  }
  const auto present = current_presence();
  const bool keeps_place = std::exchange(keeps_place_, false);
  if (present == told_presence_)
    return;
  told_presence_ = present;
  ++version_;
  if (round_open_)
    refuse_round(bid_verdict::unavailable, out);
  const bool free = present == presence::available;
  if (free && !keeps_place)
    available_since_ = now;
  if (free && !queues_.empty()) {
    round_ = round_id{static_cast<uint64_t>(round_) + 1};
    round_open_ = true;
    round_until_ = later(now, rules_.solicit_bound);
  }
  for (auto& q : queues_) {
    q.answered = false;
    q.best.reset();
    out.emplace_back(status_to_queue{q.id, status(), free ? round_ : no_round});
  }
}

void agent_desk::answer(queue_id queue, bid_id id, bid_verdict verdict, agent_actions& out) const {
  out.emplace_back(to_queue<bid_answer>{queue, {id, verdict, status()}});
}

void agent_desk::report(queue_id queue, bid_id id, offer_result result, agent_actions& out) const {
  out.emplace_back(to_queue<offer_outcome>{queue, {id, result, status()}});
}

// --- rounds and bids ---

void agent_desk::grant(time_point now, const bid& what, agent_actions& out) {
  held_ = {what.queue, what.id, what.call, {}};
  activity_ = activity::reserved;
  activity_until_ = later(now, rules_.reservation_lease);
  settle(now, out);
  answer(what.queue, what.id, bid_verdict::granted, out);
}

void agent_desk::refuse_round(bid_verdict verdict, agent_actions& out) {
  round_open_ = false;
  round_until_ = never;
  for (auto& q : queues_) {
    if (q.best)
      answer(q.id, q.best->id, verdict, out);
    q.best.reset();
  }
}

void agent_desk::decide_round(time_point now, agent_actions& out) {
  queue_entry* best = nullptr;
  const auto rank = [](const queue_entry& q) {
    return std::tuple{-int64_t{q.priority}, -int64_t{q.best->call_priority}, q.best->joined};
  };
  for (auto& q : queues_)
    if (q.best && (best == nullptr || rank(q) < rank(*best)))
      best = &q;
  round_open_ = false;
  round_until_ = never;
  if (best == nullptr)
    return;
  const auto won = *best->best;
  best->best.reset();
  std::vector<std::pair<queue_id, bid_id>> lost;
  for (auto& q : queues_)
    if (q.best) {
      lost.emplace_back(q.id, q.best->id);
      q.best.reset();
    }
  grant(now, won, out);
  for (const auto& [queue, id] : lost)
    answer(queue, id, bid_verdict::outbid, out);
}

void agent_desk::on_bid(time_point now, const bid& what, agent_actions& out) {
  auto* q = find(what.queue);
  if (q == nullptr) {
    // To a queue that it does not serve it is away, whatever it is to others.
    bid_answer none{what.id, bid_verdict::not_member, status()};
    none.status.now = presence::away;
    out.emplace_back(to_queue<bid_answer>{what.queue, none});
    return;
  }
  if (!may_be_bid_for()) {
    answer(what.queue, what.id, reservation() ? bid_verdict::reserved : bid_verdict::unavailable,
           out);
    return;
  }
  if (!round_open_) {
    grant(now, what, out);
    return;
  }
  if (q->best) // a queue bids once at a time: its older bid is over
    answer(q->id, q->best->id, bid_verdict::withdrawn, out);
  q->best = what;
  q->answered = q->answered || what.round == round_;
  if (std::ranges::all_of(queues_, &queue_entry::answered))
    decide_round(now, out);
}

void agent_desk::on_no_bid(time_point now, const no_bid& what, agent_actions& out) {
  auto* q = find(what.queue);
  if (q == nullptr || !round_open_ || what.round != round_)
    return;
  q->answered = true;
  if (std::ranges::all_of(queues_, &queue_entry::answered))
    decide_round(now, out);
}

void agent_desk::on_status_asked(queue_id queue, agent_actions& out) {
  auto is = status();
  if (find(queue) == nullptr)
    is.now = presence::away;
  out.emplace_back(status_to_queue{queue, is, no_round});
}

// --- what a bid leads to ---

void agent_desk::release(time_point now, agent_actions& out) {
  activity_ = activity::idle;
  activity_until_ = never;
  settle(now, out);
}

void agent_desk::rest(time_point now, duration how_long) {
  rest_until_ = later(now, std::max(how_long, agent_rules::least_rest));
}

void agent_desk::on_offer(time_point now, const offer& what, agent_actions& out) {
  if (!holds(what.queue, what.id) || activity_ != activity::reserved) {
    if (!holds(what.queue, what.id))
      report(what.queue, what.id, offer_result::not_reserved, out);
    return;
  }
  held_.wrap_up = what.wrap_up.value_or(rules_.wrap_up);
  activity_ = activity::offered;
  activity_until_ = what.until;
  out.emplace_back(start_ringing{what.queue, what.id, what.call, what.until});
  settle(now, out);
}

void agent_desk::on_withdrawal(time_point now, const withdrawal& what, agent_actions& out) {
  if (holds(what.queue, what.id)) {
    if (activity_ != activity::reserved)
      out.emplace_back(stop_ringing{held_.queue, held_.id, held_.call});
    keeps_place_ = true;
    release(now, out);
    return;
  }
  auto* q = find(what.queue);
  if (q == nullptr)
    return;
  if (q->best && q->best->id == what.id) {
    q->best.reset();
    answer(q->id, what.id, bid_verdict::withdrawn, out);
  }
}

void agent_desk::on_assigned(time_point now, const assignment& what, agent_actions& out) {
  if (!holds(what.queue, what.id) || activity_ != activity::answered) {
    // Again, of the call that it has: nothing new. Else nobody talks to that caller.
    if (activity_ != activity::in_call || held_.queue != what.queue || held_.id != what.id)
      report(what.queue, what.id, offer_result::not_reserved, out);
    return;
  }
  activity_ = activity::in_call;
  activity_until_ = never;
  call_since_ = now;
  ++answered_calls_;
  out.emplace_back(connected{held_.queue, held_.id, held_.call});
  settle(now, out);
}

void agent_desk::on_ring_result(time_point now, queue_id queue, bid_id id, ring_result result,
                                agent_actions& out) {
  // It was assigned meanwhile, and is over: nobody else says so.
  if (activity_ == activity::in_call && held_.queue == queue && held_.id == id &&
      result != ring_result::answered) {
    on_call_ended(now, held_.call, out);
    return;
  }
  if (!holds(queue, id) || activity_ == activity::reserved)
    return;
  if (activity_ == activity::answered && result == ring_result::answered)
    return;
  if (result == ring_result::answered) {
    unanswered_ = 0;
    activity_ = activity::answered;
    activity_until_ = later(now, rules_.reservation_lease);
    settle(now, out);
    report(queue, id, offer_result::answered, out);
    return;
  }
  switch (result) {
  case ring_result::rejected:
    rest(now, rules_.after_rejected);
    break;
  case ring_result::busy:
    rest(now, rules_.after_busy);
    break;
  case ring_result::unreachable:
    rest(now, rules_.after_unreachable);
    break;
  case ring_result::no_answer:
    rest(now, rules_.after_no_answer);
    ++unanswered_;
    if (rules_.most_unanswered > 0 && unanswered_ >= rules_.most_unanswered) {
      unanswered_ = 0;
      paused_ = true;
      pause_reason_ = agent_rules::no_answer_reason;
    }
    break;
  case ring_result::caller_gone:
  case ring_result::answered:
    keeps_place_ = true;
    break;
  }
  release(now, out);
  report(queue, id, to_offer_result(result), out);
}

void agent_desk::begin_wrap_up(time_point now, duration how_long) {
  activity_ = activity::idle;
  activity_until_ = never;
  if (how_long == duration::zero() || log_out_pending_ || !logged_in_)
    return;
  activity_ = activity::wrap_up;
  activity_until_ = later(now, how_long);
}

void agent_desk::on_call_ended(time_point now, call_id call, agent_actions& out) {
  if (held_.call != call)
    return;
  if (activity_ == activity::in_call) {
    talk_time_ += now - call_since_;
    begin_wrap_up(now, held_.wrap_up);
    settle(now, out);
  } else if (activity_ == activity::answered || activity_ == activity::offered) {
    // The caller went before the queue could say that it was this agent's.
    on_ring_result(now, held_.queue, held_.id, ring_result::caller_gone, out);
  }
}

void agent_desk::end_wrap_up(time_point now, agent_actions& out) {
  if (activity_ == activity::wrap_up)
    release(now, out);
}

void agent_desk::on_direct_call(time_point now, call_id call, agent_actions& out) {
  if (std::ranges::find(direct_calls_, call) != direct_calls_.end())
    return;
  direct_calls_.push_back(call);
  if (activity_ == activity::reserved) {
    const auto given_back = held_;
    release(now, out);
    report(given_back.queue, given_back.id, offer_result::not_reserved, out);
    return;
  }
  settle(now, out);
}

void agent_desk::on_direct_call_ended(time_point now, call_id call, agent_actions& out) {
  if (std::erase(direct_calls_, call) == 0)
    return;
  if (direct_calls_.empty() && activity_ == activity::idle)
    begin_wrap_up(now, rules_.wrap_up_direct);
  settle(now, out);
}

// --- its person ---

void agent_desk::log_in(time_point now, agent_actions& out) {
  log_out_pending_ = false;
  if (!std::exchange(logged_in_, true)) {
    answered_calls_ = 0;
    talk_time_ = {};
    unanswered_ = 0;
  }
  reachable_ = true;
  settle(now, out);
}

void agent_desk::log_out(time_point now, agent_actions& out) {
  if (!logged_in_)
    return;
  log_out_pending_ = true;
  const auto given_back = held_;
  if (activity_ == activity::offered || activity_ == activity::reserved) {
    const bool rang = activity_ == activity::offered;
    if (rang)
      out.emplace_back(stop_ringing{given_back.queue, given_back.id, given_back.call});
    release(now, out);
    report(given_back.queue, given_back.id,
           rang ? offer_result::unreachable : offer_result::not_reserved, out);
    return;
  }
  if (activity_ == activity::wrap_up) {
    activity_ = activity::idle;
    activity_until_ = never;
  }
  settle(now, out);
}

void agent_desk::set_reachable(time_point now, bool reachable, agent_actions& out) {
  if (!logged_in_ || reachable_ == reachable)
    return;
  reachable_ = reachable;
  if (!reachable && (activity_ == activity::offered || activity_ == activity::reserved)) {
    const auto given_back = held_;
    const bool rang = activity_ == activity::offered;
    if (rang)
      out.emplace_back(stop_ringing{given_back.queue, given_back.id, given_back.call});
    release(now, out);
    report(given_back.queue, given_back.id,
           rang ? offer_result::unreachable : offer_result::not_reserved, out);
    return;
  }
  settle(now, out);
}

void agent_desk::regain(time_point now, agent_actions& out) {
  keeps_place_ = true;
  set_reachable(now, true, out);
  keeps_place_ = false;
}

void agent_desk::pause(time_point now, std::string_view reason, agent_actions& out) {
  if (!logged_in_)
    return;
  if (paused_ && told_ == agent_state::paused && pause_reason_ != reason) {
    pause_reason_ = reason;
    out.emplace_back(state_changed{told_, told_, never, pause_reason_});
    return;
  }
  pause_reason_ = reason;
  pause_pending_ = !paused_;
  settle(now, out);
}

void agent_desk::unpause(time_point now, agent_actions& out) {
  paused_ = false;
  pause_pending_ = false;
  pause_reason_.clear();
  settle(now, out);
}

// --- its queues ---

void agent_desk::add_queue(time_point now, queue_id queue, int32_t priority, agent_actions& out) {
  if (auto* q = find(queue)) {
    q->priority = priority;
    return;
  }
  queues_.push_back({queue, priority, false, {}});
  // A higher version than that by which the queue may have been told that it is away.
  ++version_;
  if (may_be_bid_for() && !round_open_) {
    round_ = round_id{static_cast<uint64_t>(round_) + 1};
    round_open_ = true;
    round_until_ = later(now, rules_.solicit_bound);
    for (auto& q : queues_)
      q.answered = q.id != queue;
  }
  out.emplace_back(status_to_queue{queue, status(), round_open_ ? round_ : no_round});
}

void agent_desk::remove_queue(time_point now, queue_id queue, agent_actions& out) {
  auto* q = find(queue);
  if (q == nullptr)
    return;
  if (q->best)
    answer(queue, q->best->id, bid_verdict::not_member, out);
  queues_.erase(queues_.begin() + (q - queues_.data()));
  ++version_; // that it is away to that queue is news
  if (reservation() && held_.queue == queue) {
    if (activity_ != activity::reserved)
      out.emplace_back(stop_ringing{held_.queue, held_.id, held_.call});
    const auto given_back = held_;
    keeps_place_ = true;
    release(now, out);
    report(given_back.queue, given_back.id, offer_result::not_reserved, out);
  } else if (round_open_ && std::ranges::all_of(queues_, &queue_entry::answered)) {
    decide_round(now, out);
  }
}

// --- time ---

void agent_desk::on_time(time_point now, agent_actions& out) {
  if (activity_until_ <= now) {
    const auto over = held_;
    switch (activity_) {
    case activity::offered:
      out.emplace_back(stop_ringing{over.queue, over.id, over.call});
      on_ring_result(now, over.queue, over.id, ring_result::no_answer, out);
      break;
    case activity::reserved:
    case activity::answered:
      if (activity_ == activity::answered)
        out.emplace_back(stop_ringing{over.queue, over.id, over.call});
      keeps_place_ = true;
      release(now, out);
      report(over.queue, over.id, offer_result::not_reserved, out);
      break;
    case activity::wrap_up:
      release(now, out);
      break;
    case activity::idle:
    case activity::in_call:
      activity_until_ = never;
      break;
    }
  }
  if (rest_until_ <= now) {
    rest_until_ = never;
    settle(now, out);
  }
  if (round_until_ <= now)
    decide_round(now, out);
}

time_point agent_desk::next_deadline() const noexcept {
  return std::min({activity_until_, rest_until_, round_until_});
}

// --- what outlives it ---

agent_snapshot agent_desk::snapshot() const {
  agent_snapshot all;
  all.logged_in = logged_in_;
  all.reachable = reachable_;
  all.paused = paused_;
  all.pause_pending = pause_pending_;
  all.log_out_pending = log_out_pending_;
  all.pause_reason = pause_reason_;
  if (activity_ == activity::in_call) {
    all.call = held_.call;
    all.call_queue = held_.queue;
    all.call_since = call_since_;
    all.call_wrap_up = held_.wrap_up;
  }
  all.direct_calls = direct_calls_;
  if (activity_ == activity::wrap_up)
    all.wrap_up_until = activity_until_;
  all.rest_until = rest_until_;
  all.available_since = available_since_;
  all.version = version_;
  all.answered_calls = answered_calls_;
  all.talk_time = talk_time_;
  all.unanswered = unanswered_;
  return all;
}

void agent_desk::restore(time_point now, const agent_snapshot& snapshot, agent_actions& out) {
  logged_in_ = snapshot.logged_in;
  reachable_ = snapshot.reachable;
  paused_ = snapshot.paused;
  pause_pending_ = snapshot.pause_pending;
  log_out_pending_ = snapshot.log_out_pending;
  pause_reason_ = snapshot.pause_reason;
  if (snapshot.call) {
    activity_ = activity::in_call;
    held_ = {snapshot.call_queue.value_or(queue_id{}), {}, *snapshot.call, snapshot.call_wrap_up};
    call_since_ = snapshot.call_since;
  } else if (snapshot.wrap_up_until != never) {
    activity_ = activity::wrap_up;
    activity_until_ = snapshot.wrap_up_until;
  }
  direct_calls_ = snapshot.direct_calls;
  rest_until_ = snapshot.rest_until;
  available_since_ = snapshot.available_since;
  version_ = snapshot.version + versions_since_snapshot;
  // Rounds are told apart by it as well: an answer to an old one is none to a new one.
  round_ = round_id{version_};
  answered_calls_ = snapshot.answered_calls;
  talk_time_ = snapshot.talk_time;
  unanswered_ = snapshot.unanswered;
  keeps_place_ = true;
  settle(now, out);
}

agent_snapshot moved(agent_snapshot snapshot, duration by) {
  for (auto* at : {&snapshot.call_since, &snapshot.wrap_up_until, &snapshot.rest_until,
                   &snapshot.available_since})
    if (*at != never)
      *at += by;
  return snapshot;
}

} // namespace jackfield::policy
