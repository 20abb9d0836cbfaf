#pragma once

#include <vector>

#include "actors/centre/centre.hpp"
#include "app/http/messages.hpp"
#include "engine/error/error.hpp"

namespace jackfield::app {

// What the API says of a configuration that was read anew.

/// Of a centre that runs by another plan now: how many agents, queues and menus there are, and the
/// names of those that came and went.
[[nodiscard]] http::answer reload_answer(const centre_plan& before, const centre_plan& now);
/// 422, with the place of each fault in `errors`, of which there is one at least.
[[nodiscard]] http::answer reload_problem(const std::vector<error>& faults);

} // namespace jackfield::app
