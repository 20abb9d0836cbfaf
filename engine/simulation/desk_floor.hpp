#pragma once

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "engine/policy/agent_desk.hpp"
#include "engine/policy/queue_desk.hpp"

namespace jackfield::simulation {

using policy::time_point;

/// Desks of queues and agents that hear one another at once, in the order in which they speak.
/// `Owner` does what desks ask of it beside:
///
///     void ring(uint32_t agent, const policy::start_ringing&);
///     void connect(uint32_t agent, const policy::connected&);
///     void changed(uint32_t agent, const policy::state_changed&);
///     void taken(uint32_t queue, const policy::assigned&);
///     void sent_on(uint32_t queue, const policy::overflowed&);
///
/// It may speak to desks from within these: what they say then is heard after what is on its way.
template <class Owner>
class desk_floor {
public:
  explicit desk_floor(Owner& owner) : owner_(owner) {}

  std::vector<policy::queue_desk> queues;
  std::vector<policy::agent_desk> agents;

  template <class Say>
  void to_queue(uint32_t queue, Say&& say) {
    const auto begin = queue_said_.size();
    say(queues[queue], queue_said_);
    touched_queues_.push_back(queue);
    if (queue_said_.size() > begin)
      spoken_.push_back({true, queue, begin, queue_said_.size()});
  }
  template <class Say>
  void to_agent(uint32_t agent, Say&& say) {
    const auto begin = agent_said_.size();
    say(agents[agent], agent_said_);
    touched_agents_.push_back(agent);
    if (agent_said_.size() > begin)
      spoken_.push_back({false, agent, begin, agent_said_.size()});
  }

  /// Until nobody has anything to say. Then each desk that was spoken to is named: its deadline may
  /// be another one; some are named more than once.
  template <class Queue, class Agent>
  void deliver(time_point now, Queue&& queue_touched, Agent&& agent_touched) {
    now_ = now;
    for (size_t head = 0; head < spoken_.size(); ++head) {
      const auto next = spoken_[head];
      for (auto i = next.begin; i < next.end; ++i)
        if (next.by_queue) // taken out: what follows may move the list
          std::visit([&](const auto& what) { carry(next.who, what); },
                     policy::queue_action{std::move(queue_said_[i])});
        else
          std::visit([&](const auto& what) { carry(next.who, what); },
                     policy::agent_action{std::move(agent_said_[i])});
    }
    spoken_.clear();
    queue_said_.clear();
    agent_said_.clear();
    for (const auto queue : touched_queues_)
      queue_touched(queue);
    for (const auto agent : touched_agents_)
      agent_touched(agent);
    touched_queues_.clear();
    touched_agents_.clear();
  }

private:
  struct turn {
    bool by_queue;
    uint32_t who;
    size_t begin;
    size_t end;
  };

  static uint32_t index(policy::queue_id id) { return static_cast<uint32_t>(id); }
  static uint32_t index(policy::agent_id id) { return static_cast<uint32_t>(id); }

  void carry(uint32_t /*agent*/, const policy::status_to_queue& m) {
    to_queue(index(m.queue),
             [&](auto& desk, auto& out) { desk.on_status(now_, m.what, m.round, out); });
  }
  void carry(uint32_t /*agent*/, const policy::to_queue<policy::bid_answer>& m) {
    to_queue(index(m.queue), [&](auto& desk, auto& out) { desk.on_bid_answer(now_, m.what, out); });
  }
  void carry(uint32_t /*agent*/, const policy::to_queue<policy::offer_outcome>& m) {
    to_queue(index(m.queue), [&](auto& desk, auto& out) { desk.on_outcome(now_, m.what, out); });
  }
  void carry(uint32_t agent, const policy::start_ringing& m) { owner_.ring(agent, m); }
  void carry(uint32_t /*agent*/, const policy::stop_ringing& /*m*/) {} // `changed` says so
  void carry(uint32_t agent, const policy::connected& m) { owner_.connect(agent, m); }
  void carry(uint32_t agent, const policy::state_changed& m) { owner_.changed(agent, m); }

  void carry(uint32_t /*queue*/, const policy::to_agent<policy::bid>& m) {
    to_agent(index(m.agent), [&](auto& desk, auto& out) { desk.on_bid(now_, m.what, out); });
  }
  void carry(uint32_t /*queue*/, const policy::to_agent<policy::no_bid>& m) {
    to_agent(index(m.agent), [&](auto& desk, auto& out) { desk.on_no_bid(now_, m.what, out); });
  }
  void carry(uint32_t /*queue*/, const policy::to_agent<policy::offer>& m) {
    to_agent(index(m.agent), [&](auto& desk, auto& out) { desk.on_offer(now_, m.what, out); });
  }
  void carry(uint32_t /*queue*/, const policy::to_agent<policy::withdrawal>& m) {
    to_agent(index(m.agent), [&](auto& desk, auto& out) { desk.on_withdrawal(now_, m.what, out); });
  }
  void carry(uint32_t queue, const policy::ask_status& m) {
    to_agent(index(m.agent),
             [&](auto& desk, auto& out) { desk.on_status_asked(policy::queue_id{queue}, out); });
  }
  void carry(uint32_t queue, const policy::assigned& m) {
    owner_.taken(queue, m);
    to_agent(index(m.agent), [&](auto& desk, auto& out) { desk.on_assigned(now_, m.what, out); });
  }
  void carry(uint32_t queue, const policy::overflowed& m) { owner_.sent_on(queue, m); }
  void carry(uint32_t /*queue*/, const policy::announce& /*m*/) {}

  Owner& owner_;
  time_point now_{};
  std::vector<turn> spoken_;
  policy::queue_actions queue_said_;
  policy::agent_actions agent_said_;
  std::vector<uint32_t> touched_queues_;
  std::vector<uint32_t> touched_agents_;
};

} // namespace jackfield::simulation
