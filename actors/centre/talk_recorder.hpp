#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/centre/call_recording.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// What is known of a call that is recorded.
struct talk_names {
  std::string call_id;
  std::string queue;
  std::string agent;
  std::string caller; ///< a URI
};

/// Has what two streams of a lane hear recorded: gathers their packets on the lane and hands them
/// to a `call_recording` five times a second. Where that does not keep up, packets are left out, so
/// that no more than `most_waiting` bytes wait. A part of the call's actor; if that goes
/// without `finish`, the recording ends all the same.
class talk_recorder {
public:
  static constexpr size_t most_waiting = size_t{1} << 20U;

  /// Begins now.
  talk_recorder(lane::lane_actor& call, std::shared_ptr<const recording_settings> where,
                const talk_names& of);
  ~talk_recorder();
  talk_recorder(const talk_recorder&) = delete;
  talk_recorder& operator=(const talk_recorder&) = delete;

  /// `stream`, of this lane, hears that leg. Once each.
  void hear(const caf::strong_actor_ptr& stream, recording::leg of);
  /// It is over, and ended now; `then` is called when the file is whole, or cannot be. Once.
  void finish(const std::function<void(const recording_over&)>& then);

private:
  class gatherer;
  class ear;

  lane::lane_actor& call_;
  std::shared_ptr<gatherer> gathers_; // the streams have it, too
};

} // namespace jackfield
