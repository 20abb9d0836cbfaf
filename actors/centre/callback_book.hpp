#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/centre/wait_announcer.hpp"
#include "actors/node/recorder.hpp"
#include "engine/lane/lane_actor.hpp"
#include "storage/centre_records.hpp"

namespace jackfield {

/// How callers of a queue may be called back instead of waiting on the line. Immutable; any thread.
struct callback_terms {
  char key = '1'; ///< which a caller presses for it
  /// Said while the caller waits, after what else is announced; none: nothing is.
  std::optional<announced_clip> offer = {};
  announced_clip promise; ///< said to who pressed it, who is hung up then
  uint32_t most_attempts = 3;
  /// After an attempt that reached nobody.
  lane::duration retry_after = std::chrono::minutes{5};
  lane::duration ringing_limit = std::chrono::seconds{30};
};

/// A call that waits to its owner: promise its caller that it is called back, at the number that it
/// came from. Answered by `callback_promised`.
struct promise_callback {
  storage::callback_record what;
};
struct callback_promised {
  bool done = false; ///< else there is no way to that number
};

/// What came of an attempt.
enum class callback_outcome : uint8_t {
  reached,     ///< caller and agent heard each other
  not_reached, ///< the attempt is counted
  not_tried,   ///< the queue sent it away, or it was put off: no INVITE has left
};

/// The caller of such a call was served before it was promised anything.
struct callback_unneeded {};

/// To a centre's service, after a crash: who is to be called back.
struct callbacks_left {
  std::vector<storage::callback_record> all;
  bool go_on = true; ///< else they are dropped
};

/// To a callback: end, if the caller has not been called yet. It is for the next process.
struct put_off {};

/// Who was promised to be called back, until that has come of something. A part of a centre's
/// service, on its lane. What is promised is in the store, where its lane keeps calls, before the
/// caller's own call ends; that an attempt begins, before its INVITE.
class callback_book {
public:
  /// `where`, on the actor's lane, outlives it; null: nothing is kept. `timer`: the number of one
  /// of the actor's timers, whose firing is told by `due`.
  callback_book(lane::lane_actor& self, unsigned timer, recorder* where)
      : self_(self), recorder_(where), timer_(self, timer) {}

  /// To the caller of that call, which is up.
  void promise(caf::actor_id call, storage::callback_record what);
  /// That number will be called back already.
  [[nodiscard]] bool has(const std::string& number) const;
  /// What that actor, a caller's call or a callback, has of this; it has no more.
  [[nodiscard]] std::optional<storage::callback_record> take(caf::actor_id of);
  /// That actor calls back.
  void begin(caf::actor_id callback, storage::callback_record what);
  /// It is about to send its INVITE.
  void on_attempt(caf::actor_id callback);
  /// Another attempt is to be made.
  void try_later(storage::callback_record what, lane::duration after);
  /// Those whose time has come.
  [[nodiscard]] std::vector<storage::callback_record> due();
  /// It has come of something: nothing is kept.
  void forget(const storage::callback_record& what);
  /// Who waits for another attempt is the next process's; without a store, nobody's: those.
  [[nodiscard]] std::vector<storage::callback_record> put_off();
  /// What it holds is written down.
  [[nodiscard]] bool keeps() const noexcept { return recorder_ != nullptr; }
  /// Actors that call back.
  [[nodiscard]] std::vector<caf::actor_id> under_way() const;

private:
  void keep(const storage::callback_record& what);

  struct later {
    lane::time_point at;
    storage::callback_record what;
  };
  lane::lane_actor& self_;
  recorder* recorder_;
  lane::actor_timer timer_;
  std::unordered_map<caf::actor_id, storage::callback_record> promised_;  // by the caller's call
  std::unordered_map<caf::actor_id, storage::callback_record> under_way_; // by the callback
  std::vector<later> later_;                                              // in order of time
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::promise_callback)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::callback_promised)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::callback_unneeded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::callbacks_left)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::put_off)
