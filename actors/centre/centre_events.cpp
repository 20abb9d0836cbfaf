#include "actors/centre/centre_events.hpp"

namespace jackfield {

std::string_view to_string(centre_event::kind what) noexcept {
  switch (what) {
  case centre_event::kind::refused:
    return "call.refused";
  case centre_event::kind::entered:
    return "call.entered";
  case centre_event::kind::offered:
    return "call.offered";
  case centre_event::kind::not_taken:
    return "call.not_taken";
  case centre_event::kind::connected:
    return "call.connected";
  case centre_event::kind::abandoned:
    return "call.abandoned";
  case centre_event::kind::overflowed:
    return "call.overflowed";
  case centre_event::kind::completed:
    return "call.completed";
  case centre_event::kind::resumed:
    return "call.resumed";
  case centre_event::kind::agent_state:
    return "agent.state";
  case centre_event::kind::recorded:
    return "call.recorded";
  case centre_event::kind::not_recorded:
    return "call.not_recorded";
  case centre_event::kind::callback_promised:
    return "callback.promised";
  case centre_event::kind::callback_over:
    return "callback.over";
  case centre_event::kind::trunk_state:
    return "trunk.state";
  }
  return "";
}

} // namespace jackfield
