#include "engine/lane/timer_wheel.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::lane {
namespace {

using namespace std::chrono_literals;

constexpr time_point origin{duration{123'456'789}}; // not a multiple of the tick
constexpr uint64_t tick_ns = 1'000'000;

/// A timer that runs a function; may be destroyed in it.
class probe {
public:
  explicit probe(std::function<void()> fired) : fired_(std::move(fired)), node(&fire, this) {}

private:
  static void fire(void* self) {
    const auto fired = static_cast<probe*>(self)->fired_; // outlives the probe
    fired();
  }
  std::function<void()> fired_;

public:
  timer node;
};

uint64_t tick_of(time_point deadline, uint64_t length) {
  if (deadline <= origin)
    return 0;
  const auto ns = static_cast<uint64_t>((deadline - origin).count());
  return (ns + length - 1) / length;
}

/// What the wheel promises, as a sorted container.
class model {
public:
  /// Of ticks of so many nanoseconds.
  explicit model(uint64_t length) : length_(length) {}

  void arm(int id, time_point deadline) {
    cancel(id);
    const uint64_t tick = tick_of(deadline, length_);
    if (tick <= due_) {
      overdue_.push_back(id);
    } else {
      position_.emplace(id, by_tick_.emplace(tick, id));
    }
  }

  void cancel(int id) {
    if (const auto found = position_.find(id); found != position_.end()) {
      by_tick_.erase(found->second);
      position_.erase(found);
    }
    std::erase(overdue_, id);
    std::erase(firing_, id);
  }

  void begin_advance(time_point now) {
    if (now > origin)
      due_ = std::max(due_, static_cast<uint64_t>((now - origin).count()) / length_);
    firing_ = std::exchange(overdue_, {});
  }

  /// The timer that must fire next in the advance under way; -1 if none.
  int pop() {
    if (!firing_.empty()) {
      const int id = firing_.front();
      firing_.pop_front();
      return id;
    }
    if (by_tick_.empty() || by_tick_.begin()->first > due_)
      return -1;
    const int id = by_tick_.begin()->second;
    by_tick_.erase(by_tick_.begin());
    position_.erase(id);
    return id;
  }

  [[nodiscard]] bool armed(int id) const {
    return position_.contains(id) || std::ranges::count(overdue_, id) != 0 ||
           std::ranges::count(firing_, id) != 0;
  }
  [[nodiscard]] size_t size() const { return by_tick_.size() + overdue_.size() + firing_.size(); }
  /// The latest moment at which `next_event` may be.
  [[nodiscard]] time_point next_event_bound() const {
    if (!overdue_.empty())
      return origin + duration{static_cast<int64_t>(due_ * length_)};
    if (by_tick_.empty())
      return time_point::max();
    return origin + duration{static_cast<int64_t>(by_tick_.begin()->first * length_)};
  }

private:
  uint64_t length_;
  std::multimap<uint64_t, int> by_tick_; // equal keys keep the order of insertion
  std::map<int, std::multimap<uint64_t, int>::iterator> position_;
  std::deque<int> overdue_;
  std::deque<int> firing_;
  uint64_t due_ = 0;
};

/// Drives a wheel and the model with the same random operations and compares every firing.
class differential {
public:
  differential(uint64_t seed, timer_wheel::ticks ticks)
      : random_(seed), wheel_(origin, ticks),
        expected_(ticks == timer_wheel::ticks::nanoseconds ? 1 : tick_ns) {
    for (int id = 0; id < 60; ++id)
      probes_.push_back(make(id));
  }

  void run(int rounds) {
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      operate(below(20));
      check_idle();
      if (below(3) == 0 && wheel_.size() != 0)
        now_ = std::max(now_, wheel_.next_event());
      else
        now_ += span();
      advance();
      check_idle();
    }
  }

