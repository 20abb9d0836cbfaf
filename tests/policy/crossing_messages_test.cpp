// Hundreds of agents, several queues and thousands of callers, with a bus between their desks that
// delays, turns round and loses messages as peers die. A failing seed is printed and is a test
// case.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/policy/agent_desk.hpp"
#include "engine/policy/names.hpp"
#include "engine/policy/queue_desk.hpp"

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

struct plan {
  uint64_t seed = 1;
  size_t agents = 200;
  size_t queues = 5;
  size_t callers = 3000;
  duration arrivals_for = 10min;
  bool in_order = true; ///< between each two; else messages overtake each other
  bool deaths = true;
};

class exchange {
public:
  explicit exchange(const plan& p) : plan_(p), random_(p.seed) {
    for (size_t i = 0; i < plan_.queues; ++i)
      open_queue(i);
    for (size_t i = 0; i < plan_.agents; ++i)
      open_agent(i);
    for (size_t i = 0; i < plan_.agents; ++i)
      join_queues(i);
    for (size_t i = 0; i < plan_.callers; ++i)
      at(now_ + upto(plan_.arrivals_for), [this, i] { arrive(i); });
    for (int i = 0; i < 2000; ++i)
      at(now_ + upto(plan_.arrivals_for), [this] { somebody_acts(); });
    // In the end everybody is there, so that all that waits can be served.
    at(now_ + plan_.arrivals_for + 1min, [this] { everybody_in(); });
  }

  void run() {
    while (!testing::Test::HasFailure()) {
      auto due = next_deadline();
      const auto event = events_.empty() ? never : events_.begin()->first.first;
      if (due == never && event == never)
        break;
      ASSERT_LT(++steps_, 20'000'000U) << "messages go round and round";
      if (event <= due) {
        now_ = event;
        const auto what = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        what();
      } else {
        now_ = due;
        on_time();
      }
      if (steps_ % 97 == 0)
        sweep();
    }
    sweep();
    if (!testing::Test::HasFailure())
      drained();
  }

  [[nodiscard]] size_t served() const { return served_; }
  [[nodiscard]] size_t abandoned() const { return abandoned_; }
  [[nodiscard]] size_t overflowed_callers() const { return overflowed_; }
  [[nodiscard]] size_t put_back() const { return put_back_; }
  [[nodiscard]] size_t surplus_answers() const { return surplus_; }

private:
  // No templates: each would make more of the others.
  using queue_step = std::function<void(queue_desk&, queue_actions&)>;
  using agent_step = std::function<void(agent_desk&, agent_actions&)>;

  static constexpr duration most_delay = 40ms;

  enum class fate : uint8_t { to_come, waits, assigned, talks, ended };
  struct caller_record {
    fate is = fate::to_come;
    size_t queue = 0;
    size_t agent = 0; // while assigned
    caller who;
    time_point ended_at{};
    int ends = 0;
    bool hung_up = false; // while its queue was down
  };
  enum class phone : uint8_t { silent, rings, claimed, talks };
  struct agent_record {
    std::unique_ptr<agent_desk> desk;
    std::vector<size_t> queues;
    phone is = phone::silent;
    bid_id bid{};
    queue_id bid_of{};
    call_id call{};
    time_point ends = never; // of a state that must end
    uint64_t life = 0;       // events of an earlier one are void
  };
  struct queue_record {
    std::unique_ptr<queue_desk> desk;
    queue_snapshot kept;
    bool simple = false; // neither skills nor tiers
    uint64_t life = 0;
  };

  // --- chance ---

