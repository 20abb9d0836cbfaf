#include "actors/node/recorder.hpp"

#include <utility>

#include <caf/behavior.hpp>

namespace jackfield {

namespace {

/// What failed is tried again so often.
constexpr std::chrono::milliseconds retry_interval{500};

// Of its timers.
constexpr unsigned retry_clock = 0;
constexpr unsigned gather_clock = 1;

} // namespace

recorder::recorder(caf::actor_config& config, lane::lane& home, caf::strong_actor_ptr writer,
                   const settings& s)
    : lane::lane_actor(config, home), journal_(std::move(writer)), settings_(s),
      retry_(*this, retry_clock), gather_(*this, gather_clock) {
  // nop
}

caf::behavior recorder::make_behavior() {
  return {
    [this](recorder_flush) {
      flush_queued_ = false;
      flush();
    },
    [this](const journal_committed& committed) { on_committed(committed.ticket); },
    [this](const journal_failing& failing) { on_failing(failing.why); },
    [this](const lane::timer_fired& fired) { on_timer(fired.id); },
  };
}

void recorder::on_exit() {
  retry_.cancel();
  gather_.cancel();
  journal_ = nullptr;
  gathered_waiters_.clear();
  flying_.clear();
  idle_waiters_.clear();
}

void recorder::write(storage::change&& c, const caf::strong_actor_ptr& waiter) {
  if (!journal_)
    return;
  gathered_bytes_ += c.bytes();
  gathered_.append(std::move(c));
  if (waiter)
    gathered_waiters_.push_back(waiter);
  flush_soon();
}

void recorder::flush_soon() {
  if (flush_queued_ || gathered_.empty())
    return;
  const bool awaited = !gathered_waiters_.empty() || !idle_waiters_.empty();
  if (awaited) {
    flush_queued_ = true; // at the end of this pass: others may write in it
    lane::tell(home(), caf::strong_actor_ptr{ctrl()}, recorder_flush{});
  } else if (!gather_.armed()) {
    gather_.arm(home().now() + gather_time);
  }
}

void recorder::flush() {
  if (gathered_.empty())
    return;
  gather_.cancel();
  flying_bytes_ += gathered_bytes_;
  flying_.push_back(
    {++ticket_, std::exchange(gathered_bytes_, 0), std::exchange(gathered_waiters_, {})});
  lane::tell_from(*this, journal_, journal_write{ticket_, std::exchange(gathered_, {})});
}

void recorder::on_committed(uint64_t ticket) {
  failing_ = nullptr;
  retry_.cancel();
  while (!flying_.empty() && flying_.front().ticket <= ticket) {
    flying_bytes_ -= flying_.front().bytes;
    tell(flying_.front().waiters, nullptr);
    flying_.pop_front();
  }
  tell_if_idle();
}

void recorder::on_failing(const storage::fault& why) {
  if (!failing_)
    failing_since_ = home().now();
  failing_ = std::make_shared<storage::fault>(why);
  // They need not wait for a disk: it will be written, but nobody knows when.
  for (auto& one : flying_)
    tell(one.waiters, failing_);
  tell(gathered_waiters_, failing_);
  retry_.arm(home().now() + retry_interval);
  tell_if_idle();
}

void recorder::on_timer(unsigned id) {
  if (id == gather_clock)
    flush();
  else
    lane::tell_from(*this, journal_, journal_retry{});
}

void recorder::tell(std::vector<caf::strong_actor_ptr>& waiters,
                    const std::shared_ptr<const storage::fault>& not_yet) {
  for (const auto& who : std::exchange(waiters, {}))
    lane::tell(home(), who, recorded{not_yet});
}

void recorder::when_idle(const caf::strong_actor_ptr& who) {
  idle_waiters_.push_back(who);
  flush_soon();
  tell_if_idle();
}

void recorder::tell_if_idle() {
  const bool all_written = flying_.empty() && gathered_.empty();
  if (!all_written && !(failing_ && home().now() - failing_since_ >= patience))
    return;
  for (const auto& who : std::exchange(idle_waiters_, {}))
    lane::tell(home(), who, recorder_idle{});
}

} // namespace jackfield
