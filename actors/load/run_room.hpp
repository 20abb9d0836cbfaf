#pragma once

#include <atomic>
#include <cstdint>

namespace jackfield {

/// How many calls a run may have at once, over all its lanes. Any thread.
class run_room {
public:
  explicit run_room(uint64_t limit) : limit_(limit) {}

  /// False: there is no room.
  [[nodiscard]] bool take() noexcept {
    auto taken = taken_.load(std::memory_order_relaxed);
    while (taken < limit_)
      if (taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed))
        return true;
    return false;
  }
  /// What is there already, of a run that goes on, may be more than the limit.
  void occupy(uint64_t places) noexcept { taken_.fetch_add(places, std::memory_order_relaxed); }
  void give_back() noexcept { taken_.fetch_sub(1, std::memory_order_relaxed); }

private:
  const uint64_t limit_;
  std::atomic<uint64_t> taken_{0};
};

} // namespace jackfield
