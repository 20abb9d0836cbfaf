#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_settings.hpp"
#include "actors/call/leg_actor.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sip/non_invite_client.hpp"

namespace jackfield {

/// To the owner of an out-of-dialog request, last.
struct request_finished {
  uint64_t number = 0;
  int status = 0;
  report::failure_cause failure; ///< `none` for a 2xx
  std::string detail;            ///< what was said of it: see `failure_detail`
  lane::duration took{};         ///< from when it was due
  wire_counters wire;
  lane::time_point due{};
  std::shared_ptr<const call_target> target;
};

/// One request out of dialog, OPTIONS, with its retries by digest and redirection.
class out_of_dialog_request final : public leg_actor<sip::non_invite_client> {
public:
  out_of_dialog_request(caf::actor_config& config, lane::lane& home, sip_router& router,
                        std::shared_ptr<const call_manner> manner,
                        std::shared_ptr<const call_target> target, uint64_t number,
                        lane::time_point due, caf::strong_actor_ptr owner);

  const char* name() const override { return "out_of_dialog_request"; }

protected:
  caf::behavior make_behavior() override;

private:
  void begin();
  void finish();

  // leg_actor and sip::ua_sink
  void on_over() override { finish(); }
  void on_lost() override;
  void on_event(const sip::ua_event& event) override;

  caf::strong_actor_ptr owner_;
  std::shared_ptr<const call_manner> manner_;
  std::shared_ptr<const call_target> target_;
  lane::time_point due_;
  uint64_t number_;
  int status_ = 0;
  report::failure_cause failure_;
  std::string detail_;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::request_finished)
