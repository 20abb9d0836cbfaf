#include "actors/live/live_day.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include <caf/send.hpp>
#include <caf/system_messages.hpp>

#include "actors/live/live_callers.hpp"
#include "engine/simulation/centre_day.hpp"
#include "engine/simulation/timer_heap.hpp"

namespace jackfield {

namespace {

using policy::agent_state;
using simulation::centre_plan;
using simulation::live_call;
using std::chrono::steady_clock;

/// How often it is asked whether it is to end.
constexpr std::chrono::milliseconds poll_interval{50};
/// So long a queue may leave callers waiting and agents free. What has these agents as its members
/// rings them before, but for wrap-ups of its own.
constexpr std::chrono::seconds longest_standstill{60};

class live_floor;
using live_centre_day = simulation::centre_day<live_floor>;

/// Callers and agents by their calls. Timers: an agent's wrap-up each, then those of the day.
class live_floor {
public:
  live_floor(live_centre_day& day, const centre_plan& plan,
             const simulation::call_samples& /*samples*/, caf::scoped_actor& self,
             const std::vector<caf::actor>& callers, const live_watch& watch, live_day_result& told)
      : day_(day), plan_(plan), self_(self), placers_(callers), watch_(watch), told_(told),
        origin_(steady_clock::now()), last_(origin_), phones_(plan.agents.size()),
        still_since_(origin_) {}

  // For the day.
  [[nodiscard]] lane::time_point origin() const noexcept { return origin_; }
  void open() {} // they are registered
  /// Waits for it.
  [[nodiscard]] lane::time_point next();
  void step();
  void set(uint32_t timer, lane::time_point at) { set_timer(own_timers() + timer, at); }
  void enter(uint32_t slot, const live_call& call, lane::time_point since);
  void leave(uint32_t slot, uint32_t queue);
  void end_talk(uint32_t slot, uint32_t agent);
  void answer(uint32_t /*agent*/) {} // the phone does: it has drawn the same (`live_answers`)
  void end_wrap_up(uint32_t agent) { become(agent, agent_state::ready); }
  void log_in(uint32_t agent, bool /*reachable*/) { become(agent, agent_state::ready); }
  void log_out(uint32_t agent) { become(agent, agent_state::logged_out); }
  void pause(uint32_t agent, const std::string& /*reason*/) { become(agent, agent_state::paused); }
  void unpause(uint32_t agent) { become(agent, agent_state::ready); }
  void set_reachable(uint32_t /*agent*/, bool /*reachable*/) {}

private:
  struct caller {
    enum class state : uint8_t { waits, talks, done };

    uint32_t slot = 0;
    uint64_t number = 0;
    uint32_t queue = 0;
    uint32_t agent = live_call::nobody;
    state is = state::waits;
    bool at_once = false; // somebody was free when it came
    bool let_in = false;  // the day knows
    uint32_t phones = 0;  // ring for it, or have it
  };
  struct phone {
    agent_state state = agent_state::logged_out;
    uint64_t ticket = 0; // whose call it has
    caf::actor_id call = 0;
  };
  using event = std::variant<user_rung, user_talks, user_free, caller_answered, caller_gone>;

  [[nodiscard]] uint32_t own_timers() const noexcept {
    return static_cast<uint32_t>(plan_.agents.size());
  }
  void set_timer(uint32_t timer, lane::time_point at) {
    timers_.set(timer, at);
    due_.reset();
  }
  [[nodiscard]] lane::time_point wait();
  void receive(lane::time_point until);
  void look_on();
  void take(const user_rung& rung);
  void take(const user_talks& talks);
  void take(const user_free& free);
  void take(const caller_answered& answered);
  void take(const caller_gone& gone);

  /// Null: it is over.
  caller* find(uint64_t ticket) {
    const auto found = callers_.find(ticket);
    return found == callers_.end() ? nullptr : &found->second;
  }
  static bool is_unserved(const std::pair<const uint64_t, caller>& each) {
    return each.second.is == caller::state::waits && each.second.phones == 0;
  }
  /// Callers who wait, and for whom nothing rings.
  [[nodiscard]] size_t unserved() const {
    return static_cast<size_t>(std::ranges::count_if(callers_, is_unserved));
  }
  [[nodiscard]] uint64_t caller_for(const user_rung& rung);
  void let_in(caller& who);
  void hang_up(uint64_t ticket);
  void put_down(uint32_t agent);
  void let_in_all();
  void become(uint32_t agent, agent_state to);

