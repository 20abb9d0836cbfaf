#pragma once

#include <cstdint>
#include <memory>

#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/centre/agent_served_call.hpp"
#include "actors/centre/callback_book.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/trunk_hunt.hpp"

namespace jackfield {

/// To the owner of a callback: an agent has it, and who is to be called back is called next.
struct callback_dials {};

/// To the owner of a callback, last.
struct callback_over {
  callback_outcome how = callback_outcome::not_tried;
  queued_call_over call; ///< as of any call of a queue; talked: with who was called back
};

/// One attempt to call somebody back: stands in the line for them, in the place that they had; when
/// an agent takes it, who waits for it is called through the trunks, and the agent hears the
/// queue's music until they answer, or what the network says before. Whichever leg ends ends the
/// other.
///
/// The actor, the leg of who is called, and all streams are on the lane of the call that it comes
/// of; an agent's legs are on the lanes of their connections.
///
/// Takes `hang_up`, from anybody, and `put_off` from its owner.
class callback_call final : public agent_served_call {
public:
  struct terms {
    storage::callback_record what;
    queue_ticket ticket;
    std::shared_ptr<const audio_settings> music;
    std::unique_ptr<trunk_hunt> hunt;
  };
  /// `owner`, on this lane, answers `look_up_contacts`, and gets `callback_dials` and
  /// `callback_over`.
  callback_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                std::shared_ptr<const bridge_manner> manner, terms how,
                std::shared_ptr<const registrar_shards> shards, const two_clocks& clocks,
                caf::strong_actor_ptr owner);

  const char* name() const override { return "callback_call"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  /// Agents' phones count from 1.
  static constexpr uint32_t own_tag = UINT32_MAX;

  void end_all(queue_exit how) override;
  void report() override;

  void on_connect(const offer_key& key);
  void on_dismissed(const queue_dismissed& dismissed);
  // of who is called back, the far side
  bool call_next_trunk();
  void on_located(const servers_located& found);
  void on_prepared(const leg_events::prepared& prepared);
  void on_ringing(const leg_events::ringing& ringing);
  void on_answered(const leg_events::answered& answered);
  void join(bool talks);

  void on_opened(const media_opened& opened);
  void on_ended(const leg_events::ended& ended);
  [[nodiscard]] bool called(const call_side* side) const noexcept { return side == &far_; }

  storage::callback_record what_;
  std::unique_ptr<trunk_hunt> hunt_;
  std::shared_ptr<const sdp::offer_template> media_; // it is offered
  uint64_t look_up_ = 0;                             // for a trunk's servers
  bool dialled_ = false;                             // an attempt that counts
  bool reached_ = false;
  bool rang_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::callback_dials)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::callback_over)
