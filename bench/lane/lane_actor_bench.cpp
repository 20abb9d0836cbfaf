#include "engine/lane/lane_actor.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <vector>

#include <benchmark/benchmark.h>
#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <malloc.h>

#include "engine/lane/io_lane.hpp"
#include "engine/lane/pool_scheduler.hpp"

namespace jackfield::lane {
namespace {

/// Messages an iteration: enough that waking the threads for it costs nothing a message, few enough
/// that they do not become a queue no lane ever has.
constexpr int64_t messages = 16'384;

struct pool_config : caf::actor_system_config {
  pool_config() {
    load<pool_scheduler>();
    set("scheduler.max-threads", 1);
  }
};

/// What a crowd has still to receive. Touched on its lane only, but while nothing is under way.
struct expectation {
  int64_t left = 0;
  std::binary_semaphore met{0};

  void count() {
    if (--left == 0)
      met.release();
  }
};

/// Counts numbers, and passes a number above zero on, one less, to another of the crowd drawn at
/// random. Has a timer, as all that live on a lane do.
class receiver : public lane_actor {
public:
  receiver(caf::actor_config& config, lane& home, expectation& sum,
           const std::vector<caf::strong_actor_ptr>& crowd)
      : lane_actor(config, home), sum_(sum), crowd_(crowd), timer_(*this, 1),
        state_(88172645463325252U + crowd.size()) {
    // nop
  }

  caf::behavior make_behavior() override {
    return {[this](int further) {
              sum_.count();
              if (further > 0)
                tell(home(), crowd_[draw() % crowd_.size()], further - 1);
            },
            [](timer_fired) {}};
  }

private:
  uint64_t draw() noexcept {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    return state_ ^= state_ << 17U;
  }

  expectation& sum_;
  const std::vector<caf::strong_actor_ptr>& crowd_;
  actor_timer timer_;
  uint64_t state_;
};

/// A running lane with a crowd of idle actors.
class crowd {
public:
  crowd(caf::actor_system& system, unsigned index, int64_t count)
      : lane_(io_lane::make(system, index).value()) {
    lane_->start();
    grow(count);
  }

  ~crowd() {
    on_lane([this] { actors_.clear(); });
    lane_->stop();
    lane_->join();
  }
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  void grow(int64_t count) {
    on_lane([&] {
      actors_.reserve(actors_.size() + static_cast<size_t>(count));
      for (int64_t i = 0; i < count; ++i)
        actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(
          caf::actor{lane_->spawn<receiver>(sum_, actors_)}));
    });
  }

  /// Runs `f` on the lane and returns when it is done.
  void on_lane(const std::function<void()>& f) {
    std::binary_semaphore done{0};
    lane_->post([&] {
      f();
      done.release();
    });
    done.acquire();
  }

  /// Runs `send` and returns when the crowd has received all `messages`.
  void receive(const std::function<void()>& send) {
    sum_.left = messages;
    send();
    sum_.met.acquire();
  }

  /// To every actor in turn: neighbours in time go to different actors.
  void send_to_all(caf::execution_unit* from) {
    for (size_t i = 0; i < messages; ++i)
      actors_[i % actors_.size()]->get()->enqueue(
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, 0), from);
  }

  [[nodiscard]] io_lane& home() noexcept { return *lane_; }
  [[nodiscard]] const std::vector<caf::strong_actor_ptr>& actors() const noexcept {
    return actors_;
  }

private:
  expectation sum_;
  std::vector<caf::strong_actor_ptr> actors_;
  std::unique_ptr<io_lane> lane_;
};

// The argument of those below is how many actors there are: few are hot in the cache, many cold.
// "Time" is that of the whole batch as it passes, "CPU" that of all threads together.

/// Actors of one lane among themselves: 64 messages are under way at any moment, each received by
/// an actor drawn at random.
void message_on_lane(benchmark::State& state) {
  pool_config config;
  caf::actor_system system{config};
  crowd all{system, 0, state.range(0)};
  constexpr int under_way = 64;
  for (auto _ : state)
    all.receive([&] {
      all.home().post([&] {
        for (size_t i = 0; i < under_way; ++i)
          tell(all.home(), all.actors()[i], static_cast<int>(messages / under_way) - 1);
      });
    });
  state.SetItemsProcessed(state.iterations() * messages);
}

/// A lane sends to the actors of another, the two on threads of their own.
void message_from_another_lane(benchmark::State& state) {
  pool_config config;
  caf::actor_system system{config};
  crowd all{system, 0, state.range(0)};
  crowd senders{system, 1, 0};
  for (auto _ : state)
    all.receive([&] { senders.home().post([&] { all.send_to_all(&senders.home()); }); });
  state.SetItemsProcessed(state.iterations() * messages);
}

/// An actor on CAF's own pool sends to the actors of a lane.
void message_from_a_caf_worker(benchmark::State& state) {
  pool_config config;
  caf::actor_system system{config};
  crowd all{system, 0, state.range(0)};
  const caf::actor sender = system.spawn([&all](caf::event_based_actor* self) -> caf::behavior {
    return {[&all, self](int) { all.send_to_all(self->context()); }};
  });
  for (auto _ : state)
    all.receive([&] { caf::anon_send(sender, 0); });
  state.SetItemsProcessed(state.iterations() * messages);
  caf::anon_send_exit(sender, caf::exit_reason::user_shutdown);
}

/// What the heap holds more for each idle actor with a behaviour and a timer.
void idle_actor(benchmark::State& state) {
  pool_config config;
  caf::actor_system system{config};
  crowd all{system, 0, 0};
  double bytes = 0;
  for (auto _ : state) {
    const size_t before = mallinfo2().uordblks;
    all.grow(state.range(0));
    bytes = static_cast<double>(mallinfo2().uordblks - before);
  }
  state.SetItemsProcessed(state.range(0));
  state.counters["bytes"] = bytes / static_cast<double>(state.range(0));
}

void few_and_many(benchmark::internal::Benchmark* b) {
  b->Arg(100)->Arg(20'000)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(message_on_lane)->Apply(few_and_many);
BENCHMARK(message_from_another_lane)->Apply(few_and_many);
BENCHMARK(message_from_a_caf_worker)->Apply(few_and_many);
BENCHMARK(idle_actor)->Arg(100'000)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace jackfield::lane
