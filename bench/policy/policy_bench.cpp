// What a decision of a queue costs: an agent becomes available and has the next caller, from its
// status to the assignment, and another caller comes in its place (four inputs), with 5,000 members
// and 2,000 callers waiting; or a caller comes to 5,000 free agents, and its agent is free again
// (four inputs, too). The time is that of the whole.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/policy/names.hpp"
#include "engine/policy/queue_desk.hpp"

namespace {

using namespace jackfield::policy;
using namespace std::chrono_literals;

enum class wanted : int64_t { nothing, skills, nobody_has };

class crowded_queue {
public:
  crowded_queue(strategy picks, uint64_t members, uint64_t callers, wanted what)
      : desk_(queue_id{1}, rules_of(picks), 7), statuses_(members), what_(what) {
    for (uint64_t i = 0; i < members; ++i) {
      membership part;
      part.position = static_cast<uint32_t>(i);
      part.skills = {{skill_id{static_cast<uint32_t>(i % 10)}, 80}};
      desk_.put_member(now_, agent_id{i}, part, out_);
      say(i, presence::busy);
    }
    for (uint64_t i = 0; i < callers; ++i)
      join();
    out_.clear();
  }

  /// One agent of a crowd becomes free, and has a caller.
  void decide() {
    now_ += 1ms;
    const auto agent = next_;
    next_ = (next_ + 7919) % statuses_.size();
    say(agent, presence::available);
    for (const auto& action : out_)
      if (const auto* b = std::get_if<to_agent<bid>>(&action))
        bid_ = b->what.id;
    statuses_[agent].now = presence::busy;
    ++statuses_[agent].version;
    desk_.on_bid_answer(now_, {bid_, bid_verdict::granted, statuses_[agent]}, out_);
    desk_.on_outcome(now_, {bid_, offer_result::answered, statuses_[agent]}, out_);
    out_.clear();
    join();
  }

  /// The other way round: a caller comes to a crowd of free agents.
  void serve() {
    now_ += 1ms;
    join();
    agent_id agent{};
    for (const auto& action : out_)
      if (const auto* b = std::get_if<to_agent<bid>>(&action)) {
        bid_ = b->what.id;
        agent = b->agent;
      }
    out_.clear();
    auto& s = statuses_[static_cast<uint64_t>(agent)];
    s.now = presence::busy;
    ++s.version;
    desk_.on_bid_answer(now_, {bid_, bid_verdict::granted, s}, out_);
    desk_.on_outcome(now_, {bid_, offer_result::answered, s}, out_);
    s.talk_time += 1s;
    ++s.answered_calls;
    say(static_cast<uint64_t>(agent), presence::available);
    out_.clear();
  }

  void free_all() {
    for (uint64_t i = 0; i < statuses_.size(); ++i)
      say(i, presence::available);
    out_.clear();
  }
  [[nodiscard]] size_t waiting() const { return desk_.waiting(); }
  [[nodiscard]] uint64_t answered() const { return desk_.figures().answered; }

private:
  static queue_rules rules_of(strategy picks) {
    queue_rules r;
    r.picks = picks;
    r.announce_every = 30s;
    r.max_wait = 1h;
    return r;
  }
  void say(uint64_t agent, presence p) {
    auto& s = statuses_[agent];
    s.agent = agent_id{agent};
    s.now = p;
    ++s.version;
    s.available_since = now_;
    desk_.on_status(now_, s, no_round, out_);
  }
  void join() {
    caller who;
    who.id = call_id{++calls_};
    who.priority = static_cast<int32_t>(calls_ % 3);
    who.joined = now_;
    if (what_ == wanted::skills)
      who.wants = {{skill_id{static_cast<uint32_t>(calls_ % 10)}, 50}};
    // Who stands before all others wants what nobody has.
    if (what_ == wanted::nobody_has && calls_ <= 2000)
      who.wants = {{skill_id{99}, 50}}, who.priority = 9;
    static_cast<void>(desk_.join(now_, who, out_));
  }

  time_point now_{1h};
  queue_desk desk_;
  queue_actions out_;
  std::vector<agent_status> statuses_;
  wanted what_;
  bid_id bid_{};
  uint64_t calls_ = 0;
  uint64_t next_ = 0;
};

void agent_becomes_free(benchmark::State& state) {
  const auto picks = static_cast<strategy>(state.range(0));
  const auto what = static_cast<wanted>(state.range(1));
  crowded_queue queue{picks, 5000, what == wanted::nobody_has ? 2100U : 2000U, what};
  const auto waiting = queue.waiting();
  for (auto _ : state)
    queue.decide();
  if (queue.waiting() != waiting || queue.answered() != static_cast<uint64_t>(state.iterations()))
    state.SkipWithError("not one caller a decision");
  state.SetLabel(std::string{to_string(picks)});
}
BENCHMARK(agent_becomes_free)
  ->ArgNames({"strategy", "skills"})
  ->ArgsProduct({{1, 2, 3, 4, 5, 6}, {0}})
  ->Args({1, 1})
  ->Args({1, 2})
  ->Unit(benchmark::kMicrosecond);

void caller_comes(benchmark::State& state) {
  const auto picks = static_cast<strategy>(state.range(0));
  const auto what = static_cast<wanted>(state.range(1));
  crowded_queue queue{picks, 5000, 0, what};
  queue.free_all();
  for (auto _ : state)
    queue.serve();
  if (queue.waiting() != 0 || queue.answered() != static_cast<uint64_t>(state.iterations()))
    state.SkipWithError("somebody waits while agents are free");
  state.SetLabel(std::string{to_string(picks)});
}
BENCHMARK(caller_comes)
  ->ArgNames({"strategy", "skills"})
  ->ArgsProduct({{1, 2, 3, 4, 5, 6}, {0, 1}})
  ->Unit(benchmark::kMicrosecond);

} // namespace
