#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/policy/time.hpp"

namespace jackfield::simulation {

using policy::time_point;

/// Timers by number, each set to one time or to none: what is due first, and of those due at once
/// the one that was set first. Setting anew replaces. O(log n), n the timers that are set.
class timer_heap {
public:
  using number = uint32_t;

  /// Sets it; `policy::never` clears it. One that is set to the same time keeps its turn.
  void set(number timer, time_point at) {
    if (timer >= places_.size())
      places_.resize(timer + 1, none);
    const auto place = places_[timer];
    if (place == none) {
      if (at == policy::never)
        return;
      heap_.push_back({at, ++turn_, timer});
      rise(heap_.size() - 1);
    } else if (at == policy::never) {
      take(place);
    } else if (heap_[place].at != at) {
      heap_[place].at = at;
      heap_[place].turn = ++turn_;
      sink(place);
      rise(places_[timer]);
    }
  }
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  /// When the first is due; `never` if none is set.
  [[nodiscard]] time_point next() const noexcept {
    return heap_.empty() ? policy::never : heap_.front().at;
  }
  /// Clears the first, and says which. Not where `empty`.
  number pop() {
    const auto timer = heap_.front().timer;
    take(0);
    return timer;
  }

private:
  static constexpr size_t branches = 4; // of a node lie in one line or two of the cache
  static constexpr uint32_t none = UINT32_MAX;

  struct entry {
    time_point at;
    uint64_t turn;
    number timer;

    [[nodiscard]] bool before(const entry& other) const noexcept {
      return at < other.at || (at == other.at && turn < other.turn);
    }
  };

  void put(size_t place, const entry& what) {
    heap_[place] = what;
    places_[what.timer] = static_cast<uint32_t>(place);
  }
  void rise(size_t place) {
    const auto what = heap_[place];
    while (place > 0 && what.before(heap_[(place - 1) / branches])) {
      put(place, heap_[(place - 1) / branches]);
      place = (place - 1) / branches;
    }
    put(place, what);
  }
  void sink(size_t place) {
    const auto what = heap_[place];
    for (;;) {
      const auto first = place * branches + 1;
      auto least = first;
      for (auto child = first + 1; child < first + branches && child < heap_.size(); ++child)
        if (heap_[child].before(heap_[least]))
          least = child;
      if (first >= heap_.size() || !heap_[least].before(what))
        break;
      put(place, heap_[least]);
      place = least;
    }
    put(place, what);
  }
  void take(size_t place) {
    places_[heap_[place].timer] = none;
    const auto last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size())
      return;
    put(place, last);
    sink(place);
    rise(places_[last.timer]);
  }

  std::vector<entry> heap_;
  std::vector<uint32_t> places_;
  uint64_t turn_ = 0;
};

} // namespace jackfield::simulation
