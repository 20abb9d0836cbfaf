// How soon queues bring callers to agents: real queue and agent actors on two lanes, calls that are
// answered at once and last for a while. More callers come than can be served, so that somebody
// always waits and each agent that becomes free is a decision.
//
//   bench_acd AGENTS DECISIONS_A_SECOND SECONDS
//
// Prints one line: decisions a second, the time from an agent's becoming free to the offer of a
// call that waited already, in ms (p50 p99 max), CPU a decision in us, calls that were left
// waiting.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/centre/agent.hpp"
#include "actors/centre/queue.hpp"
#include "engine/lane/io_lane.hpp"
#include "engine/lane/pool_scheduler.hpp"

namespace jackfield {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

struct pool_config : caf::actor_system_config {
  pool_config() {
    load<lane::pool_scheduler>();
    set("scheduler.max-threads", 1);
  }
};

/// A call without a caller: each phone that it is to ring answers at once, and it lasts so long.
class scripted_call final : public lane::lane_actor {
public:
  scripted_call(caf::actor_config& config, lane::lane& home, caf::strong_actor_ptr queue,
                lane::duration talk)
      : lane::lane_actor(config, home), queue_(std::move(queue)), talk_(talk), timer_(*this, 0) {}

protected:
  caf::behavior make_behavior() override {
    lane::tell_from(*this, queue_, enter_queue{"", "", 0, home().now()});
    return {
      [this](const ring_agent& ring) {
        agent_ = ring.agent.actor;
        lane::tell_from(*this, agent_, ring_over{ring.offer, policy::ring_result::answered});
      },
      [this](const connect_agent& connect) {
        offer_ = connect.offer;
        lane::tell_from(*this, queue_, call_taken{offer_.bid, ""});
        timer_.arm(home().now() + talk_);
      },
      [](const stop_ringing&) {},
      [](const queue_dismissed&) {},
      [this](const lane::timer_fired&) {
        lane::tell_from(*this, agent_, talk_over{offer_});
        quit();
      },
    };
  }
  void on_exit() override {
    queue_ = nullptr;
    agent_ = nullptr;
  }

private:
  caf::strong_actor_ptr queue_;
  caf::strong_actor_ptr agent_;
  offer_key offer_;
  lane::duration talk_;
  lane::actor_timer timer_;
};

struct run_plan {
  size_t agents = 5000;
  double rate = 1000; ///< decisions a second
  unsigned seconds = 10;
};

class measurement {
public:
  explicit measurement(const run_plan& plan) : plan_(plan), system_(config_), self_(system_) {
    for (unsigned i = 0; i < 2; ++i)
      lanes_.push_back(lane::io_lane::make(system_, i).value());
    const auto watcher = caf::actor_cast<caf::strong_actor_ptr>(self_);
    queue_ = lanes_[0]->spawn<queue>(queue_profile{policy::queue_id{1}, "q", {}, 1}, watcher);
    queue_parts parts;
    for (size_t i = 0; i < plan_.agents; ++i) {
      const policy::agent_id number{i + 1};
      const auto name = std::to_string(i);
      agents_.push_back(
        lanes_[i % 2]->spawn<agent>(agent_profile{number, name, {}, true}, watcher));
      parts.members.push_back(
        {number, name, caf::actor_cast<caf::strong_actor_ptr>(agents_.back()), {}});
    }
    caf::anon_send(queue_, std::move(parts));
    agent_queues serves;
    serves.all.push_back({policy::queue_id{1}, caf::actor_cast<caf::strong_actor_ptr>(queue_), 0});
    for (const auto& each : agents_) {
      caf::anon_send(each, serves);
      caf::anon_send(each, agent_phones{"sip:" + std::to_string(each.id()), true});
    }
  }

  ~measurement() {
    // What ends holds what lives on the other lane: all of it goes while both run.
    for (size_t i = 0; i < lanes_.size(); ++i)
      on_lane(i, [&] {
        for (const auto& each : calls_[i])
          caf::anon_send_exit(each, caf::exit_reason::kill);
        calls_[i].clear();
      });
    caf::anon_send_exit(queue_, caf::exit_reason::user_shutdown);
    for (const auto& each : agents_)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    queue_ = nullptr;
    agents_.clear();
    for (int round = 0; round < 2; ++round) // behind what was sent before, and what that brought
      for (size_t i = 0; i < lanes_.size(); ++i)
        on_lane(i, [] {});
    for (const auto& each : lanes_)
      each->stop();
    for (const auto& each : lanes_)
      each->join();
  }

