#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/centre/centre_messages.hpp"
#include "actors/centre/place_in_line.hpp"
#include "actors/centre/talk_recorder.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// The agent who serves a call of a queue, from when it takes the call to the end, which its actor
/// is told once (`talk_over`); and their talk: how long it was, and what is recorded of it. There
/// is one at most; whose phone answers is the ringer's business. A part of the call's actor.
class serving_agent {
public:
  explicit serving_agent(lane::lane_actor& call) : call_(call) {}

  /// This one takes the call, having been offered it so.
  void take(const agent_address& who, const offer_key& by);
  /// This one had it before a restart, and is told that it goes on. `actor` null: no such agent is
  /// there any more.
  void take_back(std::string name, caf::strong_actor_ptr actor);
  /// They hear each other since then.
  void talks_since(lane::time_point then) noexcept { talks_since_ = then; }
  /// If the queue wants that, records what these two hear from now on.
  void record(const place_in_line& of, const caf::strong_actor_ptr& caller,
              const caf::strong_actor_ptr& agent);
  /// The call is over, if it was not before; `then` is called once the recording is, if there is
  /// one.
  void end(const std::function<void()>& then);

  /// Empty: nobody has taken it.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] lane::duration talked() const noexcept { return talked_; }
  /// One is being made.
  [[nodiscard]] bool records() const noexcept { return recorder_ != nullptr && !recorded_; }
  [[nodiscard]] const std::optional<recording_over>& recorded() const noexcept { return recorded_; }

  /// Without a word: the call's actor ends.
  void let_go();

private:
  lane::lane_actor& call_;
  std::string name_;
  caf::strong_actor_ptr actor_;
  offer_key offer_;
  bool serves_ = false;
  std::optional<lane::time_point> talks_since_;
  lane::duration talked_{};
  std::unique_ptr<talk_recorder> recorder_;
  std::optional<recording_over> recorded_;
};

} // namespace jackfield
