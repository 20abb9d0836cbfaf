#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/media/audio_settings.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// Something that is said to callers.
struct announced_clip {
  std::shared_ptr<const audio_settings> what;
  lane::duration length{};
};

/// What callers of a queue are told of their wait, and by what. Immutable; any thread.
struct wait_announcement {
  bool position = false; ///< what is said is one of these at least
  bool wait = false;
  announced_clip you_are_number; ///< before the digits of the position
  announced_clip you_will_wait;  ///< before the digits of the minutes
  announced_clip minutes;        ///< and after them
  std::array<announced_clip, 10> digits;
};

/// In their order; none: nothing is to be said. A wait is rounded up to whole minutes.
[[nodiscard]] std::vector<announced_clip> said_of(const wait_announcement& how, uint32_t position,
                                                  std::optional<lane::duration> expected_wait);

/// Has a caller's stream say something, and play on after it. A part of the call's actor, whose
/// lane the stream is on.
class wait_announcer {
public:
  /// `clock`: the timer of the actor that is this one's.
  wait_announcer(lane::lane_actor& call, unsigned clock) : call_(call), timer_(call, clock) {}

  /// Instead of what is being said. `after`: what is played then, from its begin. `tells_keys`: as
  /// in `media_play`.
  void begin(std::vector<announced_clip> clips, caf::strong_actor_ptr stream,
             std::shared_ptr<const audio_settings> after, bool tells_keys = false);
  void on_time();
  /// The caller talks, or has gone.
  void stop();

private:
  lane::lane_actor& call_;
  lane::actor_timer timer_;
  std::vector<announced_clip> clips_;
  size_t next_ = 0;
  caf::strong_actor_ptr stream_;
  std::shared_ptr<const audio_settings> after_;
  bool tells_keys_ = false;
};

} // namespace jackfield
