#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include <caf/actor_control_block.hpp>

#include "actors/incoming_call.hpp"
#include "actors/lane_context.hpp"
#include "actors/registrar.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield {

/// To an answering service or a load generator: send a copy of what you measured to the sender of
/// the request.
struct metrics_request {};

/// The answer.
struct metrics_snapshot {
  unsigned source = 0; ///< what the asker gave the asked when it was made
  std::shared_ptr<const report::run_metrics> metrics;
};

/// To an answering service: take no more calls (480). The sender gets `service_stopped` when the
/// last one has ended.
struct service_drain {};
/// As `service_drain`, and hang up the calls that are up.
struct service_stop {};
struct service_stopped {
  unsigned source = 0;
  std::shared_ptr<const report::run_metrics> metrics;
};

/// Answers what comes to one lane: calls by its manner, REGISTER by its registrar, OPTIONS with
/// 200.
class answering_service final : public lane::lane_actor, private uas_service {
public:
  answering_service(caf::actor_config& config, lane::lane& home, lane_context& context,
                    std::shared_ptr<const answer_manner> manner,
                    std::shared_ptr<const registrar_settings> registrations, unsigned source);

  const char* name() const override { return "answering_service"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) override;
  void on_request(const sip_arrival_ptr& request) override;
  void on_served(const served_call& served);
  void stop(bool hang_up_calls);
  void finish();
  void take_snapshot();

  lane_context& context_;
  std::shared_ptr<const answer_manner> manner_;
  registrar registrar_;
  report::run_metrics metrics_;
  std::unordered_map<caf::actor_id, caf::strong_actor_ptr> calls_;
  caf::strong_actor_ptr stop_asked_by_; // empty: nobody waits for the end
  unsigned source_;
  bool stopping_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::metrics_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::metrics_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::service_drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::service_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::service_stopped)
