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
  case centre_event::kind::agent_state:
    return "agent.state";
  }
  return "";
}

std::string_view to_string(policy::agent_state state) noexcept {
  switch (state) {
  case policy::agent_state::logged_out:
    return "logged_out";
  case policy::agent_state::ready:
    return "ready";
  case policy::agent_state::paused:
    return "paused";
  case policy::agent_state::reserved:
    return "reserved";
  case policy::agent_state::offered:
    return "offered";
  case policy::agent_state::answered:
    return "answered";
  case policy::agent_state::in_call:
    return "in_call";
  case policy::agent_state::wrap_up:
    return "wrap_up";
  case policy::agent_state::resting:
    return "resting";
  case policy::agent_state::unreachable:
    return "unreachable";
  }
  return "";
}

} // namespace jackfield
