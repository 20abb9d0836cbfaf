#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <caf/allowed_unsafe_message_type.hpp>

#include "engine/lane/timer_wheel.hpp"

namespace jackfield {

/// Something that happened in a contact centre: what its records are made of. Each call of a queue
/// has one `entered` and later exactly one of those after it, a connected one a `completed`
/// besides; or one `refused`. That of a recording comes after `completed`.
struct centre_event {
  enum class kind : uint8_t {
    refused,           ///< a call was not let in
    entered,           ///< a call waits; again in the queue that it is sent on to
    offered,           ///< an agent's phones ring
    not_taken,         ///< and stopped, for `detail`
    connected,         ///< caller and agent hear each other; waited
    abandoned,         ///< the caller hung up; waited
    overflowed,        ///< sent on, or away, for `detail`; waited
    completed,         ///< a connected call is over; waited, talked, `by_caller`
    agent_state,       ///< an agent's state is `detail`, and was `from`
    resumed,           ///< a connected call goes on after a restart, with another number; waited
    recorded,          ///< a completed call's recording is the file `detail`; talked: its length
    not_recorded,      ///< there is none, or it is not whole, for `detail`
    callback_promised, ///< the caller of a call is called back, at the number `detail`
    callback_over,     ///< of such a one: "reached", or why not
    trunk_state        ///< a trunk is "in_service" or "out_of_service" (`detail`) from now on, for
                       ///< `reason`
  };

  kind what = kind::entered;
  std::chrono::system_clock::time_point at;
  uint64_t call = 0; ///< its actor's number: unique while the process runs; 0: of none,
                     ///< or of one that the process before had
  std::string call_id = {};
  std::string queue = {};
  std::string agent = {};
  std::string from = {};   ///< the caller's URI
  std::string detail = {}; ///< a cause, or a state
  std::string reason = {}; ///< of a pause, or why a trunk does not serve
  size_t position = 0;     ///< from 1, of who entered
  lane::duration waited{};
  lane::duration talked{};
  bool by_caller = false;
  std::string trunk = {}; ///< its name
};

/// A stable name for files: "call.entered", "agent.state".
[[nodiscard]] std::string_view to_string(centre_event::kind what) noexcept;

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::centre_event)
