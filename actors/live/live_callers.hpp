#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/load/load_messages.hpp"
#include "actors/load/load_metrics.hpp"
#include "actors/node/lane_context.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// To `live_callers`: have somebody call. `due`: when that was to be.
struct place_caller {
  uint64_t ticket = 0; ///< its own; `caller_id_of` says what is shown of it
  lane::time_point due{};
};

/// To `live_callers`: that caller hangs up.
struct hang_up_caller {
  uint64_t ticket = 0;
};

/// To `live_callers`: all do, and you end; the sender gets `service_stopped`.
struct callers_go {};

/// To the listener: a 2xx came.
struct caller_answered {
  uint64_t ticket = 0;
};

/// To the listener: the call is over, last.
struct caller_gone {
  uint64_t ticket = 0;
  bool answered = false;
};

/// What a caller shows in From: ten digits, so that most PBXs hand them on to the agent's phone.
[[nodiscard]] std::string caller_id_of(uint64_t ticket);
/// Whose that is; 0: nobody's. What a PBX put before the digits is let be.
[[nodiscard]] uint64_t ticket_of(std::string_view caller_id) noexcept;

/// Callers on one lane, who call and hang up when they are told: an actor that owns their legs, and
/// counts how they fared. That a caller hangs up is no failure, whether anybody answered or not.
class live_callers final : public lane::lane_actor {
public:
  /// `who`: whom all call; `from` is made for each. `listener` gets what is told of callers.
  live_callers(caf::actor_config& config, lane::lane& home, lane_context& context,
               std::shared_ptr<const call_manner> manner, std::shared_ptr<const call_target> who,
               unsigned source, caf::strong_actor_ptr listener);

  const char* name() const override { return "live_callers"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct caller {
    caf::strong_actor_ptr leg;
    bool hung_up = false;
  };

  void place(const place_caller& wanted);
  void hang_up(caller& who);
  void on_finished(call_finished call);
  void go();
  void finish();

  lane_context& context_;
  std::shared_ptr<const call_manner> manner_;
  std::shared_ptr<const call_target> who_;
  std::string domain_; // of their From
  load_metrics metrics_;
  std::unordered_map<uint64_t, caller> callers_;
  caf::strong_actor_ptr listener_;
  caf::strong_actor_ptr stop_asked_by_; // empty: nobody waits for the end
  unsigned source_;
  bool going_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::place_caller)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::hang_up_caller)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::callers_go)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::caller_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::caller_gone)