  uint64_t below(uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  duration upto(duration d) { return duration{static_cast<int64_t>(below(d.count() + 1))}; }

  // --- time ---

  void at(time_point when, std::function<void()> what) {
    events_.emplace(std::pair{when, ++event_number_}, std::move(what));
  }

  time_point next_deadline() {
    time_point due = never;
    for (auto& q : queues_)
      if (q.desk)
        due = std::min(due, q.desk->next_deadline());
    for (auto& a : agents_)
      if (a.desk)
        due = std::min(due, a.desk->next_deadline());
    return due;
  }

  void on_time() {
    for (size_t i = 0; i < queues_.size(); ++i)
      if (queues_[i].desk && queues_[i].desk->next_deadline() <= now_)
        queue(i, [this](queue_desk& d, queue_actions& out) { d.on_time(now_, out); });
    for (size_t i = 0; i < agents_.size(); ++i)
      if (agents_[i].desk && agents_[i].desk->next_deadline() <= now_)
        agent(i, [this](agent_desk& d, agent_actions& out) { d.on_time(now_, out); });
    ASSERT_GT(next_deadline(), now_) << "a deadline stays, though its time was given";
  }

  /// The bus. `link` names the two ends and the direction.
  void send(uint64_t link, std::function<void()> deliver) {
    auto arrives = now_ + upto(chance(90) ? 2ms : most_delay);
    if (plan_.in_order) {
      auto& last = last_on_link_[link];
      arrives = last = std::max(last, arrives);
    }
    at(arrives, std::move(deliver));
  }
  void send_to_agent(size_t from, size_t to, agent_step f) {
    const auto life = agents_[to].life;
    send(from << 32U | to << 1U, [this, to, life, f = std::move(f)] {
      if (agents_[to].desk && agents_[to].life == life)
        agent(to, f);
    });
  }
  void send_to_queue(size_t from, size_t to, queue_step f) {
    const auto life = queues_[to].life;
    send(to << 32U | from << 1U | 1U, [this, to, life, f = std::move(f)] {
      if (queues_[to].desk && queues_[to].life == life)
        queue(to, f);
    });
  }

  // --- the desks' owners ---

  void queue(size_t i, const queue_step& f) {
    queue_actions out;
    f(*queues_[i].desk, out);
    for (const auto& action : out)
      std::visit(
        overloaded{
          [this, i](const to_agent<bid>& a) {
            send_to_agent(i, index(a.agent), [this, m = a.what](agent_desk& d, agent_actions& o) {
              d.on_bid(now_, m, o);
            });
          },
          [this, i](const to_agent<no_bid>& a) {
            send_to_agent(i, index(a.agent), [this, m = a.what](agent_desk& d, agent_actions& o) {
              d.on_no_bid(now_, m, o);
            });
          },
          [this, i](const to_agent<offer>& a) {
            send_to_agent(i, index(a.agent), [this, m = a.what](agent_desk& d, agent_actions& o) {
              d.on_offer(now_, m, o);
            });
          },
          [this, i](const to_agent<withdrawal>& a) {
            send_to_agent(i, index(a.agent), [this, m = a.what](agent_desk& d, agent_actions& o) {
              d.on_withdrawal(now_, m, o);
            });
          },
          [this, i](const ask_status& a) {
            send_to_agent(i, index(a.agent), [i](agent_desk& d, agent_actions& o) {
              d.on_status_asked(queue_id{static_cast<uint32_t>(i)}, o);
            });
          },
          [this, i](const assigned& a) { on_assigned(i, a); },
          [this](const overflowed& a) {
            ++overflowed_;
            end(record(a.call));
          },
          [this, i](const announce& a) {
            EXPECT_GE(a.position, 1U);
            EXPECT_LE(a.position, queues_[i].desk->waiting() + 1);
          },
        },
        action);
    const auto& d = *queues_[i].desk;
    if (queues_[i].simple && d.available() > 0) {
      EXPECT_LE(d.waiting(), d.bids())
        << "somebody waits at queue " << i << ", and somebody is free";
    }
  }

  void agent(size_t i, const agent_step& f) {
    auto& a = agents_[i];
    agent_actions out;
    f(*a.desk, out);
    for (const auto& action : out)
      std::visit(overloaded{
                   [this, i](const status_to_queue& s) {
                     send_to_queue(i, index(s.queue), [this, s](queue_desk& d, queue_actions& o) {
                       d.on_status(now_, s.what, s.round, o);
                     });
                   },
                   [this, i](const to_queue<bid_answer>& s) {
                     send_to_queue(i, index(s.queue), [this, s](queue_desk& d, queue_actions& o) {
                       d.on_bid_answer(now_, s.what, o);
                     });
                   },
                   [this, i](const to_queue<offer_outcome>& s) {
                     send_to_queue(i, index(s.queue),
                                   [this, i, s](queue_desk& d, queue_actions& o) {
                                     d.on_outcome(now_, s.what, o);
                                     if (s.what.result == offer_result::not_reserved)
                                       put_back(i, s.what.id, d.id());
                                   });
                   },
                   [this, i](const start_ringing& s) { ring(i, s); },
                   [this, &a](const stop_ringing& s) {
                     EXPECT_TRUE(a.is == phone::rings || a.is == phone::claimed);
                     EXPECT_EQ(a.bid, s.id) << "another call was to stop";
                     surplus_ += a.is == phone::claimed ? 1 : 0;
                     a.is = phone::silent;
                   },
                   [this, i](const connected& s) { connect(i, s); },
                   [](const state_changed& s) {
                     EXPECT_TRUE(s.from != s.to || s.to == agent_state::paused) << to_string(s.to);
                   },
                 },
                 action);
    check(i);
  }

  // --- callers ---

  caller_record& record(call_id call) { return callers_[static_cast<uint64_t>(call)]; }
  static size_t index(agent_id agent) { return static_cast<size_t>(agent); }
  static size_t index(queue_id queue) { return static_cast<size_t>(queue); }

  void arrive(size_t i) {
    auto& c = callers_[i];
    c.queue = below(plan_.queues);
    c.who.id = call_id{i};
    c.who.priority = static_cast<int32_t>(below(3));
    c.who.joined = now_;
    if (!queues_[c.queue].simple && chance(50))
      c.who.wants.push_back({skill_id{static_cast<uint32_t>(below(3))}, 50});
    at(now_ + upto(3min), [this, i] { hang_up(i); });
    enter(c);
  }

  void enter(caller_record& c) {
    if (!queues_[c.queue].desk) {
      end(c); // its owner would send it elsewhere
      return;
    }
    c.is = fate::waits;
    queue(c.queue, [this, &c](queue_desk& d, queue_actions& out) {
      if (!d.join(now_, c.who, out))
        end(c);
    });
  }

  void hang_up(size_t i) {
    auto& c = callers_[i];
    if (c.is == fate::ended)
      return;
    if (c.is == fate::waits) {
      if (!queues_[c.queue].desk) {
        c.hung_up = true;
        return;
      }
      ++abandoned_;
      queue(c.queue, [this, &c](queue_desk& d, queue_actions& out) {
        EXPECT_TRUE(d.leave(now_, c.who.id, leave_reason::hung_up, out)) << "it waited elsewhere";
      });
    } else {
      // To the agent by the bridge's way: not in order with what the queue says.
      const auto to = c.agent;
      const auto life = agents_[to].life;
      at(now_ + upto(most_delay), [this, to, life, call = c.who.id] {
        if (agents_[to].desk && agents_[to].life == life)
          call_ended(to, call);
      });
    }
    end(c);
  }

  void end(caller_record& c) {
    c.is = fate::ended;
    c.ended_at = now_;
    ++c.ends;
    EXPECT_EQ(c.ends, 1) << "a caller ended twice";
  }

  void on_assigned(size_t from, const assigned& a) {
    auto& c = record(a.what.call);
    EXPECT_EQ(c.is, fate::waits) << "who does not wait was given to an agent";
    c.is = fate::assigned;
    c.agent = index(a.agent);
    bids_of_assigned_[{from, a.what.id}] = a.what.call;
    if (!agents_[c.agent].desk) { // down, and its queue does not know yet
      put_back(c.agent, a.what.id, queue_id{static_cast<uint32_t>(from)});
      return;
    }
    send_to_agent(from, c.agent, [this, m = a.what](agent_desk& d, agent_actions& o) {
      d.on_assigned(now_, m, o);
    });
  }

  /// The agent could not take it after all: it has its place again.
  void put_back(size_t by, bid_id id, queue_id from) {
    const auto at_bid = bids_of_assigned_.find({index(from), id});
    if (at_bid == bids_of_assigned_.end())
      return;
    auto& c = record(at_bid->second);
    bids_of_assigned_.erase(at_bid);
    if (c.is != fate::assigned || c.agent != by)
      return;
    ++put_back_;
    c.is = fate::waits;
    at(now_, [this, &c] {
      if (c.is == fate::waits)
        enter(c);
    });
  }

  // --- phones ---

  void ring(size_t i, const start_ringing& s) {
    auto& a = agents_[i];
    EXPECT_EQ(a.is, phone::silent) << "agent " << i << " is rung twice";
    a.is = phone::rings;
    a.bid = s.id;
    a.bid_of = s.queue;
    a.call = s.call;
    const auto result = below(100);
    // Some never answer, and some phones never say so.
    if (result < 10)
      return;
    const auto what = result < 75   ? ring_result::answered
                      : result < 82 ? ring_result::rejected
                      : result < 88 ? ring_result::busy
                      : result < 94 ? ring_result::no_answer
                                    : ring_result::unreachable;
    at(now_ + upto(8s), [this, i, life = a.life, s, what] {
      auto& rung = agents_[i];
      if (!rung.desk || rung.life != life || rung.is != phone::rings || rung.bid != s.id ||
          rung.bid_of != s.queue)
        return;
      rung.is = what == ring_result::answered ? phone::claimed : phone::silent;
      agent(i, [&](agent_desk& d, agent_actions& out) {
        d.on_ring_result(now_, s.queue, s.id, what, out);
      });
    });
  }

  void connect(size_t i, const connected& s) {
    auto& a = agents_[i];
    EXPECT_EQ(a.is, phone::claimed);
    EXPECT_EQ(a.bid, s.id);
    a.is = phone::talks;
    auto& c = record(s.call);
    const auto life = a.life;
    if (c.is == fate::ended) { // and its end is on its way
      at(now_ + upto(most_delay), [this, i, life, call = s.call] {
        if (agents_[i].desk && agents_[i].life == life)
          call_ended(i, call);
      });
      return;
    }
    EXPECT_EQ(c.is, fate::assigned) << "two agents have one caller";
    EXPECT_EQ(c.agent, i) << "two agents have one caller";
    c.is = fate::talks;
    at(now_ + upto(30s), [this, i, life, call = s.call] {
      auto& talks = record(call);
      if (talks.is != fate::talks || !agents_[i].desk || agents_[i].life != life)
        return;
      ++served_;
      end(talks);
      call_ended(i, call);
    });
  }

  void call_ended(size_t i, call_id call) {
    auto& a = agents_[i];
    if (a.call == call && (a.is == phone::talks || a.is == phone::claimed))
      a.is = phone::silent;
    else if (a.call == call && a.is == phone::rings)
      return; // its own leg ends by the queue's withdrawal
    agent(i, [this, call](agent_desk& d, agent_actions& out) { d.on_call_ended(now_, call, out); });
  }

  // --- what people and machines do ---

  void open_queue(size_t i) {
    if (i == queues_.size())
      queues_.emplace_back();
    queue_rules r;
    static constexpr strategy all[] = {
      strategy::longest_idle, strategy::ring_all,        strategy::round_robin, strategy::random,
      strategy::top_down,     strategy::least_talk_time, strategy::fewest_calls};
    r.picks = all[i % std::size(all)];
    r.ring_time = 6s;
    r.announce_every = 15s;
    r.announce_first = 5s;
    queues_[i].simple = i % 5 < 2;
    if (!queues_[i].simple) {
      r.tiers = {{0s, 0}, {10s, 1}};
      r.skill_steps = {{15s, {}, 30, false}, {40s, {}, 0, true}};
      r.max_wait = 100s;
      r.priority_worth = 5s;
    }
    EXPECT_TRUE(r.check("queue"));
    queues_[i].desk =
      std::make_unique<queue_desk>(queue_id{static_cast<uint32_t>(i)}, r, random_());
  }

  void open_agent(size_t i) {
    if (i == agents_.size())
      agents_.emplace_back();
    agent_rules r;
    r.wrap_up = upto(10s);
    r.after_rejected = upto(4s);
    r.most_unanswered = 4;
    agents_[i].desk = std::make_unique<agent_desk>(agent_id{i}, r);
    agents_[i].is = phone::silent;
  }

  void join_queues(size_t i) {
    auto& a = agents_[i];
    if (a.queues.empty())
      for (size_t q = 0; q < plan_.queues; ++q)
        if (chance(40) || (q + 1 == plan_.queues && a.queues.empty()))
          a.queues.push_back(q);
    for (const auto q : a.queues)
      join_queue(i, q);
    agent(i, [this](agent_desk& d, agent_actions& out) { d.log_in(now_, out); });
  }

  void join_queue(size_t i, size_t q) {
    if (!queues_[q].desk)
      return;
    membership part;
    part.tier = static_cast<uint16_t>(i % 2);
    part.position = static_cast<uint32_t>(i);
    part.skills = {{skill_id{static_cast<uint32_t>(i % 3)}, static_cast<uint8_t>(30 + i % 60)}};
    const auto to_desk = [this, i, q] {
      if (agents_[i].desk && queues_[q].desk)
        agent(i, [&](agent_desk& d, agent_actions& out) {
          d.add_queue(now_, queue_id{static_cast<uint32_t>(q)}, static_cast<int32_t>(i % 2), out);
        });
    };
    // Either may hear first.
    if (chance(50))
      to_desk();
    else
      at(now_ + upto(most_delay), to_desk);
    queue(q,
          [&](queue_desk& d, queue_actions& out) { d.put_member(now_, agent_id{i}, part, out); });
  }

  void somebody_acts() {
    const auto i = below(plan_.agents);
    const auto act = [&](const agent_step& f) {
      if (agents_[i].desk)
        agent(i, f);
    };
    switch (below(plan_.deaths ? 12 : 10)) {
    case 0:
      act([this](agent_desk& d, agent_actions& out) { d.log_out(now_, out); });
      break;
    case 1:
    case 2:
      act([this](agent_desk& d, agent_actions& out) { d.log_in(now_, out); });
      break;
    case 3:
      act([this](agent_desk& d, agent_actions& out) { d.pause(now_, "lunch", out); });
      break;
    case 4:
      act([this](agent_desk& d, agent_actions& out) { d.unpause(now_, out); });
      break;
    case 5:
      act([this](agent_desk& d, agent_actions& out) { d.set_reachable(now_, false, out); });
      break;
    case 6:
      act([this](agent_desk& d, agent_actions& out) { d.set_reachable(now_, true, out); });
      break;
    case 7:
      act([this](agent_desk& d, agent_actions& out) { d.end_wrap_up(now_, out); });
      break;
    case 8: {
      const auto call = call_id{1'000'000 + ++direct_};
      act([this, call](agent_desk& d, agent_actions& out) { d.on_direct_call(now_, call, out); });
      at(now_ + upto(20s), [this, i, call] {
        if (agents_[i].desk)
          agent(
            i, [&](agent_desk& d, agent_actions& out) { d.on_direct_call_ended(now_, call, out); });
      });
      break;
    }
    case 9:
      reload(below(plan_.queues));
      break;
    case 10:
      agent_dies(i);
      break;
    default:
      if (chance(20))
        queue_dies(below(plan_.queues));
    }
  }

  void reload(size_t i) {
    if (!queues_[i].desk)
      return;
    auto rules = queues_[i].desk->rules();
    rules.ring_time = 4s + upto(4s);
    if (!queues_[i].simple && chance(30))
      rules.picks = chance(50) ? strategy::ring_all : strategy::longest_idle;
    rules.most_waiting = chance(20) ? 20 : 0;
    queue(i, [&](queue_desk& d, queue_actions& out) { d.set_rules(now_, rules, out); });
  }

  void agent_dies(size_t i) {
    auto& a = agents_[i];
    if (!a.desk)
      return;
    a.desk.reset();
    ++a.life;
    a.is = phone::silent;
    for (auto& [number, c] : callers_)
      if (c.agent == i && c.is == fate::talks)
        end(c); // the bridge lost a leg
    // What it said before comes first.
    at(now_ + most_delay, [this, i] {
      for (auto& q : queues_)
        if (q.desk)
          queue(static_cast<size_t>(q.desk->id()), [&](queue_desk& d, queue_actions& out) {
            d.remove_member(now_, agent_id{i}, out);
          });
      std::vector<std::pair<bid_id, queue_id>> lost;
      for (const auto& [by, call] : bids_of_assigned_)
        if (record(call).agent == i && record(call).is == fate::assigned)
          lost.emplace_back(by.second, queue_id{static_cast<uint32_t>(by.first)});
      for (const auto& [bid, from] : lost)
        put_back(i, bid, from);
    });
    at(now_ + most_delay + 1ms + upto(20s), [this, i] {
      open_agent(i);
      join_queues(i);
    });
  }

  void queue_dies(size_t i) {
    auto& q = queues_[i];
    if (!q.desk)
      return;
    q.kept = q.desk->snapshot();
    const auto rules = q.desk->rules();
    q.desk.reset();
    ++q.life;
    at(now_ + most_delay, [this, i] {
      for (size_t k = 0; k < agents_.size(); ++k)
        if (agents_[k].desk)
          agent(k, [&](agent_desk& d, agent_actions& out) {
            d.remove_queue(now_, queue_id{static_cast<uint32_t>(i)}, out);
          });
    });
    at(now_ + 2 * most_delay + upto(10s), [this, i, rules] {
      auto& back = queues_[i];
      back.desk =
        std::make_unique<queue_desk>(queue_id{static_cast<uint32_t>(i)}, rules, random_());
      // Who died meanwhile is no member.
      std::erase_if(back.kept.members, [&](const auto& m) { return !agents_[index(m.id)].desk; });
      queue(i, [&](queue_desk& d, queue_actions& out) { d.restore(now_, back.kept, out); });
      for (size_t k = 0; k < agents_.size(); ++k)
        if (agents_[k].desk && std::ranges::find(agents_[k].queues, i) != agents_[k].queues.end())
          join_queue(k, i);
      for (auto& [number, c] : callers_)
        if (c.queue == i && c.is == fate::waits && c.hung_up)
          hang_up(static_cast<size_t>(number));
    });
  }

  void everybody_in() {
    for (size_t i = 0; i < agents_.size(); ++i)
      if (agents_[i].desk) {
        agent(i, [this](agent_desk& d, agent_actions& out) {
          d.log_in(now_, out);
          d.unpause(now_, out);
        });
      }
  }

  // --- what must hold ---

  void check(size_t i) {
    const auto& a = agents_[i];
    const auto is = a.desk->state();
    if (a.is == phone::rings) {
      EXPECT_EQ(is, agent_state::offered) << "agent " << i << " is " << to_string(is);
    }
    if (a.is == phone::claimed) {
      EXPECT_EQ(is, agent_state::answered) << "agent " << i << " is " << to_string(is);
    }
    if (is == agent_state::offered) {
      EXPECT_EQ(a.is, phone::rings) << "agent " << i;
    }
    if (a.desk->reservation() || is == agent_state::wrap_up || is == agent_state::resting) {
      EXPECT_NE(a.desk->state_until(), never) << to_string(is) << " for ever";
      EXPECT_GE(a.desk->state_until(), now_) << to_string(is) << " past its time";
    }
  }

  void sweep() {
    for (size_t i = 0; i < agents_.size(); ++i) {
      const auto& a = agents_[i];
      if (!a.desk)
        continue;
      check(i);
      // A ghost: rung for who is not there any more, longer than the news of it takes.
      if (a.is == phone::rings && queues_[index(a.bid_of)].desk) {
        const auto& c = record(a.call);
        if (c.is == fate::ended) {
          EXPECT_LE(now_ - c.ended_at, 3 * most_delay) << "agent " << i << " is rung by a ghost";
        }
      }
    }
  }

  void drained() {
    for (const auto& [number, c] : callers_)
      EXPECT_EQ(c.ends, 1) << "caller " << number << " of queue " << c.queue
                           << " did not end once: " << static_cast<int>(c.is);
    std::map<size_t, size_t> ready_members;
    for (size_t i = 0; i < agents_.size(); ++i) {
      const auto& a = agents_[i];
      ASSERT_TRUE(a.desk);
      EXPECT_FALSE(a.desk->reservation()) << "agent " << i << " stays reserved";
      EXPECT_EQ(a.is, phone::silent) << "agent " << i;
      // One may have been paused after everybody was called in, for not having answered.
      EXPECT_TRUE(a.desk->state() == agent_state::ready ||
                  a.desk->pause_reason() == agent_rules::no_answer_reason)
        << i << " is " << to_string(a.desk->state());
      if (a.desk->state() == agent_state::ready)
        for (const auto q : a.queues)
          ++ready_members[q];
    }
    for (const auto& q : queues_) {
      ASSERT_TRUE(q.desk);
      EXPECT_EQ(q.desk->waiting(), 0U);
      EXPECT_EQ(q.desk->bids(), 0U);
      EXPECT_EQ(q.desk->available(), ready_members[index(q.desk->id())])
        << "a queue has lost sight of an agent";
      const auto& f = q.desk->figures();
      EXPECT_EQ(f.offered, f.answered + f.abandoned + f.overflowed + f.withdrawn);
    }
  }

  plan plan_;
  std::mt19937_64 random_;
  time_point now_{1h};
  std::map<std::pair<time_point, uint64_t>, std::function<void()>> events_;
  std::map<uint64_t, time_point> last_on_link_;
  std::vector<queue_record> queues_;
  std::vector<agent_record> agents_;
  std::map<uint64_t, caller_record> callers_;
  std::map<std::pair<size_t, bid_id>, call_id> bids_of_assigned_;
  uint64_t event_number_ = 0;
  uint64_t steps_ = 0;
  uint64_t direct_ = 0;
  size_t served_ = 0, abandoned_ = 0, overflowed_ = 0, put_back_ = 0, surplus_ = 0;
};

class crossing_messages : public testing::TestWithParam<uint64_t> {};

TEST_P(crossing_messages, leave_no_ghost_no_agent_rung_twice_and_none_stuck) {
  plan p;
  p.seed = GetParam();
  p.in_order = p.seed % 2 == 0;
  p.deaths = p.seed % 4 < 2;
  SCOPED_TRACE("seed " + std::to_string(p.seed));
  exchange e{p};
  e.run();
  EXPECT_GT(e.served(), p.callers / 10) << "hardly anybody was served";
  EXPECT_GT(e.abandoned(), 0U);
  RecordProperty("served", static_cast<int>(e.served()));
}

INSTANTIATE_TEST_SUITE_P(seeds, crossing_messages, testing::Range<uint64_t>(1, 13));

} // namespace
} // namespace jackfield::policy
