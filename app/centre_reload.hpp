#pragma once

#include <string>
#include <vector>

#include "actors/centre/centre.hpp"
#include "app/http/messages.hpp"
#include "engine/error/error.hpp"

namespace jackfield::app {

// What the API says of a configuration that was read anew.

/// What a reload changes.
struct reloaded {
  const centre_plan& plan;
  const std::vector<std::string>& webhooks; ///< names
};
/// Of a centre that runs by another plan now: how many agents, queues, menus and webhooks there
/// are, and the names of those that came and went.
[[nodiscard]] http::answer reload_answer(const reloaded& before, const reloaded& now);
/// 422, with the place of each fault in `errors`, of which there is one at least.
[[nodiscard]] http::answer reload_problem(const std::vector<error>& faults);

} // namespace jackfield::app
