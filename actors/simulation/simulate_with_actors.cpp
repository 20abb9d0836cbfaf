#include "actors/simulation/simulate_with_actors.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/behavior.hpp>
#include <caf/send.hpp>

#include "actors/centre/agent.hpp"
#include "actors/centre/queue.hpp"
#include "actors/simulation/simulated_call.hpp"
#include "engine/lane/pool_scheduler.hpp"
#include "engine/lane/sim_lane.hpp"
#include "engine/policy/names.hpp"
#include "engine/simulation/centre_day.hpp"
#include "engine/simulation/timer_heap.hpp"

namespace jackfield {

namespace {

using policy::agent_state;
using simulation::centre_plan;
using simulation::live_call;

class actor_floor;
using actor_day = simulation::centre_day<actor_floor>;

/// Hears of agents' states.
class state_listener final : public lane::lane_actor {
public:
  using listen = std::function<void(const centre_event&)>;
  state_listener(caf::actor_config& config, lane::lane& home, listen to)
      : lane::lane_actor(config, home), to_(std::move(to)) {}
  const char* name() const override { return "state_listener"; }

protected:
  caf::behavior make_behavior() override {
    return {[this](const centre_event& event) { to_(event); }};
  }

private:
  listen to_;
};

agent_state state_named(std::string_view name) {
  static const auto all = [] {
    std::unordered_map<std::string_view, agent_state> made;
    for (size_t i = 0; i < simulation::staff_time::states; ++i)
      made.emplace(policy::to_string(static_cast<agent_state>(i)), static_cast<agent_state>(i));
    return made;
  }();
  return all.at(name);
}

/// Everything runs on one lane, on the caller's thread.
caf::actor_system_config& configured(caf::actor_system_config& config) {
  config.load<lane::pool_scheduler>();
  config.set("scheduler.max-threads", size_t{1});
  return config;
}

/// The actors, with a call's actor for each slot.
class actor_floor final : private simulated_call_user {
public:
  actor_floor(actor_day& day, const centre_plan& plan, const simulation::call_samples& samples)
      : day_(day), plan_(plan), samples_(samples), system_(configured(config_)),
        lane_(system_, 1, 0, lane::timer_wheel::ticks::nanoseconds) {}
  ~actor_floor() override;
  actor_floor(const actor_floor&) = delete;
  actor_floor& operator=(const actor_floor&) = delete;

  // For the day.
  [[nodiscard]] static lane::time_point origin() { return lane::sim_lane::start; }
  void open();
  [[nodiscard]] lane::time_point next() {
    return std::min(timers_.next(), lane_.wheel().next_deadline());
  }
  void step();
  void set(uint32_t timer, lane::time_point at) { timers_.set(timer, at); }
  void enter(uint32_t slot, const live_call& call, lane::time_point since);
  void leave(uint32_t slot, uint32_t /*queue*/) { calls_[slot]->hang_up(); }
  void end_talk(uint32_t slot, uint32_t /*agent*/) { calls_[slot]->end_talk(); }
  void answer(uint32_t agent);
  void end_wrap_up(uint32_t agent) { wish(agent, agent_wish::kind::end_wrap_up); }
  void log_in(uint32_t agent, bool reachable);
  void log_out(uint32_t agent) { wish(agent, agent_wish::kind::log_out); }
  void pause(uint32_t agent, const std::string& reason) {
    wish(agent, agent_wish::kind::pause, reason);
  }
  void unpause(uint32_t agent) { wish(agent, agent_wish::kind::unpause); }
  void set_reachable(uint32_t agent, bool reachable);

private:
  // Of calls.
  void on_let_in(uint32_t slot, uint64_t number) override { day_.let_in(slot, number); }
  void on_rung(uint32_t slot, uint64_t number, const ring_agent& rings) override;
  void on_connected(uint32_t slot, uint64_t number, const agent_address& agent) override;
  void on_dismissed(uint32_t slot, uint64_t number, const queue_dismissed& how) override;
  void on_state(const centre_event& event);

  void wish(uint32_t agent, agent_wish::kind what, const std::string& reason = {}) {
    lane::tell(lane_, agents_[agent], agent_wish{what, reason});
  }
  [[nodiscard]] static uint32_t number_in(std::string_view name) {
    uint32_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
  }

