#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/call/resumption_tally.hpp"
#include "actors/load/answer_script.hpp"
#include "actors/load/answering_users.hpp"
#include "actors/load/load_messages.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"
#include "actors/wire/call_trace.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield {

/// Answers what comes to one lane: calls by its manner, or by connecting them to whom they are for,
/// REGISTER by its registrar, OPTIONS with 200. Those of lanes that serve together share `shards`.
/// Traces its lane's messages if told how. Goes on with calls that a crash left (`resume_calls`).
/// Has users registered elsewhere, and answers what is sent to them (`register_users`).
class answering_service final : public lane::lane_actor, private uas_service {
public:
  answering_service(caf::actor_config& config, lane::lane& home, lane_context& context,
                    std::shared_ptr<const answer_manner> manner,
                    std::shared_ptr<const registrar_settings> registrations, unsigned source,
                    std::shared_ptr<registrar_shards> shards = nullptr,
                    std::shared_ptr<const trace_settings> trace = nullptr);

  const char* name() const override { return "answering_service"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) override;
  void on_request(const sip_arrival_ptr& request) override;
  void on_found(const contacts_found& found);
  void on_served(const served_call& served);
  void on_bridged(const bridged_call_over& over);
  void answer(const sip_arrival_ptr& invite, uint64_t transaction);
  caf::actor_id answer(const sip_arrival_ptr& invite, uint64_t transaction, answer_plan plan);
  void answer_as(size_t user, const sip_arrival_ptr& invite, uint64_t transaction);
  /// For a user who has a call: it is perhaps just over, and what ended it is still on its way.
  void hold(size_t user, const sip_arrival_ptr& invite, uint64_t transaction);
  void on_user_free(caf::actor_id call);
  void on_timer();
  enum class draw : uint64_t { share = 1, delay = 2 };
  /// What the manner's seed gives to a call of that number.
  [[nodiscard]] answer_plan plan_of(uint64_t number) const;
  [[nodiscard]] answer_plan plan_of_user(size_t place);
  void go_on(resume_calls& left);
  void connect(const sip_arrival_ptr& invite, uint64_t transaction, registered_contact callee);
  void keep(caf::strong_actor_ptr call, std::string_view call_id);
  /// A call is over.
  void count(caf::actor_id call, bool answered, report::failure_cause failure,
             answer_plan::kind declined = answer_plan::kind::answer, std::string_view detail = {});
  [[nodiscard]] bool serves_others() const noexcept { return !users_ || users_->serves_others(); }
  [[nodiscard]] bool nothing_left() const noexcept;
  void count(const media_outcome& media);
  void stop(bool hang_up_calls);
  void finish();
  void leave();
  void take_snapshot();

  lane_context& context_;
  std::shared_ptr<const answer_manner> manner_;
  std::shared_ptr<registrar_shards> shards_; // null: this lane serves alone
  registrar registrar_;
  report::run_metrics metrics_;
  struct looking_up { // whom the call is for
    sip_arrival_ptr invite;
    uint64_t transaction;
  };
  struct held_call { // for a user who has another
    sip_arrival_ptr invite;
    uint64_t transaction;
    size_t user;
    lane::time_point until;
  };
  std::unordered_map<caf::actor_id, caf::strong_actor_ptr> calls_;
  std::unordered_map<uint64_t, looking_up> look_ups_; // by ticket
  uint64_t tickets_ = 0;
  std::deque<held_call> held_; // as they came
  lane::actor_timer held_timer_;
  std::unique_ptr<answering_users> users_; // null: nobody is registered elsewhere
  std::vector<uint32_t> calls_of_user_;    // by their places
  uint64_t calls_of_nobody_ = 0;
  resumption_tally resuming_;
  caf::strong_actor_ptr stop_asked_by_; // empty: nobody waits for the end
  std::shared_ptr<const trace_settings> trace_settings_;
  std::unique_ptr<call_trace> trace_; // null: none is wanted
  unsigned source_;
  uint64_t refused_ = 0; // for want of room, and counted
  bool stopping_ = false;
};

} // namespace jackfield
