#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/result.hpp>

#include "actors/call/resumption_tally.hpp"
#include "actors/centre/agent.hpp"
#include "actors/centre/bridged_call.hpp"
#include "actors/centre/callback_book.hpp"
#include "actors/centre/callback_call.hpp"
#include "actors/centre/caller_check.hpp"
#include "actors/centre/caller_menu.hpp"
#include "actors/centre/queue.hpp"
#include "actors/centre/queued_call.hpp"
#include "actors/centre/supervisor_call.hpp"
#include "actors/centre/trunk_book.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"

namespace jackfield {

/// Who and what is called in a contact centre. The same for all lanes; immutable once they run.
struct centre_roster {
  struct line : centre_line {
    std::optional<size_t> menu; ///< that asks first where to go; else into the queue at once
  };
  std::unordered_map<std::string, line> numbers; ///< by the user part of what is called
  std::unordered_map<std::string, line> queues;  ///< by their names
  std::shared_ptr<const centre_menus> menus;
  /// By which times of calls are kept and read: one pair for all lanes, so that who came first
  /// stays first.
  two_clocks clocks;
  std::unordered_map<std::string, caf::strong_actor_ptr> agents; ///< by their names
  /// Others than agents, too, may call the numbers of queues.
  bool anyone_calls = true;
  std::shared_ptr<const trunk_book> trunks = std::make_shared<const trunk_book>();
};

/// To a centre's service: take no more calls (503); the sender gets `centre_stopped` when the last
/// has ended.
struct centre_drain {};
/// As that, and hang up the calls that are up.
struct centre_stop {};
struct centre_stopped {
  unsigned source = 0;
  uint64_t calls = 0;   ///< that came
  uint64_t refused = 0; ///< for want of somebody who is called so
};

/// To a centre's service: who and what is called from now on, and who may register. Calls that are
/// up are untouched.
struct centre_changed {
  std::shared_ptr<const centre_roster> roster;
  std::shared_ptr<const registrar_settings> registrations; ///< but for the secret, which stays
};

/// To a centre's service, from anybody: hang up that call. Answered by `call_hung_up`.
struct hang_up_call {
  caf::actor_id call = 0;
};
struct call_hung_up {
  bool found = false; ///< it is up on this lane
};

/// What a contact centre does on one lane: after a crash it goes on with callers who waited, and
/// with calls that agents had (`resume_calls`, before all else, with the legs of these agents,
/// which may be of other lanes; the watcher gets `calls_resumed`); it is the registrar of agents'
/// phones; puts calls to a queue's number into the queue, sends those of agents to outside numbers
/// through trunks, and connects others to the registered user whom they are for. Callers whom a
/// queue calls back, and whom it knows, are called through trunks, too. Serves those alone whom its
/// `caller_check` lets in.
class centre_service final : public lane::lane_actor,
                             private uas_service,
                             private caller_check::user,
                             private presence_watcher {
public:
  /// `watcher` gets a `centre_event` for each call of a queue that is over.
  centre_service(caf::actor_config& config, lane::lane& home, lane_context& context,
                 std::shared_ptr<const bridge_manner> manner,
                 std::shared_ptr<const centre_roster> roster,
                 std::shared_ptr<const registrar_settings> registrations, unsigned source,
                 std::shared_ptr<registrar_shards> shards, caf::strong_actor_ptr watcher);

  const char* name() const override { return "centre_service"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) override;
  void on_request(const sip_arrival_ptr& request) override;
  void on_admitted(const sip_arrival_ptr& request, uint64_t transaction,
                   const centre_caller& who) override;
  void on_forbidden(const sip_arrival_ptr& request, uint64_t transaction, int status) override;
  void serve_request(const sip_arrival& request);
  void connect(const sip_arrival_ptr& invite, uint64_t transaction, const centre_caller& who);
  void call_outside(const sip_arrival_ptr& invite, uint64_t transaction, const centre_caller& who,
                    const outside_route& route, std::string called,
                    std::optional<trunk_call> through);
  void on_presence(const std::string& address_of_record, bool present) override;
  void on_found(const contacts_found& found);
  void on_changed(const centre_changed& changed);
  void on_over(const queued_call_over& over);
  [[nodiscard]] callback_promised on_promise(promise_callback& wish);
  void call_back(storage::callback_record what);
  void on_callback_over(const callback_over& over);
  /// With what such an attempt was of.
  void go_on_with(storage::callback_record what, const callback_over& over);
  void end_callback(const storage::callback_record& what, std::string_view why);
  void tell_recording(const queued_call_over& over);
  caf::result<supervision_answer> on_supervise(const supervise_call& wish);
  [[nodiscard]] supervision_answer on_end_supervision(const end_supervision& wish);
  void on_supervision_over(const supervision_over& over);
  /// `agent`: who has it beside the queues; null: none. It came `through` a trunk, or did not. Its
  /// caller is `known`: no stranger.
  void keep(caf::strong_actor_ptr call, caf::strong_actor_ptr agent = {},
            std::optional<trunk_call> through = std::nullopt, bool known = false);
  [[nodiscard]] caf::strong_actor_ptr agent_named(const std::string& name) const;
  void go_on(resume_calls& left);
  void on_resumed(const call_resumed& call);
  void forget(caf::actor_id call);
  void refuse(const sip_arrival& invite, uint64_t transaction, int status,
              std::string_view headers = {});
  void stop(bool hang_up_calls);

  lane_context& context_;
  std::shared_ptr<const bridge_manner> manner_;
  std::shared_ptr<const centre_roster> roster_;
  std::shared_ptr<registrar_shards> shards_;
  registrar registrar_;
  caller_check callers_;
  caf::strong_actor_ptr watcher_;
  struct looking_up { // whom the call is for
    sip_arrival_ptr invite;
    uint64_t transaction;
    std::optional<trunk_call> through;
  };
  struct kept_actor {
    caf::strong_actor_ptr call;
    caf::strong_actor_ptr agent; // has it beside the queues
    std::optional<trunk_call> through;
    bool known = false;
  };
  std::unordered_map<caf::actor_id, kept_actor> calls_;
  static constexpr unsigned callback_clock = 0;
  callback_book callbacks_;
  std::unordered_map<caf::actor_id, caf::strong_actor_ptr> supervisors_; // by whom they hear
  std::unordered_map<uint64_t, looking_up> look_ups_;                    // by ticket
  uint64_t tickets_ = 0;
  uint64_t came_ = 0;
  uint64_t refused_ = 0;
  unsigned source_;
  resumption_tally resuming_;
  std::unordered_map<caf::actor_id, centre_event> talks_on_; // to be told once a call does
  caf::strong_actor_ptr stop_asked_by_;                      // null: nobody waits for the end
  bool stopping_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::centre_drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::centre_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::centre_stopped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::centre_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::hang_up_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_hung_up)
