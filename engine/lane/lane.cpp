#include "engine/lane/lane.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <caf/scheduler/abstract_coordinator.hpp>

namespace jackfield::lane {

namespace {

/// Messages one actor may handle before the next ready one has its turn.
constexpr size_t max_throughput = 300;

/// Weight of one pass in the smoothed lag.
constexpr int lag_smoothing = 16;

} // namespace

void lane_health::count_lag(duration d) noexcept {
  const auto us = static_cast<uint64_t>(std::max<int64_t>(d.count() / 1000, 0));
  size_t step = us;
  if (us >= 4) {
    const auto octave = static_cast<size_t>(std::bit_width(us)) - 3; // us >> octave is 4..7
    step = octave * 4 + (us >> octave);
  }
  lag[std::min(step, lag_steps - 1)] += 1;
}

lane::lane(caf::actor_system& system, unsigned index, time_point start, timer_wheel::ticks of)
    : caf::execution_unit(&system), now_(start), wheel_(start, of), index_(index) {
  // nop
}

lane::~lane() = default;

void lane::run_down() {
  claim_thread();
  while (drain_inbox() || run_ready())
    ;
}

void lane::abandon_inbox() {
  claim_thread();
  for (;;) {
    {
      const std::lock_guard guard{inbox_mutex_};
      taken_.swap(inbox_);
    }
    if (taken_.empty())
      return;
    for (auto& entry : taken_)
      if (entry.ended)
        entry.destroy(entry.ended->get());
    taken_.clear(); // messages may hold the last reference of an actor, which then ends here
  }
}

void lane::exec_later(caf::resumable* job) {
  // CAF offers every actor that our actors send to; those that are not ours belong to its pool.
  if (own_job_)
    ready_.push_back(job);
  else
    system().scheduler().enqueue(job);
}

uint64_t lane::random() {
  uint64_t value = 0;
  random_bytes(std::as_writable_bytes(std::span{&value, 1}));
  return value;
}

double lane::random_unit() {
  return static_cast<double>(random() >> 11U) * 0x1.0p-53;
}

void lane::send_all(std::span<const outgoing_datagram> datagrams) {
  for (size_t i = 0; i < datagrams.size(); ++i) {
    if (i + 1 < datagrams.size())
      __builtin_prefetch(datagrams[i + 1].socket); // of thousands, its turn comes once a frame
    datagrams[i].socket->send(datagrams[i].to, datagrams[i].bytes);
  }
}

void lane::receive_all(std::span<datagram_socket*> sockets) {
  for (size_t i = 0; i < sockets.size(); ++i) {
    if (i + 1 < sockets.size())
      __builtin_prefetch(sockets[i + 1]);
    if (auto* const socket = sockets[i])
      socket->receive_pending();
  }
}

void lane::post(std::function<void()> task) {
  add_to_inbox({.task = std::move(task)});
}

void lane::inject(caf::strong_actor_ptr receiver, caf::mailbox_element_ptr message) {
  add_to_inbox({.receiver = std::move(receiver), .message = std::move(message)});
}

void lane::end_actor(caf::abstract_actor& actor, void (*destroy)(caf::abstract_actor*)) {
  if (on_lane())
    destroy(&actor);
  else
    add_to_inbox({.ended = caf::weak_actor_ptr{actor.ctrl()}, .destroy = destroy});
}

void lane::add_to_inbox(inbox_entry entry) {
  bool first = false;
  {
    const std::lock_guard guard{inbox_mutex_};
    first = inbox_.empty();
    inbox_.push_back(std::move(entry));
  }
  if (first)
    wake();
}

bool lane::drain_inbox() {
  {
    const std::lock_guard guard{inbox_mutex_};
    taken_.swap(inbox_);
  }
  if (taken_.empty())
    return false;
  for (auto& entry : taken_) {
    if (entry.receiver)
      entry.receiver->get()->enqueue(std::move(entry.message), this);
    else if (entry.ended)
      entry.destroy(entry.ended->get());
    else
      entry.task();
  }
  taken_.clear();
  return true;
}

bool lane::run_ready() {
  if (ready_.empty())
    return false;
  while (!ready_.empty()) {
    running_.swap(ready_);
    for (auto* job : running_) {
      switch (job->resume(this, max_throughput)) {
      case caf::resumable::resume_later:
        ready_.push_back(job);
        break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message:
        caf::intrusive_ptr_release(job);
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
      }
    }
    running_.clear();
  }
  return true;
}

void lane::begin_pass(time_point now, time_point due) noexcept {
  now_ = now;
  const auto lag =
    std::max({duration::zero(), now - due, std::exchange(health_.longest_wait, duration::zero())});
  health_.passes += 1;
  health_.worst_lag = std::max(health_.worst_lag, lag);
  health_.smoothed_lag += (lag - health_.smoothed_lag) / lag_smoothing;
  health_.count_lag(lag);
  if (const bool late = health_.smoothed_lag > overload_bound; late != overloaded())
    overloaded_.store(late, std::memory_order_relaxed);
  if (lag > overload_bound)
    health_.late_passes += 1;
}

} // namespace jackfield::lane