  void drain() {
    for (int i = 0; i < 100'000 && wheel_.size() != 0; ++i) {
      now_ = std::max(now_, wheel_.next_event());
      advance(false);
    }
    EXPECT_EQ(wheel_.size(), 0U);
    EXPECT_EQ(expected_.size(), 0U);
    EXPECT_EQ(wheel_.next_event(), time_point::max());
  }

private:
  uint64_t below(uint64_t bound) { return random_() % bound; }

  /// Spans of every magnitude, from one nanosecond to hundreds of days.
  duration span() {
    const uint64_t bits = below(54);
    const uint64_t ns = below(uint64_t{1} << (bits + 1));
    return duration{static_cast<int64_t>(below(2) == 0 ? ns : ns / tick_ns * tick_ns)};
  }

  std::unique_ptr<probe> make(int id) {
    return std::make_unique<probe>([this, id] { fired(id); });
  }

  void operate(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      const auto id = static_cast<int>(below(probes_.size()));
      auto& p = probes_[static_cast<size_t>(id)];
      switch (below(8)) {
      case 0:
        p->node.cancel();
        expected_.cancel(id);
        break;
      case 1: // destroyed while armed or not, itself included
        expected_.cancel(id);
        p = make(id);
        break;
      case 2:
        arm(id, now_ - span());
        break;
      case 3: // the same tick as another: order matters
        arm(id, probes_[below(probes_.size())]->node.deadline());
        break;
      default:
        arm(id, now_ + span());
      }
    }
  }

  void arm(int id, time_point deadline) {
    wheel_.arm(probes_[static_cast<size_t>(id)]->node, deadline);
    expected_.arm(id, deadline);
  }

  void fired(int id) {
    ++fired_;
    ASSERT_EQ(expected_.pop(), id);
    const timer& node = probes_[static_cast<size_t>(id)]->node;
    EXPECT_FALSE(node.armed());
    EXPECT_LE(node.deadline(), now_);
    if (act_in_callbacks_)
      operate(below(3));
  }

  void advance(bool act_in_callbacks = true) {
    act_in_callbacks_ = act_in_callbacks;
    fired_ = 0;
    expected_.begin_advance(now_);
    const size_t reported = wheel_.advance(now_);
    EXPECT_EQ(reported, fired_);
    EXPECT_EQ(expected_.pop(), -1) << "a timer that was due did not fire";
  }

  void check_idle() {
    ASSERT_EQ(wheel_.size(), expected_.size());
    EXPECT_LE(wheel_.next_event(), expected_.next_event_bound());
    EXPECT_LE(wheel_.next_event(), wheel_.next_deadline());
    EXPECT_LE(wheel_.next_deadline(), expected_.next_event_bound());
    EXPECT_EQ(wheel_.next_event() == time_point::max(), wheel_.size() == 0);
    for (size_t id = 0; id < probes_.size(); ++id)
      ASSERT_EQ(probes_[id]->node.armed(), expected_.armed(static_cast<int>(id)));
  }

  std::mt19937_64 random_;
  time_point now_ = origin;
  timer_wheel wheel_;
  model expected_;
  std::vector<std::unique_ptr<probe>> probes_;
  size_t fired_ = 0;
  bool act_in_callbacks_ = true;
};

TEST(timer_wheel, agrees_with_a_sorted_container_under_random_operations) {
  for (uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    for (const auto ticks : {timer_wheel::ticks::milliseconds, timer_wheel::ticks::nanoseconds}) {
      differential pair{seed, ticks};
      pair.run(150);
      pair.drain();
    }
  }
}

