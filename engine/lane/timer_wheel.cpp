#include "engine/lane/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace jackfield::lane {

namespace {

constexpr uint64_t tick_ns = duration{timer_wheel::tick}.count();

/// Nanoseconds from `from` to `to`, which is not earlier; right also where the difference of the
/// signed counts would overflow.
uint64_t nanoseconds_between(time_point from, time_point to) noexcept {
  return static_cast<uint64_t>(to.time_since_epoch().count()) -
         static_cast<uint64_t>(from.time_since_epoch().count());
}

} // namespace

timer_wheel::timer_wheel(time_point start, ticks of) noexcept
    : start_(start), exact_(of == ticks::nanoseconds) {
  for (timer_link& head : heads_)
    head.next_ = head.previous_ = &head;
}

timer_wheel::~timer_wheel() {
  for (timer_link& head : heads_) {
    while (head.next_ != &head)
      static_cast<timer*>(head.next_)->cancel();
  }
}

void timer_wheel::arm(timer& t, time_point deadline) noexcept {
  if (t.wheel_ == this) {
    unlink(t);
  } else {
    t.cancel();
    t.wheel_ = this;
    ++size_;
  }
  t.deadline_ = deadline;
  const uint64_t at = deadline_tick(deadline);
  append(t, at <= due_tick_ ? overdue : list_of(at));
}

size_t timer_wheel::advance(time_point now) {
  if (now > start_)
    due_tick_ = std::max(due_tick_, whole_ticks(nanoseconds_between(start_, now)));
  splice(overdue, firing);
  size_t fired = fire_all(firing);
  for (;;) {
    const auto [at, list] = next();
    if (at > due_tick_)
      break;
    now_tick_ = at;
    if (list >= slots)
      cascade(list);
    fired += fire_all(at % slots);
  }
  now_tick_ = due_tick_;
  return fired;
}

time_point timer_wheel::next_event() const noexcept {
  if (!empty(overdue) || !empty(firing))
    return time_of(now_tick_);
  const uint64_t at = next().tick;
  return at == no_tick ? time_point::max() : time_of(at);
}

// The usual divisor is known to the compiler: this is on the way of each timer that is armed.
// What one list of a level holds is earlier than all that comes after it.
time_point timer_wheel::next_deadline() const noexcept {
  if (!empty(overdue) || !empty(firing))
    return time_of(now_tick_);
  const auto found = next();
  if (found.tick == no_tick || found.list < slots)
    return found.tick == no_tick ? time_point::max() : time_of(found.tick);
  auto first = no_tick;
  const timer_link& head = heads_[found.list];
  for (const auto* each = head.next_; each != &head; each = each->next_)
    first = std::min(first, deadline_tick(static_cast<const timer*>(each)->deadline_));
  return time_of(first);
}

uint64_t timer_wheel::whole_ticks(uint64_t ns) const noexcept {
  return exact_ ? ns : ns / tick_ns;
}

uint64_t timer_wheel::deadline_tick(time_point deadline) const noexcept {
  if (deadline <= start_)
    return 0;
  const uint64_t ns = nanoseconds_between(start_, deadline);
  return exact_ ? ns : ns / tick_ns + (ns % tick_ns != 0 ? 1 : 0);
}

time_point timer_wheel::time_of(uint64_t tick_number) const noexcept {
  if (tick_number > whole_ticks(nanoseconds_between(start_, time_point::max())))
    return time_point::max();
  const auto ns =
    static_cast<uint64_t>(start_.time_since_epoch().count()) + tick_number * (exact_ ? 1 : tick_ns);
  return time_point{duration{static_cast<int64_t>(ns)}};
}

size_t timer_wheel::list_of(uint64_t tick_number) const noexcept {
  const auto differing_bits = static_cast<size_t>(std::bit_width(tick_number ^ now_tick_));
  const size_t level = differing_bits == 0 ? 0 : (differing_bits - 1) / 8;
  if (level >= levels)
    return beyond;
  return level * slots + (tick_number >> (8 * level)) % slots;
}

timer_wheel::event timer_wheel::next() const noexcept {
  constexpr size_t words = slots / 64;
  for (size_t level = 0; level < levels; ++level) {
    // Only slots after the present one can be occupied, and what a lower level holds is earlier
    // than all that a higher one does.
    for (size_t word = 0; word < words; ++word) {
      const uint64_t bits = occupied_[level * words + word];
      if (bits == 0)
        continue;
      const size_t slot = word * 64 + static_cast<size_t>(std::countr_zero(bits));
      const uint64_t turn = now_tick_ >> (8 * level + 8) << 8;
      return {(turn | slot) << (8 * level), level * slots + slot};
    }
  }
  if (!empty(beyond))
    return {((now_tick_ >> (8 * levels)) + 1) << (8 * levels), beyond};
  return {no_tick, 0};
}

void timer_wheel::append(timer_link& x, size_t list) noexcept {
  timer_link& head = heads_[list];
  x.next_ = &head;
  x.previous_ = head.previous_;
  head.previous_->next_ = &x;
  head.previous_ = &x;
  occupied_[list / 64] |= uint64_t{1} << (list % 64);
}

void timer_wheel::unlink(timer_link& x) noexcept {
  x.previous_->next_ = x.next_;
  x.next_->previous_ = x.previous_;
  if (x.next_ == x.previous_) { // only a head is its own two neighbours: the list is empty now
    const auto list = static_cast<size_t>(x.next_ - heads_.data());
    occupied_[list / 64] &= ~(uint64_t{1} << (list % 64));
  }
}

void timer_wheel::splice(size_t from, size_t to) noexcept {
  if (empty(from))
    return;
  timer_link& source = heads_[from];
  timer_link& target = heads_[to];
  source.next_->previous_ = target.previous_;
  target.previous_->next_ = source.next_;
  source.previous_->next_ = &target;
  target.previous_ = source.previous_;
  source.next_ = source.previous_ = &source;
  occupied_[from / 64] &= ~(uint64_t{1} << (from % 64));
  occupied_[to / 64] |= uint64_t{1} << (to % 64);
}

void timer_wheel::cascade(size_t list) noexcept {
  // Through `firing`, idle by now: a list beyond the wheel may take some of its timers back.
  splice(list, firing);
  timer_link& head = heads_[firing];
  while (head.next_ != &head) {
    auto& t = static_cast<timer&>(*head.next_);
    unlink(t);
    append(t, list_of(deadline_tick(t.deadline_)));
  }
}

size_t timer_wheel::fire_all(size_t list) {
  size_t fired = 0;
  timer_link& head = heads_[list];
  while (head.next_ != &head) {
    auto& t = static_cast<timer&>(*head.next_);
    t.cancel();
    __builtin_prefetch(head.next_, 1); // the next one's owner was last seen a period ago
    ++fired;
    t.fire_(t.owner_);
  }
  return fired;
}

} // namespace jackfield::lane
