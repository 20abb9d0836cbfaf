#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/error/error.hpp"
#include "engine/policy/agent_actions.hpp"
#include "engine/policy/queue_desk.hpp"
#include "engine/simulation/call_samples.hpp"
#include "engine/simulation/simulate.hpp"

/// What callers and agents do in a day that is simulated, and what is counted of it, whatever it is
/// that serves them: `simulate` has the policies alone do that, actors/simulation the actors which
/// serve live calls.
namespace jackfield::simulation {

using policy::agent_state;
using policy::never;
using policy::time_point;

/// A caller on the line, or between two attempts.
struct live_call {
  enum class state : uint8_t { none, waits, taken, talks, away };
  static constexpr uint32_t nobody = std::numeric_limits<uint32_t>::max();

  state is = state::none;
  bool counted = false; ///< by a queue, in this attempt
  bool rung = false;    ///< somebody's phone, in this queue
  arrival who;
  uint32_t attempt = 0;
  uint32_t moves = 0;
  uint32_t queue = 0;
  uint32_t agent = nobody;
  time_point came;    ///< in this attempt
  time_point entered; ///< this queue
  time_point answered = never;
};

/// What an agent does as a person, and of what its phone does.
struct live_agent {
  enum class plan_step : uint8_t { unpause, log_out, log_in, pause }; // in order, at one time
  struct planned {
    duration at{};
    plan_step step = plan_step::log_in;
    const std::string* reason = nullptr;
  };

  std::vector<planned> plan;
  size_t next_step = 0;
  uint64_t offers = 0;
  uint64_t failures = 0;
  bool failed = false;
  uint32_t call = live_call::nobody; ///< slot of the call that it has
  live_call last;                    ///< that it had
  agent_state state = agent_state::logged_out;
  time_point since{};
};

[[nodiscard]] std::vector<live_agent::planned> plan_of(const agent_plan& agent);

/// The rules of a queue's desk: wrap-up that is drawn ends by the agent's own doing.
[[nodiscard]] policy::queue_rules desk_rules_of(const queue_plan& plan);

/// A day with its callers and agents. `Floor` is where queues and agents serve:
///
///     time_point origin() const;         // the plan's beginning
///     void open();                       // queues and agents, none of them logged in
///     time_point next();                 // when something is due, or `never`; may wait for it
///     void step();                       // the first of that, until all is quiet
///     void set(uint32_t timer, time_point at); // then `on_timer`; `never` clears it
///     // a caller, by the slot that it has while it is live
///     void enter(uint32_t slot, const live_call&, time_point since); // its queue
///     void leave(uint32_t slot, uint32_t queue);
///     void end_talk(uint32_t slot, uint32_t agent);
///     // an agent as a person
///     void answer(uint32_t agent);       // its phone, which rings
///     void end_wrap_up(uint32_t agent);
///     void log_in(uint32_t agent, bool reachable);
///     void log_out(uint32_t agent);
///     void pause(uint32_t agent, const std::string& reason);
///     void unpause(uint32_t agent);
///     void set_reachable(uint32_t agent, bool reachable);
///
/// It tells what comes of these, at once or in the same step, by what is public here.
template <class Floor>
class centre_day {
public:
  template <class... Args>
  centre_day(const centre_plan& plan, const simulation_options& options,
             const std::function<void(const call_outcome&)>& on_call, Args&&... args);
  result<simulation_figures> run();