TEST(timer_wheel, never_fires_early_and_fires_at_the_rounded_tick) {
  for (const uint64_t tick : {1ULL, 2ULL, 255ULL, 256ULL, 257ULL, 511ULL, 512ULL, 65'535ULL,
                              65'536ULL, 65'537ULL, 16'777'215ULL, 16'777'216ULL, 4'294'967'295ULL,
                              4'294'967'296ULL, 4'294'967'297ULL, 30'000'000'000ULL}) {
    for (const int64_t offset : {-999'999, -1, 0}) {
      timer_wheel wheel{origin};
      int fired = 0;
      probe p{[&] { ++fired; }};
      const time_point at = origin + duration{static_cast<int64_t>(tick * tick_ns)};
      wheel.arm(p.node, at + duration{offset});
      EXPECT_EQ(wheel.advance(at - 1ns), 0U) << tick;
      EXPECT_TRUE(p.node.armed());
      EXPECT_LE(wheel.next_event(), at);
      EXPECT_EQ(wheel.advance(at), 1U) << tick;
      EXPECT_EQ(fired, 1);
      EXPECT_EQ(wheel.size(), 0U);
    }
  }
}

TEST(timer_wheel, is_exact_in_nanoseconds) {
  for (const int64_t delay : {1LL, 255LL, 256LL, 999'999LL, 1'000'001LL, 5'000'000'000'000'001LL,
                              400'000'000'000'000'003LL}) {
    timer_wheel wheel{origin, timer_wheel::ticks::nanoseconds};
    probe p{[] {}};
    wheel.arm(p.node, origin + duration{delay});
    EXPECT_EQ(wheel.next_deadline(), origin + duration{delay});
    while (wheel.next_event() < origin + duration{delay})
      EXPECT_EQ(wheel.advance(wheel.next_event()), 0U) << delay;
    EXPECT_EQ(wheel.next_event(), origin + duration{delay});
    EXPECT_EQ(wheel.advance(origin + duration{delay}), 1U) << delay;
  }
}

TEST(timer_wheel, next_event_leads_to_a_deadline_in_a_few_jumps) {
  for (const duration delay : {duration{1ms}, duration{300ms}, duration{70s}, duration{6h},
                               duration{24h * 49}, duration{24h * 400}}) {
    timer_wheel wheel{origin};
    time_point now = origin;
    time_point fired_at{};
    probe p{[&] { fired_at = now; }};
    wheel.arm(p.node, origin + delay);
    int jumps = 0;
    while (p.node.armed()) {
      const time_point next = wheel.next_event();
      ASSERT_GT(next, now);
      now = next;
      wheel.advance(now);
      ++jumps;
    }
    EXPECT_EQ(fired_at, origin + delay);
    EXPECT_LE(jumps, 5 + delay / (24h * 49));
  }
}

TEST(timer_wheel, keeps_the_order_of_arming_across_cascades) {
  // All fall into one tick; they are armed at moments at which that tick lies at each level.
  timer_wheel wheel{origin};
  const time_point deadline = origin + 24h * 60;
  std::vector<int> order;
  std::vector<std::unique_ptr<probe>> probes;
  const auto arm_one = [&] {
    const int id = static_cast<int>(probes.size());
    probes.push_back(std::make_unique<probe>([&order, id] { order.push_back(id); }));
    wheel.arm(probes.back()->node, deadline - duration{id}); // later armed, earlier due
  };
  for (const duration before : {duration{24h * 60}, duration{24h * 11}, duration{24h * 10},
                                duration{5h}, duration{17'000s}, duration{66s}, duration{65s},
                                duration{257ms}, duration{256ms}, duration{255ms}, duration{1ms}}) {
    wheel.advance(deadline - before);
    arm_one();
    arm_one();
  }
  EXPECT_TRUE(order.empty());
  wheel.advance(deadline);
  ASSERT_EQ(order.size(), probes.size());
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(timer_wheel, a_deadline_in_the_past_fires_in_the_next_advance_even_of_the_same_time) {
  timer_wheel wheel{origin};
  wheel.advance(origin + 10s);
  int fired = 0;
  probe past{[&] { ++fired; }};
  probe present{[&] { ++fired; }};
  probe ancient{[&] { ++fired; }};
  wheel.arm(past.node, origin + 1s);
  wheel.arm(present.node, origin + 10s);
  wheel.arm(ancient.node, time_point::min());
  EXPECT_LE(wheel.next_event(), origin + 10s);
  EXPECT_EQ(wheel.advance(origin + 10s), 3U);
  EXPECT_EQ(fired, 3);
  wheel.arm(past.node, origin + 1s);
  EXPECT_EQ(wheel.advance(origin), 1U); // a clock that went back
}

TEST(timer_wheel, a_callback_that_arms_for_now_does_not_hold_the_advance) {
  timer_wheel wheel{origin};
  int fired = 0;
  std::unique_ptr<probe> p;
  p = std::make_unique<probe>([&] {
    ++fired;
    wheel.arm(p->node, origin);
  });
  wheel.arm(p->node, origin + 5ms);
  EXPECT_EQ(wheel.advance(origin + 1s), 1U);
  EXPECT_EQ(wheel.advance(origin + 1s), 1U);
  EXPECT_EQ(fired, 2);
  EXPECT_EQ(wheel.size(), 1U);
}

TEST(timer_wheel, a_callback_may_destroy_itself_and_others_due_in_the_same_tick) {
  timer_wheel wheel{origin};
  std::vector<int> order;
  std::vector<std::unique_ptr<probe>> probes(5);
  for (int id = 0; id < 5; ++id)
    probes[static_cast<size_t>(id)] = std::make_unique<probe>([&, id] {
      order.push_back(id);
      if (id == 1) {
        probes[1].reset();
        probes[2].reset();
        probes[0].reset();
        wheel.arm(probes[3]->node, origin + 8ms); // moved to a later tick of the same advance
      }
    });
  for (auto& p : probes)
    wheel.arm(p->node, origin + 7ms);
  EXPECT_EQ(wheel.advance(origin + 7ms), 3U);
  EXPECT_EQ(order, (std::vector{0, 1, 4}));
  EXPECT_EQ(wheel.advance(origin + 8ms), 1U);
  EXPECT_EQ(order.back(), 3);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(timer_wheel, jumps_over_months_at_once) {
  timer_wheel wheel{origin};
  int fired = 0;
  std::vector<std::unique_ptr<probe>> probes;
  for (int day = 1; day <= 1000; ++day) {
    probes.push_back(std::make_unique<probe>([&] { ++fired; }));
    wheel.arm(probes.back()->node, origin + 24h * day);
  }
  EXPECT_EQ(wheel.advance(origin + 24h * 500), 500U);
  EXPECT_EQ(wheel.advance(origin + 24h * 100'000), 500U);
  EXPECT_EQ(fired, 1000);
}

TEST(timer_wheel, takes_the_farthest_deadlines) {
  timer_wheel wheel{time_point{-5ms}};
  int fired = 0;
  probe p{[&] { ++fired; }};
  wheel.arm(p.node, time_point::max());
  EXPECT_LT(wheel.next_event(), time_point::max());
  wheel.advance(time_point::max() - 2ms);
  EXPECT_EQ(fired, 0);
  EXPECT_TRUE(p.node.armed());
  p.node.cancel();
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(timer_wheel, moves_a_timer_from_another_wheel) {
  timer_wheel first{origin};
  timer_wheel second{origin};
  probe p{[] {}};
  first.arm(p.node, origin + 1s);
  second.arm(p.node, origin + 1s);
  EXPECT_EQ(first.size(), 0U);
  EXPECT_EQ(first.next_event(), time_point::max());
  EXPECT_EQ(second.size(), 1U);
}

TEST(timer_wheel, leaves_timers_idle_that_outlive_it) {
  probe near{[] {}};
  probe far{[] {}};
  {
    timer_wheel wheel{origin};
    wheel.arm(near.node, origin + 1ms);
    wheel.arm(far.node, origin + 24h * 365);
  }
  EXPECT_FALSE(near.node.armed());
  EXPECT_FALSE(far.node.armed());
}

} // namespace
} // namespace jackfield::lane
