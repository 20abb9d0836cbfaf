// AST PR#1973, #2029: states of thousands of members flood a queue. What desks say to one another
// grows with the calls, and not with how many queues and agents there are beside.

#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/policy/agent_desk.hpp"
#include "engine/policy/queue_desk.hpp"

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;

/// Desks that hear one another in order; every phone is answered at once.
class floor_of_desks {
public:
  floor_of_desks(size_t size, size_t queues_each) {
    for (size_t i = 0; i < size; ++i) {
      queues_.emplace_back(queue_id{static_cast<uint32_t>(i)}, queue_rules{}, i);
      agents_.emplace_back(agent_id{i}, agent_rules{});
    }
    for (size_t i = 0; i < size; ++i)
      for (size_t k = 0; k < queues_each; ++k) {
        const auto queue = (i + k * k * 7 + k) % size;
        agent_says(i, [&](auto& desk, auto& out) {
          desk.add_queue(now_, queue_id{static_cast<uint32_t>(queue)}, 0, out);
        });
        queue_says(queue,
                   [&](auto& desk, auto& out) { desk.put_member(now_, agent_id{i}, {}, out); });
      }
    for (size_t i = 0; i < size; ++i)
      agent_says(i, [&](auto& desk, auto& out) { desk.log_in(now_, out); });
    deliver();
    said_ = 0;
  }

  /// A call from its beginning to its end.
  void call(size_t queue, uint64_t number) {
    now_ += 1s;
    queue_says(queue, [&](auto& desk, auto& out) {
      EXPECT_TRUE(desk.join(now_, {call_id{number}, 0, {}, now_}, out));
    });
    deliver();
    now_ += 10s;
    ASSERT_TRUE(talks_.contains(number)) << "nobody took it";
    agent_says(talks_.extract(number).mapped(),
               [&](auto& desk, auto& out) { desk.on_call_ended(now_, call_id{number}, out); });
    deliver();
  }
  [[nodiscard]] size_t said() const { return said_; }

private:
  template <class Say>
  void agent_says(size_t agent, Say say) {
    agent_actions out;
    say(agents_[agent], out);
    for (auto& action : out)
      std::visit([&](auto& what) { carry(agent, what); }, action);
  }
  template <class Say>
  void queue_says(size_t queue, Say say) {
    queue_actions out;
    say(queues_[queue], out);
    for (auto& action : out)
      std::visit([&](auto& what) { carry_to_agent(queue, what); }, action);
  }
  void to_queue_desk(queue_id queue, std::function<void(queue_desk&, queue_actions&)> say) {
    ++said_;
    waiting_.emplace_back(
      [this, queue, say = std::move(say)] { queue_says(static_cast<size_t>(queue), say); });
  }
  void to_agent_desk(size_t agent, std::function<void(agent_desk&, agent_actions&)> say) {
    ++said_;
    waiting_.emplace_back([this, agent, say = std::move(say)] { agent_says(agent, say); });
  }

  void carry(size_t /*agent*/, const status_to_queue& s) {
    to_queue_desk(s.queue,
                  [this, s](auto& d, auto& out) { d.on_status(now_, s.what, s.round, out); });
  }
  void carry(size_t /*agent*/, const to_queue<bid_answer>& a) {
    to_queue_desk(a.queue, [this, a](auto& d, auto& out) { d.on_bid_answer(now_, a.what, out); });
  }
  void carry(size_t /*agent*/, const to_queue<offer_outcome>& o) {
    to_queue_desk(o.queue, [this, o](auto& d, auto& out) { d.on_outcome(now_, o.what, out); });
  }
  void carry(size_t agent, const start_ringing& r) {
    to_agent_desk(agent, [this, r](auto& d, auto& out) {
      d.on_ring_result(now_, r.queue, r.id, ring_result::answered, out);
    });
  }
  void carry(size_t /*agent*/, const stop_ringing& /*r*/) { ADD_FAILURE() << "rang in vain"; }
  void carry(size_t agent, const connected& c) {
    talks_.emplace(static_cast<uint64_t>(c.call), agent);
  }
  void carry(size_t /*agent*/, const state_changed& /*c*/) {}

  void carry_to_agent(size_t /*queue*/, const to_agent<bid>& b) {
    to_agent_desk(static_cast<size_t>(b.agent),
                  [this, b](auto& d, auto& out) { d.on_bid(now_, b.what, out); });
  }
  void carry_to_agent(size_t /*queue*/, const to_agent<no_bid>& b) {
    to_agent_desk(static_cast<size_t>(b.agent),
                  [this, b](auto& d, auto& out) { d.on_no_bid(now_, b.what, out); });
  }
  void carry_to_agent(size_t /*queue*/, const to_agent<offer>& o) {
    to_agent_desk(static_cast<size_t>(o.agent),
                  [this, o](auto& d, auto& out) { d.on_offer(now_, o.what, out); });
  }
  void carry_to_agent(size_t /*queue*/, const to_agent<withdrawal>& w) {
    to_agent_desk(static_cast<size_t>(w.agent),
                  [this, w](auto& d, auto& out) { d.on_withdrawal(now_, w.what, out); });
  }
  void carry_to_agent(size_t queue, const ask_status& a) {
    to_agent_desk(static_cast<size_t>(a.agent), [queue](auto& d, auto& out) {
      d.on_status_asked(queue_id{static_cast<uint32_t>(queue)}, out);
    });
  }
  void carry_to_agent(size_t /*queue*/, const assigned& a) {
    to_agent_desk(static_cast<size_t>(a.agent),
                  [this, a](auto& d, auto& out) { d.on_assigned(now_, a.what, out); });
  }
  void carry_to_agent(size_t /*queue*/, const overflowed& /*o*/) { ADD_FAILURE() << "sent on"; }
  void carry_to_agent(size_t /*queue*/, const announce& /*a*/) {}

  void deliver() {
    for (; !waiting_.empty(); waiting_.pop_front())
      waiting_.front()();
  }

  time_point now_{std::chrono::hours{1}};
  std::vector<queue_desk> queues_;
  std::vector<agent_desk> agents_;
  std::deque<std::function<void()>> waiting_;
  std::map<uint64_t, size_t> talks_; // agent by call
  size_t said_ = 0;
};

TEST(scale, ast_2029_a_call_is_the_business_of_its_agents_queues_alone) {
  const auto said_by = [](size_t size, size_t queues_each) {
    floor_of_desks desks{size, queues_each};
    for (size_t i = 0; i < 200; ++i)
      desks.call(i * 13 % size, i + 1);
    return desks.said();
  };
  const auto few = said_by(200, 4);
  EXPECT_EQ(said_by(2000, 4), few) << "ten times the queues and agents";
  // Twice busy and available, to each of its queues, of which each answers to the round; and seven
  // for the call.
  EXPECT_EQ(few, 200U * (3 * 4 + 6));
  EXPECT_EQ(said_by(2000, 8), 200U * (3 * 8 + 6)) << "twice the memberships";
}

} // namespace
} // namespace jackfield::policy