  // From the floor.
  void on_timer(uint32_t timer);
  /// Callers, by their slots and numbers: one that is not there any more is of no matter.
  void refused(uint32_t slot, uint64_t number, const std::string& to);
  /// `at_once`: an agent was free when it came, or none was. Unset: one was if a phone rings for it
  /// in the same step.
  void let_in(uint32_t slot, uint64_t number, std::optional<bool> at_once = {});
  void sent_on(uint32_t slot, uint64_t number, const std::string& to);
  /// A queue has given it to an agent; or it is connected at once.
  void taken(uint32_t slot, uint64_t number);
  void connect(uint32_t slot, uint64_t number, uint32_t agent);
  /// Its talk ended before its time, by neither of those who talk.
  void broken_off(uint32_t slot, uint64_t number);
  /// The agent's phone rings for it, until then at most; `never`: until told.
  void ring(uint32_t agent, uint32_t slot, uint64_t number, time_point until);
  void changed(uint32_t agent, agent_state from, agent_state to);

private:
  // Timers: of arrivals, three of each agent, one of each call.
  enum agent_timer : uint32_t { person_timer, plan_timer, failure_timer, each_agent };
  static constexpr uint32_t nobody = live_call::nobody;
  /// Queues that are full may send a caller round in a circle; as often as `serve` lets them.
  static constexpr uint32_t most_moves = 16;
  /// Who waits for agents that do not come again waits for so long, and the simulation is over.
  static constexpr duration patience_with_nobody = std::chrono::hours{24};

  [[nodiscard]] time_point at(duration since_start) const { return floor_.origin() + since_start; }
  [[nodiscard]] duration since_start(time_point when) const { return when - floor_.origin(); }
  [[nodiscard]] static uint32_t timer_of_agent(uint32_t agent, agent_timer which) {
    return 1 + agent * each_agent + which;
  }
  [[nodiscard]] uint32_t timer_of_call(uint32_t slot) const {
    return timer_of_agent(static_cast<uint32_t>(plan_.agents.size()), person_timer) + slot;
  }
  void step();

  // Callers.
  /// Null where that call is over.
  live_call* find(uint32_t slot, uint64_t number) {
    return slot < calls_.size() && calls_[slot].who.number == number ? &calls_[slot] : nullptr;
  }
  void on_arrival();
  void plan_arrival();
  void begin_attempt(uint32_t slot);
  void enter(uint32_t slot, uint32_t queue);
  /// To the queue of that name, or away.
  void move_on(uint32_t slot, const std::string& to, call_end otherwise);
  void hang_up(uint32_t slot);
  void end_talk(uint32_t slot, call_end how);
  /// The attempt is over.
  void end(uint32_t slot, call_end how);

  // Agents.
  void on_person(uint32_t agent);
  void on_plan(uint32_t agent);
  void on_failure(uint32_t agent);
  void plan_failure(uint32_t agent);
  void begin_wrap_up(uint32_t agent);

  // Figures.
  [[nodiscard]] bool is_counted(const live_call& call) const {
    return call.who.number > options_.warm_up;
  }
  /// By the queue that it is in, and by when it came there.
  template <class Count>
  void count(const live_call& call, Count&& count);
  void count_had_to_wait(const live_call& call);
  /// By its attempt as a whole.
  template <class Count>
  void count_all(const live_call& call, Count&& count);
  void add_time(agent_state state, time_point from, time_point to);
  void begin_counting();
  void stop_counting(time_point when);
  interval_counts& interval_at(time_point when);