  void run() {
    for (const auto& each : lanes_)
      each->start();
    // So long that, with all agents at work, as many become free in a second as are wanted.
    const duration<double> talk{static_cast<double>(plan_.agents) / plan_.rate};
    const auto length = std::chrono::duration_cast<lane::duration>(talk);
    // The first calls are spread over one call's length; what was decided then is not counted.
    const auto ramp = talk;
    const auto began = steady_clock::now();
    const auto ends = began + std::chrono::duration_cast<steady_clock::duration>(
                                ramp + duration<double>{plan_.seconds});
    counted_from_ = std::chrono::system_clock::now() +
                    std::chrono::duration_cast<std::chrono::system_clock::duration>(ramp);
    const auto to = caf::actor_cast<caf::strong_actor_ptr>(queue_);
    size_t placed = 0;
    double cpu_before = 0;
    for (auto now = began; now < ends; now = steady_clock::now()) {
      // A tenth more than can be served.
      const auto due =
        static_cast<size_t>(duration<double>(now - began).count() * plan_.rate * 1.1);
      for (; placed < due; ++placed) {
        auto& home = *lanes_[placed % 2];
        auto& calls = calls_[placed % 2];
        home.post([&, to, length] { calls.push_back(home.spawn<scripted_call>(to, length)); });
      }
      if (cpu_before == 0 && now - began >= ramp)
        cpu_before = cpu();
      listen(std::chrono::milliseconds{1});
    }
    const auto cpu_used = cpu() - cpu_before;
    judge();
    std::ranges::sort(delays_);
    const auto at = [&](double share) {
      return delays_.empty()
               ? 0.0
               : delays_[static_cast<size_t>(share * static_cast<double>(delays_.size() - 1))];
    };
    std::printf("%.0f %.3f %.3f %.3f %.2f %zu\n",
                static_cast<double>(delays_.size()) / plan_.seconds, at(0.5), at(0.99), at(1),
                delays_.empty() ? 0 : cpu_used * 1e6 / static_cast<double>(delays_.size()),
                waiting_);
  }

private:
  void on_lane(size_t which, const std::function<void()>& f) {
    std::binary_semaphore done{0};
    lanes_[which]->post([&] {
      f();
      done.release();
    });
    done.acquire();
  }

  [[nodiscard]] double cpu() const {
    double sum = 0;
    for (const auto& each : lanes_)
      sum += duration<double>(each->cpu_time()).count();
    return sum;
  }

  void listen(std::chrono::milliseconds most) {
    bool more = true;
    self_->receive([&](const centre_event& event) { take(event); },
                   caf::after(most) >> [&] { more = false; });
    while (more)
      self_->receive([&](const centre_event& event) { take(event); },
                     caf::after(std::chrono::milliseconds::zero()) >> [&] { more = false; });
  }

  void take(const centre_event& event) {
    using kind = centre_event::kind;
    if (event.what == kind::entered)
      ++waiting_;
    if (event.what == kind::connected)
      --waiting_;
    const bool ready = event.what == kind::agent_state && event.detail == "ready";
    if (ready || event.what == kind::offered)
      seen_.push_back({event.at, !ready, std::stoul(event.agent), event.waited});
  }

  /// An agent tells that it is free, its queue that a call is offered to it, on two lanes: what was
  /// said first may be heard last.
  void judge() {
    std::ranges::stable_sort(seen_, [](const seen& a, const seen& b) {
      return a.at != b.at ? a.at < b.at : a.offered < b.offered;
    });
    std::unordered_map<size_t, std::chrono::system_clock::time_point> free_since;
    for (const auto& each : seen_) {
      if (!each.offered) {
        free_since[each.agent] = each.at;
        continue;
      }
      const auto delay = each.at - free_since.at(each.agent);
      if (each.at >= counted_from_ && each.waited >= delay)
        delays_.push_back(duration<double, std::milli>(delay).count());
    }
  }

  run_plan plan_;
  pool_config config_;
  caf::actor_system system_;
  caf::scoped_actor self_;
  std::vector<std::unique_ptr<lane::io_lane>> lanes_;
  caf::actor queue_;
  std::vector<caf::actor> agents_;
  std::array<std::vector<caf::actor>, 2> calls_; // of each lane, touched there
  struct seen {
    std::chrono::system_clock::time_point at;
    bool offered; // or free
    size_t agent;
    lane::duration waited;
  };
  std::vector<seen> seen_;
  std::chrono::system_clock::time_point counted_from_;
  std::vector<double> delays_;
  size_t waiting_ = 0;
};

} // namespace
} // namespace jackfield

int main(int count, char** values) {
  if (count != 4) {
    std::fputs("usage: bench_acd AGENTS DECISIONS_A_SECOND SECONDS\n", stderr);
    return 2;
  }
  jackfield::run_plan plan;
  plan.agents = static_cast<size_t>(std::atoi(values[1]));
  plan.rate = std::atof(values[2]);
  plan.seconds = static_cast<unsigned>(std::atoi(values[3]));
  if (plan.agents == 0 || plan.rate <= 0 || plan.seconds == 0) {
    std::fputs("bench_acd: expected numbers above 0\n", stderr);
    return 2;
  }
  jackfield::measurement{plan}.run();
  return 0;
}
