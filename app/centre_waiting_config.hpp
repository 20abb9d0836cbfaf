#pragma once

#include <memory>
#include <vector>

#include "actors/centre/centre.hpp"
#include "actors/centre/wait_announcer.hpp"
#include "app/config_reader.hpp"

namespace jackfield::app {

/// The [announcements] of a contact centre's configuration: what may be said; null: nothing.
std::shared_ptr<const wait_announcement> read_announcements(config_reader& in,
                                                            const toml::table& all);
/// What a [[queue]] says of those who wait: announcements, places that are kept, and skills that
/// are needed.
void read_waiting(config_reader& in, const toml::table& queue,
                  const std::shared_ptr<const wait_announcement>& sounds,
                  centre_plan::queue_plan& into);
/// The skills that a [[queue]] needs, alone.
void read_needs(config_reader& in, const toml::table& queue, policy::queue_rules& rules);
/// The skills of an [[agent]].
std::vector<policy::skill> read_skills(config_reader& in, const toml::table& agent);

} // namespace jackfield::app
