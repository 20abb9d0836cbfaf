#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/node/journal.hpp"
#include "engine/lane/lane_actor.hpp"
#include "storage/commit_log.hpp"

namespace jackfield {

/// Of a recorder to itself: behind what its lane's actors do in this pass.
struct recorder_flush {};

/// To who waited for a write: it is in the store; or it is not yet, and why. In the latter case it
/// is still tried.
struct recorded {
  std::shared_ptr<const storage::fault> not_yet; ///< null: it is
};

/// To who asked with `when_idle`.
struct recorder_idle {};

/// What one lane's actors have kept: hands the journal what they wrote in a pass, or in
/// `gather_time` where nobody waits, and tells who waits. Its methods are called on its lane; those
/// who wait are on it too.
///
/// Holds no more than `most_bytes` of new work: beyond that `takes_work` says no, until the disk
/// has kept up. What calls that are up still write, it takes; that is bounded by their number.
class recorder final : public lane::lane_actor {
public:
  static constexpr size_t most_bytes = size_t{4} << 20U;
  /// What nobody waits for is gathered so long.
  static constexpr lane::duration gather_time = std::chrono::milliseconds{15};

  struct settings {
    uint64_t run = 0;                                       ///< whose calls they are
    storage::durability calls = storage::durability::async; ///< how durable their changes are
    unsigned index = 0;                                     ///< of the `count` recorders of the run
    unsigned count = 1;
  };
  recorder(caf::actor_config& config, lane::lane& home, caf::strong_actor_ptr writer,
           const settings& s);

  const char* name() const override { return "recorder"; }

  /// New work may begin: what was written is or will be in the store.
  [[nodiscard]] bool takes_work() const noexcept {
    return !failing_ && gathered_bytes_ + flying_bytes_ < most_bytes;
  }
  [[nodiscard]] uint64_t run() const noexcept { return settings_.run; }
  /// How durable changes of calls are.
  [[nodiscard]] storage::durability calls() const noexcept { return settings_.calls; }
  /// A number for a call that comes in: no other recorder of the run gives it.
  [[nodiscard]] uint64_t take_number() noexcept {
    return taken_++ * settings_.count + settings_.index;
  }

  /// Has it written after all that came before; `waiter`, if there is one, gets `recorded`.
  void write(storage::change&& c, const caf::strong_actor_ptr& waiter = nullptr);
  /// `who` gets `recorder_idle` once nothing is left to be written, or the store has failed for
  /// `patience`.
  void when_idle(const caf::strong_actor_ptr& who);

  static constexpr lane::duration patience = std::chrono::seconds{5};

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void flush_soon();
  void flush();
  void on_committed(uint64_t ticket);
  void on_failing(const storage::fault& why);
  void on_timer(unsigned id);
  void tell(std::vector<caf::strong_actor_ptr>& waiters,
            const std::shared_ptr<const storage::fault>& not_yet);
  void tell_if_idle();

  caf::strong_actor_ptr journal_;
  settings settings_;
  uint64_t taken_ = 0;
  storage::change gathered_;
  size_t gathered_bytes_ = 0;
  std::vector<caf::strong_actor_ptr> gathered_waiters_;
  struct flight { // with the journal
    uint64_t ticket;
    size_t bytes;
    std::vector<caf::strong_actor_ptr> waiters;
  };
  std::deque<flight> flying_;
  size_t flying_bytes_ = 0;
  std::vector<caf::strong_actor_ptr> idle_waiters_;
  std::shared_ptr<const storage::fault> failing_;
  lane::time_point failing_since_{};
  lane::actor_timer retry_;
  lane::actor_timer gather_;
  uint64_t ticket_ = 0; // of the last write
  bool flush_queued_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::recorded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::recorder_idle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::recorder_flush)
