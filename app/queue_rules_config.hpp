#pragma once

#include "app/config_reader.hpp"
#include "engine/policy/agent_rules.hpp"
#include "engine/policy/queue_rules.hpp"

namespace jackfield::app {

/// What a [[queue]] says of how it works, as `serve` and `simulate` both read it: strategy, ring,
/// max_wait, most_waiting, join_needs, stay_needs, without_agents, overflow, priority_worth and
/// service_level. Who else is a queue is not looked at.
void read_queue_rules(config_reader& in, const toml::table& queue, policy::queue_rules& rules);

/// Likewise of how agents work: after_rejected, after_busy, after_no_answer, after_unreachable and
/// most_unanswered.
void read_agent_rules(config_reader& in, const toml::table& agent, policy::agent_rules& rules);

} // namespace jackfield::app
