#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace jackfield::lane {

using duration = std::chrono::nanoseconds;
/// The one clock of the engine: monotonic, real on an io_lane, virtual on a sim_lane. A state
/// machine is told the time and never asks for it.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

class timer_wheel;

/// What a timer and the head of a slot have in common: a place in a circular list.
class timer_link {
  friend class timer;
  friend class timer_wheel;
  timer_link* next_ = nullptr;
  timer_link* previous_ = nullptr;
};

/// A deadline that can be armed on a `timer_wheel`: an intrusive node, so arming and cancelling
/// allocate nothing. Not thread-safe: lives and dies on its lane's thread. Destroying an armed
/// timer cancels it.
class timer : private timer_link {
public:
  /// Called on the lane's thread once the deadline has passed; the timer is idle by then and may
  /// be armed again or destroyed by the callee, as may any other timer.
  using callback = void (*)(void* owner);

  timer(callback fire, void* owner) noexcept : fire_(fire), owner_(owner) {}
  ~timer() { cancel(); }
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  [[nodiscard]] bool armed() const noexcept { return wheel_ != nullptr; }
  /// The deadline it was last armed for.
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  void cancel() noexcept;

private:
  friend class timer_wheel;
  timer_wheel* wheel_ = nullptr;
  time_point deadline_{};
  callback fire_;
  void* owner_;
};

/// Hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7) of 1 ms ticks, or of 1 ns where
/// simulated time is to be exact: seven levels of 256 slots, 2.2 years of nanoseconds at once,
/// farther deadlines wait in a list of their own. Arm and cancel are O(1); a timer fires in the
/// first `advance` that reaches its deadline rounded up to a tick, never before it, and timers of
/// one tick fire in the order in which they were armed, which keeps simulated runs reproducible.
class timer_wheel {
public:
  enum class ticks : uint8_t { milliseconds, nanoseconds };
  static constexpr std::chrono::milliseconds tick{1}; ///< by default

  explicit timer_wheel(time_point start, ticks of = ticks::milliseconds) noexcept;
  /// Timers still armed become idle.
  ~timer_wheel();
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Arms `t` for `deadline`, moving it if it was armed. A deadline that the wheel has already
  /// passed fires in the next `advance`, whatever the time then is; one that is armed in a callback
  /// and due at the time of the `advance` under way also waits for the next one, so that an
  /// `advance` ends.
  void arm(timer& t, time_point deadline) noexcept;

  /// Fires all timers due at `now` and returns how many. Empty ticks cost nothing, however many.
  /// A `now` before that of an earlier call counts as that one. Not to be called by a callback.
  size_t advance(time_point now);

  /// A time not later than the next deadline (rounded up to its tick) at which `advance` has work
  /// (a deadline, or the moment a level turns over); not after the present where timers wait that
  /// are due already; `time_point::max()` if no timer is armed. Cheap: looks at occupancy bitmaps,
  /// never at timers.
  [[nodiscard]] time_point next_event() const noexcept;

  /// The next deadline itself, rounded up to its tick, or the present where one is due already;
  /// `time_point::max()` if no timer is armed. Looks at the timers of one slot.
  [[nodiscard]] time_point next_deadline() const noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }

private:
  friend class timer;
  static constexpr size_t levels = 7;
  static constexpr size_t slots = 256;
  // Lists beside the slots, numbered after them.
  static constexpr size_t overdue = levels * slots; // armed for what had passed
  static constexpr size_t firing = overdue + 1;     // the overdue ones of the advance under way
  static constexpr size_t beyond = overdue + 2;     // in a later turn of the whole wheel
  static constexpr size_t lists = overdue + 3;

  struct event {
    uint64_t tick; // no_tick: none
    size_t list;
  };
  static constexpr uint64_t no_tick = UINT64_MAX;

  [[nodiscard]] bool empty(size_t list) const noexcept {
    return heads_[list].next_ == &heads_[list];
  }
  [[nodiscard]] uint64_t whole_ticks(uint64_t ns) const noexcept;
  [[nodiscard]] uint64_t deadline_tick(time_point deadline) const noexcept;
  [[nodiscard]] time_point time_of(uint64_t tick_number) const noexcept;
  [[nodiscard]] size_t list_of(uint64_t tick_number) const noexcept;
  [[nodiscard]] event next() const noexcept;
  void append(timer_link& x, size_t list) noexcept;
  void unlink(timer_link& x) noexcept;
  void splice(size_t from, size_t to) noexcept;
  void cascade(size_t list) noexcept;
  size_t fire_all(size_t list);

  // A timer waits at the level of the highest byte in which its tick differs from now_tick_. All
  // timers of one tick are thus in one list at any moment, and moving a whole list down in order
  // keeps them in the order in which they were armed.
  std::array<timer_link, lists> heads_;
  std::array<uint64_t, (lists + 63) / 64> occupied_{};
  time_point start_;
  bool exact_;            // nanoseconds
  uint64_t now_tick_ = 0; // ticks since start_; inside `advance`, the one whose timers fire
  uint64_t due_tick_ = 0; // what is due at this tick or earlier is overdue when armed
  size_t size_ = 0;
};

inline void timer::cancel() noexcept {
  if (wheel_ == nullptr)
    return;
  wheel_->unlink(*this);
  --wheel_->size_;
  wheel_ = nullptr;
}

} // namespace jackfield::lane
