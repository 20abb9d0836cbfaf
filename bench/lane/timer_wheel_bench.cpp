#include "engine/lane/timer_wheel.hpp"

#include <cstdint>
#include <deque>
#include <vector>

#include <benchmark/benchmark.h>

namespace jackfield::lane {
namespace {

void count_firing(void* counter) {
  ++*static_cast<uint64_t*>(counter);
}

/// A small generator, so that drawing a deadline costs next to nothing.
class draws {
public:
  uint64_t next() noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    return state_ ^= state_ << 17;
  }

private:
  uint64_t state_ = 88172645463325252U;
};

/// A wheel with `live` timers spread over an hour.
struct crowd {
  explicit crowd(int64_t live) {
    for (int64_t i = 0; i < live; ++i) {
      timers.emplace_back(&count_firing, &fired);
      wheel.arm(timers.back(), deadline());
    }
  }
  time_point deadline() {
    return now + std::chrono::milliseconds{1 + static_cast<int64_t>(random.next() % 3'600'000)};
  }

  time_point now{};
  uint64_t fired = 0;
  draws random;
  timer_wheel wheel{now};
  std::deque<timer> timers; // destroyed before the wheel
};

/// A timer that is armed and cancelled again, as nearly all protocol timers are.
void arm_and_cancel(benchmark::State& state) {
  crowd c{state.range(0)};
  timer t{&count_firing, &c.fired};
  for (auto _ : state) {
    c.wheel.arm(t, c.deadline());
    t.cancel();
  }
}
BENCHMARK(arm_and_cancel)->Arg(0)->Arg(1'000'000);

/// Timers chosen at random are moved: each is cold in the cache, and so are its neighbours.
void move_cold(benchmark::State& state) {
  crowd c{state.range(0)};
  const size_t count = c.timers.size();
  for (auto _ : state)
    c.wheel.arm(c.timers[c.random.next() % count], c.deadline());
}
BENCHMARK(move_cold)->Arg(1'000)->Arg(1'000'000);

/// Time passes tick by tick; each timer that fires is armed anew. Time per firing.
void expire(benchmark::State& state) {
  struct entry {
    crowd* all;
    timer node;
    explicit entry(crowd& c) : all(&c), node(&fire, this) {}
    static void fire(void* self) {
      auto* e = static_cast<entry*>(self);
      ++e->all->fired;
      e->all->wheel.arm(e->node, e->all->deadline());
    }
  };
  crowd c{0};
  std::deque<entry> entries;
  for (int64_t i = 0; i < state.range(0); ++i) {
    entries.emplace_back(c);
    c.wheel.arm(entries.back().node, c.deadline());
  }
  for (auto _ : state) {
    const uint64_t before = c.fired;
    while (c.fired - before < 10'000) {
      c.now += timer_wheel::tick;
      c.wheel.advance(c.now);
    }
  }
  state.counters["per_firing"] = benchmark::Counter(
    static_cast<double>(c.fired), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(expire)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

/// What a lane with nothing to do asks before each wait.
void next_event(benchmark::State& state) {
  crowd c{state.range(0)};
  for (auto _ : state)
    benchmark::DoNotOptimize(c.wheel.next_event());
}
BENCHMARK(next_event)->Arg(0)->Arg(1)->Arg(1'000'000);

} // namespace
} // namespace jackfield::lane
