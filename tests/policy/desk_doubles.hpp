#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "engine/policy/agent_desk.hpp"
#include "engine/policy/queue_desk.hpp"

namespace jackfield::policy {

/// All of one kind among what a desk said, in its order.
template <class T, class Actions>
std::vector<T> all_of(const Actions& actions) {
  std::vector<T> found;
  for (const auto& action : actions)
    if (const auto* one = std::get_if<T>(&action))
      found.push_back(*one);
  return found;
}

/// A queue's desk whose agents do as they are told by the test: it plays their parts.
class queue_double {
public:
  explicit queue_double(queue_rules rules = {}, uint64_t seed = 1)
      : desk(queue_id{1}, std::move(rules), seed) {}

  /// Adds a member that is available.
  void member(uint64_t agent, membership part = {}) {
    desk.put_member(now, agent_id{agent}, std::move(part), out);
    available(agent);
  }
  void say(uint64_t agent, presence p) {
    auto& s = statuses_[agent];
    s.agent = agent_id{agent};
    s.now = p;
    ++s.version;
    if (p == presence::available)
      s.available_since = now;
    desk.on_status(now, s, no_round, out);
  }
  void available(uint64_t agent) { say(agent, presence::available); }
  /// What the strategies compare.
  agent_status& status(uint64_t agent) { return statuses_[agent]; }

  bool join(uint64_t call, int32_t priority = 0, std::vector<wanted_skill> wants = {}) {
    return desk.join(now, {call_id{call}, priority, std::move(wants), now}, out).has_value();
  }
  void after(duration d) {
    const auto until = now + d;
    while (desk.next_deadline() <= until) {
      now = std::max(now, desk.next_deadline());
      desk.on_time(now, out);
    }
    now = until;
  }

  /// The agents bid for since the last look, and forgets the rest.
  std::vector<uint64_t> bid_for() {
    std::vector<uint64_t> agents;
    for (const auto& b : all_of<to_agent<bid>>(out)) {
      agents.push_back(static_cast<uint64_t>(b.agent));
      last_bids_[agents.back()] = b.what;
    }
    out.clear();
    return agents;
  }
  /// The call that this agent was last bid for; 0: none.
  uint64_t call_of(uint64_t agent) const {
    const auto at = last_bids_.find(agent);
    return at == last_bids_.end() ? 0 : static_cast<uint64_t>(at->second.call);
  }
  void answer_bid(uint64_t agent, bid_verdict verdict) {
    auto& s = statuses_[agent];
    s.now = presence::busy;
    ++s.version;
    desk.on_bid_answer(now, {last_bids_.at(agent).id, verdict, s}, out);
  }
  void grant(uint64_t agent) { answer_bid(agent, bid_verdict::granted); }
  void outcome(uint64_t agent, offer_result result) {
    desk.on_outcome(now, {last_bids_.at(agent).id, result, statuses_[agent]}, out);
  }
  /// From the bid to the call.
  void take(uint64_t agent) {
    grant(agent);
    outcome(agent, offer_result::answered);
  }

  time_point now{std::chrono::hours{1}};
  queue_desk desk;
  queue_actions out;

private:
  std::map<uint64_t, agent_status> statuses_;
  std::map<uint64_t, bid> last_bids_;
};

/// An agent's desk, a member of queues 1 .. n, whose queues are played by the test.
class agent_double {
public:
  explicit agent_double(agent_rules rules = {}, uint32_t queues = 1) : desk(agent_id{7}, rules) {
    for (uint32_t q = 1; q <= queues; ++q)
      desk.add_queue(now, queue_id{q}, 0, out);
  }

  void log_in() { desk.log_in(now, out); }
  /// The round in the latest status.
  [[nodiscard]] round_id round() const { return all_of<status_to_queue>(out).back().round; }
  void no_bids() {
    const auto r = round();
    for (const auto q : desk.queues())
      desk.on_no_bid(now, {q, r}, out);
    out.clear();
  }
  void log_in_and_be_ready() {
    log_in();
    no_bids();
  }
  void bid_from(uint32_t queue, uint64_t id, int32_t priority = 0, duration waited = {},
                round_id round = no_round) {
    desk.on_bid(
      now, {queue_id{queue}, bid_id{id}, call_id{100 + id}, priority, now - waited, round}, out);
  }
  void offer_from(uint32_t queue, uint64_t id) {
    desk.on_offer(now, {queue_id{queue}, bid_id{id}, call_id{100 + id}, now + ring, {}}, out);
  }
  void phone(uint32_t queue, uint64_t id, ring_result result) {
    desk.on_ring_result(now, queue_id{queue}, bid_id{id}, result, out);
  }
  void assign(uint32_t queue, uint64_t id) {
    desk.on_assigned(now, {queue_id{queue}, bid_id{id}, call_id{100 + id}}, out);
  }
  void withdraw(uint32_t queue, uint64_t id) {
    desk.on_withdrawal(now, {queue_id{queue}, bid_id{id}, withdrawal_reason::caller_left}, out);
  }
  /// From the bid to the call.
  void talk(uint32_t queue, uint64_t id) {
    bid_from(queue, id);
    offer_from(queue, id);
    phone(queue, id, ring_result::answered);
    assign(queue, id);
  }
  void after(duration d) {
    const auto until = now + d;
    while (desk.next_deadline() <= until) {
      now = std::max(now, desk.next_deadline());
      desk.on_time(now, out);
    }
    now = until;
  }
  [[nodiscard]] std::vector<bid_verdict> verdicts() const {
    std::vector<bid_verdict> all;
    for (const auto& a : all_of<to_queue<bid_answer>>(out))
      all.push_back(a.what.verdict);
    return all;
  }
  [[nodiscard]] std::vector<offer_result> outcomes() const {
    std::vector<offer_result> all;
    for (const auto& o : all_of<to_queue<offer_outcome>>(out))
      all.push_back(o.what.result);
    return all;
  }

  static constexpr duration ring = std::chrono::seconds{20};
  time_point now{std::chrono::hours{1}};
  agent_desk desk;
  agent_actions out;
};

} // namespace jackfield::policy
