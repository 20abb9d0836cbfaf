#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/behavior.hpp>

#include "actors/centre/agent_ringer.hpp"
#include "actors/centre/bridged_call.hpp"
#include "actors/centre/call_side.hpp"
#include "actors/centre/centre_messages.hpp"
#include "actors/centre/place_in_line.hpp"
#include "actors/centre/serving_agent.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/report/failure_cause.hpp"

namespace jackfield {

/// To the owner of a call that waited in a queue, last.
struct queued_call_over {
  caf::actor_id call = 0;
  std::string call_id;
  std::string from; ///< a URI
  std::string queue;
  std::string agent; ///< who took it; empty: nobody
  queue_exit how = queue_exit::abandoned;
  bool by_caller = false;  ///< who ended it
  lane::duration waited{}; ///< from the ACK to the agent's answer, or to the end
  lane::duration talked{};
  /// None: it went as such calls do, also where the caller was gone before an agent came.
  report::failure_cause failure;
  bool answered = false;                   ///< the caller was sent 200
  std::vector<media_outcome> media;        ///< of the streams that were joined, the caller's first
  std::optional<recording_over> recording; ///< none: none was wanted
};

/// What every call is made of that agents of queues serve: somebody on the far side, for whom it
/// waits in a line; the phones of agents whom it is offered to, one of which talks in the end; and
/// the streams of all, on the actor's lane. What differs is the far side's leg: who makes it, when,
/// and what it says.
///
/// Once the call is `ending_`, nothing rings or is joined any more. It is over, and its owner told,
/// when all legs have ended, then all streams, and the recording.
class agent_served_call : public lane::lane_actor {
protected:
  /// `owner`, on this lane, answers `look_up_contacts`. `place`: what a `place_in_line` is made of,
  /// but the first two.
  template <class... Place>
  agent_served_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                    std::shared_ptr<const bridge_manner> manner,
                    std::shared_ptr<const audio_settings> music,
                    std::shared_ptr<const registrar_shards> shards, caf::strong_actor_ptr owner,
                    Place&&... place)
      : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
        music_(std::move(music)), owner_(std::move(owner)),
        line_(*this, far_, std::forward<Place>(place)...),
        agents_(*this, context_, manner_, std::move(shards)) {
    // nop
  }

  /// Has all of it end, if it does not yet. `how` it has left the line, where no agent has it.
  virtual void end_all(queue_exit how) = 0;
  /// Tells the owner, who is not known after that.
  virtual void report() = 0;

  void on_exit() override;

  /// The handlers that each has, and `own` ones.
  template <class... Handlers>
  caf::behavior behavior_with(Handlers... own) {
    set_down_handler([this](const caf::down_msg& down) { on_down(down); });
    return {
      [](const leg_events::offer_withdrawn&) {}, // our answer will be told that it is too late
      [](const media_parted&) {},                // of one whose other has closed
      [this](const media_closed& closed) { on_closed(closed); },
      [this](const contacts_found& found) { agents_.on_contacts(found); },
      [this](const ring_agent& ring) { on_ring(ring); },
      [this](const stop_ringing& stop) { agents_.on_stop(stop); },
      std::move(own)...,
    };
  }

  /// The agent has it whose phone answered that offer; false: it did not.
  [[nodiscard]] bool give_to_agent(const offer_key& by);
  /// How long it has waited, in whichever lines.
  [[nodiscard]] lane::duration waited_until_now() const { return home().now() - line_.who().since; }
  /// If all legs are over, has the rest end; when that has, the call is.
  void settle();
  /// What the owner is to be told, but the failure and whether it was answered.
  [[nodiscard]] queued_call_over account() const;

  // who sent what is being handled; null: another phone, or nobody
  [[nodiscard]] call_side* speaker();
  [[nodiscard]] call_side* player();
  /// Null: nobody talks, or it is no side.
  [[nodiscard]] call_side* other_than(const call_side* side);
  /// Of what a phone says that does not talk, the ringer is told.
  [[nodiscard]] bool is_side(const call_side* one) const noexcept {
    return one != nullptr && (one == &far_ || one == agents_.talking());
  }

  lane_context& context_;
  std::shared_ptr<const bridge_manner> manner_;
  std::shared_ptr<const audio_settings> music_;
  caf::strong_actor_ptr owner_; // null: it has been told
  call_side far_;
  place_in_line line_;
  agent_ringer agents_;
  serving_agent agent_{*this};
  report::failure_cause failure_; // of our own
  queue_exit how_ = queue_exit::abandoned;
  lane::duration waited_{};
  bool ending_ = false;
  bool by_far_ = false;

private:
  void on_ring(const ring_agent& ring);
  void on_closed(const media_closed& closed);
  void on_down(const caf::down_msg& down);
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::queued_call_over)
