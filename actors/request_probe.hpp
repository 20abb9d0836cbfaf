#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/call_settings.hpp"
#include "actors/leg_wire.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sip/non_invite_client.hpp"

namespace jackfield {

/// To a probe's owner, last.
struct probe_finished {
  uint64_t number = 0;
  int status = 0;
  report::failure_cause failure; ///< `none` for a 2xx
  lane::duration took{};         ///< from when it was due
  wire_counters wire;
};

/// One request out of dialog, OPTIONS, with its retries by digest and redirection.
class request_probe final : public lane::lane_actor, private sip::ua_sink {
public:
  request_probe(caf::actor_config& config, lane::lane& home, sip_router& router,
                std::shared_ptr<const call_manner> manner,
                std::shared_ptr<const call_target> target, uint64_t number, lane::time_point due,
                caf::strong_actor_ptr owner);

  const char* name() const override { return "request_probe"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void begin();
  void send(const sip::outgoing& message) override { wire_.send(message); }
  void on_event(const sip::ua_event& event) override;
  void settle();
  void finish();

  std::shared_ptr<const call_manner> manner_;
  std::shared_ptr<const call_target> target_;
  caf::strong_actor_ptr owner_;
  leg_wire wire_;
  std::optional<sip::non_invite_client> machine_;
  lane::actor_timer timer_;
  lane::time_point due_;
  uint64_t number_;
  int status_ = 0;
  report::failure_cause failure_;
  bool over_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::probe_finished)
