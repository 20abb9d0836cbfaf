#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/response_promise.hpp>

#include "actors/centre/bridged_call.hpp"
#include "actors/centre/call_side.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// Whom a supervisor is heard by. They hear caller and agent, whatever it is.
enum class supervision : uint8_t {
  monitor, ///< nobody
  whisper, ///< the agent
  barge    ///< both
};

/// To a centre's service, from anybody: have that agent's phone called, and hear a call that is up
/// there; or, if it does already, have it heard so from now on. Answered by `supervision_answer`.
struct supervise_call {
  caf::actor_id call = 0;
  std::string supervisor; ///< an agent's name
  supervision how = supervision::monitor;
};
/// To a centre's service, from anybody: hang up whoever supervises that call. Answered likewise.
struct end_supervision {
  caf::actor_id call = 0;
};

struct supervision_answer {
  enum class outcome : uint8_t {
    calling,     ///< their phone is called
    changed,     ///< they are heard otherwise from now on
    ending,      ///< they are hung up
    no_call,     ///< of that number on this lane
    not_talking, ///< no agent has taken the call yet
    nobody,      ///< it has no supervisor, or there is no agent of that name
    no_phone,    ///< none is registered
    taken,       ///< by another supervisor
    part_of_it,  ///< the supervisor is the agent of that call
  };
  outcome what = outcome::no_call;
};

/// To a call of a queue, on its lane: whose streams are joined? Answered by `talk_streams`.
struct ask_talk {};
struct talk_streams {
  caf::strong_actor_ptr caller;
  caf::strong_actor_ptr agent; ///< null: there is none yet
  std::string name;            ///< of the agent
};

/// To the owner of a supervisor's call, last.
struct supervision_over {
  caf::actor_id supervisor = 0; ///< its actor's number
  caf::actor_id call = 0;       ///< that was supervised
};

/// A supervisor's phone, called to hear a call of a queue, on that call's lane: hears the mix of
/// both sides, and is heard as it is told. Whoever of them two goes: the call goes on without the
/// supervisor, and the supervisor's ends with the call.
///
/// Takes `hang_up`, from anybody, and `supervise_call` of its own call.
class supervisor_call final : public lane::lane_actor {
public:
  /// `owner`, on this lane, answers `look_up_contacts` and gets `supervision_over`.
  supervisor_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                  std::shared_ptr<const bridge_manner> manner, caf::strong_actor_ptr supervised,
                  caf::strong_actor_ptr agent, std::shared_ptr<const registrar_shards> shards,
                  caf::strong_actor_ptr owner);

  const char* name() const override { return "supervisor_call"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  using outcome = supervision_answer::outcome;

  caf::response_promise on_wish(const supervise_call& wish);
  void begin();
  void on_talk(const talk_streams& talk);
  void on_contacts(const contacts_found& found);
  void on_opened(const media_opened& opened);
  void place(const transport::target_selection& servers);
  void on_answered(const leg_events::answered& answered);
  void on_ended(const leg_events::ended& ended);
  void hear();
  void send_mix(const caf::strong_actor_ptr& to, std::vector<caf::strong_actor_ptr> of);
  void answer(outcome how);
  /// Hangs up, or stops calling.
  void end();
  void settle();

  lane_context& context_;
  std::shared_ptr<const bridge_manner> manner_;
  caf::strong_actor_ptr supervised_;
  caf::strong_actor_ptr agent_; // whose phone is called
  std::shared_ptr<const registrar_shards> shards_;
  caf::strong_actor_ptr owner_; // null: it has been told
  caf::actor_id call_;
  std::string supervisor_;
  supervision how_ = supervision::monitor;
  caf::response_promise asked_; // how it began
  bool is_asked_ = false;
  talk_streams talk_;
  std::string address_; // of the supervisor
  registered_contact contact_;
  call_side side_;
  std::shared_ptr<const sdp::offer_template> media_;
  uint64_t look_up_ = 0;
  bool hears_ = false;
  bool ending_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::supervise_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::end_supervision)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::supervision_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_talk)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::talk_streams)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::supervision_over)
