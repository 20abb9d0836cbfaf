#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/centre/centre.hpp"
#include "actors/centre/wait_announcer.hpp"
#include "app/config_reader.hpp"

namespace jackfield::app {

/// What may be said to who waits.
struct waiting_sounds {
  std::shared_ptr<const wait_announcement> wait; ///< null: nothing is
  std::string directory;                         ///< where they are
};

/// The [announcements] of a contact centre's configuration.
waiting_sounds read_announcements(config_reader& in, const toml::table& all);
/// What a [[queue]] says of those who wait: announcements, places that are kept, callbacks, and
/// skills that are needed.
void read_waiting(config_reader& in, const toml::table& queue, const waiting_sounds& sounds,
                  centre_plan::queue_plan& into);
/// The skills of an [[agent]].
std::vector<policy::skill> read_skills(config_reader& in, const toml::table& agent);

} // namespace jackfield::app
