#pragma once

#include <cstdint>
#include <deque>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/behavior.hpp>

#include "actors/node/recorder.hpp"
#include "engine/lane/lane_actor.hpp"
#include "storage/commit_log.hpp"

namespace jackfield::app {

/// To an `event_keeper`: write this, behind what came before. Answered by `told_kept`, in order,
/// if it has a number.
struct keep_told {
  uint64_t number = 0; ///< of an event; 0: of none
  storage::batch writes;
};

/// The event of that number is in the store; or the store cannot be written now, and it is told all
/// the same.
struct told_kept {
  uint64_t number = 0;
};

/// Writes what a contact centre tells others, for who is on no lane.
class event_keeper final : public lane::lane_actor {
public:
  /// `keeps`, on this lane, outlives it.
  event_keeper(caf::actor_config& config, lane::lane& home, recorder& keeps)
      : lane::lane_actor(config, home), keeps_(keeps) {}

  const char* name() const override { return "event_keeper"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override { waiting_.clear(); }

private:
  struct waiting {
    uint64_t number;
    caf::strong_actor_ptr who;
  };
  recorder& keeps_;
  std::deque<waiting> waiting_; // for `recorded`, which come in order
};

} // namespace jackfield::app

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::app::keep_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::app::told_kept)
