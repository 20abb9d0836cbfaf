#include "engine/simulation/simulate.hpp"

#include <algorithm>

#include "engine/simulation/centre_day.hpp"
#include "engine/simulation/desk_floor.hpp"
#include "engine/simulation/timer_heap.hpp"

namespace jackfield::simulation {

namespace {

using policy::call_id;

/// The bound of a wrap-up that is drawn.
constexpr duration longest_wrap_up = std::chrono::hours{24};

class policy_floor;
using policy_day = centre_day<policy_floor>;

/// Desks alone, and timers of the day and of theirs.
class policy_floor {
public:
  policy_floor(policy_day& day, const centre_plan& plan, const call_samples& samples)
      : day_(day), plan_(plan), samples_(samples), rung_(plan.agents.size()) {}

  // For the day.
  [[nodiscard]] static time_point origin() { return {}; }
  void open();
  [[nodiscard]] time_point next() const { return std::min(of_day_.next(), of_desks_.next()); }
  void step();
  void set(uint32_t timer, time_point at) { of_day_.set(timer, at); }
  void enter(uint32_t slot, const live_call& call, time_point since);
  void leave(uint32_t slot, uint32_t queue);
  void end_talk(uint32_t slot, uint32_t agent);
  void answer(uint32_t agent);
  void end_wrap_up(uint32_t agent);
  void log_in(uint32_t agent, bool reachable);
  void log_out(uint32_t agent);
  void pause(uint32_t agent, const std::string& reason);
  void unpause(uint32_t agent);
  void set_reachable(uint32_t agent, bool reachable);

  // For the desks.
  void ring(uint32_t agent, const policy::start_ringing& what);
  void connect(uint32_t agent, const policy::connected& what);
  void changed(uint32_t agent, const policy::state_changed& what);
  void taken(uint32_t queue, const policy::assigned& what);
  void sent_on(uint32_t queue, const policy::overflowed& what);

private:
  static constexpr unsigned slot_bits = 24; // of more than `most_live_calls`

  [[nodiscard]] static call_id id_of(uint32_t slot, uint64_t number) {
    return call_id{number << slot_bits | slot};
  }
  [[nodiscard]] static uint32_t slot_of(call_id id) {
    return static_cast<uint32_t>(static_cast<uint64_t>(id) & ((uint64_t{1} << slot_bits) - 1));
  }
  [[nodiscard]] static uint64_t number_of(call_id id) {
    return static_cast<uint64_t>(id) >> slot_bits;
  }
  void on_time(uint32_t desk_timer);
  void settle();