  live_centre_day& day_;
  const centre_plan& plan_;
  caf::scoped_actor& self_;
  const std::vector<caf::actor>& placers_; // of callers
  const live_watch& watch_;
  live_day_result& told_;
  lane::time_point origin_;
  lane::time_point last_;
  /// What `next` said, until it is done: the same, whatever has come since.
  std::optional<lane::time_point> due_;
  simulation::timer_heap timers_;
  std::deque<std::pair<lane::time_point, event>> inbox_;
  std::map<uint64_t, caller> callers_; // by ticket: as they came
  std::vector<uint64_t> tickets_;      // by slot, the latest
  std::vector<phone> phones_;
  size_t ready_ = 0; // agents
  lane::time_point next_look_{};
  lane::time_point still_since_; // callers wait, agents are free, and nothing rings
};

// -- time ----------------------------------------------------------------------------

lane::time_point live_floor::next() {
  if (!due_)
    due_ = wait();
  return *due_;
}

lane::time_point live_floor::wait() {
  while (inbox_.empty()) {
    const auto due = timers_.next();
    if (due == policy::never && callers_.empty())
      return policy::never;
    if (!told_.cut && (told_.lost || watch_.cut()))
      told_.cut = true;
    if (told_.cut || told_.left_waiting > 0) {
      let_in_all();
      return policy::never;
    }
    if (due <= steady_clock::now())
      return std::max(due, last_);
    look_on();
    receive(std::min(due, lane::time_point{steady_clock::now() + poll_interval}));
  }
  return std::max(std::min(inbox_.front().first, timers_.next()), last_);
}

void live_floor::receive(lane::time_point until) {
  const auto keep = [this](auto&& what) {
    inbox_.emplace_back(steady_clock::now(), std::forward<decltype(what)>(what));
  };
  const auto wait = std::max(until - steady_clock::now(), steady_clock::duration::zero());
  self_->receive(
    [&](const user_rung& what) { keep(what); }, [&](const user_talks& what) { keep(what); },
    [&](const user_free& what) { keep(what); }, [&](const caller_answered& what) { keep(what); },
    [&](const caller_gone& what) { keep(what); }, [](const users_standing&) {},
    [&](const user_failed&) { ++told_.unregistered; },
    [&](const caf::down_msg&) { told_.lost = true; },
    caf::after(std::chrono::duration_cast<std::chrono::microseconds>(wait)) >> [] {});
}

/// Nobody is refused any more: who is there waits, and is in the figures so.
void live_floor::let_in_all() {
  for (auto& [ticket, who] : callers_)
    if (who.is == caller::state::waits)
      let_in(who);
}

void live_floor::look_on() {
  const auto now = steady_clock::now();
  if (now < next_look_)
    return;
  next_look_ = now + poll_interval;
  live_progress at{now - origin_, told_.came, 0, 0, ready_};
  for (const auto& [ticket, who] : callers_) {
    at.waiting += who.is == caller::state::waits ? 1 : 0;
    at.talking += who.is == caller::state::talks ? 1 : 0;
  }
  watch_.tell(at);
  const auto left = ready_ > 0 ? unserved() : 0;
  if (left == 0)
    still_since_ = now;
  else if (now - still_since_ >= longest_standstill)
    told_.left_waiting = left;
}

void live_floor::step() {
  last_ = *std::exchange(due_, std::nullopt);
  if (inbox_.empty() || timers_.next() < inbox_.front().first) {
    const auto timer = timers_.pop();
    if (timer >= own_timers())
      day_.on_timer(timer - own_timers());
    else
      become(timer, agent_state::ready); // its wrap-up is over
    return;
  }
  const auto what = std::move(inbox_.front().second);
  inbox_.pop_front();
  std::visit([this](const auto& one) { take(one); }, what);
}

// -- callers -------------------------------------------------------------------------

void live_floor::enter(uint32_t slot, const live_call& call, lane::time_point /*since*/) {
  const auto ticket = ++told_.came;
  if (slot >= tickets_.size())
    tickets_.resize(slot + 1);
  tickets_[slot] = ticket;
  caller made;
  made.slot = slot;
  made.number = call.who.number;
  made.queue = call.queue;
  made.at_once = ready_ > unserved();
  callers_.emplace(ticket, made);
  caf::anon_send(placers_[ticket % placers_.size()], place_caller{ticket, last_});
}

// Who is not let in is refused, which is known later; who has been rung for, waited or talked was.
void live_floor::let_in(caller& who) {
  if (!std::exchange(who.let_in, true))
    day_.let_in(who.slot, who.number, who.at_once);
}

void live_floor::hang_up(uint64_t ticket) {
  caf::anon_send(placers_[ticket % placers_.size()], hang_up_caller{ticket});
}

void live_floor::leave(uint32_t slot, uint32_t /*queue*/) {
  const auto ticket = tickets_[slot];
  if (auto* const who = find(ticket)) {
    let_in(*who);
    who->is = caller::state::done;
  }
  hang_up(ticket);
}

void live_floor::end_talk(uint32_t slot, uint32_t agent) {
  const auto ticket = tickets_[slot];
  auto* const who = find(ticket);
  who->is = caller::state::done; // it talked until now, so it is there
  hang_up(ticket);
  become(agent, agent_state::wrap_up);
  const auto wrap_up = plan_.queues[who->queue].wrap_up.mean();
  if (wrap_up > policy::duration::zero())
    set_timer(agent, policy::later(last_, wrap_up));
  else
    become(agent, agent_state::ready);
}

void live_floor::take(const caller_answered& answered) {
  if (auto* const who = find(answered.ticket))
    let_in(*who);
}

void live_floor::take(const caller_gone& gone) {
  auto* const who = find(gone.ticket);
  if (who == nullptr)
    return;
  if (who->is == caller::state::talks) {
    day_.broken_off(who->slot, who->number);
  } else if (who->is == caller::state::waits) {
    who->is = caller::state::done;
    if (who->let_in)
      day_.sent_on(who->slot, who->number, {});
    else
      day_.refused(who->slot, who->number, {});
  }
  callers_.erase(gone.ticket);
}

// -- agents --------------------------------------------------------------------------

void live_floor::become(uint32_t agent, agent_state to) {
  auto& state = phones_[agent].state;
  if (state == to)
    return;
  ready_ += to == agent_state::ready ? 1 : 0;
  ready_ -= state == agent_state::ready ? 1 : 0;
  const auto from = std::exchange(state, to);
  day_.changed(agent, from, to);
}

// A PBX that does not hand on who calls hands on calls in the order in which they came.
uint64_t live_floor::caller_for(const user_rung& rung) {
  for (const auto& id : rung.callers)
    if (const auto ticket = ticket_of(id); ticket != 0 && ticket <= told_.came) {
      ++told_.matched; // though it may have gone
      return ticket;
    }
  const auto first = std::ranges::find_if(callers_, is_unserved);
  ++(first == callers_.end() ? told_.strangers : told_.in_order);
  return first == callers_.end() ? 0 : first->first;
}

void live_floor::take(const user_rung& rung) {
  if (rung.user >= phones_.size())
    return;
  const auto agent = static_cast<uint32_t>(rung.user);
  auto& own = phones_[agent];
  if (own.call == rung.call)
    return;
  put_down(agent);
  own.call = rung.call;
  own.ticket = caller_for(rung);
  still_since_ = last_;
  set_timer(agent, policy::never); // a wrap-up that the PBX does not keep
  become(agent, agent_state::offered);
  auto* const who = find(own.ticket);
  if (who == nullptr)
    return;
  ++who->phones;
  if (who->is != caller::state::waits)
    return;
  let_in(*who);
  day_.ring(agent, who->slot, who->number, policy::never);
}

void live_floor::take(const user_talks& talks) {
  if (talks.user >= phones_.size())
    return;
  const auto agent = static_cast<uint32_t>(talks.user);
  const auto& own = phones_[agent];
  if (own.call != talks.call || own.state != agent_state::offered)
    return;
  become(agent, agent_state::in_call);
  auto* const who = find(own.ticket);
  if (who == nullptr || who->is != caller::state::waits)
    return; // it has gone, or talks with somebody who was faster
  who->is = caller::state::talks;
  who->agent = agent;
  day_.taken(who->slot, who->number);
  day_.connect(who->slot, who->number, agent);
}

void live_floor::take(const user_free& free) {
  if (free.user >= phones_.size() || phones_[free.user].call != free.call)
    return;
  const auto agent = static_cast<uint32_t>(free.user);
  put_down(agent);
  const auto state = phones_[agent].state;
  if (state == agent_state::offered || state == agent_state::in_call)
    become(agent, agent_state::ready);
}

/// Its phone has no call any more. If it had one, that ended its talk.
void live_floor::put_down(uint32_t agent) {
  auto& own = phones_[agent];
  own.call = 0;
  auto* const who = find(std::exchange(own.ticket, 0));
  if (who == nullptr)
    return;
  --who->phones;
  if (who->is == caller::state::talks && who->agent == agent)
    day_.broken_off(who->slot, who->number);
}

} // namespace

std::function<answer_plan(size_t agent, uint64_t n)> live_answers(const centre_plan& plan,
                                                                  uint64_t seed) {
  auto samples = std::make_shared<const simulation::call_samples>(plan, seed);
  return [samples = std::move(samples)](size_t agent, uint64_t n) {
    answer_plan how;
    how.may_be_given_up = true;
    const auto after = samples->answer(static_cast<uint32_t>(agent), n);
    if (after) {
      how.after = *after;
    } else {
      how.what = answer_plan::kind::ring;
      how.after = std::chrono::hours{1}; // whoever rings it gives up before
    }
    return how;
  };
}

result<live_day_result> play_live(const centre_plan& plan,
                                  const simulation::simulation_options& options,
                                  caf::scoped_actor& self, const std::vector<caf::actor>& callers,
                                  const live_watch& watch) {
  live_day_result told;
  std::vector<simulation::call_outcome> calls;
  const std::function<void(const simulation::call_outcome&)> on_call =
    [&](const simulation::call_outcome& call) { calls.push_back(call); };
  auto figures = live_centre_day{plan, options, on_call, self, callers, watch, told}.run();
  if (!figures)
    return tl::unexpected{std::move(figures.error())};
  told.figures = std::move(*figures);
  told.calls = std::move(calls);
  return told;
}

} // namespace jackfield
