#pragma once

#include <string>
#include <vector>

#include "actors/centre/centre.hpp"
#include "app/centre_view.hpp"

namespace jackfield::app {

// What the API says of a contact centre's parts; app/openapi.json describes it.

/// `with_line`: with the calls of `state.line`, the first of which has `first` before it.
[[nodiscard]] std::string queue_json(const centre_plan::queue_plan& plan, const queue_state& state,
                                     bool with_line, size_t first);
[[nodiscard]] std::string agent_json(const agent_state_told& state,
                                     const std::vector<std::string>& queues);
[[nodiscard]] std::string call_json(const centre_view::call& call,
                                    std::chrono::system_clock::time_point now);
[[nodiscard]] std::string trunk_json(const trunk_line& line);
/// {"NAME":[a,b],"next":"..."}, with null where `next` is empty: the list ends there.
[[nodiscard]] std::string list_json(const char* name, const std::vector<std::string>& parts,
                                    const std::string& next);

} // namespace jackfield::app
