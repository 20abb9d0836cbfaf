#pragma once

#include <chrono>
#include <memory>

#include <caf/actor_control_block.hpp>

#include "actors/centre/agent_ringer.hpp"
#include "actors/centre/bridged_call.hpp"
#include "actors/centre/call_side.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/place_in_line.hpp"
#include "actors/centre/serving_agent.hpp"
#include "actors/node/lane_context.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// How a call to a queue comes back that a crash left. Its caller's leg is taken up, and that of
/// the agent's phone, if an agent had it; each asks its peer whether it goes on. It is `under_way`
/// until who was there is back or it is given up; that is when the owner is told which
/// (`call_resumed`), once, and a queue whose caller is lost. Until then nobody hears the other.
///
/// One of a call that no crash left is never under way. A part of the call's actor, beside the
/// others that it is made of.
class queued_resumption {
public:
  /// `clock`: the timer of the actor that is this one's.
  queued_resumption(lane::lane_actor& call, call_side& caller, place_in_line& line,
                    agent_ringer& agents, unsigned clock)
      : call_(call), caller_(caller), line_(line), agents_(agents), join_timer_(call, clock) {}

  /// A crash left this, before all else. `agent`: whose it is, who believes to have it; null: of no
  /// agent any more, or it waits.
  void expect(returning_call left, caf::strong_actor_ptr agent, caf::strong_actor_ptr owner);
  [[nodiscard]] bool under_way() const noexcept { return owner_ != nullptr; }

  /// Takes up legs, streams and the agent who had it. `music`: what a caller hears who waits.
  void begin(lane_context& context, const bridge_manner& manner,
             const std::shared_ptr<const audio_settings>& music, const two_clocks& clocks,
             serving_agent& agent);
  /// The caller's leg is there.
  void on_prepared();
  /// So is its stream.
  void on_opened(const media_opened& opened);
  /// Meanwhile one of them offers something anew. It holds nobody: there is nobody to hear it.
  void on_offered(call_side& by, const leg_events::offered& anew);

  /// The caller goes on, to wait in the line.
  void waiter_is_back() { tell(true); }
  /// The sender, one of the two who talked, goes on. True: both do, from now on. The caller hears
  /// the music until then.
  [[nodiscard]] bool talker_is_back(const std::shared_ptr<const audio_settings>& music);
  /// The call is over. True: it is by this, neither side has hung up, and both legs are to be cut
  /// off.
  [[nodiscard]] bool give_up();

  /// Whose streams could not be joined yet. Who has come back by an offer of its own can be once
  /// that is answered. True: it is to be tried again when the timer fires.
  [[nodiscard]] bool joins_later();

  /// Without a word: the call's actor ends.
  void let_go();

private:
  static constexpr unsigned most_joins = 50;
  static constexpr lane::duration join_again_after = std::chrono::milliseconds{200};

  void tell(bool resumed);

  lane::lane_actor& call_;
  call_side& caller_;
  place_in_line& line_;
  agent_ringer& agents_;
  std::unique_ptr<returning_call> left_; // until its legs have it
  caf::strong_actor_ptr agent_left_;     // likewise
  caf::strong_actor_ptr owner_;          // null: it has been told, or there is nothing to tell
  bool caller_is_back_ = false;
  bool agent_is_back_ = false;
  lane::actor_timer join_timer_;
  unsigned joins_ = 0;
};

} // namespace jackfield
