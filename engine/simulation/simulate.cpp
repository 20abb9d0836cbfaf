#include "engine/simulation/simulate.hpp"

#include <algorithm>
#include <limits>

#include "engine/simulation/call_samples.hpp"
#include "engine/simulation/desk_floor.hpp"
#include "engine/simulation/timer_heap.hpp"

namespace jackfield::simulation {

namespace {

using policy::agent_state;
using policy::call_id;
using policy::never;

constexpr uint32_t nobody = std::numeric_limits<uint32_t>::max();

/// Queues that are full may send a caller round in a circle; as often as `serve` lets them.
constexpr uint32_t most_moves = 16;
/// A wrap-up that is drawn ends by the agent's own doing; the desk's is only its bound.
constexpr duration longest_wrap_up = std::chrono::hours{24};
/// Who waits for agents that do not come again waits for so long, and the simulation is over.
constexpr duration patience_with_nobody = std::chrono::hours{24};

time_point at(duration since_start) {
  return time_point{since_start};
}

policy::queue_rules rules_of(const queue_plan& plan) {
  auto rules = plan.rules;
  rules.wrap_up =
    plan.wrap_up.is() == distribution::kind::constant ? plan.wrap_up.mean() : longest_wrap_up;
  return rules;
}

/// A caller on the line, or between two attempts.
struct live_call {
  enum class state : uint8_t { none, waits, taken, talks, away };

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
  uint32_t call = nobody; ///< slot of the call that it has
  policy::start_ringing rung;
  agent_state state = agent_state::logged_out;
  time_point since{};
};

std::vector<live_agent::planned> plan_of(const agent_plan& agent) {
  using step = live_agent::plan_step;
  std::vector<live_agent::planned> plan;
  if (agent.shifts.empty())
    plan.push_back({{}, step::log_in, nullptr});
  for (const auto& shift : agent.shifts) {
    plan.push_back({shift.from, step::log_in, nullptr});
    plan.push_back({shift.to, step::log_out, nullptr});
  }
  for (const auto& pause : agent.breaks) {
    plan.push_back({pause.when.from, step::pause, &pause.reason});
    plan.push_back({pause.when.to, step::unpause, nullptr});
  }
  std::ranges::sort(plan, {}, [](const auto& each) { return std::pair{each.at, each.step}; });
  return plan;
}

class simulation {
public:
  simulation(const centre_plan& plan, const simulation_options& options,
             const std::function<void(const call_outcome&)>& on_call);
  simulation_figures run();

  // What desks ask for.
  void ring(uint32_t agent, const policy::start_ringing& what);
  void connect(uint32_t agent, const policy::connected& what);
  void changed(uint32_t agent, const policy::state_changed& what);
  void taken(uint32_t queue, const policy::assigned& what);
  void sent_on(uint32_t queue, const policy::overflowed& what);

private:
  // Timers: of arrivals, of each queue's desk, four of each agent, one of each call.
  enum agent_timer : uint32_t { desk_timer, person_timer, plan_timer, failure_timer, each_agent };

  [[nodiscard]] uint32_t timer_of_agent(uint32_t agent, agent_timer which) const {
    return static_cast<uint32_t>(1 + plan_.queues.size() + agent * each_agent + which);
  }
  [[nodiscard]] uint32_t timer_of_call(uint32_t slot) const {
    return timer_of_agent(static_cast<uint32_t>(plan_.agents.size()), desk_timer) + slot;
  }
  void on_timer(uint32_t timer);
  void settle();

