#pragma once

#include <cstdint>
#include <memory>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_settings.hpp"
#include "actors/call/kept_registration.hpp"
#include "actors/call/leg_actor.hpp"
#include "engine/sip/registration.hpp"
#include "engine/transport/transport_settings.hpp"
#include "storage/kept_registrations.hpp"

namespace jackfield {

/// What became of a registration that a crash left.
enum class unbinding : uint8_t {
  removed, ///< the registrar has agreed
  refused, ///< it has refused for good; there is nothing more to be done
  kept,    ///< it does not answer, not now, or not to these credentials: its record stays
};

/// To the owner of a binding's removal, last.
struct binding_removed {
  caf::actor_id which = 0;
  unbinding how = unbinding::kept;
};

/// Removes at its registrar a binding that a crash left: by a REGISTER of the same Call-ID with a
/// higher CSeq and `expires=0` on its contact, which leaves once its CSeq is in the store. Its
/// record is erased with the registrar's answer.
class binding_removal final : public leg_actor<sip::registration> {
public:
  /// `user`, who answers challenges, may be null. `owner` is on the same lane.
  binding_removal(caf::actor_config& config, lane::lane& home, sip_router& router, recorder* keeps,
                  storage::interrupted_registration left,
                  std::shared_ptr<const transport::open_settings> connections,
                  std::shared_ptr<const call_target> user, caf::strong_actor_ptr owner);

  const char* name() const override { return "binding_removal"; }

protected:
  caf::behavior make_behavior() override;

private:
  void begin();
  void on_recorded(const recorded& answer);
  void finish();

  // leg_actor and sip::ua_sink
  void on_over() override { finish(); }
  void on_lost() override { finish(); }
  void send(const sip::outgoing& message) override;
  void on_event(const sip::ua_event& event) override;

  kept_registration kept_;
  storage::registration_record record_;
  std::shared_ptr<const transport::open_settings> connections_;
  std::shared_ptr<const call_target> user_;
  caf::strong_actor_ptr owner_;
  unbinding how_ = unbinding::kept;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::binding_removed)
