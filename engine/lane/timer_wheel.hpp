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

/// A deadline that can be armed on a `timer_wheel`: an intrusive node, so arming and cancelling
/// allocate nothing. Not thread-safe: lives and dies on its lane's thread. Destroying an armed
/// timer cancels it.
class timer {
public:
  /// Called on the lane's thread once the deadline has passed; the timer is idle by then and may
  /// be armed again or destroyed by the callee.
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
  timer* next_ = nullptr;
  timer** previous_ = nullptr; // what points at us: a slot's head or a neighbour's next_
  timer_wheel* wheel_ = nullptr;
  time_point deadline_{};
  callback fire_;
  void* owner_;
};

/// Hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7) of 1 ms ticks: four levels of
/// 256 slots, 49.7 days at once, farther deadlines go round again. Arm and cancel are O(1); a
/// timer fires in the first `advance` at or after its deadline, never before it, and timers of one
/// tick fire in the order in which they were armed, which keeps simulated runs reproducible.
class timer_wheel {
public:
  static constexpr std::chrono::milliseconds tick{1};

  explicit timer_wheel(time_point start) noexcept;
  ~timer_wheel();
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Arms `t` for `deadline`, moving it if it was armed. A deadline in the past fires in the next
  /// `advance`.
  void arm(timer& t, time_point deadline) noexcept;

  /// Fires all timers due at `now` and returns how many.
  size_t advance(time_point now);

  /// A time not later than the next deadline at which `advance` has work (a deadline, or the
  /// moment a level turns over); `time_point::max()` if no timer is armed. Cheap: looks at
  /// occupancy bitmaps, never at timers.
  [[nodiscard]] time_point next_event() const noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }

private:
  friend class timer;
  static constexpr size_t levels = 4;
  static constexpr size_t slots = 256;

  void place(timer& t) noexcept;
  void unlink(timer& t) noexcept;
  void cascade(size_t level, size_t slot) noexcept;

  struct slot_list {
    timer* first = nullptr;
    timer** last = nullptr; // where the next timer of this slot is linked
  };
  std::array<std::array<slot_list, slots>, levels> wheel_{};
  std::array<std::array<uint64_t, slots / 64>, levels> occupied_{};
  time_point start_;
  uint64_t now_tick_ = 0; // ticks since start_ up to which all timers have fired
  size_t size_ = 0;
};

} // namespace jackfield::lane