  const centre_plan& plan_;
  simulation_options options_;
  const std::function<void(const call_outcome&)>& on_call_;
  call_samples samples_;
  Floor floor_;
  std::vector<live_agent> agents_;
  std::vector<live_call> calls_;
  std::vector<uint32_t> free_slots_;
  std::vector<std::pair<uint32_t, uint64_t>> entered_; ///< just now: slots, and whose they were
  uint64_t live_ = 0;
  std::optional<arrival> next_;
  uint64_t arrivals_left_;
  time_point now_{};
  time_point counted_from_{};
  bool counting_ = false; ///< agents' time
  time_point progress_{}; ///< something happened to a caller
  int64_t last_interval_ = 0;
  simulation_figures figures_;
};

template <class Floor>
template <class... Args>
centre_day<Floor>::centre_day(const centre_plan& plan, const simulation_options& options,
                              const std::function<void(const call_outcome&)>& on_call,
                              Args&&... args)
    : plan_(plan), options_(options), on_call_(on_call), samples_(plan, options.seed),
      floor_(*this, plan_, samples_, std::forward<Args>(args)...),
      arrivals_left_(options.calls == 0 ? std::numeric_limits<uint64_t>::max()
                                        : options.warm_up + options.calls) {
  now_ = progress_ = floor_.origin();
  if (options.interval > duration::zero())
    last_interval_ = std::max<int64_t>(0, (plan.length() - duration{1}) / options.interval);
  figures_.queues.resize(plan.queues.size());
  agents_.resize(plan.agents.size());
  for (auto& each : agents_)
    each.since = now_;
  floor_.open();
  for (uint32_t i = 0; i < agents_.size(); ++i) {
    agents_[i].plan = plan_of(plan.agents[i]);
    if (!agents_[i].plan.empty())
      floor_.set(timer_of_agent(i, plan_timer), at(agents_[i].plan.front().at));
    if (plan.agents[i].failures)
      plan_failure(i);
  }
}

// --- the events ---

template <class Floor>
result<simulation_figures> centre_day<Floor>::run() {
  if (options_.warm_up == 0)
    begin_counting();
  // Who is there from the beginning is there before the first caller.
  while (floor_.next() <= floor_.origin())
    step();
  plan_arrival();
  const auto end_of_plan = at(plan_.length());
  for (auto due = floor_.next(); due != never; due = floor_.next()) {
    // Agents' phones fail and are mended for ever; nobody needs to see it.
    if (!next_ &&
        due > (live_ == 0 ? end_of_plan
                          : policy::later(std::max(end_of_plan, progress_), patience_with_nobody)))
      break;
    if (live_ > most_live_calls)
      return fail("calls", fmt::format("more than {} at once, expected fewer arrivals, shorter "
                                       "times, or more agents",
                                       most_live_calls));
    step();
  }
  stop_counting(std::max(now_, end_of_plan));
  for (uint32_t slot = 0; slot < calls_.size(); ++slot)
    if (calls_[slot].is == live_call::state::waits) {
      count(calls_[slot], [](service_counts& c) { ++c.waiting; });
      count_all(calls_[slot], [](service_counts& c) { ++c.waiting; });
      end(slot, call_end::still_waiting);
    }
  return std::move(figures_);
}

template <class Floor>
void centre_day<Floor>::step() {
  now_ = floor_.next();
  floor_.step();
  for (const auto& [slot, number] : entered_) {
    const auto& call = calls_[slot];
    if (call.who.number == number && !call.rung)
      count_had_to_wait(call);
  }
  entered_.clear();
}

template <class Floor>
void centre_day<Floor>::count_had_to_wait(const live_call& call) {
  count(call, [](service_counts& c) { ++c.had_to_wait; });
  if (call.moves == 0)
    count_all(call, [](service_counts& c) { ++c.had_to_wait; });
}

template <class Floor>
void centre_day<Floor>::on_timer(uint32_t timer) {
  if (timer == 0) {
    on_arrival();
    return;
  }
  const auto calls_from = timer_of_call(0);
  if (timer < calls_from) {
    const auto agent = (timer - 1) / each_agent;
    switch (static_cast<agent_timer>((timer - 1) % each_agent)) {
    case person_timer:
      on_person(agent);
      break;
    case plan_timer:
      on_plan(agent);
      break;
    default:
      on_failure(agent);
    }
    return;
  }
  const auto slot = timer - calls_from;
  switch (calls_[slot].is) {
  case live_call::state::waits:
    hang_up(slot);
    break;
  case live_call::state::talks:
    end_talk(slot, call_end::served);
    break;
  case live_call::state::away:
    begin_attempt(slot);
    break;
  case live_call::state::taken:
  case live_call::state::none:
    break;
  }
}

// --- callers ---

template <class Floor>
void centre_day<Floor>::plan_arrival() {
  next_ = arrivals_left_ > 0 ? samples_.next_arrival() : std::nullopt;
  if (next_) {
    --arrivals_left_;
    floor_.set(0, at(next_->at));
  } else if (options_.calls > 0) {
    stop_counting(now_);
  }
}

template <class Floor>
void centre_day<Floor>::on_arrival() {
  if (!counting_ && next_->number > options_.warm_up)
    begin_counting();
  uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(calls_.size());
    calls_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  calls_[slot] = {};
  calls_[slot].who = *next_;
  figures_.most_live = std::max(figures_.most_live, ++live_);
  plan_arrival();
  begin_attempt(slot);
}

template <class Floor>
void centre_day<Floor>::begin_attempt(uint32_t slot) {
  auto& call = calls_[slot];
  call.came = now_;
  call.counted = false;
  call.moves = 0;
  call.answered = never;
  call.agent = nobody;
  progress_ = now_;
  const auto patience = samples_.patience(call.who, call.attempt);
  floor_.set(timer_of_call(slot), patience ? policy::later(now_, *patience) : never);
  enter(slot, call.who.queue);
}

template <class Floor>
void centre_day<Floor>::enter(uint32_t slot, uint32_t queue) {
  auto& call = calls_[slot];
  call.is = live_call::state::waits;
  call.queue = queue;
  call.entered = now_;
  call.rung = false;
  floor_.enter(slot, call, call.came);
}

template <class Floor>
void centre_day<Floor>::let_in(uint32_t slot, uint64_t number, std::optional<bool> at_once) {
  auto* const call = find(slot, number);
  if (call == nullptr)
    return;
  count(*call, [](service_counts& c) { ++c.offered; });
  if (!std::exchange(call->counted, true))
    count_all(*call, [](service_counts& c) { ++c.offered; });
  if (!at_once)
    entered_.emplace_back(slot, number);
  else if (!*at_once)
    count_had_to_wait(*call);
}

template <class Floor>
void centre_day<Floor>::refused(uint32_t slot, uint64_t number, const std::string& to) {
  auto* const call = find(slot, number);
  if (call == nullptr)
    return;
  count(*call, [](service_counts& c) { ++c.refused; });
  move_on(slot, to, call_end::refused);
}

template <class Floor>
void centre_day<Floor>::sent_on(uint32_t slot, uint64_t number, const std::string& to) {
  auto* const call = find(slot, number);
  if (call == nullptr)
    return;
  count(*call, [](service_counts& c) { ++c.overflowed; });
  move_on(slot, to, call_end::overflowed);
}

template <class Floor>
void centre_day<Floor>::move_on(uint32_t slot, const std::string& to, call_end otherwise) {
  auto& call = calls_[slot];
  const auto next = to.empty() ? std::nullopt : plan_.queue_named(to);
  if (next && call.moves++ < most_moves) {
    enter(slot, *next);
    return;
  }
  count_all(call, [&](service_counts& c) {
    if (otherwise == call_end::refused && !call.counted)
      ++c.refused;
    else
      ++c.overflowed;
  });
  end(slot, otherwise);
}

template <class Floor>
void centre_day<Floor>::taken(uint32_t slot, uint64_t number) {
  auto* const call = find(slot, number);
  if (call == nullptr)
    return;
  call->is = live_call::state::taken;
  floor_.set(timer_of_call(slot), never);
}

template <class Floor>
void centre_day<Floor>::hang_up(uint32_t slot) {
  const auto& call = calls_[slot];
  floor_.leave(slot, call.queue);
  const auto within = plan_.queues[call.queue].rules.service_level_within;
  count(call, [&](service_counts& c) { c.count_abandoned(now_ - call.entered, within); });
  count_all(call, [&](service_counts& c) { c.count_abandoned(now_ - call.came, within); });
  if (is_counted(call))
    figures_.queues[call.queue].abandoned_waits.record(now_ - call.entered);
  end(slot, call_end::abandoned);
}

template <class Floor>
void centre_day<Floor>::connect(uint32_t slot, uint64_t number, uint32_t agent) {
  auto* const call = find(slot, number);
  if (call == nullptr)
    return;
  call->is = live_call::state::talks;
  call->agent = agent;
  call->answered = now_;
  agents_[agent].call = slot;
  progress_ = now_;
  const auto within = plan_.queues[call->queue].rules.service_level_within;
  count(*call, [&](service_counts& c) { c.count_answered(now_ - call->entered, within); });
  count_all(*call, [&](service_counts& c) { c.count_answered(now_ - call->came, within); });
  if (is_counted(*call))
    figures_.queues[call->queue].answered_waits.record(now_ - call->entered);
  floor_.set(timer_of_call(slot),
             policy::later(now_, samples_.talk(call->who.number, call->queue)));
}

template <class Floor>
void centre_day<Floor>::broken_off(uint32_t slot, uint64_t number) {
  if (const auto* const call = find(slot, number); call && call->is == live_call::state::talks)
    end_talk(slot, call_end::agent_failed);
}

template <class Floor>
void centre_day<Floor>::end_talk(uint32_t slot, call_end how) {
  auto& call = calls_[slot];
  const auto agent = call.agent;
  agents_[agent].call = nobody;
  agents_[agent].last = call;
  progress_ = now_;
  floor_.set(timer_of_call(slot), never);
  const auto talk = now_ - call.answered;
  count(call, [&](service_counts& c) { c.handling += talk; });
  count_all(call, [&](service_counts& c) { c.handling += talk; });
  floor_.end_talk(slot, agent);
  end(slot, how);
}

template <class Floor>
void centre_day<Floor>::end(uint32_t slot, call_end how) {
  auto& call = calls_[slot];
  floor_.set(timer_of_call(slot), never);
  if (on_call_) {
    call_outcome outcome{call.who.number, call.attempt, since_start(call.came), call.queue,
                         std::nullopt,    std::nullopt, since_start(now_),      how};
    if (call.agent != nobody) {
      outcome.agent = call.agent;
      outcome.answered = since_start(call.answered);
    }
    on_call_(outcome);
  }
  const bool in_vain = how == call_end::abandoned || how == call_end::refused;
  if (const auto after = in_vain ? samples_.redial(call.who, call.attempt) : std::nullopt) {
    call.is = live_call::state::away;
    ++call.attempt;
    floor_.set(timer_of_call(slot), policy::later(now_, *after));
    return;
  }
  call.is = live_call::state::none;
  call.who.number = 0;
  free_slots_.push_back(slot);
  --live_;
}

// --- agents ---

template <class Floor>
void centre_day<Floor>::ring(uint32_t agent, uint32_t slot, uint64_t number, time_point until) {
  if (auto* const call = find(slot, number))
    call->rung = true;
  const auto after = samples_.answer(agent, agents_[agent].offers++);
  // Else its desk knows when it has rung to the end. What the person was about to do before is off.
  const bool answers = after && policy::later(now_, *after) < until;
  if (answers && *after == duration::zero())
    floor_.answer(agent);
  else
    floor_.set(timer_of_agent(agent, person_timer), answers ? policy::later(now_, *after) : never);
}

template <class Floor>
void centre_day<Floor>::on_person(uint32_t agent) {
  if (agents_[agent].state == agent_state::offered)
    floor_.answer(agent);
  else
    floor_.end_wrap_up(agent);
}

template <class Floor>
void centre_day<Floor>::on_plan(uint32_t agent) {
  auto& who = agents_[agent];
  using step = live_agent::plan_step;
  const auto& next = who.plan[who.next_step++];
  switch (next.step) {
  case step::log_in:
    floor_.log_in(agent, !who.failed);
    break;
  case step::log_out:
    floor_.log_out(agent);
    break;
  case step::pause:
    floor_.pause(agent, *next.reason);
    break;
  case step::unpause:
    floor_.unpause(agent);
    break;
  }
  floor_.set(timer_of_agent(agent, plan_timer),
             who.next_step < who.plan.size() ? at(who.plan[who.next_step].at) : never);
}

template <class Floor>
void centre_day<Floor>::plan_failure(uint32_t agent) {
  floor_.set(timer_of_agent(agent, failure_timer),
             policy::later(now_, samples_.fails_after(agent, agents_[agent].failures)));
}

template <class Floor>
void centre_day<Floor>::on_failure(uint32_t agent) {
  auto& who = agents_[agent];
  who.failed = !who.failed;
  floor_.set_reachable(agent, !who.failed);
  if (!who.failed) {
    ++who.failures;
    plan_failure(agent);
    return;
  }
  floor_.set(timer_of_agent(agent, failure_timer),
             policy::later(now_, samples_.failure_lasts(agent, who.failures)));
  if (who.call != nobody)
    end_talk(who.call, call_end::agent_failed);
}

template <class Floor>
void centre_day<Floor>::changed(uint32_t agent, agent_state from, agent_state to) {
  auto& who = agents_[agent];
  if (counting_)
    add_time(who.state, std::max(who.since, counted_from_), now_);
  who.state = to;
  who.since = now_;
  // What the person was about to do has come to nothing, or was done.
  if (from == agent_state::offered || from == agent_state::wrap_up)
    floor_.set(timer_of_agent(agent, person_timer), never);
  if (to == agent_state::wrap_up && from != agent_state::wrap_up)
    begin_wrap_up(agent);
}

// The desk knows of a wrap-up that is always as long; another is the person's to end.
template <class Floor>
void centre_day<Floor>::begin_wrap_up(uint32_t agent) {
  const auto& call = agents_[agent].last;
  const auto wrap_up = samples_.wrap_up(call.who.number, call.queue);
  if (plan_.queues[call.queue].wrap_up.is() != distribution::kind::constant)
    floor_.set(timer_of_agent(agent, person_timer), policy::later(now_, wrap_up));
  count(call, [&](service_counts& c) { c.handling += wrap_up; });
  count_all(call, [&](service_counts& c) { c.handling += wrap_up; });
}

// --- figures ---

template <class Floor>
template <class Count>
void centre_day<Floor>::count(const live_call& call, Count&& count) {
  if (!is_counted(call))
    return;
  count(figures_.queues[call.queue].counts);
  if (options_.interval > duration::zero())
    count(interval_at(call.entered).queues[call.queue]);
}

template <class Floor>
template <class Count>
void centre_day<Floor>::count_all(const live_call& call, Count&& count) {
  if (is_counted(call))
    count(figures_.all);
}

template <class Floor>
interval_counts& centre_day<Floor>::interval_at(time_point when) {
  const auto index =
    static_cast<size_t>(std::min<int64_t>(last_interval_, since_start(when) / options_.interval));
  while (figures_.intervals.size() <= index) {
    figures_.intervals.emplace_back();
    figures_.intervals.back().queues.resize(plan_.queues.size());
  }
  return figures_.intervals[index];
}

template <class Floor>
void centre_day<Floor>::add_time(agent_state state, time_point from, time_point to) {
  if (to <= from)
    return;
  const auto index = static_cast<size_t>(state);
  figures_.staff.in[index] += to - from;
  if (options_.interval == duration::zero())
    return;
  while (from < to) {
    const auto part = since_start(from) / options_.interval;
    const auto until = std::min(to, at(options_.interval * (part + 1)));
    interval_at(from).staff.in[index] += until - from;
    from = until;
  }
}

template <class Floor>
void centre_day<Floor>::begin_counting() {
  counting_ = true;
  counted_from_ = now_;
}

template <class Floor>
void centre_day<Floor>::stop_counting(time_point when) {
  if (!counting_)
    return;
  for (const auto& who : agents_)
    add_time(who.state, std::max(who.since, counted_from_), when);
  figures_.measured = when - counted_from_;
  counting_ = false;
}

} // namespace jackfield::simulation