  policy_day& day_;
  const centre_plan& plan_;
  const call_samples& samples_;
  desk_floor<policy_floor> desks_{*this};
  std::vector<policy::start_ringing> rung_; ///< for which, each agent's phone, last
  std::vector<call_id> live_;               ///< by slot
  timer_heap of_day_;
  timer_heap of_desks_; ///< of queues, then of agents
  time_point now_{};
};

void policy_floor::open() {
  desks_.queues.reserve(plan_.queues.size());
  for (uint32_t i = 0; i < plan_.queues.size(); ++i)
    desks_.queues.emplace_back(policy::queue_id{i}, desk_rules_of(plan_.queues[i]),
                               samples_.strategy_seed(i));
  desks_.agents.reserve(plan_.agents.size());
  for (uint32_t i = 0; i < plan_.agents.size(); ++i) {
    const auto& agent = plan_.agents[i];
    desks_.agents.emplace_back(policy::agent_id{i}, agent.rules);
    for (const auto& part : agent.queues) {
      desks_.to_agent(i, [&](auto& desk, auto& out) {
        desk.add_queue(now_, policy::queue_id{part.queue}, part.priority, out);
      });
      desks_.to_queue(part.queue, [&](auto& desk, auto& out) {
        desk.put_member(now_, policy::agent_id{i}, part.as, out);
      });
    }
  }
  settle();
}

// One of the day's events, before what desks have to do then: as actors serve it.
void policy_floor::step() {
  now_ = next();
  if (of_day_.next() == now_) {
    day_.on_timer(of_day_.pop());
    settle();
  }
  while (of_desks_.next() == now_) {
    while (of_desks_.next() == now_)
      on_time(of_desks_.pop());
    settle();
  }
}

void policy_floor::on_time(uint32_t desk_timer) {
  const auto queues = static_cast<uint32_t>(plan_.queues.size());
  if (desk_timer < queues)
    desks_.to_queue(desk_timer, [&](auto& desk, auto& out) { desk.on_time(now_, out); });
  else
    desks_.to_agent(desk_timer - queues, [&](auto& desk, auto& out) { desk.on_time(now_, out); });
}

void policy_floor::settle() {
  const auto queues = static_cast<uint32_t>(plan_.queues.size());
  desks_.deliver(
    now_, [&](uint32_t queue) { of_desks_.set(queue, desks_.queues[queue].next_deadline()); },
    [&](uint32_t agent) { of_desks_.set(queues + agent, desks_.agents[agent].next_deadline()); });
}

// --- callers ---

void policy_floor::enter(uint32_t slot, const live_call& call, time_point since) {
  const auto queue = call.queue;
  const auto number = call.who.number;
  if (slot >= live_.size())
    live_.resize(slot + 1);
  live_[slot] = id_of(slot, number);
  std::optional<policy::join_refusal> refused;
  desks_.to_queue(queue, [&](auto& desk, auto& out) {
    const auto joined =
      desk.join(now_, {live_[slot], plan_.queues[queue].priority, {}, since}, out);
    if (!joined)
      refused = joined.error();
  });
  if (!refused) {
    day_.let_in(slot, number);
    return;
  }
  // As `serve` sends them on.
  const auto& to = plan_.queues[queue].rules.overflow_to;
  using policy::join_refusal;
  const bool nobody_there =
    *refused == join_refusal::nobody_logged_in || *refused == join_refusal::nobody_working;
  const bool full = *refused == join_refusal::full || *refused == join_refusal::wait_too_long;
  day_.refused(slot, number, nobody_there ? to.no_agents : full ? to.shrunk : to.closed);
}

void policy_floor::leave(uint32_t slot, uint32_t queue) {
  desks_.to_queue(queue, [&](auto& desk, auto& out) {
    desk.leave(now_, live_[slot], policy::leave_reason::hung_up, out);
  });
}

void policy_floor::taken(uint32_t /*queue*/, const policy::assigned& what) {
  day_.taken(slot_of(what.what.call), number_of(what.what.call));
}

void policy_floor::sent_on(uint32_t /*queue*/, const policy::overflowed& what) {
  day_.sent_on(slot_of(what.call), number_of(what.call), what.to);
}

void policy_floor::connect(uint32_t agent, const policy::connected& what) {
  day_.connect(slot_of(what.call), number_of(what.call), agent);
}

void policy_floor::end_talk(uint32_t slot, uint32_t agent) {
  desks_.to_agent(agent,
                  [&](auto& desk, auto& out) { desk.on_call_ended(now_, live_[slot], out); });
}

// --- agents ---

void policy_floor::ring(uint32_t agent, const policy::start_ringing& what) {
  rung_[agent] = what;
  day_.ring(agent, slot_of(what.call), number_of(what.call), what.until);
}

void policy_floor::changed(uint32_t agent, const policy::state_changed& what) {
  day_.changed(agent, what.from, what.to);
}

void policy_floor::answer(uint32_t agent) {
  desks_.to_agent(agent, [&](auto& desk, auto& out) {
    desk.on_ring_result(now_, rung_[agent].queue, rung_[agent].id, policy::ring_result::answered,
                        out);
  });
}

void policy_floor::end_wrap_up(uint32_t agent) {
  desks_.to_agent(agent, [&](auto& desk, auto& out) { desk.end_wrap_up(now_, out); });
}

void policy_floor::log_in(uint32_t agent, bool reachable) {
  desks_.to_agent(agent, [&](auto& desk, auto& out) {
    desk.log_in(now_, out);
    if (!reachable)
      desk.set_reachable(now_, false, out);
  });
}

void policy_floor::log_out(uint32_t agent) {
  desks_.to_agent(agent, [&](auto& desk, auto& out) { desk.log_out(now_, out); });
}

void policy_floor::pause(uint32_t agent, const std::string& reason) {
  desks_.to_agent(agent, [&](auto& desk, auto& out) { desk.pause(now_, reason, out); });
}

void policy_floor::unpause(uint32_t agent) {
  desks_.to_agent(agent, [&](auto& desk, auto& out) { desk.unpause(now_, out); });
}

void policy_floor::set_reachable(uint32_t agent, bool reachable) {
  desks_.to_agent(agent, [&](auto& desk, auto& out) { desk.set_reachable(now_, reachable, out); });
}

} // namespace

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

policy::queue_rules desk_rules_of(const queue_plan& plan) {
  auto rules = plan.rules;
  rules.wrap_up =
    plan.wrap_up.is() == distribution::kind::constant ? plan.wrap_up.mean() : longest_wrap_up;
  return rules;
}

result<simulation_figures> simulate(const centre_plan& plan, const simulation_options& options,
                                    const std::function<void(const call_outcome&)>& on_call) {
  return policy_day{plan, options, on_call}.run();
}

} // namespace jackfield::simulation
