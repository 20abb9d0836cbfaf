#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/send.hpp>

#include "engine/lane/lane_actor.hpp"
#include "storage/run_book.hpp"

namespace jackfield {

/// To who serves or makes a lane's calls, before all else: go on with these, that a crash left.
/// `watcher` gets `calls_resumed` once it is clear what becomes of each.
struct resume_calls {
  std::vector<storage::interrupted_call> calls;
  caf::strong_actor_ptr watcher;
};

/// Sends it to those of `users` whose lane has any; returns to how many.
inline unsigned hand_over(std::vector<std::vector<storage::interrupted_call>>&& by_lane,
                          const std::vector<caf::actor>& users,
                          const caf::strong_actor_ptr& watcher) {
  unsigned told = 0;
  for (size_t i = 0; i < by_lane.size(); ++i)
    if (!by_lane[i].empty()) {
      caf::anon_send(users.at(i), resume_calls{std::move(by_lane[i]), watcher});
      ++told;
    }
  return told;
}

/// To the owner of such a call, from its leg's user, once and before its end: the peer has agreed,
/// or the call is lost.
struct call_resumed {
  bool resumed = false;
};

/// What became of a lane's calls that were to go on.
struct calls_resumed {
  uint64_t resumed = 0;
  uint64_t lost = 0;
  lane::duration slowest{}; ///< of those resumed, from the order to go on

  void merge(const calls_resumed& other) {
    resumed += other.resumed;
    lost += other.lost;
    slowest = std::max(slowest, other.slowest);
  }
};

/// The owner's count of them. A part of the owner.
class resumption_tally {
public:
  /// There are so many.
  void begin(lane::lane_actor& self, size_t calls, caf::strong_actor_ptr watcher) {
    began_ = self.home().now();
    waiting_ = calls;
    watcher_ = std::move(watcher);
    tell_if_done(self);
  }
  void take(lane::lane_actor& self, const call_resumed& call) {
    if (waiting_ == 0)
      return;
    --waiting_;
    if (call.resumed) {
      ++made_.resumed;
      made_.slowest = std::max(made_.slowest, self.home().now() - began_);
    } else {
      ++made_.lost;
    }
    tell_if_done(self);
  }
  void let_go() noexcept { watcher_ = nullptr; }

private:
  void tell_if_done(lane::lane_actor& self) {
    if (waiting_ == 0)
      if (const auto watcher = std::exchange(watcher_, nullptr))
        lane::tell_from(self, watcher, made_);
  }

  lane::time_point began_{};
  size_t waiting_ = 0;
  calls_resumed made_;
  caf::strong_actor_ptr watcher_;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::resume_calls)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_resumed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::calls_resumed)
