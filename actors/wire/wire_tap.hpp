#pragma once

#include <cstdint>
#include <string_view>

#include <caf/fwd.hpp>

#include "engine/lane/timer_wheel.hpp"
#include "engine/transport/flow.hpp"

namespace jackfield {

enum class wire_direction : uint8_t { received, sent };

/// Sees every SIP message that a router takes or sends: what comes before it is judged, malformed
/// ones and keep-alives too, and what legs, stateless answers and lingering legs send, as soon as
/// the transport has taken it. On the router's thread; it must not call the router from inside.
class wire_tap {
public:
  virtual ~wire_tap() = default;
  /// `bytes` lasts for the call. `at` is when it arrived, or was handed to the transport.
  virtual void on_message(wire_direction direction, const transport::flow& over,
                          lane::time_point at, std::string_view bytes) = 0;
  /// How the leg of this actor went: a word for why it failed, empty if it did not. Once a leg.
  virtual void on_leg_over(caf::actor_id /*owner*/, std::string_view /*failure*/) {}
};

} // namespace jackfield