  actor_day& day_;
  const centre_plan& plan_;
  const simulation::call_samples& samples_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  lane::sim_lane lane_;
  simulation::timer_heap timers_;
  caf::strong_actor_ptr listener_;
  std::vector<caf::strong_actor_ptr> queues_;
  std::vector<caf::strong_actor_ptr> agents_;
  std::vector<uint32_t> rings_for_; // each agent's phone: the slot of the call, last
  std::vector<simulated_call*> calls_;
  std::vector<caf::strong_actor_ptr> call_actors_;
  std::vector<uint32_t> entered_; // in this step
};

actor_floor::~actor_floor() {
  caf::anon_send_exit(std::exchange(listener_, nullptr), caf::exit_reason::kill);
  for (auto* const all : {&call_actors_, &queues_, &agents_})
    for (const auto& each : std::exchange(*all, {}))
      caf::anon_send_exit(each, caf::exit_reason::kill);
  lane_.run_until(lane_.now());
}

void actor_floor::open() {
  const auto pointer = [](const auto& actor) {
    return caf::actor_cast<caf::strong_actor_ptr>(actor);
  };
  listener_ =
    pointer(lane_.spawn<state_listener>([this](const centre_event& event) { on_state(event); }));
  std::vector<queue_ticket> tickets;
  std::vector<queue_parts> parts(plan_.queues.size());
  for (uint32_t i = 0; i < plan_.queues.size(); ++i) {
    const auto& each = plan_.queues[i];
    queues_.push_back(pointer(
      lane_.spawn<queue>(queue_profile{policy::queue_id{i}, each.name,
                                       simulation::desk_rules_of(each), samples_.strategy_seed(i)},
                         nullptr)));
    tickets.push_back({each.name, queues_.back(), each.priority});
  }
  for (uint32_t i = 0; i < plan_.agents.size(); ++i) {
    const auto& each = plan_.agents[i];
    agents_.push_back(pointer(lane_.spawn<agent>(
      agent_profile{policy::agent_id{i}, std::to_string(i), each.rules, false}, listener_)));
    agent_queues serves;
    for (const auto& part : each.queues) {
      serves.all.push_back({policy::queue_id{part.queue}, queues_[part.queue], part.priority});
      parts[part.queue].members.push_back(
        {policy::agent_id{i}, std::to_string(i), agents_.back(), part.as, part.priority});
    }
    lane::tell(lane_, agents_.back(), std::move(serves));
  }
  for (uint32_t i = 0; i < queues_.size(); ++i) {
    parts[i].others = tickets;
    lane::tell(lane_, queues_[i], std::move(parts[i]));
  }
  rings_for_.resize(agents_.size(), live_call::nobody);
  for (uint32_t i = 0; i < agents_.size(); ++i)
    set_reachable(i, true);
  lane_.run_until(lane_.now());
}

// The day's events come one by one, before what is due to the actors at the same time: as where
// policies serve alone.
void actor_floor::step() {
  const auto now = next();
  if (timers_.next() == now) {
    lane_.go_on_to(now);
    day_.on_timer(timers_.pop());
  }
  lane_.run_until(now);
  for (const auto slot : std::exchange(entered_, {}))
    calls_[slot]->settle();
}

void actor_floor::enter(uint32_t slot, const live_call& call, lane::time_point since) {
  while (slot >= calls_.size()) {
    auto made = lane_.spawn<simulated_call>(static_cast<simulated_call_user&>(*this),
                                            static_cast<uint32_t>(calls_.size()));
    calls_.push_back(caf::actor_cast<simulated_call*>(made));
    call_actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(made));
  }
  calls_[slot]->enter(call.who.number, queues_[call.queue], plan_.queues[call.queue].priority,
                      since);
  entered_.push_back(slot);
}

void actor_floor::on_dismissed(uint32_t slot, uint64_t number, const queue_dismissed& how) {
  const std::string to = how.next ? how.next->name : "";
  if (how.refused)
    day_.refused(slot, number, to);
  else
    day_.sent_on(slot, number, to);
}

void actor_floor::on_rung(uint32_t slot, uint64_t number, const ring_agent& rings) {
  const auto agent = number_in(rings.agent.name);
  rings_for_[agent] = slot;
  day_.ring(agent, slot, number, policy::never); // its desk says when it has rung to the end
}

void actor_floor::answer(uint32_t agent) {
  calls_[rings_for_[agent]]->answer(agents_[agent]->id());
}

void actor_floor::on_connected(uint32_t slot, uint64_t number, const agent_address& agent) {
  day_.connect(slot, number, number_in(agent.name));
}

void actor_floor::on_state(const centre_event& event) {
  day_.changed(number_in(event.agent), state_named(event.from), state_named(event.detail));
}

void actor_floor::log_in(uint32_t agent, bool reachable) {
  if (!reachable) // nobody without a phone logs in: it is lost just after
    set_reachable(agent, true);
  wish(agent, agent_wish::kind::log_in);
  if (!reachable)
    set_reachable(agent, false);
}

void actor_floor::set_reachable(uint32_t agent, bool reachable) {
  lane::tell(lane_, agents_[agent], agent_phones{"sip:" + std::to_string(agent), reachable});
}

} // namespace

result<simulation::simulation_figures>
simulate_with_actors(const centre_plan& plan, const simulation::simulation_options& options,
                     const std::function<void(const simulation::call_outcome&)>& on_call) {
  return actor_day{plan, options, on_call}.run();
}

} // namespace jackfield