  // Callers.
  [[nodiscard]] call_id id_of(uint32_t slot) const {
    return call_id{calls_[slot].who.number << slot_bits | slot};
  }
  /// Null where that call is over.
  live_call* find(call_id id);
  [[nodiscard]] static uint32_t slot_of(call_id id) {
    return static_cast<uint32_t>(static_cast<uint64_t>(id) & ((uint64_t{1} << slot_bits) - 1));
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

  // Figures.
  [[nodiscard]] bool is_counted(const live_call& call) const {
    return call.who.number > options_.warm_up;
  }
  /// By the queue that it is in, and by when it came there.
  template <class Count>
  void count(uint32_t slot, Count&& count);
  /// By its attempt as a whole.
  template <class Count>
  void count_all(const live_call& call, Count&& count);
  void add_time(agent_state state, time_point from, time_point to);
  void begin_counting();
  void stop_counting(time_point when);
  interval_counts& interval_at(time_point when);

  static constexpr unsigned slot_bits = 24;

  const centre_plan& plan_;
  simulation_options options_;
  const std::function<void(const call_outcome&)>& on_call_;
  call_samples samples_;
  timer_heap timers_;
  desk_floor<simulation> floor_{*this};
  std::vector<live_agent> agents_;
  std::vector<live_call> calls_;
  std::vector<uint32_t> free_slots_;
  std::vector<std::pair<uint32_t, uint64_t>> entered_; ///< just now: slots, and whose they were
  size_t live_ = 0;
  std::optional<arrival> next_;
  uint64_t arrivals_left_;
  time_point now_{};
  time_point counted_from_{};
  bool counting_ = false; ///< agents' time
  time_point progress_{}; ///< something happened to a caller
  simulation_figures figures_;
};

simulation::simulation(const centre_plan& plan, const simulation_options& options,
                       const std::function<void(const call_outcome&)>& on_call)
    : plan_(plan), options_(options), on_call_(on_call), samples_(plan, options.seed),
      arrivals_left_(options.calls == 0 ? std::numeric_limits<uint64_t>::max()
                                        : options.warm_up + options.calls) {
  figures_.queues.resize(plan.queues.size());
  floor_.queues.reserve(plan.queues.size());
  for (uint32_t i = 0; i < plan.queues.size(); ++i)
    floor_.queues.emplace_back(policy::queue_id{i}, rules_of(plan.queues[i]),
                               samples_.strategy_seed(i));
  floor_.agents.reserve(plan.agents.size());
  agents_.resize(plan.agents.size());
  for (uint32_t i = 0; i < plan.agents.size(); ++i) {
    const auto& agent = plan.agents[i];
    floor_.agents.emplace_back(policy::agent_id{i}, agent.rules);
    for (const auto& part : agent.queues) {
      floor_.to_agent(i, [&](auto& desk, auto& out) {
        desk.add_queue(now_, policy::queue_id{part.queue}, part.priority, out);
      });
      floor_.to_queue(part.queue, [&](auto& desk, auto& out) {
        desk.put_member(now_, policy::agent_id{i}, part.as, out);
      });
    }
  }
  settle();
  for (uint32_t i = 0; i < agents_.size(); ++i) {
    agents_[i].plan = plan_of(plan.agents[i]);
    if (!agents_[i].plan.empty())
      timers_.set(timer_of_agent(i, plan_timer), at(agents_[i].plan.front().at));
    if (plan.agents[i].failures)
      plan_failure(i);
  }
}

// --- the events ---

simulation_figures simulation::run() {
  if (options_.warm_up == 0)
    begin_counting();
  // Who is there from the beginning is there before the first caller.
  while (timers_.next() == time_point{}) {
    on_timer(timers_.pop());
    settle();
  }
  plan_arrival();
  const auto end_of_plan = at(plan_.length());
  for (; !timers_.empty(); settle()) {
    const auto due = timers_.next();
    // Agents' phones fail and are mended for ever; nobody needs to see it.
    if (!next_ &&
        due > (live_ == 0 ? end_of_plan
                          : policy::later(std::max(end_of_plan, progress_), patience_with_nobody)))
      break;
    now_ = due;
    on_timer(timers_.pop());
  }
  stop_counting(std::max(now_, end_of_plan));
  for (uint32_t slot = 0; slot < calls_.size(); ++slot)
    if (calls_[slot].is == live_call::state::waits) {
      count(slot, [](service_counts& c) { ++c.waiting; });
      count_all(calls_[slot], [](service_counts& c) { ++c.waiting; });
      end(slot, call_end::still_waiting);
    }
  return std::move(figures_);
}

void simulation::on_timer(uint32_t timer) {
  if (timer == 0) {
    on_arrival();
    return;
  }
  const auto queues = static_cast<uint32_t>(plan_.queues.size());
  if (timer <= queues) {
    floor_.to_queue(timer - 1, [&](auto& desk, auto& out) { desk.on_time(now_, out); });
    return;
  }
  const auto calls_from = timer_of_call(0);
  if (timer < calls_from) {
    const auto agent = (timer - queues - 1) / each_agent;
    switch (static_cast<agent_timer>((timer - queues - 1) % each_agent)) {
    case desk_timer:
      floor_.to_agent(agent, [&](auto& desk, auto& out) { desk.on_time(now_, out); });
      break;
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

void simulation::settle() {
  floor_.deliver(
    now_, [&](uint32_t queue) { timers_.set(1 + queue, floor_.queues[queue].next_deadline()); },
    [&](uint32_t agent) {
      timers_.set(timer_of_agent(agent, desk_timer), floor_.agents[agent].next_deadline());
    });
  for (const auto& [slot, number] : entered_) {
    auto& call = calls_[slot];
    if (call.who.number != number || call.rung)
      continue;
    count(slot, [](service_counts& c) { ++c.had_to_wait; });
    if (call.moves == 0)
      count_all(call, [](service_counts& c) { ++c.had_to_wait; });
  }
  entered_.clear();
}

// --- callers ---

void simulation::plan_arrival() {
  next_ = arrivals_left_ > 0 ? samples_.next_arrival() : std::nullopt;
  if (next_) {
    --arrivals_left_;
    timers_.set(0, at(next_->at));
  } else if (options_.calls > 0) {
    stop_counting(now_);
  }
}

void simulation::on_arrival() {
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
  ++live_;
  plan_arrival();
  begin_attempt(slot);
}

void simulation::begin_attempt(uint32_t slot) {
  auto& call = calls_[slot];
  call.came = now_;
  call.counted = false;
  call.moves = 0;
  call.answered = never;
  call.agent = nobody;
  progress_ = now_;
  const auto patience = samples_.patience(call.who, call.attempt);
  timers_.set(timer_of_call(slot), patience ? policy::later(now_, *patience) : never);
  enter(slot, call.who.queue);
}

void simulation::enter(uint32_t slot, uint32_t queue) {
  auto& call = calls_[slot];
  call.is = live_call::state::waits;
  call.queue = queue;
  call.entered = now_;
  call.rung = false;
  std::optional<policy::join_refusal> refused;
  floor_.to_queue(queue, [&](auto& desk, auto& out) {
    const auto joined =
      desk.join(now_, {id_of(slot), plan_.queues[queue].priority, {}, call.came}, out);
    if (!joined)
      refused = joined.error();
  });
  if (!refused) {
    count(slot, [](service_counts& c) { ++c.offered; });
    if (!std::exchange(call.counted, true))
      count_all(call, [](service_counts& c) { ++c.offered; });
    entered_.emplace_back(slot, call.who.number);
    return;
  }
  count(slot, [](service_counts& c) { ++c.refused; });
  // As `serve` sends them on.
  const auto& to = plan_.queues[queue].rules.overflow_to;
  using policy::join_refusal;
  const bool nobody_there =
    *refused == join_refusal::nobody_logged_in || *refused == join_refusal::nobody_working;
  const bool full = *refused == join_refusal::full || *refused == join_refusal::wait_too_long;
  move_on(slot, nobody_there ? to.no_agents : full ? to.shrunk : to.closed, call_end::refused);
}

void simulation::move_on(uint32_t slot, const std::string& to, call_end otherwise) {
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

void simulation::taken(uint32_t /*queue*/, const policy::assigned& what) {
  auto* call = find(what.what.call);
  if (call == nullptr)
    return;
  call->is = live_call::state::taken;
  timers_.set(timer_of_call(slot_of(what.what.call)), never);
}

void simulation::sent_on(uint32_t /*queue*/, const policy::overflowed& what) {
  auto* call = find(what.call);
  if (call == nullptr)
    return;
  const auto slot = slot_of(what.call);
  count(slot, [](service_counts& c) { ++c.overflowed; });
  move_on(slot, what.to, call_end::overflowed);
}

void simulation::hang_up(uint32_t slot) {
  auto& call = calls_[slot];
  floor_.to_queue(call.queue, [&](auto& desk, auto& out) {
    desk.leave(now_, id_of(slot), policy::leave_reason::hung_up, out);
  });
  const auto within = plan_.queues[call.queue].rules.service_level_within;
  count(slot, [&](service_counts& c) { c.count_abandoned(now_ - call.entered, within); });
  count_all(call, [&](service_counts& c) { c.count_abandoned(now_ - call.came, within); });
  if (is_counted(call))
    figures_.queues[call.queue].abandoned_waits.record(now_ - call.entered);
  end(slot, call_end::abandoned);
}

void simulation::connect(uint32_t agent, const policy::connected& what) {
  auto* call = find(what.call);
  if (call == nullptr)
    return;
  const auto slot = slot_of(what.call);
  call->is = live_call::state::talks;
  call->agent = agent;
  call->answered = now_;
  agents_[agent].call = slot;
  progress_ = now_;
  const auto within = plan_.queues[call->queue].rules.service_level_within;
  count(slot, [&](service_counts& c) { c.count_answered(now_ - call->entered, within); });
  count_all(*call, [&](service_counts& c) { c.count_answered(now_ - call->came, within); });
  if (is_counted(*call))
    figures_.queues[call->queue].answered_waits.record(now_ - call->entered);
  timers_.set(timer_of_call(slot),
              policy::later(now_, samples_.talk(call->who.number, call->queue)));
}

void simulation::end_talk(uint32_t slot, call_end how) {
  auto& call = calls_[slot];
  const auto agent = call.agent;
  agents_[agent].call = nobody;
  progress_ = now_;
  timers_.set(timer_of_call(slot), never);
  floor_.to_agent(agent,
                  [&](auto& desk, auto& out) { desk.on_call_ended(now_, id_of(slot), out); });
  auto handling = now_ - call.answered;
  if (floor_.agents[agent].state() == agent_state::wrap_up) {
    const auto wrap_up = samples_.wrap_up(call.who.number, call.queue);
    handling += wrap_up;
    if (plan_.queues[call.queue].wrap_up.is() != distribution::kind::constant)
      timers_.set(timer_of_agent(agent, person_timer), policy::later(now_, wrap_up));
  }
  count(slot, [&](service_counts& c) { c.handling += handling; });
  count_all(call, [&](service_counts& c) { c.handling += handling; });
  end(slot, how);
}

void simulation::end(uint32_t slot, call_end how) {
  auto& call = calls_[slot];
  timers_.set(timer_of_call(slot), never);
  if (on_call_) {
    call_outcome outcome{call.who.number, call.attempt, call.came.time_since_epoch(), call.queue,
                         std::nullopt,    std::nullopt, now_.time_since_epoch(),      how};
    if (call.agent != nobody) {
      outcome.agent = call.agent;
      outcome.answered = call.answered.time_since_epoch();
    }
    on_call_(outcome);
  }
  const bool in_vain = how == call_end::abandoned || how == call_end::refused;
  if (const auto after = in_vain ? samples_.redial(call.who, call.attempt) : std::nullopt) {
    call.is = live_call::state::away;
    ++call.attempt;
    timers_.set(timer_of_call(slot), policy::later(now_, *after));
    return;
  }
  call.is = live_call::state::none;
  call.who.number = 0;
  free_slots_.push_back(slot);
  --live_;
}

live_call* simulation::find(call_id id) {
  auto& call = calls_[slot_of(id)];
  return call.who.number == static_cast<uint64_t>(id) >> slot_bits ? &call : nullptr;
}

// --- agents ---

void simulation::ring(uint32_t agent, const policy::start_ringing& what) {
  auto& who = agents_[agent];
  who.rung = what;
  if (auto* call = find(what.call))
    call->rung = true;
  const auto after = samples_.answer(agent, who.offers++);
  if (!after || policy::later(now_, *after) >= what.until)
    return; // its desk knows when it has rung to the end
  if (*after > duration::zero()) {
    timers_.set(timer_of_agent(agent, person_timer), now_ + *after);
    return;
  }
  on_person(agent);
}

void simulation::on_person(uint32_t agent) {
  const auto& rung = agents_[agent].rung;
  floor_.to_agent(agent, [&](auto& desk, auto& out) {
    if (desk.state() == agent_state::offered)
      desk.on_ring_result(now_, rung.queue, rung.id, policy::ring_result::answered, out);
    else
      desk.end_wrap_up(now_, out);
  });
}

void simulation::on_plan(uint32_t agent) {
  auto& who = agents_[agent];
  using step = live_agent::plan_step;
  const auto& next = who.plan[who.next_step++];
  floor_.to_agent(agent, [&](auto& desk, auto& out) {
    switch (next.step) {
    case step::log_in:
      desk.log_in(now_, out);
      if (who.failed)
        desk.set_reachable(now_, false, out);
      break;
    case step::log_out:
      desk.log_out(now_, out);
      break;
    case step::pause:
      desk.pause(now_, *next.reason, out);
      break;
    case step::unpause:
      desk.unpause(now_, out);
      break;
    }
  });
  timers_.set(timer_of_agent(agent, plan_timer),
              who.next_step < who.plan.size() ? at(who.plan[who.next_step].at) : never);
}

void simulation::plan_failure(uint32_t agent) {
  timers_.set(timer_of_agent(agent, failure_timer),
              policy::later(now_, samples_.fails_after(agent, agents_[agent].failures)));
}

void simulation::on_failure(uint32_t agent) {
  auto& who = agents_[agent];
  who.failed = !who.failed;
  floor_.to_agent(agent,
                  [&](auto& desk, auto& out) { desk.set_reachable(now_, !who.failed, out); });
  if (!who.failed) {
    ++who.failures;
    plan_failure(agent);
    return;
  }
  timers_.set(timer_of_agent(agent, failure_timer),
              policy::later(now_, samples_.failure_lasts(agent, who.failures)));
  if (who.call != nobody)
    end_talk(who.call, call_end::agent_failed);
}

void simulation::changed(uint32_t agent, const policy::state_changed& what) {
  auto& who = agents_[agent];
  if (counting_)
    add_time(who.state, std::max(who.since, counted_from_), now_);
  who.state = what.to;
  who.since = now_;
  // What the person was about to do has come to nothing, or was done.
  if (what.from == agent_state::offered || what.from == agent_state::wrap_up)
    timers_.set(timer_of_agent(agent, person_timer), never);
}

// --- figures ---

template <class Count>
void simulation::count(uint32_t slot, Count&& count) {
  const auto& call = calls_[slot];
  if (!is_counted(call))
    return;
  count(figures_.queues[call.queue].counts);
  if (options_.interval > duration::zero())
    count(interval_at(call.entered).queues[call.queue]);
}

template <class Count>
void simulation::count_all(const live_call& call, Count&& count) {
  if (is_counted(call))
    count(figures_.all);
}

interval_counts& simulation::interval_at(time_point when) {
  const auto index = static_cast<size_t>(when.time_since_epoch() / options_.interval);
  while (figures_.intervals.size() <= index) {
    figures_.intervals.emplace_back();
    figures_.intervals.back().queues.resize(plan_.queues.size());
  }
  return figures_.intervals[index];
}

void simulation::add_time(agent_state state, time_point from, time_point to) {
  if (to <= from)
    return;
  const auto index = static_cast<size_t>(state);
  figures_.staff.in[index] += to - from;
  if (options_.interval == duration::zero())
    return;
  while (from < to) {
    const auto part = from.time_since_epoch() / options_.interval;
    const auto until = std::min(to, at(options_.interval * (part + 1)));
    interval_at(from).staff.in[index] += until - from;
    from = until;
  }
}

void simulation::begin_counting() {
  counting_ = true;
  counted_from_ = now_;
}

void simulation::stop_counting(time_point when) {
  if (!counting_)
    return;
  for (const auto& who : agents_)
    add_time(who.state, std::max(who.since, counted_from_), when);
  figures_.measured = when - counted_from_;
  counting_ = false;
}

} // namespace

simulation_figures simulate(const centre_plan& plan, const simulation_options& options,
                            const std::function<void(const call_outcome&)>& on_call) {
  return simulation{plan, options, on_call}.run();
}

} // namespace jackfield::simulation
