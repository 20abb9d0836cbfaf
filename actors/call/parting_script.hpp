#pragma once

#include <cstdint>
#include <memory>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_leg.hpp"
#include "actors/call/kept_call.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/transport/transport_settings.hpp"

namespace jackfield {

/// What became of a call that a crash left.
enum class parting : uint8_t {
  hung_up,     ///< it was up; its BYE was answered
  gone,        ///< it was up here, and the peer did not know it any more
  taken_back,  ///< an attempt in the air; the peer has been told that it is off
  unreachable, ///< the peer does not answer, or there is no way there
};

/// To the owner of a call that a crash left, last.
struct call_parted {
  caf::actor_id call = 0;
  parting how = parting::unreachable;
};

/// Ends a call that a crash left, as the peer sees it: takes up its dialog and hangs up when told,
/// or takes the attempt back at once (CANCEL; ACK and BYE where it was answered meanwhile). Its
/// record is closed with that: `engine_restart` or `indeterminate`.
class parting_script final : public leg_user {
public:
  /// `owner` is on the leg's lane.
  parting_script(kept_call kept, std::shared_ptr<const transport::open_settings> connections,
                 caf::strong_actor_ptr owner);

  void on_start(call_leg& leg) override;
  void on_hang_up(call_leg& leg) override;
  void on_lost(call_leg& leg) override;
  void on_ended(call_leg& leg, const leg_end& end) override;

private:
  void close(call_leg& leg, parting how);

  kept_call kept_;
  std::shared_ptr<const transport::open_settings> connections_;
  caf::strong_actor_ptr owner_;
  bool was_up_;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_parted)
